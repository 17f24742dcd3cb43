"""`deliverkit tls-rpt`."""

from __future__ import annotations

from deliverkit.cli.declare import application
from deliverkit.cli.launch import Launch
from deliverkit.cli.options import Asking, Judging, Opinion, Running, Showing, Targets


def tls_rpt(
    *,
    targets: Targets,
    opinion: Opinion,
    judging: Judging,
    asking: Asking,
    running: Running,
    showing: Showing,
) -> int:
    """Where senders report failures of TLS."""
    return Launch(
        command="tls-rpt",
        areas=("tls-rpt",),
        asking=asking,
        running=running,
        judging=judging,
        showing=showing,
        opinion=opinion,
    ).run(targets.domains)


app = application(tls_rpt, name="tls-rpt")
