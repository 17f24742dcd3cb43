"""Conversations as generators (RFC 5321 §3): what to say comes out, the reply goes in. No socket is needed.

    reply = yield Say("ehlo", b"EHLO client.example")
    handshake = yield StartTls("mail.example.com")

A refusal is a reply like any other. `BrokenError` is thrown in where a step ends without one: a timeout, a
connection lost, octets that are no reply; a dialog that has nothing to add lets it pass. A 421 ends every
conversation: the driver says nothing more, for the server closes (RFC 5321 §3.8). What a conversation came to is
therefore remarked before each step that may be its last.
"""

from __future__ import annotations

import base64
import binascii
import inspect
import json
from collections.abc import Generator
from typing import Any, Final, TypeAlias

import msgspec

from deliverkit.model import Call, Handshake, Mode, Purpose, Trouble
from deliverkit.records.certificate import bears, read_certificate
from deliverkit.smtp import sasl
from deliverkit.smtp.capabilities import Capabilities, read_capabilities
from deliverkit.smtp.reply import Reply
from deliverkit.smtp.secret import Secret

STEP: Final = 30.0
"""Seconds for a reply."""
SILENCE: Final = 15.0
"""Seconds for the first octet of a banner where TLS at once is as likely: then that is tried."""
QUIT: Final = 2.0
MOST_CHALLENGES: Final = 5
CLOSING: Final = 421
READY: Final = 220
_CONTINUE: Final = 334
_ACCEPTED: Final = 235
_MOST_COMMAND: Final = 510
_SMTPS: Final = 465
_MX: Final = 25
_NO_CIPHER: Final = ("NULL", "ADH", "AECDH", "EXP", "RC4", "DES-CBC-SHA", "RC2")


class BrokenError(Exception):
    """A step that ended without a reply."""

    def __init__(self, trouble: Trouble, why: str, seen: bytes = b"") -> None:
        super().__init__(why)
        self.trouble = trouble
        self.why = why
        self.seen = seen


class Listen(msgspec.Struct, frozen=True):
    """Wait for a reply that nothing was said for: a banner. `silence` bounds the wait for its first octet."""

    stage: str
    silence: float | None = None


class Say(msgspec.Struct, frozen=True, kw_only=True):
    """Say a line (without its CRLF) and wait for the reply. `shown` stands in its place in every record."""

    stage: str
    line: bytes
    shown: bytes | None = None
    seconds: float = STEP
    ahead: bool = False
    """A banner may stand there already: once more, inside TLS."""


class StartTls(msgspec.Struct, frozen=True):
    """Go over to TLS; `name` is the server name sent, `version` the only one offered where one is named."""

    name: str
    version: str = ""


class Remark(msgspec.Struct, frozen=True):
    """Something to keep that no step shows."""

    key: str
    text: str


Act: TypeAlias = Listen | Say | StartTls | Remark
Dialog: TypeAlias = Generator[Act, Any, None]


def dialog_of(call: Call, hello: str, secret: Secret | None = None) -> Dialog:
    """The conversation that a call asks for. `hello` is the name or address literal that EHLO says."""
    if call.purpose is Purpose.PROBE:
        return probe(call, hello, secret)
    return glance(call, hello)


def implicit(call: Call) -> bool:
    """Whether TLS comes at once."""
    return call.mode is Mode.IMPLICIT or (call.mode is Mode.AUTO and call.port == _SMTPS)


def server_name(call: Call) -> str:
    """What SNI says: a host name, never an address (RFC 6066 §3)."""
    return "" if call.purpose is Purpose.NO_NAME or call.host == call.address else call.host.removesuffix(".")


def glance(call: Call, hello: str) -> Dialog:
    """To the handshake and no further, but for taking leave: servers count who just hangs up."""
    at_once = implicit(call)
    if not at_once:
        banner: Reply = yield Listen("banner")
        if banner.code != READY:
            yield from _leave()
            return
        greeting: Reply = yield Say(stage="ehlo", line=f"EHLO {hello}".encode())
        if not greeting.ok or not read_capabilities(greeting).has("STARTTLS"):
            yield from _leave()
            return
        reply: Reply = yield Say(stage="starttls", line=b"STARTTLS")
        if reply.code != READY:
            yield from _leave()
            return
    handshake: Handshake = yield StartTls(server_name(call), call.version)
    if handshake.ok:
        if at_once:
            yield Listen("banner")
        yield from _leave()


