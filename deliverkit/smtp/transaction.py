"""The conversation that hands a message over (RFC 5321 §3.3), with what the extensions offered allow.

What came of each recipient stands in the steps (`delivery/outcome.py` reads it there); a remark says what no step
shows: `failed`, why the message cannot go from here to there, and `failed-stage`, where that was seen; `size`, that it
is larger than the server takes; `dsn`, that no notice could be asked for; `stopped`, the stage that was to be the last.
The dot that ends a message is said once, to a connection that stands, with nothing unread on it: before it nothing has
been handed over, after it silence is no answer (RFC 1047).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Final

from deliverkit.model import Call, Handshake, Mode
from deliverkit.model.delivery import Envelope, Stage
from deliverkit.smtp.acts import READY, Act, Burst, Dialog, Listen, Remark, Say, StartTls, Write
from deliverkit.smtp.capabilities import Capabilities
from deliverkit.smtp.dialog import greeted, implicit, leave, server_name
from deliverkit.smtp.login import login
from deliverkit.smtp.reply import Reply
from deliverkit.smtp.secret import Secret

PATIENCE: Final = 300.0
"""Seconds for the banner, MAIL and RCPT (RFC 5321 §4.5.3.2.1 to 3)."""
DATA: Final = 120.0
"""For the answer to DATA (§4.5.3.2.4)."""
DOT: Final = 600.0
"""For the answer to the final dot (§4.5.3.2.6): a shorter wait makes duplicates."""
GO_ON: Final = 354
_ENVID: Final = 100
"""Characters of an envelope's id at most (RFC 3461 §4.4); it is better left out than cut."""
_PLAIN: Final = re.compile(rb"[!-*,-<>-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A message to hand over in one session. Raises ValueError where the body would end before its end."""

    envelope: Envelope
    body: bytes = field(repr=False)
    """Dot-stuffed, every line ended by CRLF, without the dot that ends it."""
    allow: Callable[[Handshake | None, Capabilities], str | None] | None = None
    """Asked once, before AUTH and MAIL, of the session as it will carry the message: no handshake means in clear,
    and the capabilities are those offered last. What it returns is why nothing may be sent; None: go on."""
    pipelining: bool = True
    """MAIL and every RCPT at once, where the server offers it."""
    stop_after: Stage | None = None
    """The last stage; after EOD or QUIT there is nothing left to stop."""
    committing: Callable[[tuple[str, ...]], None] | None = None
    """Called with the recipients accepted at RCPT right before the final dot is said: from then on it may arrive.
    What it raises ends the session, and the dot is not said."""

    def __post_init__(self) -> None:
        """Looks the body over: a dot alone or half a line end in it would be read as commands (RFC 5321 §4.5.2)."""
        body = self.body
        ends = body.count(b"\r\n")
        if body and (not body.endswith(b"\r\n") or body.count(b"\r") != ends or body.count(b"\n") != ends):
            raise ValueError("every line of a message ends in CRLF")
        if body.startswith(b".\r\n") or b"\r\n.\r\n" in body:
            raise ValueError("a line of a message is a dot alone: it is not dot-stuffed")
        if not self.envelope.recipients:
            raise ValueError("a message goes to somebody")


def transaction(call: Call, hello: str, delivery: Handover, secret: Secret | None) -> Dialog:
    """Banner to QUIT, with one message between. `hello` is what EHLO says; `secret` is for `call.user`."""
    stop = delivery.stop_after
    if stop in (Stage.ROUTE, Stage.CONNECT):
        yield from _stopped(stop)
        return
    ready = yield from _opened(call, hello, stop)
    if ready is None:
        return
    offered, handshake = ready
    if stop is Stage.EHLO:
        yield from _stopped(stop)
    elif (why := delivery.allow(handshake, offered) if delivery.allow is not None else None) is not None:
        yield from _failed(why, Stage.STARTTLS)
    elif stop is Stage.STARTTLS:
        yield from _stopped(stop)
    elif (yield from _allowed_in(call, offered, handshake, secret)):
        if stop is Stage.AUTH:
            yield from _stopped(stop)
        else:
            yield from _handed_over(call, offered, handshake, delivery)
            return
    yield from leave()


def _failed(why: str, stage: Stage) -> Dialog:
    yield Remark("failed", why)
    yield Remark("failed-stage", stage.value)


def _stopped(stage: Stage) -> Dialog:
    yield Remark("stopped", stage.value)


def _opened(
    call: Call, hello: str, stop: Stage | None
) -> Generator[Act, Any, tuple[Capabilities, Handshake | None] | None]:
    """To the last EHLO; None where the session is at its end."""
    handshake: Handshake | None = None
    if implicit(call):
        handshake = yield StartTls(server_name(call))
        if not handshake.ok:
            return None
    banner: Reply = yield Listen("banner", seconds=PATIENCE)
    if banner.code != READY:
        yield from leave()
        return None
    if stop is Stage.BANNER:
        yield from _stopped(stop)
        yield from leave()
        return None
    offered = yield from greeted(hello, tls=handshake is not None, seconds=PATIENCE)
    if offered is not None and handshake is None and stop is not Stage.EHLO:
        secured = yield from _secured(call, hello, offered)
        if secured is None:
            return None
        offered, handshake = secured
    if offered is None:
        yield from leave()
        return None
    return offered, handshake


def _secured(
    call: Call, hello: str, offered: Capabilities
) -> Generator[Act, Any, tuple[Capabilities | None, Handshake | None] | None]:
    """STARTTLS as the call has it; None where the session is at its end."""
    if call.mode is Mode.NONE:
        return offered, None
    if offered.has("STARTTLS"):
        reply: Reply = yield Say(stage="starttls", line=b"STARTTLS", seconds=DATA)
        if reply.code == READY:
            handshake: Handshake = yield StartTls(server_name(call))
            if not handshake.ok:
                return None
            return (yield from greeted(hello, tls=True, again=True, seconds=PATIENCE)), handshake
        why = f"STARTTLS is wanted, and {call.host} refuses it: {reply.shown}"
    else:
        why = f"STARTTLS is wanted, and {call.host} does not offer it"
    if call.mode is Mode.STARTTLS:
        yield from _failed(why, Stage.STARTTLS)
        yield from leave()
        return None
    return offered, None


def _allowed_in(
    call: Call, offered: Capabilities, handshake: Handshake | None, secret: Secret | None
) -> Generator[Act, Any, bool]:
    """Whether MAIL may follow: nobody was to log in, or the login was accepted."""
    if call.user is None:
        return True
    if secret is None:
        yield Remark("login", "not-tried")
        yield Remark("login-why", "there is no password")
        return False
    return (yield from login(call, offered, handshake, secret))


def _handed_over(call: Call, offered: Capabilities, handshake: Handshake | None, delivery: Handover) -> Dialog:
    """MAIL to QUIT."""
    envelope, stop = delivery.envelope, delivery.stop_after
    why = unfit(envelope, offered, handshake, call.host)
    if why is not None:
        yield from _failed(why, Stage.MAIL)
        yield from leave()
        return
    if offered.size and envelope.size > offered.size:
        yield Remark("size", f"the message has {envelope.size} octets, and {call.host} takes {offered.size} at most")
        yield from leave()
        return
    if envelope.dsn and not offered.has("DSN"):
        yield Remark("dsn", f"{call.host} does not offer DSN: no delivery notice was asked for")
    accepted = yield from _recipients(delivery, offered)
    if accepted is None:
        yield from leave()
    elif not accepted or stop in (Stage.MAIL, Stage.RCPT):
        if accepted and stop is not None:
            yield from _stopped(stop)
        yield Say(stage="rset", line=b"RSET", seconds=DATA)
        yield from leave()
    else:
        yield from _message(delivery, accepted)


def _recipients(delivery: Handover, offered: Capabilities) -> Generator[Act, Any, tuple[str, ...] | None]:
    """MAIL and RCPT; who was accepted, None where the sender was not."""
    envelope = delivery.envelope
    mail = Say(stage="mail", line=mail_line(envelope, offered), seconds=PATIENCE)
    if delivery.stop_after is Stage.MAIL:
        sender: Reply = yield mail
        return envelope.recipients if sender.ok else None
    rcpts = tuple(
        Say(stage="rcpt", line=rcpt_line(recipient, envelope, offered), seconds=PATIENCE)
        for recipient in envelope.recipients
    )
    replies: list[Reply] = []
    if delivery.pipelining and offered.has("PIPELINING"):
        answered: tuple[Reply, ...] = yield Burst((mail, *rcpts))
        sender = answered[0]
        replies += answered[1:]
    else:
        sender = yield mail
        if sender.ok:
            for rcpt in rcpts:
                replies.append((yield rcpt))
    if not sender.ok:
        return None
    return tuple(who for who, reply in zip(envelope.recipients, replies, strict=True) if reply.ok)


def _message(delivery: Handover, accepted: tuple[str, ...]) -> Dialog:
    """DATA, the message, the dot. Inside a message nothing else can be said: there the connection is just closed."""
    reply: Reply = yield Say(stage="data", line=b"DATA", seconds=DATA)
    if reply.code != GO_ON:
        if not reply.intermediate:
            yield from leave()
        return
    if delivery.stop_after is Stage.DATA:
        yield from _stopped(Stage.DATA)
        return
    early: Reply | None = yield Write(stage="body", octets=delivery.body)
    if early is not None:
        return
    if delivery.committing is not None:
        delivery.committing(accepted)
    reply = yield Say(stage="eod", line=b".", seconds=DOT, commits=True, name="the final dot")
    if not reply.intermediate:
        yield from leave()


def unfit(envelope: Envelope, offered: Capabilities, handshake: Handshake | None, host: str) -> str | None:
    """Why a message cannot go to a server that offers this, None where it can."""
    if envelope.utf8 and not offered.has("SMTPUTF8"):
        return f"the message needs SMTPUTF8, which {host} does not offer (RFC 6531 §3.2)"
    if envelope.eight_bit and not offered.has("8BITMIME"):
        return f"the message has 8-bit octets and needs 8BITMIME, which {host} does not offer (RFC 6152 §3)"
    if envelope.require_tls and handshake is None:
        return f"REQUIRETLS is asked for, and there is no TLS with {host} (RFC 8689 §4.2.1)"
    if envelope.require_tls and not offered.has("REQUIRETLS"):
        return f"REQUIRETLS is asked for, and {host} does not offer it (RFC 8689 §4.2.1)"
    return None


def mail_line(envelope: Envelope, offered: Capabilities) -> bytes:
    """MAIL with the parameters that the server offers to take."""
    words = [f"MAIL FROM:<{envelope.sender}>"]
    if offered.has("SIZE") and envelope.size:
        words.append(f"SIZE={envelope.size}")
    if envelope.eight_bit and offered.has("8BITMIME"):
        words.append("BODY=8BITMIME")
    if envelope.utf8:
        words.append("SMTPUTF8")
    if envelope.require_tls:
        words.append("REQUIRETLS")
    if envelope.dsn and offered.has("DSN"):
        words.append("RET=HDRS")
        envid = xtext(envelope.envelope_id)
        if 0 < len(envid) <= _ENVID:
            words.append(f"ENVID={envid}")
    return " ".join(words).encode()


def rcpt_line(recipient: str, envelope: Envelope, offered: Capabilities) -> bytes:
    """RCPT, with what delivery notices are asked for (RFC 3461 §4.1 and 4.2; RFC 6533 §3 for addresses in UTF-8)."""
    line = f"RCPT TO:<{recipient}>"
    if envelope.dsn and offered.has("DSN"):
        line += " NOTIFY=SUCCESS,FAILURE,DELAY"
        line += f" ORCPT=rfc822;{xtext(recipient)}" if recipient.isascii() else f" ORCPT=utf-8;{_unitext(recipient)}"
    return line.encode()


def xtext(text: str) -> str:
    """Printable ASCII but `+` and `=`; all else as `+HH` (RFC 3461 §4)."""
    return "".join(mark if _PLAIN.fullmatch(mark.encode()) else _hex(mark) for mark in text)


def _hex(mark: str) -> str:
    return "".join(f"+{octet:02X}" for octet in mark.encode())


def _unitext(text: str) -> str:
    return "".join(rf"\x{{{ord(mark):X}}}" if mark in "+=\\ " or ord(mark) < 0x20 else mark for mark in text)  # noqa: PLR2004
