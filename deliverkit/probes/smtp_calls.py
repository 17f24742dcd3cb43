"""Which sessions to open: one call for each place, and those that follow from what the first one showed."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from deliverkit.model import Call, Mode, Purpose, Session, Sessions, State, Trouble

DEFAULT_PORTS: Final = (25, 465, 587, 2525)
MX_PORT: Final = 25
SMTPS: Final = 465
MOST: Final = 4
"""Connections to a port in all."""
VERSIONS: Final = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_LOGIN_FIRST: Final = (587, 465, 2525)
_TLS_RECORD: Final = (b"\x15\x03", b"\x16\x03")
_REPLY: Final = re.compile(rb"[2-5][0-9][0-9][ -]")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a port of a host is reached. `redirected`: `--connect-to` says so, and not the DNS."""

    host: str
    port: int
    address: str
    dial_port: int
    redirected: bool = False


class Dialled(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was shown at one place."""

    place: Place
    session: Session
    """The conversation that tells most."""
    wrong_mode: str | None = None
    """`implicit` or `clear`, where the port speaks otherwise than its number says."""
    mistaken: Session | None = None
    """The one before it, which took the port for what its number says."""
    unnamed: Session | None = None
    """The handshake without a server name."""
    scan: tuple[tuple[str, Session | str], ...] = ()
    """Each TLS version, and the session that offered it alone, or why there is none."""
    no_login: str | None = None
    """Why no login was asked for here, where one was asked of others."""


def role_of(sessions: Sessions, port: int) -> str:
    """`mx` or `submission`."""
    return "mx" if sessions.by_mx or sessions.as_mx_of is not None or port == MX_PORT else "submission"


def named(sessions: Sessions) -> bool:
    """Whether the user named the ports."""
    return sessions.by_mx or sessions.as_mx_of is not None or sessions.ports != DEFAULT_PORTS


def logs_in(sessions: Sessions, port: int) -> bool:
    """Whether a login is to be tried on this port: on port 25 only where it was named."""
    return sessions.user is not None and not sessions.by_mx and (port != MX_PORT or named(sessions))


def login_rank(port: int) -> int:
    """In which order logins are tried: 587, 465, 2525, others."""
    return _LOGIN_FIRST.index(port) if port in _LOGIN_FIRST else len(_LOGIN_FIRST)


def probe_call(sessions: Sessions, place: Place, *, login: bool) -> Call:
    """The whole conversation at one place."""
    return Call(
        host=place.host,
        address=place.address,
        port=place.port,
        dial_port=place.dial_port,
        mode=Mode(sessions.tls),
        helo=sessions.helo,
        try_mail=role_of(sessions, place.port) == "submission",
        user=sessions.user if login else None,
        mechanism=sessions.mechanism if login else None,
        insecure_auth=sessions.insecure_auth if login else False,
        relay_to=sessions.relay_to,
        source_address=sessions.source_address,
    )


def other_mode(session: Session) -> Call | None:
    """The call to make again where a port seems to speak otherwise than its number says; None where it does not.

    A port that stays silent may wait for TLS, and one that answers with a TLS record surely does; a port for TLS at
    once that says `220` speaks in clear. Where STARTTLS was typed, TLS at once is looked at and not used: no login.
    """
    call = session.call
    if call.mode not in (Mode.AUTO, Mode.STARTTLS) or session.state is not State.OPEN or not session.steps:
        return None
    if call.mode is Mode.AUTO and call.port == SMTPS:
        return msgspec.structs.replace(call, mode=Mode.STARTTLS) if in_clear(session) else None
    last = session.steps[-1]
    if last.stage != "banner" or last.trouble is None:
        return None
    silent = last.trouble is Trouble.TIMEOUT and not last.reply and call.port != MX_PORT
    if silent or last.reply.startswith(_TLS_RECORD):
        typed = call.mode is Mode.STARTTLS
        again = msgspec.structs.replace(call, mode=Mode.IMPLICIT, try_mail=False)
        return again if not typed else _without_errand(again)
    return None


def in_clear(session: Session) -> bytes:
    """The reply that a server gave in clear where TLS was begun at once; b"" where it gave none."""
    handshake = session.handshake
    if handshake is None or handshake.ok or session.steps[0].stage != "tls":
        return b""
    # The banner stood there before the handshake, or came in answer to it.
    return next((seen for seen in (handshake.plaintext, session.injected) if _REPLY.match(seen)), b"")


def _without_errand(call: Call) -> Call:
    return msgspec.structs.replace(call, user=None, mechanism=None, insecure_auth=False, relay_to=None, try_mail=False)


def settled(first: Session, again: Session) -> str | None:
    """What the second session proves of the port: `implicit`, `clear`, or nothing."""
    if again.call.mode is Mode.IMPLICIT:
        return "implicit" if again.handshake is not None and again.handshake.ok else None
    greeted = bool(again.steps) and again.steps[0].stage == "banner" and again.steps[0].trouble is None
    return "clear" if again.state is State.OPEN and greeted and first.handshake is not None else None


def follow_ups(sessions: Sessions, session: Session, used: int) -> tuple[tuple[Call, ...], tuple[str, ...]]:
    """The calls that follow a session with TLS, within the connections left, and the versions left out for them.

    Without `--tls-scan` one handshake without a server name; with it each version that was not negotiated.
    """
    handshake = session.handshake
    if handshake is None or not handshake.ok or closing(session):
        return (), ()
    bare = _without_errand(session.call)
    if sessions.tls_scan:
        wanted = [version for version in VERSIONS if version != handshake.version]
        room = max(MOST - used, 0)
        calls = tuple(msgspec.structs.replace(bare, purpose=Purpose.SCAN, version=version) for version in wanted[:room])
        return calls, tuple(wanted[room:])
    if not handshake.name or used >= MOST:
        return (), ()
    return (msgspec.structs.replace(bare, purpose=Purpose.NO_NAME),), ()


def closing(session: Session) -> bool:
    """Whether the server said 421, and with it that it wants to be left alone."""
    last = session.steps[-1] if session.steps else None
    early = last is not None and last.trouble is Trouble.OUT_OF_STEP and last.reply.startswith(b"421")
    return early or "ended" in session.remarks
