"""What a connection showed: the unit of evidence beyond the DNS.

A `Fetch` is one HTTPS request and what became of it, a `Session` one SMTP conversation, a
`Handshake` the TLS inside either. Each is a final outcome, bounded in size, without any secret:
what was said under `secret` stands only as words in angle brackets.
"""

from __future__ import annotations

import enum

import msgspec


class Handshake(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One TLS handshake: what was negotiated, the chain as it was sent, and whether it leads to a trust anchor.

    Names are judged elsewhere: `trusted` is about the chain, its dates and its purposes alone.
    """

    name: str = ""
    """The server name sent (SNI, RFC 6066 §3), "" where none was."""
    version: str = ""
    """As OpenSSL names it (`TLSv1.3`); "" where the handshake failed."""
    cipher: str = ""
    chain: tuple[bytes, ...] = ()
    """DER, leaf first, as the peer sent it."""
    trusted: bool | None = None
    """None where nothing could be judged: no certificate came."""
    trust_error: str | None = None
    """Why not, in words (`certificate has expired`), with the place in the chain where it is not the leaf."""
    trust_code: int = 0
    """OpenSSL's X509_V_ERR_ code, 0 for none."""
    asks_client: bool = False
    """The server asked for a client certificate."""
    error: str | None = None
    """Why the handshake failed, in words; None where it succeeded."""
    plaintext: bytes = b""
    """What the peer sent in place of TLS, where that is why it failed: at most 512 octets."""
    elapsed_ms: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether TLS was established."""
        return self.error is None


class FetchOutcome(enum.StrEnum):
    """What became of a request."""

    ANSWERED = "answered"  # a whole response, of any status
    REFUSED = "refused"  # the connection was refused, or no route leads there
    UNTRUSTED = "untrusted"  # the certificate was not to be trusted, or bears other names: nothing was asked
    TLS_FAILED = "tls-failed"  # no TLS could be established
    BROKEN = "broken"  # it answered, but not with an HTTP response
    TOO_LARGE = "too-large"  # more than the limit, decoded; what came first is kept
    UNKNOWN = "unknown"  # a timeout, a connection cut, an address that was not to be connected to


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request: `https://host/path`, sent to `address` port `port`, which was vetted before."""

    host: str
    path: str
    address: str
    port: int = 443
    limit: int = 65_536
    """Octets of the body, decoded."""
    seconds: float = 15.0
    """For the whole of it: connecting, TLS, headers and body."""

    @property
    def url(self) -> str:
        """As a person would type it."""
        return f"https://{self.host}{self.path}"


class Fetch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One HTTPS request and what became of it. Redirects are not followed: they stand as they came."""

    request: Request
    outcome: FetchOutcome
    why: str = ""
    """One phrase that names the URL and the address, for every outcome but ANSWERED."""
    status: int = 0
    media_type: str = ""
    """The Content-Type field as it came."""
    location: str = ""
    """The Location field as it came."""
    body: bytes = b""
    handshake: Handshake | None = None
    elapsed_ms: float = 0.0


class Mode(enum.StrEnum):
    """How a session comes to TLS."""

    AUTO = "auto"  # implicit on 465, else STARTTLS where it is offered
    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"


class Purpose(enum.StrEnum):
    """What a session is for."""

    PROBE = "probe"  # the whole conversation
    SCAN = "scan"  # one TLS version and nothing after the handshake
    NO_NAME = "no-name"  # the handshake without a server name, to see which certificate comes then


class Call(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A session to open. Holds no secret: of a login only who and how."""

    host: str
    """The name the server goes by: for SNI and certificates; an address where only that is known."""
    address: str
    port: int
    """The port that is meant; `dial_port` is where it is reached."""
    dial_port: int
    mode: Mode = Mode.AUTO
    purpose: Purpose = Purpose.PROBE
    version: str = ""
    """For SCAN: the only version offered (`TLSv1.1`)."""
    helo: str = ""
    """What EHLO says; "" is the address literal of our end (RFC 5321 §4.1.4)."""
    try_mail: bool = False
    """Ask MAIL FROM:<> before TLS, as a submission server must refuse it (RFC 6409 §4.3, RFC 3207 §4)."""
    user: str | None = None
    mechanism: str | None = None
    insecure_auth: bool = False
    relay_to: str | None = None
    source_address: str | None = None


class State(enum.StrEnum):
    """What became of the connection."""

    OPEN = "open"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    ERROR = "error"


class Trouble(enum.StrEnum):
    """How a step ended that did not end with a reply."""

    TIMEOUT = "timeout"
    CLOSED = "closed"  # by the peer, in good order
    RESET = "reset"
    TOO_LONG = "too-long"  # a line or a reply over the limits
    NOT_SMTP = "not-smtp"  # what came cannot be read as a reply
    OUT_OF_STEP = "out-of-step"  # a reply stood there before anything was asked
    TLS = "tls"  # the handshake failed


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A command and its reply. `said` is empty for the banner and for the handshake.

    It is empty, too, where what came unasked kept the command from being said: the trouble is then OUT_OF_STEP, or
    the reply a 421, which a server may say at any time (RFC 5321 §3.8).

    Where a line cannot be taken back (the final dot), it is empty where the connection no longer took it.

    Stages: `banner ehlo helo mail-clear rset-clear starttls tls ehlo-tls helo-tls auth mail rcpt data body eod rset
    quit`. `body` is a message, dot-stuffed, without its final dot, and has a reply only where that came too early.
    Times in ms since the connection was asked for.
    """

    stage: str
    said: bytes = b""
    """Without its line end; a secret stands as `<redacted>`."""
    at_ms: float = 0.0
    tls: bool = False
    reply: bytes = b""
    """The octets as they came, line ends included: 64 KiB at most, secrets redacted."""
    replied_ms: float | None = None
    trouble: Trouble | None = None
    why: str = ""
    """One phrase for the trouble."""
    together: bool = False
    """Said in one go with the step before it (RFC 2920)."""


class Session(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One SMTP conversation as it went. `why` is one phrase, for every state but OPEN."""

    call: Call
    state: State
    why: str = ""
    connect_ms: float | None = None
    steps: tuple[Step, ...] = ()
    handshake: Handshake | None = None
    injected: bytes = b""
    """What stood in clear between the reply to STARTTLS and the handshake: 512 octets at most."""
    remarks: dict[str, str] = {}
    """What the conversation came to where the steps do not say it: `login`, `login-why`, `mechanism`, `binding`
    (what a -PLUS mechanism bound to), `oauth`, `relay`, `relay-why`, `ended` (the stage of a 421); of a delivery those
    of `smtp/transaction.py`."""
    ours: str = ""
    """The address of our end."""
