"""The options of `send`, in bundles."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from typer import Option

from deliverkit.cli.colour import Colour
from deliverkit.cli.options import RUN, Showing
from deliverkit.cli.session_options import HeloOption, Login, SourceOption, TlsMode, TlsOption

_TO_WHOM = "From whom, to whom"
_MESSAGE = "The message"
_SESSION = "The session"
_AGAIN = "Trying again"
_LOGIN = "Login"
_OUT = "Output"

TIMEOUT = 300.0
"""Seconds for a session: RFC 5321 §4.5.3.2 gives its steps up to ten minutes, capped."""


class Server(enum.StrEnum):
    """Whose defaults a schedule goes by."""

    POSTFIX = "postfix"
    EXIM = "exim"
    EXCHANGE = "exchange"


@dataclass(frozen=True)
class Addressing:
    """The envelope, and where it is taken."""

    from_: Annotated[
        str | None,
        Option("--from", metavar="ADDR", rich_help_panel=_TO_WHOM, help="The sender; <> is the null one of a bounce."),
    ] = None
    to: Annotated[
        list[str],
        Option(
            "--to",
            metavar="ADDR",
            rich_help_panel=_TO_WHOM,
            help="A recipient (repeatable, ten at most); @FILE reads them from a file, one a line.",
        ),
    ] = field(default_factory=list)
    server: Annotated[
        str | None,
        Option(
            "--server",
            metavar="HOST[:PORT]",
            rich_help_panel=_TO_WHOM,
            help="Hand it to this server. [default: the MX hosts of the recipient's domain, in order]",
        ),
    ] = None


@dataclass(frozen=True)
class Writing:
    """What is sent."""

    subject: Annotated[
        str | None, Option("--subject", metavar="TEXT", rich_help_panel=_MESSAGE, help="Its subject.")
    ] = None
    body: Annotated[
        str | None,
        Option(
            "--body",
            metavar="TEXT",
            rich_help_panel=_MESSAGE,
            help="Its text; @FILE reads it from a file (@- from stdin). A note that it is a test is added.",
        ),
    ] = None
    header: Annotated[
        list[str],
        Option(
            "--header",
            metavar="'NAME: VALUE'",
            rich_help_panel=_MESSAGE,
            help="Add this header field, or put it in place of the usual one (repeatable).",
        ),
    ] = field(default_factory=list)
    message: Annotated[
        Path | None,
        Option(
            "--message",
            metavar="FILE",
            rich_help_panel=_MESSAGE,
            help="Send this file, byte for byte but for its line ends; - is stdin.",
        ),
    ] = None
    dkim_key: Annotated[
        Path | None,
        Option("--dkim-key", metavar="FILE", rich_help_panel=_MESSAGE, help="Sign with this private key (PEM)."),
    ] = None
    dkim_selector: Annotated[
        str | None,
        Option("--dkim-selector", metavar="NAME", rich_help_panel=_MESSAGE, help="The selector of the signature."),
    ] = None
    dkim_domain: Annotated[
        str | None,
        Option("--dkim-domain", metavar="NAME", rich_help_panel=_MESSAGE, help="Its domain. [default: that of From:]"),
    ] = None


@dataclass(frozen=True)
class Conversing:
    """How the session goes."""

    tls: TlsOption = TlsMode.AUTO
    require_tls: Annotated[
        bool,
        Option("--require-tls", rich_help_panel=_SESSION, help="Verified TLS on the whole way: REQUIRETLS (RFC 8689)."),
    ] = False
    helo: HeloOption = None
    source_address: SourceOption = None
    dsn: Annotated[
        bool, Option("--dsn", rich_help_panel=_SESSION, help="Ask for delivery status notices (RFC 3461).")
    ] = False
    no_pipelining: Annotated[
        bool, Option("--no-pipelining", rich_help_panel=_SESSION, help="One command at a time, whatever is offered.")
    ] = False
    stop_after: Annotated[
        str | None,
        Option(
            "--stop-after",
            metavar="STAGE",
            rich_help_panel=_SESSION,
            help="End the session there: connect, banner, ehlo, starttls, auth, mail, rcpt or data.",
        ),
    ] = None
    dry_run: Annotated[
        bool, Option("--dry-run", rich_help_panel=_SESSION, help="Show the way and the message, and connect to nobody.")
    ] = False


@dataclass(frozen=True)
class Retrying:
    """What becomes of a deferred message."""

    retry_for: Annotated[
        str | None,
        Option(
            "--retry-for",
            metavar="DURATION",
            rich_help_panel=_AGAIN,
            help="Queue what is deferred and try again as a mail server does, this long: 90m, 2h, 1d.",
        ),
    ] = None
    resume: Annotated[
        str | None,
        Option(
            "--resume",
            metavar="[ID]",
            rich_help_panel=_AGAIN,
            help="Go on with a queued message, or with all of them.",
        ),
    ] = None
    simulate_schedule: Annotated[
        Server | None,
        Option(
            "--simulate-schedule",
            metavar="SERVER",
            rich_help_panel=_AGAIN,
            help="When postfix, exim or exchange would retry, warn and give up after this reply.",
        ),
    ] = None


@dataclass(frozen=True)
class OneLogin(Login):
    """The login of the session."""

    user: Annotated[
        str | None,
        Option("--user", metavar="NAME", rich_help_panel=_LOGIN, help="Log in as NAME; needs --server."),
    ] = None


@dataclass(frozen=True)
class RunningDelivery:
    """How long, and what is kept."""

    timeout: Annotated[
        float, Option("--timeout", metavar="SECONDS", rich_help_panel=RUN, help="For the whole of one session.")
    ] = TIMEOUT
    save: Annotated[
        Path | None,
        Option("--save", metavar="FILE", rich_help_panel=RUN, help="Keep the conversation as a script (.smtp)."),
    ] = None
    trace: Annotated[
        bool, Option("--trace", rich_help_panel=RUN, help="Show each query, its answer and its time on stderr.")
    ] = False
    debug: Annotated[bool, Option("--debug", rich_help_panel=RUN, help="Show the traceback of a bug.")] = False


@dataclass(frozen=True)
class ShowingDelivery(Showing):
    """What is printed."""

    format: Annotated[
        str, Option("--format", metavar="FORMAT", rich_help_panel=_OUT, help="text, json or markdown.")
    ] = "text"
    verbose: Annotated[
        bool,
        Option("-v", "--verbose", rich_help_panel=_OUT, help="Also the message in the conversation, and the bounce."),
    ] = False
    quiet: Annotated[bool, Option("-q", "--quiet", rich_help_panel=_OUT, help="Only the verdict.")] = False
    color: Annotated[Colour, Option("--color", metavar="WHEN", rich_help_panel=_OUT, help="auto, always or never.")] = (
        Colour.AUTO
    )
