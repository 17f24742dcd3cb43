"""What becomes of a delivery: the words that the wire, the route, the queue and the report share.

A *hop* is one server that a message may be handed to, an *attempt* one session with one hop, and a *result* what
became of one recipient in it. Every recipient has a result of its own: one is accepted though another is refused.
"""

from __future__ import annotations

import enum

import msgspec

from deliverkit.model.transport import Mode, Session


class Delivered(enum.StrEnum):
    """What became of a recipient, and, the worst of them, of a delivery."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"  # temporarily refused, or cut off before the final dot: nothing was handed over
    UNKNOWN = "unknown"  # the final dot was sent and never answered: it may have been delivered (RFC 1047)
    REFUSED = "refused"  # permanently
    FAILED = "failed"  # impossible from here: login, TLS policy, a missing extension


WORST: tuple[Delivered, ...] = (
    Delivered.FAILED, Delivered.REFUSED, Delivered.UNKNOWN, Delivered.DEFERRED, Delivered.ACCEPTED,
)  # fmt: skip
"""The worst first: of several recipients it counts."""


class Stage(enum.StrEnum):
    """How far a delivery came."""

    ROUTE = "route"
    CONNECT = "connect"
    BANNER = "banner"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    EOD = "eod"  # the final dot
    QUIT = "quit"


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What MAIL and RCPT say, and what of the message they have to announce."""

    sender: str
    """The reverse-path without brackets; "" is the null one of a bounce."""
    recipients: tuple[str, ...]
    size: int = 0
    """Octets of the message on the wire before dot-stuffing (RFC 1870 §3)."""
    eight_bit: bool = False
    """The message holds octets over 127: BODY=8BITMIME (RFC 6152)."""
    utf8: bool = False
    """An address or a header field holds them: SMTPUTF8 (RFC 6531)."""
    dsn: bool = False
    """Ask for delivery status notices (RFC 3461): NOTIFY=SUCCESS,FAILURE,DELAY RET=HDRS."""
    envelope_id: str = ""
    require_tls: bool = False
    """REQUIRETLS (RFC 8689)."""


class Demand(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What TLS with a hop has to be, and whose word that is."""

    source: str = "none"
    """`dane`, `mta-sts`, `typed` (`--tls starttls|implicit`), `requiretls`, or `none`: whatever the server offers."""
    tls: bool = False
    """No message without TLS."""
    verified: bool = False
    """The chain has to be trusted and to bear the host's name (MTA-STS enforce, REQUIRETLS)."""
    tlsa: tuple[str, ...] = ()
    """DANE: the TLSA records in presentation form, one of which has to match (RFC 7672)."""
    names: tuple[str, ...] = ()
    """DANE-TA: the names that the certificate may bear (RFC 7672 §3.2.2)."""
    words: str = ""
    """What is shown of it: `MTA-STS enforce (max_age 604800)`."""


class Hop(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One server that a message may be handed to."""

    host: str
    address: str
    port: int = 25
    dial_port: int = 25
    preference: int | None = None
    """Of its MX; None for an implicit MX and for `--server`."""
    mode: Mode = Mode.AUTO
    demand: Demand = Demand()


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one recipient in one attempt."""

    address: str
    outcome: Delivered
    stage: Stage
    """Where it was decided."""
    reply: bytes = b""
    """The reply that decided it, as it came; empty where there was none."""
    why: str = ""
    """One phrase where no reply decided it: `no answer to DATA within 120 s`."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One session with one hop, and what it came to."""

    number: int
    """From 1, over all tries of a delivery."""
    at: float
    """Seconds since the epoch, when it began."""
    hop: Hop
    envelope: Envelope
    session: Session
    results: tuple[Result, ...]
    """In the order of the envelope's recipients; every one of them."""
    outcome: Delivered
    """The worst of the results."""
    stage: Stage
    """How far the session came: where it ended, or `quit`."""
    queue_id: str | None = None
    """What the server calls the message, as far as its reply to the final dot tells; safe to print."""
    notes: tuple[str, ...] = ()
    """What was odd and decides nothing: replies too many, a handshake given up for clear text."""
    stopped: bool = False
    """`--stop-after` ended it: the results say what would have come next was not tried."""
    try_next: bool = False
    """Another hop may be tried: nothing about the message was judged here."""
