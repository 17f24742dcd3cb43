"""`deliverkit mx`."""

from __future__ import annotations

from deliverkit.cli.declare import application
from deliverkit.cli.launch import Launch
from deliverkit.cli.options import Asking, Judging, Running, Showing, Targets


def mx(
    *,
    targets: Targets,
    judging: Judging,
    asking: Asking,
    running: Running,
    showing: Showing,
) -> int:
    """Where a domain's mail goes."""
    return Launch(
        command="mx",
        areas=("mx",),
        asking=asking,
        running=running,
        judging=judging,
        showing=showing,
    ).run(targets.domains)


app = application(mx, name="mx")
