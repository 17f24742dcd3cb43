"""`deliverkit diff`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from typer import Option

from deliverkit.cli import terminal
from deliverkit.cli.declare import application
from deliverkit.cli.errors import UsageError
from deliverkit.cli.launch import Launch
from deliverkit.cli.options import Asking, Judging, Keys, Running, Sending, Showing, Targets
from deliverkit.cli.outputs import known_format, parsed, write_files
from deliverkit.cli.targets import read_file
from deliverkit.render.text.sheet import WIDTH, Look
from deliverkit.runs.options import RunError

if TYPE_CHECKING:
    from deliverkit.report.diff import DiffReport

FORMATS: Final = ("text", "json", "markdown")


def diff(
    *,
    targets: Targets,
    against: Annotated[
        Path | None,
        Option(
            "--against",
            metavar="FILE",
            rich_help_panel="This check",
            help="A saved run (--save-evidence) to compare with, in place of what is published today.",
        ),
    ] = None,
    keys: Keys,
    sending: Sending,
    judging: Judging,
    asking: Asking,
    running: Running,
    showing: Showing,
) -> int:
    """What publishing a file would change for mail, or what has changed since a saved run."""
    from deliverkit.runs.diff import AREAS  # noqa: PLC0415 - the other commands do without
    from deliverkit.runs.diff import diff as run  # noqa: PLC0415 - as above

    form = known_format(showing.format, formats=FORMATS)
    outputs = parsed(showing.output, FORMATS)
    if against is not None:
        read_file(against, 1)
    launch = Launch(
        command="diff",
        areas=AREAS,
        asking=asking,
        running=running,
        judging=judging,
        showing=showing,
        keys=keys,
        sending=sending,
    )
    options = launch.options()
    # Without a name, every domain of the saved run; without one, those of the configuration.
    named = targets.domains or (against is None and running.evidence is None)
    requests = launch.requests(targets.domains) if named else ()
    if not options.dns.zones and against is None and asking.settings is not None:
        zones = tuple(
            dict.fromkeys(path for each in requests if (path := _configured(asking, each.domain)) is not None)
        )
        options = msgspec.structs.replace(options, dns=msgspec.structs.replace(options.dns, zones=zones))
    try:
        report = run(requests, options, against=against)
    except RunError as error:
        raise UsageError(str(error)) from error
    look = terminal.look(showing.color.value, verbose=showing.verbose, quiet=showing.quiet)
    for name in [name for name, path in outputs if str(path) == "-"] or [form]:
        terminal.write(_rendered(report, name, look))
    plain = Look(width=WIDTH, wrap=False, verbose=look.verbose, quiet=look.quiet)
    write_files(
        [(name, path) for name, path in outputs if str(path) != "-"], lambda name: _rendered(report, name, plain)
    )
    return report.exit_code


def _configured(asking: Asking, domain: str) -> Path | None:
    """The zone that the configuration names for a domain."""
    entry = asking.settings.domains.get(domain) if asking.settings is not None else None
    return Path(entry.zone) if entry is not None and entry.zone is not None else None


def _rendered(report: DiffReport, form: str, look: Look) -> str:
    if form == "json":
        from deliverkit.render import json  # noqa: PLC0415 - only where it is asked for

        return json.render(report)
    if form == "markdown":
        from deliverkit.render.markdown import diff as markdown  # noqa: PLC0415 - as above

        return markdown.render(report)
    from deliverkit.render.text import diff as text  # noqa: PLC0415 - as above

    return text.render(report, look)


app = application(diff, name="diff")