def probe(call: Call, hello: str, secret: Secret | None) -> Dialog:
    """Everything a session can show: banner, EHLO, STARTTLS, EHLO again, relay test, login, QUIT."""
    handshake: Handshake | None = None
    if implicit(call):
        handshake = yield StartTls(server_name(call))
        if not handshake.ok:
            return
    quiet = SILENCE if call.mode is Mode.AUTO and call.port not in (_MX, _SMTPS) else None
    banner: Reply = yield Listen("banner", quiet)
    if banner.code != READY:
        yield from _leave()
        return
    offered = yield from _hello(hello, tls=handshake is not None)
    if offered is None:
        yield from _leave()
        return
    if handshake is None and call.mode in (Mode.AUTO, Mode.STARTTLS) and offered.has("STARTTLS"):
        if call.try_mail:
            yield from _mail_in_clear()
        reply: Reply = yield Say(stage="starttls", line=b"STARTTLS")
        if reply.code == READY:
            handshake = yield StartTls(server_name(call))
            if not handshake.ok:
                return
            offered = yield from _hello(hello, tls=True, again=True)
    if offered is not None:
        yield from _asked_for(call, offered, handshake, secret)
    yield from _leave()


def _asked_for(call: Call, offered: Capabilities, handshake: Handshake | None, secret: Secret | None) -> Dialog:
    if call.relay_to is not None:
        yield from _relay(call)
    if call.user is not None and secret is not None:
        yield from login(call, offered, handshake, secret)


def _leave() -> Dialog:
    yield Say(stage="quit", line=b"QUIT", seconds=QUIT)


def _hello(hello: str, *, tls: bool, again: bool = False) -> Generator[Act, Any, Capabilities | None]:
    """EHLO, and HELO where that is refused for good (RFC 5321 §3.2); what is offered, None where neither was accepted.

    `again`: after STARTTLS, where a server at odds with RFC 3207 §4 greets once more.
    """
    stage = "ehlo-tls" if tls else "ehlo"
    reply: Reply = yield Say(stage=stage, line=f"EHLO {hello}".encode(), ahead=again)
    if again and reply.code == READY:
        reply = yield Listen(stage)
    if reply.ok:
        return read_capabilities(reply)
    if reply.permanent:
        reply = yield Say(stage="helo-tls" if tls else "helo", line=f"HELO {hello}".encode())
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
    literal = f"[IPv6:{call.address}]" if ":" in call.address else f"[{call.address}]"
    return literal if call.host == call.address else call.host


def login(call: Call, offered: Capabilities, handshake: Handshake | None, secret: Secret) -> Dialog:
    """One attempt by one mechanism, inside TLS that is verified, unless `insecure_auth`."""
    why = _unsafe(call, handshake)
    if why is not None and not call.insecure_auth:
        yield Remark("login", "not-tried")
        yield Remark("login-why", why)
        return
    leaf = handshake.chain[0] if handshake is not None and handshake.chain else None
    mechanism = sasl.choose(offered.auth, call.mechanism, binding=leaf is not None)
    why = _impossible(call, offered, mechanism)
    if mechanism is None or why is not None:
        yield Remark("login", "not-tried")
        yield Remark("login-why", why or "the server offers no mechanism that is known here")
        return
    try:
        exchange = sasl.exchange(mechanism, call.user or "", secret, host=call.host, port=call.port, leaf=leaf)
        opening = next(exchange)
    except sasl.SaslError as error:
        yield Remark("login", "not-tried")
        yield Remark("login-why", str(error))
        return
    yield Remark("mechanism", mechanism)
    if mechanism.endswith("-PLUS"):
        yield Remark("binding", "tls-server-end-point")
    yield Remark("login", "failed")  # until the server has answered
    try:
        yield from _authenticate(mechanism, exchange, opening)
    except BrokenError as broken:
        yield Remark("login-why", broken.why)
        raise


def _unsafe(call: Call, handshake: Handshake | None) -> str | None:
    """Why credentials may not be sent, None where they may."""
    if handshake is None:
        return "there is no TLS: credentials would go in clear (--insecure-auth sends them all the same)"
    if not handshake.trusted:
        return f"the certificate is not trusted: {handshake.trust_error or 'none was sent'} (--insecure-auth overrides)"
    if not bears(read_certificate(handshake.chain[0]), call.host):
        return f"the certificate does not bear the name {call.host} (--insecure-auth overrides)"
    if handshake.version not in ("TLSv1.2", "TLSv1.3"):
        return f"{handshake.version} is broken (RFC 8996) (--insecure-auth overrides)"
    if any(word in handshake.cipher for word in _NO_CIPHER):
        return f"{handshake.cipher} does not protect what is sent (--insecure-auth overrides)"
    return None


