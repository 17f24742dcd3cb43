"""`deliverkit dkim`."""

from __future__ import annotations

from deliverkit.cli.declare import application
from deliverkit.cli.launch import Launch
from deliverkit.cli.options import Asking, Judging, Keys, Running, Showing, Targets


def dkim(
    *,
    targets: Targets,
    keys: Keys,
    judging: Judging,
    asking: Asking,
    running: Running,
    showing: Showing,
) -> int:
    """The keys that sign a domain's mail."""
    return Launch(
        command="dkim",
        areas=("dkim",),
        asking=asking,
        running=running,
        judging=judging,
        showing=showing,
        keys=keys,
    ).run(targets.domains)


app = application(dkim, name="dkim")
