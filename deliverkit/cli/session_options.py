"""The options of commands that dial hosts, in bundles."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeAlias

from typer import Argument, Option

from deliverkit.cli.options import RUN, Running
from deliverkit.runs.timeouts import SESSIONS_TIMEOUT

_SESSION = "The session"
_LOGIN = "Login"


class TlsMode(enum.StrEnum):
    """How a session comes to TLS."""

    AUTO = "auto"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"


TlsOption: TypeAlias = Annotated[
    TlsMode,
    Option(
        "--tls",
        metavar="MODE",
        rich_help_panel=_SESSION,
        help="auto (at once on 465, else STARTTLS where it is offered), starttls, implicit or none.",
    ),
]
HeloOption: TypeAlias = Annotated[
    str | None,
    Option(
        "--helo",
        metavar="NAME",
        rich_help_panel=_SESSION,
        help="What EHLO says. [default: this machine's full name, else its address in brackets]",
    ),
]
SourceOption: TypeAlias = Annotated[
    str | None,
    Option("--source-address", metavar="IP", rich_help_panel=_SESSION, help="Connect from this address."),
]
"""Of every command that holds a session."""


@dataclass(frozen=True)
class RunningSessions(Running):
    """How long, and what is kept, where hosts are dialled."""

    timeout: Annotated[
        float, Option("--timeout", metavar="SECONDS", rich_help_panel=RUN, help="For the whole of one host or domain.")
    ] = SESSIONS_TIMEOUT


@dataclass(frozen=True)
class Hosts:
    """What is dialled."""

    hosts: Annotated[
        list[str],
        Argument(
            metavar="HOST[:PORT]",
            show_default=False,
            help="One or more hosts or addresses ([2001:db8::1]:587); @FILE reads them from a file (@- from stdin).",
        ),
    ] = field(default_factory=list)
    mx: Annotated[
        list[str],
        Option(
            "--mx",
            metavar="DOMAIN",
            rich_help_panel=_SESSION,
            help="Every mail host of this domain, on port 25; what else is named is a domain too (repeatable).",
        ),
    ] = field(default_factory=list)


@dataclass(frozen=True)
class Dialling:
    """How a session goes."""

    port: Annotated[
        list[int],
        Option(
            "--port", metavar="N", rich_help_panel=_SESSION, help="A port (repeatable). [default: 25, 465, 587, 2525]"
        ),
    ] = field(default_factory=list)
    tls: TlsOption = TlsMode.AUTO
    helo: HeloOption = None
    source_address: SourceOption = None
    relay_test: Annotated[
        str | None,
        Option(
            "--relay-test",
            metavar="ADDR",
            rich_help_panel=_SESSION,
            help="Offer this recipient, an address of yours elsewhere, without a login; nothing is sent.",
        ),
    ] = None
    as_mx_of: Annotated[
        str | None,
        Option(
            "--as-mx-of",
            metavar="DOMAIN",
            rich_help_panel=_SESSION,
            help="Judge the host as this domain's new MX, on port 25: by its MTA-STS policy and DANE.",
        ),
    ] = None
    expect_certificate: Annotated[
        Path | None,
        Option(
            "--expect-certificate",
            metavar="FILE",
            rich_help_panel=_SESSION,
            help="The certificate that has to be served (PEM or DER).",
        ),
    ] = None
    tls_scan: Annotated[
        bool,
        Option("--tls-scan", rich_help_panel=_SESSION, help="Try each version of TLS apart, old ones too."),
    ] = False


@dataclass(frozen=True)
class Login:
    """The one login."""

    user: Annotated[
        str | None,
        Option(
            "--user",
            metavar="NAME",
            rich_help_panel=_LOGIN,
            help="Log in as NAME: once a port, 587 first, none after a refusal; on 25 only where --port names it.",
        ),
    ] = None
    password_env: Annotated[
        str | None,
        Option("--password-env", metavar="NAME", rich_help_panel=_LOGIN, help="The variable that holds the password."),
    ] = None
    password_file: Annotated[
        Path | None,
        Option(
            "--password-file",
            metavar="PATH",
            rich_help_panel=_LOGIN,
            help="The file that holds it; - is stdin. [default: asked for on the terminal]",
        ),
    ] = None
    mechanism: Annotated[
        str | None,
        Option(
            "--mechanism",
            metavar="NAME",
            rich_help_panel=_LOGIN,
            help="PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-1, SCRAM-SHA-256 (and -PLUS), XOAUTH2 or OAUTHBEARER. "
            "[default: the best that is offered]",
        ),
    ] = None
    insecure_auth: Annotated[
        bool,
        Option(
            "--insecure-auth",
            rich_help_panel=_LOGIN,
            help="Log in without TLS, or though the certificate is not trusted.",
        ),
    ] = False
