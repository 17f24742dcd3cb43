"""`deliverkit spf`."""

from __future__ import annotations

from deliverkit.cli.declare import application
from deliverkit.cli.launch import Launch
from deliverkit.cli.options import Asking, Judging, Opinion, Running, Sending, Showing, Targets


def spf(
    *,
    targets: Targets,
    sending: Sending,
    opinion: Opinion,
    judging: Judging,
    asking: Asking,
    running: Running,
    showing: Showing,
) -> int:
    """Who may send for a domain: the include tree, or the verdict for an address."""
    return Launch(
        command="spf",
        areas=("spf",),
        asking=asking,
        running=running,
        judging=judging,
        showing=showing,
        sending=sending,
        opinion=opinion,
    ).run(targets.domains)


app = application(spf, name="spf")
