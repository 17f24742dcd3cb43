"""`deliverkit dmarc`."""

from __future__ import annotations

from deliverkit.cli.declare import application
from deliverkit.cli.launch import Launch
from deliverkit.cli.options import Asking, Judging, Opinion, Running, Showing, Targets


def dmarc(
    *,
    targets: Targets,
    opinion: Opinion,
    judging: Judging,
    asking: Asking,
    running: Running,
    showing: Showing,
) -> int:
    """What receivers do with mail that only claims to be a domain's."""
    return Launch(
        command="dmarc",
        areas=("dmarc",),
        asking=asking,
        running=running,
        judging=judging,
        showing=showing,
        opinion=opinion,
    ).run(targets.domains)


app = application(dmarc, name="dmarc")
