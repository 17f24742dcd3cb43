"""A login (RFC 4954): one attempt by one mechanism, inside TLS that is verified, and what came of it.

What is remarked: `login` (`accepted`, `refused`, `failed` or `not-tried`), `login-why`, `mechanism`, `binding` of a
-PLUS mechanism, and `oauth`, what a server says in its error (RFC 7628 §3.2.2).
"""

from __future__ import annotations

import base64
import binascii
import inspect
import json
from collections.abc import Generator
from typing import Any, Final

from deliverkit.model import Call, Handshake
from deliverkit.records.certificate import bears, read_certificate
from deliverkit.smtp import sasl
from deliverkit.smtp.acts import Act, BrokenError, Remark, Say
from deliverkit.smtp.capabilities import Capabilities
from deliverkit.smtp.reply import Reply
from deliverkit.smtp.secret import Secret

MOST_CHALLENGES: Final = 5
_CONTINUE: Final = 334
_ACCEPTED: Final = 235
_MOST_COMMAND: Final = 510
_NO_CIPHER: Final = ("NULL", "ADH", "AECDH", "EXP", "RC4", "DES-CBC-SHA", "RC2")


def login(call: Call, offered: Capabilities, handshake: Handshake | None, secret: Secret) -> Generator[Act, Any, bool]:
    """One attempt by one mechanism, inside TLS that is verified, unless `insecure_auth`; whether it was accepted."""
    why = _unsafe(call, handshake)
    if why is not None and not call.insecure_auth:
        yield Remark("login", "not-tried")
        yield Remark("login-why", why)
        return False
    leaf = handshake.chain[0] if handshake is not None and handshake.chain else None
    mechanism = sasl.choose(offered.auth, call.mechanism, binding=leaf is not None)
    why = _impossible(call, offered, mechanism)
    if mechanism is None or why is not None:
        yield Remark("login", "not-tried")
        yield Remark("login-why", why or "the server offers no mechanism that is known here")
        return False
    try:
        exchange = sasl.exchange(mechanism, call.user or "", secret, host=call.host, port=call.port, leaf=leaf)
        opening = next(exchange)
    except sasl.SaslError as error:
        yield Remark("login", "not-tried")
        yield Remark("login-why", str(error))
        return False
    yield Remark("mechanism", mechanism)
    if mechanism.endswith("-PLUS"):
        yield Remark("binding", "tls-server-end-point")
    yield Remark("login", "failed")  # until the server has answered
    try:
        return (yield from _authenticate(mechanism, exchange, opening))
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


def _authenticate(mechanism: str, exchange: sasl.Exchange, opening: bytes | None) -> Generator[Act, Any, bool]:
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
            return False
        reply = yield Say(stage="auth", line=base64.b64encode(response), shown=b"<redacted>" if response else b"")
    if reply.code == _CONTINUE:
        yield Remark("login-why", f"the server still asks after {MOST_CHALLENGES} challenges")
        yield Say(stage="auth", line=b"*", shown=b"*")
        return False
    return (yield from _verdict(mechanism, exchange, reply))


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


def _verdict(mechanism: str, exchange: sasl.Exchange, reply: Reply) -> Generator[Act, Any, bool]:
    if reply.code != _ACCEPTED:
        yield Remark("login", "refused" if reply.permanent else "failed")
        if not reply.permanent:
            put_off = "the server puts it off" if reply.temporary else f"{reply.code} is no answer to AUTH"
            yield Remark("login-why", put_off)
        return False
    yield Remark("login", "accepted")
    if not _finished(mechanism, exchange):
        yield Remark("login-why", "accepted before the exchange was at its end: the server proved nothing")
    return True


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