def _impossible(call: Call, offered: Capabilities, mechanism: str | None) -> str | None:
    if not offered.auth:
        return "the server offers no AUTH here"
    if mechanism is None and call.mechanism is not None:
        return f"{call.mechanism.upper()} is not among the mechanisms known here"
    if mechanism is None:
        return f"no mechanism in common: the server offers {' '.join(offered.auth)}"
    if mechanism not in offered.auth:
        return f"the server does not offer {mechanism}: it offers {' '.join(offered.auth)}"
    return None


def _authenticate(mechanism: str, exchange: sasl.Exchange, opening: bytes | None) -> Dialog:
    line = f"AUTH {mechanism}".encode()
    shown = line
    if opening is not None:
        whole = line + b" " + (base64.b64encode(opening) or b"=")
        if len(whole) <= _MOST_COMMAND:  # RFC 4954 §4: a longer one waits for an empty challenge
            line, opening, shown = whole, None, shown + b" <redacted>"
    reply: Reply = yield Say(stage="auth", line=line, shown=shown)
    for _ in range(MOST_CHALLENGES):
        if reply.code != _CONTINUE:
            break
        response, opening = opening, None
        if response is None:
            response = yield from _respond(exchange, reply)
        if response is None:
            return
        reply = yield Say(stage="auth", line=base64.b64encode(response), shown=b"<redacted>" if response else b"")
    if reply.code == _CONTINUE:
        yield Remark("login-why", f"the server still asks after {MOST_CHALLENGES} challenges")
        yield Say(stage="auth", line=b"*", shown=b"*")
        return
    yield from _verdict(mechanism, exchange, reply)


def _respond(exchange: sasl.Exchange, reply: Reply) -> Generator[Act, Any, bytes | None]:
    """The response to a challenge; None where the exchange was given up (RFC 4954 §4: a line of `*`)."""
    why = "the server asks for more than the mechanism has"
    try:
        challenge = _challenge(reply)
        error = _oauth_error(challenge)
        if error is not None:
            yield Remark("oauth", error)
        return exchange.send(challenge) or b""
    except (binascii.Error, ValueError):
        why = "the challenge is not base64"
    except StopIteration:
        pass
    except sasl.SaslError as error:
        why = str(error)
    yield Remark("login-why", why)
    yield Say(stage="auth", line=b"*", shown=b"*")
    return None


def _challenge(reply: Reply) -> bytes:
    said = b"".join(reply.lines[-1].split())
    return b"" if said == b"=" else base64.b64decode(said, validate=True)


def _verdict(mechanism: str, exchange: sasl.Exchange, reply: Reply) -> Dialog:
    if reply.code != _ACCEPTED:
        yield Remark("login", "refused" if reply.permanent else "failed")
        if not reply.permanent:
            put_off = "the server puts it off" if reply.temporary else f"{reply.code} is no answer to AUTH"
            yield Remark("login-why", put_off)
        return
    yield Remark("login", "accepted")
    if not _finished(mechanism, exchange):
        yield Remark("login-why", "accepted before the exchange was at its end: the server proved nothing")


def _finished(mechanism: str, exchange: sasl.Exchange) -> bool:
    """Whether the server asked for all that the mechanism has; an OAuth error's answer and SCRAM's end are left out."""
    if mechanism in sasl.TOKENS:
        return True
    if inspect.getgeneratorstate(exchange) == inspect.GEN_CLOSED:
        return True
    try:
        exchange.send(b"")
    except StopIteration:
        return True
    except sasl.SaslError:
        return False
    return False


def _oauth_error(challenge: bytes) -> str | None:
    """`status` and `scope` of an OAuth error in JSON (RFC 7628 §3.2.2), None where it is none."""
    if not challenge.startswith(b"{") or len(challenge) > 4096:  # noqa: PLR2004 - no error is as long
        return None
    try:
        said = json.loads(challenge)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    parts = [f"{key} {said[key]}"[:200] for key in ("status", "scope", "schemes") if isinstance(said.get(key), str)]
    return ", ".join(parts) or None
