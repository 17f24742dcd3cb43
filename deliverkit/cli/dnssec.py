"""`deliverkit dnssec`."""

from __future__ import annotations

from deliverkit.cli.declare import application
from deliverkit.cli.launch import Launch
from deliverkit.cli.options import Asking, Judging, Running, Showing, Targets


def dnssec(
    *,
    targets: Targets,
    judging: Judging,
    asking: Asking,
    running: Running,
    showing: Showing,
) -> int:
    """Whether a domain is signed, whether the chain holds, and what a broken one withholds."""
    return Launch(
        command="dnssec",
        areas=("dnssec",),
        asking=asking,
        running=running,
        judging=judging,
        showing=showing,
    ).run(targets.domains)


app = application(dnssec, name="dnssec")
