"""`deliverkit mta-sts`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Option

from deliverkit.cli.declare import application
from deliverkit.cli.launch import Launch
from deliverkit.cli.options import Asking, Judging, Opinion, Running, Showing, Targets


@dataclass(frozen=True)
class Unpublished:
    """What is judged before it is published."""

    policy: Annotated[
        Path | None,
        Option(
            "--policy",
            metavar="FILE",
            rich_help_panel="This check",
            help="Judge this policy, as if it were published; - reads it from stdin.",
        ),
    ] = None


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
        policy=unpublished.policy,
    ).run(targets.domains)


app = application(mta_sts, name="mta-sts")
