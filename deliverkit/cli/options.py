"""Every option that several commands take, declared once, in bundles."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from deliverkit.cli.colour import Colour
from deliverkit.cli.declare import GIVEN
from deliverkit.config.settings import Config
from deliverkit.runs.timeouts import TIMEOUT

_WHERE = "Where to ask"
RUN = "The run"
_WHAT = "What fails"
_OUT = "Output"
_AREA = "This check"
FORMATS_HELP = "text, compact, json, jsonl, csv, markdown, html, junit, sarif, github, gitlab, nagios or prometheus."


class FailOn(enum.StrEnum):
    """The least severity that fails a run."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"
    NEVER = "never"


class OnInconclusive(enum.StrEnum):
    """What a rule that could not be determined does to the run."""

    REPORT = "report"
    PASS = "pass"  # noqa: S105 - a word, no password
    FAIL = "fail"


@dataclass(frozen=True)
class Targets:
    """What is judged."""

    domains: Annotated[
        list[str],
        Argument(
            metavar="DOMAIN",
            show_default=False,
            help="One or more domains; @FILE reads them from a file (@- from stdin), one a line.",
        ),
    ] = field(default_factory=list)


@dataclass(frozen=True)
class Configuring:
    """The configuration: which file, and what it says."""

    config: Annotated[
        Path | None,
        Option(
            "--config",
            metavar="FILE",
            rich_help_panel=RUN,
            help="The configuration. [default: deliverkit.toml, from here upwards to the repository's root]",
        ),
    ] = None
    no_config: Annotated[bool, Option("--no-config", rich_help_panel=RUN, help="Read no configuration.")] = False
    settings: Config | None = field(default=None, metadata=GIVEN)
    """What it says, with what was typed or set in the environment; None: there is none."""
    overridden: Mapping[str, str] | None = field(default=None, metadata=GIVEN)
    """By key of the file: the option or the variable that gives its value instead."""


@dataclass(frozen=True)
class Network:
    """Where questions go."""

    resolver: Annotated[
        list[str],
        Option(
            "--resolver",
            metavar="ADDR|URL",
            rich_help_panel=_WHERE,
            help="ADDR[#PORT], tls://ADDR, https://HOST/PATH or authoritative; each further one is a fallback. "
            "[default: the system's]",
        ),
    ] = field(default_factory=list)
    zone: Annotated[
        list[Path],
        Option(
            "--zone",
            metavar="FILE",
            rich_help_panel=_WHERE,
            help="Answer the names of this zone file from it, as if it were published (repeatable).",
        ),
    ] = field(default_factory=list)
    zone_partial: Annotated[
        bool,
        Option("--zone-partial", rich_help_panel=_WHERE, help="The files lack records: ask for those that are absent."),
    ] = False
    offline: Annotated[
        bool, Option("--offline", rich_help_panel=_WHERE, help="Ask nobody: what no zone file holds is inconclusive.")
    ] = False
    connect_to: Annotated[
        list[str],
        Option(
            "--connect-to",
            metavar="H:P:A:P",
            rich_help_panel=_WHERE,
            help="HOST:PORT:ADDR:PORT: connect to ADDR:PORT for HOST:PORT, as curl does (repeatable).",
        ),
    ] = field(default_factory=list)
    ca_file: Annotated[
        Path | None,
        Option("--ca-file", metavar="FILE", rich_help_panel=_WHERE, help="Trust these certificates as well (PEM)."),
    ] = None
    allow_private: Annotated[
        bool,
        Option(
            "--allow-private",
            rich_help_panel=_WHERE,
            help="Connect to private and loopback addresses that the DNS named.",
        ),
    ] = False
    ipv4: Annotated[bool, Option("-4", rich_help_panel=_WHERE, help="Use IPv4 alone.")] = False
    ipv6: Annotated[bool, Option("-6", rich_help_panel=_WHERE, help="Use IPv6 alone.")] = False


@dataclass(frozen=True)
class Asking(Configuring, Network):
    """Where questions go, and what the configuration says of it."""


@dataclass(frozen=True)
class Running:
    """How long, and what is kept."""

    timeout: Annotated[
        float, Option("--timeout", metavar="SECONDS", rich_help_panel=RUN, help="For the whole of one domain.")
    ] = TIMEOUT
    trace: Annotated[
        bool, Option("--trace", rich_help_panel=RUN, help="Show each query, its answer and its time on stderr.")
    ] = False
    save_evidence: Annotated[
        Path | None,
        Option("--save-evidence", metavar="FILE", rich_help_panel=RUN, help="Keep every answer, to judge it again."),
    ] = None
    evidence: Annotated[
        Path | None,
        Option("--evidence", metavar="FILE", rich_help_panel=RUN, help="Judge a saved run again; nothing is asked."),
    ] = None
    debug: Annotated[bool, Option("--debug", rich_help_panel=RUN, help="Show the traceback of a bug.")] = False


