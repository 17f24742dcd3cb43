"""`deliverkit dane`."""

from __future__ import annotations

from deliverkit.cli.declare import application
from deliverkit.cli.launch import Launch
from deliverkit.cli.options import Asking, Judging, Running, Showing, Targets


def dane(
    *,
    targets: Targets,
    judging: Judging,
    asking: Asking,
    running: Running,
    showing: Showing,
) -> int:
    """Which mail hosts senders authenticate by DANE: their TLSA records, and what DNSSEC secures."""
    return Launch(
        command="dane",
        areas=("dane",),
        asking=asking,
        running=running,
        judging=judging,
        showing=showing,
    ).run(targets.domains)


app = application(dane, name="dane")
