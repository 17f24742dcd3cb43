"""Conversations as generators (RFC 5321 §3): what to say comes out, the reply goes in. No socket is needed.

    reply = yield Say("ehlo", b"EHLO client.example")
    handshake = yield StartTls("mail.example.com")

A refusal is a reply like any other. `BrokenError` is thrown in where a step ends without one: a timeout, a
connection lost, octets that are no reply; a dialog that has nothing to add lets it pass. A 421 ends every
conversation: the driver says nothing more, for the server closes (RFC 5321 §3.8). What a conversation came to is
therefore remarked before each step that may be its last.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

import msgspec

from deliverkit.model import Call, Handshake, Mode, Purpose
from deliverkit.records.names import address_literal
from deliverkit.smtp.acts import READY, STEP, Act, Dialog, Listen, Remark, Say, StartTls
from deliverkit.smtp.capabilities import Capabilities, read_capabilities
from deliverkit.smtp.login import login
from deliverkit.smtp.reply import Reply
from deliverkit.smtp.secret import Secret

SILENCE: Final = 15.0
"""Seconds for the first octet of a banner where TLS at once is as likely: then that is tried."""
QUIT: Final = 2.0
_SMTPS: Final = 465
_MX: Final = 25


def dialog_of(call: Call, hello: str, secret: Secret | None = None) -> Dialog:
    """The conversation that a call asks for. `hello` is the name or address literal that EHLO says."""
    if call.purpose is Purpose.PROBE:
        return probe(call, hello, secret)
    return glance(call, hello)


def implicit(call: Call) -> bool:
    """Whether TLS comes at once."""
    return call.mode is Mode.IMPLICIT or (call.mode is Mode.AUTO and call.port == _SMTPS)


def _may_be_at_once(call: Call) -> bool:
    """Whether a silence may as well be a server that waits for TLS: never on 25, where some delay their banner."""
    return (
        call.port not in (_MX, _SMTPS) if call.mode is Mode.AUTO else call.mode is Mode.STARTTLS and call.port == _SMTPS
    )


def server_name(call: Call) -> str:
    """What SNI says: a host name, never an address (RFC 6066 §3)."""
    return "" if call.purpose is Purpose.NO_NAME or call.host == call.address else call.host.removesuffix(".")


def glance(call: Call, hello: str) -> Dialog:
    """To the handshake and no further, but for taking leave: servers count who just hangs up."""
    at_once = implicit(call)
    if not at_once:
        banner: Reply = yield Listen("banner")
        if banner.code != READY:
            yield from leave()
            return
        greeting: Reply = yield Say(stage="ehlo", line=f"EHLO {hello}".encode())
        if not greeting.ok or not read_capabilities(greeting).has("STARTTLS"):
            yield from leave()
            return
        reply: Reply = yield Say(stage="starttls", line=b"STARTTLS")
        if reply.code != READY:
            yield from leave()
            return
    handshake: Handshake = yield StartTls(server_name(call), call.version)
    if handshake.ok:
        if at_once:
            yield Listen("banner")
        yield from leave()


def probe(call: Call, hello: str, secret: Secret | None) -> Dialog:
    """Everything a session can show: banner, EHLO, STARTTLS, EHLO again, relay test, login, QUIT."""
    handshake: Handshake | None = None
    if implicit(call):
        handshake = yield StartTls(server_name(call))
        if not handshake.ok:
            return
    banner: Reply = yield Listen("banner", SILENCE if _may_be_at_once(call) else None)
    if banner.code != READY:
        yield from leave()
        return
    offered = yield from greeted(hello, tls=handshake is not None)
    if offered is None:
        yield from leave()
        return
    if handshake is None and call.mode in (Mode.AUTO, Mode.STARTTLS) and offered.has("STARTTLS"):
        if call.try_mail:
            yield from _mail_in_clear()
        reply: Reply = yield Say(stage="starttls", line=b"STARTTLS")
        if reply.code == READY:
            handshake = yield StartTls(server_name(call))
            if not handshake.ok:
                return
            offered = yield from greeted(hello, tls=True, again=True)
    if offered is not None:
        yield from _asked_for(call, offered, handshake, secret)
    yield from leave()


def _asked_for(call: Call, offered: Capabilities, handshake: Handshake | None, secret: Secret | None) -> Dialog:
    if call.relay_to is not None:
        yield from _relay(call)
    if call.user is not None and secret is not None:
        yield from login(call, offered, handshake, secret)


def leave() -> Dialog:
    """QUIT, whose answer nobody waits for long."""
    yield Say(stage="quit", line=b"QUIT", seconds=QUIT)


def greeted(
    hello: str, *, tls: bool, again: bool = False, seconds: float = STEP
) -> Generator[Act, Any, Capabilities | None]:
    """EHLO, and HELO where that is refused for good (RFC 5321 §3.2); what is offered, None where neither was accepted.

    `again`: after STARTTLS, where a server at odds with RFC 3207 §4 greets once more.
    """
    stage = "ehlo-tls" if tls else "ehlo"
    reply: Reply = yield Say(stage=stage, line=f"EHLO {hello}".encode(), ahead=again, seconds=seconds)
    if again and reply.code == READY:
        reply = yield Listen(stage, seconds=seconds)
    if reply.ok:
        return read_capabilities(reply)
    if reply.permanent:
        reply = yield Say(stage="helo-tls" if tls else "helo", line=f"HELO {hello}".encode(), seconds=seconds)
        if reply.ok:
            return read_capabilities(msgspec.structs.replace(reply, lines=reply.lines[:1]))
    return None


def _mail_in_clear() -> Dialog:
    reply: Reply = yield Say(stage="mail-clear", line=b"MAIL FROM:<>")
    if reply.ok:
        yield Say(stage="rset-clear", line=b"RSET")


def relay_forms(recipient: str, host: str) -> tuple[str, ...]:
    """Three ways to ask for a recipient outside: plainly, by the percent hack, by a source route (RFC 5321 §F.2)."""
    local, _, domain = recipient.rpartition("@")
    return recipient, f"{local}%{domain}@{host}", f"@{host}:{recipient}"


def _relay(call: Call) -> Dialog:
    """RCPT for an address outside, never DATA. RSET leaves nothing behind."""
    yield Remark("relay", "not-tried")
    yield Remark("relay-why", "the session ended before the server had answered")
    reply: Reply = yield Say(stage="mail", line=b"MAIL FROM:<>")
    if not reply.ok:
        yield Remark("relay", "closed" if reply.permanent else "not-tried")
        yield Remark("relay-why", f"MAIL FROM was {'refused' if reply.permanent else 'put off'} already")
        return
    outcome = "closed"
    for form in relay_forms(call.relay_to or "", _routed(call)):
        reply = yield Say(stage="rcpt", line=f"RCPT TO:<{form}>".encode())
        if reply.ok:
            outcome = "possible"
            break
        if not reply.permanent:
            outcome = "not-tried"
            break
    yield Remark("relay", outcome)
    yield Remark("relay-why", "the server puts it off: the answer is temporary" if outcome == "not-tried" else "")
    yield Say(stage="rset", line=b"RSET")


def _routed(call: Call) -> str:
    literal = address_literal(call.address)
    return literal if call.host == call.address else call.host
