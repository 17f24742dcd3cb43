"""`deliverkit lint`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from deliverkit.cli import terminal
from deliverkit.cli.declare import application
from deliverkit.cli.errors import UsageError
from deliverkit.cli.launch import baseline_of, checked_timeout, gate_of, read_baseline
from deliverkit.cli.lint_files import sources_of
from deliverkit.cli.main import bug
from deliverkit.cli.options import RUN, Configuring, Judging, Showing
from deliverkit.cli.outputs import NAGIOS, REPORTS, known_format, parsed, plugin, publish, streams_of
from deliverkit.dns.options import DnsOptions, DnsOptionsError, parse_resolver
from deliverkit.model import shown
from deliverkit.records.names import parse_domain
from deliverkit.runs.options import RunOptions
from deliverkit.runs.timeouts import TIMEOUT

if TYPE_CHECKING:
    from deliverkit.config.settings import Config

_WHERE = "The files"


@dataclass(frozen=True)
class Files:
    """What is linted."""

    paths: Annotated[
        list[Path],
        Argument(
            metavar="PATH",
            show_default=False,
            help="Zone files, octoDNS YAML, DNSControl or Terraform JSON; directories of them; - for stdin. "
            "[default: the zones that the configuration names]",
        ),
    ] = field(default_factory=list)
    origin: Annotated[
        str | None,
        Option(
            "--origin",
            metavar="NAME",
            rich_help_panel=_WHERE,
            help="What relative names stand under. [default: $ORIGIN, else the file's name]",
        ),
    ] = None
    zone_partial: Annotated[
        bool,
        Option("--zone-partial", rich_help_panel=_WHERE, help="The files lack records: what is absent is not missing."),
    ] = False
    resolve_includes: Annotated[
        bool,
        Option("--resolve-includes", rich_help_panel=_WHERE, help="Ask the DNS for names outside the files."),
    ] = False
    resolver: Annotated[
        list[str],
        Option(
            "--resolver",
            metavar="ADDR|URL",
            rich_help_panel=_WHERE,
            help="With --resolve-includes: ADDR[#PORT], tls://ADDR or https://HOST/PATH. [default: the system's]",
        ),
    ] = field(default_factory=list)


@dataclass(frozen=True)
class Linting(Configuring):
    """The run."""

    timeout: Annotated[
        float, Option("--timeout", metavar="SECONDS", rich_help_panel=RUN, help="For the whole of one domain.")
    ] = TIMEOUT
    trace: Annotated[
        bool, Option("--trace", rich_help_panel=RUN, help="Show each query, its answer and its time on stderr.")
    ] = False
    debug: Annotated[bool, Option("--debug", rich_help_panel=RUN, help="Show the traceback of a bug.")] = False


def lint(*, files: Files, linting: Linting, judging: Judging, showing: Showing) -> int:
    """Check zone files and DNS as code before they are published; nothing is asked of any network."""
    form = known_format(showing.format, formats=REPORTS)
    outputs = parsed(showing.output)
    try:
        return _lint(files, linting, judging, showing, form, outputs)
    except UsageError as error:
        if streams_of(outputs, form) != [NAGIOS]:
            raise
        return plugin(str(error))


def _lint(
    files: Files, linting: Linting, judging: Judging, showing: Showing, form: str, outputs: list[tuple[str, Path]]
) -> int:
    settings = linting.settings
    options = _options(files, linting, judging, showing)
    sources = sources_of(files.paths or _configured(settings), _origin(files.origin))

    from deliverkit.render.formats import View  # noqa: PLC0415 - loaded once the files were read
    from deliverkit.runs import lint as runs  # noqa: PLC0415 - as above: every rule comes with it

    report = runs.lint(sources, options, partial=files.zone_partial, live=files.resolve_includes)
    look = terminal.look(showing.color.value, verbose=showing.verbose, quiet=showing.quiet)
    view = View(
        look=look,
        command="lint",
        fail_on=judging.fail_on.value,
        where=settings.where if settings is not None else None,
    )
    return publish(report, form, outputs, view, exit_zero=judging.exit_zero)


def _options(files: Files, linting: Linting, judging: Judging, showing: Showing) -> RunOptions:
    def failed(domain: str, error: BaseException) -> None:
        terminal.say(f"deliverkit: {shown(domain)} was not judged to its end:")
        bug(error, debug=linting.debug)

    try:
        for resolver in files.resolver:
            parse_resolver(resolver)
    except DnsOptionsError as error:
        raise UsageError(str(error)) from error
    path = baseline_of(judging, linting)
    return RunOptions(
        dns=DnsOptions(resolvers=tuple(files.resolver)),
        gate=gate_of(judging, linting.settings),
        config=linting.settings,
        baseline=read_baseline(path) if path is not None else None,
        baseline_path=path,
        timeout=checked_timeout(linting.timeout),
        trace=terminal.say if linting.trace else None,
        progress=terminal.progress(quiet=showing.quiet or linting.trace),
        failed=failed,
    )


def _origin(text: str | None) -> str | None:
    if text is None or text == ".":
        return text
    try:
        return parse_domain(text).ascii
    except ValueError as error:
        raise UsageError(f"--origin {error}") from error


def _configured(config: Config | None) -> Sequence[Path]:
    zones = [Path(entry.zone) for entry in config.domains.values() if entry.zone] if config is not None else []
    if not zones:
        raise UsageError("lint: which file? (deliverkit lint zones/, deliverkit lint example.com.zone)")
    return list(dict.fromkeys(zones))


app = application(lint, name="lint")
