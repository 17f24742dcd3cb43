"""`deliverkit mta-sts`."""

from __future__ import annotations

from deliverkit.cli.declare import application
from deliverkit.cli.launch import Launch
from deliverkit.cli.options import Asking, Judging, Opinion, Running, Showing, Targets, Unpublished


def mta_sts(
    *,
    targets: Targets,
    unpublished: Unpublished,
    opinion: Opinion,
    judging: Judging,
    asking: Asking,
    running: Running,
    showing: Showing,
) -> int:
    """Whether a domain asks for verified TLS: its record, its policy, and the hosts it covers."""
    return Launch(
        command="mta-sts",
        areas=("mta-sts",),
        asking=asking,
        running=running,
        judging=judging,
        showing=showing,
        opinion=opinion,
        unpublished=unpublished,
    ).run(targets.domains)


app = application(mta_sts, name="mta-sts")
