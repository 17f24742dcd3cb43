"""`deliverkit check`."""

from __future__ import annotations

from deliverkit.cli.declare import application
from deliverkit.cli.launch import Launch
from deliverkit.cli.options import Asking, Judging, Keys, Opinion, Running, Sending, Showing, Targets
from deliverkit.runs.options import CHECK_AREAS


def check(
    *,
    targets: Targets,
    keys: Keys,
    sending: Sending,
    opinion: Opinion,
    judging: Judging,
    asking: Asking,
    running: Running,
    showing: Showing,
) -> int:
    """Every check of a domain: where its mail goes, and who may send for it."""
    return Launch(
        command="check",
        areas=CHECK_AREAS,
        asking=asking,
        running=running,
        judging=judging,
        showing=showing,
        keys=keys,
        sending=sending,
        opinion=opinion,
    ).run(targets.domains)


app = application(check, name="check")