@dataclass(frozen=True)
class Judging:
    """What fails."""

    fail_on: Annotated[
        FailOn,
        Option(
            "--fail-on",
            metavar="LEVEL",
            rich_help_panel=_WHAT,
            help="The least severity that exits 1: error, warning, notice or never.",
        ),
    ] = FailOn.ERROR
    inconclusive: Annotated[
        OnInconclusive,
        Option(
            "--inconclusive",
            metavar="WORD",
            rich_help_panel=_WHAT,
            help="What is undetermined exits 3 (report), 0 (pass) or 1 (fail).",
        ),
    ] = OnInconclusive.REPORT
    select: Annotated[
        list[str],
        Option("--select", metavar="RULE|AREA", rich_help_panel=_WHAT, help="Judge these alone (repeatable)."),
    ] = field(default_factory=list)
    ignore: Annotated[
        list[str],
        Option("--ignore", metavar="RULE|AREA", rich_help_panel=_WHAT, help="Accept what these find (repeatable)."),
    ] = field(default_factory=list)
    baseline: Annotated[
        Path | None,
        Option(
            "--baseline",
            metavar="FILE",
            rich_help_panel=_WHAT,
            help="Accept what this file holds: only what is new or has become harder fails. [default: the config's]",
        ),
    ] = None
    exit_zero: Annotated[
        bool, Option("--exit-zero", rich_help_panel=_WHAT, help="Exit 0 where it would be 1 or 3.")
    ] = False


@dataclass(frozen=True)
class Showing:
    """What is printed."""

    format: Annotated[str, Option("--format", metavar="FORMAT", rich_help_panel=_OUT, help=FORMATS_HELP)] = "text"
    output: Annotated[
        list[str],
        Option(
            "-o",
            "--output",
            metavar="FORMAT=PATH",
            rich_help_panel=_OUT,
            help="Write a report to a file as well (repeatable).",
        ),
    ] = field(default_factory=list)
    verbose: Annotated[
        bool, Option("-v", "--verbose", rich_help_panel=_OUT, help="Also what passed, and every question asked.")
    ] = False
    quiet: Annotated[bool, Option("-q", "--quiet", rich_help_panel=_OUT, help="Only what did not pass.")] = False
    color: Annotated[Colour, Option("--color", metavar="WHEN", rich_help_panel=_OUT, help="auto, always or never.")] = (
        Colour.AUTO
    )


@dataclass(frozen=True)
class Painting:
    """What a command without findings prints."""

    format: Annotated[str, Option("--format", metavar="FORMAT", rich_help_panel=_OUT, help="text or json.")] = "text"
    color: Annotated[Colour, Option("--color", metavar="WHEN", rich_help_panel=_OUT, help="auto, always or never.")] = (
        Colour.AUTO
    )
    debug: Annotated[bool, Option("--debug", rich_help_panel=_OUT, help="Show the traceback of a bug.")] = False


@dataclass(frozen=True)
class Opinion:
    """A second judge."""

    second_opinion: Annotated[
        bool,
        Option(
            "--second-opinion",
            rich_help_panel=_AREA,
            help="checkdmarc's verdict from the same answers; each difference is a notice.",
        ),
    ] = False


@dataclass(frozen=True)
class Keys:
    """What `dkim` is told."""

    selector: Annotated[
        list[str],
        Option(
            "--selector",
            metavar="NAME",
            rich_help_panel=_AREA,
            help="A DKIM selector to judge (repeatable). [default: inferred]",
        ),
    ] = field(default_factory=list)
    key: Annotated[
        Path | None,
        Option("--key", metavar="FILE", rich_help_panel=_AREA, help="Compare this key (PEM) with what is published."),
    ] = None
    each_nameserver: Annotated[
        bool,
        Option("--each-nameserver", rich_help_panel=_AREA, help="Ask every authoritative server; shows TTLs."),
    ] = False


@dataclass(frozen=True)
class Sending:
    """What `spf` is told."""

    ip: Annotated[
        list[str],
        Option("--ip", metavar="ADDR", rich_help_panel=_AREA, help="An address that sends for the domain."),
    ] = field(default_factory=list)
    sender: Annotated[
        str | None,
        Option("--sender", metavar="ADDR", rich_help_panel=_AREA, help="MAIL FROM. [default: postmaster@DOMAIN]"),
    ] = None
    helo: Annotated[
        str | None, Option("--helo", metavar="NAME", rich_help_panel=_AREA, help="The HELO name. [default: DOMAIN]")
    ] = None
