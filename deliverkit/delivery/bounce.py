"""The notice that a mail server sends when it cannot deliver, or cannot yet (RFC 3464, RFC 6522).

Three parts: for the sender in plain words, for machines field by field, and the header of the message. What servers
said stands in it as they said it, made 7-bit and folded, so that no reply can end a field or begin a part.
"""

from __future__ import annotations

import binascii
import datetime as dt
import os
import re
import textwrap
from collections.abc import Callable, Sequence
from email.utils import format_datetime
from typing import Final

from deliverkit.delivery.header import MAX_LINE, fields, folded, written
from deliverkit.delivery.message import content_of
from deliverkit.model.delivery import Delivered, Result, Stage
from deliverkit.model.display import escaped, shown
from deliverkit.replies import decode

Told = tuple[Result, str, float | None]
"""A result, the host that it came of ("" where none was reached), and when it was last tried."""

MAX_REPLY: Final = 2048
"""Octets of a reply that a notice repeats."""
MAX_HEADER: Final = 65_536
_WIDTH: Final = 72
_MAX_HOST: Final = 255
_LONG_WORD: Final = re.compile(r"([^ ]{70})(?=[^ ])")
_CODES: Final = re.compile(rb"([245])[0-9]{2}[ -]\1\.([0-9]{1,3})\.([0-9]{1,3})(?=[ \t\r\n]|$)")
_SEVEN_BIT: Final = re.compile(rb"(?:[\t\x20-\x7e]{0,998}\r\n)*")
_ID: Final = re.compile(r"<[!-;=?-~]{3,500}>")

_AT: Final = {
    Stage.BANNER: "in its greeting",
    Stage.EHLO: "in answer to this host's name (EHLO)",
    Stage.STARTTLS: "when TLS was to begin (STARTTLS)",
    Stage.AUTH: "in answer to the login (AUTH)",
    Stage.MAIL: "in answer to the sender's address (MAIL)",
    Stage.RCPT: "in answer to the recipient's address (RCPT)",
    Stage.DATA: "when the message was to be sent (DATA)",
    Stage.EOD: "after the whole message had been sent",
}


class BounceError(ValueError):
    """A notice that may not be sent; one line says why."""


def bounce(  # noqa: PLR0913 - each is a field of the notice
    *,
    reporting_mta: str,
    sender: str,
    original: bytes,
    results: Sequence[Told],
    arrived_at: float,
    now: float,
    will_retry_until: float | None = None,
    envelope_id: str = "",
    entropy: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """The notice about `results`, with CRLF line ends, to be sent to `sender` from the null sender.

    A deferred recipient is `delayed` where `will_retry_until` says that it is tried on, else given up. Times are in
    seconds since the epoch. Raises BounceError for a null sender: a notice about a notice would never end
    (RFC 5321 §6.1); and for no results.
    """
    if not sender:
        raise BounceError("a message from the null sender gets no notice (RFC 5321 §6.1)")
    if not results:
        raise BounceError("a notice without a recipient says nothing")
    host = _word(reporting_mta) or "localhost"
    head = _head(original)
    outcomes = {_action(result, will_retry_until) for result, _, _ in results}
    boundary = f"=_{entropy(16).hex()}"
    top = [
        written("Return-Path", "<>"),
        written("From", f"Mail Delivery System <MAILER-DAEMON@{host}>"),
        written("To", sender),
        written("Subject", _subject(outcomes)),
        written("Date", _date(now)),
        written("Message-ID", f"<{entropy(8).hex()}.bounce@{host}>"),
        *_thread(head),
        written("Auto-Submitted", "auto-replied"),
        written("MIME-Version", "1.0"),
        f'Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="{boundary}"\r\n'.encode(),
    ]
    parts = (
        _notification(host, head, results, arrived_at, will_retry_until),
        _status(host, envelope_id, results, arrived_at, will_retry_until),
        _returned(head),
    )
    border = f"--{boundary}".encode()
    body = b"".join(border + b"\r\n" + part + b"\r\n" for part in parts)
    return b"".join(top) + b"\r\n" + body + border + b"--\r\n"


def _action(result: Result, will_retry_until: float | None) -> str:
    """RFC 3464 §2.3.3. `relayed`: whether another server delivers, that server says."""
    if result.outcome is Delivered.ACCEPTED:
        return "relayed"
    if result.outcome is Delivered.DEFERRED and will_retry_until is not None:
        return "delayed"
    return "failed"


def _code(result: Result, action: str) -> str:
    """The enhanced code of the reply, where it is of the class that the outcome is of (RFC 3464 §2.3.4)."""
    temporary = result.outcome in {Delivered.DEFERRED, Delivered.UNKNOWN}
    kind = "2" if action == "relayed" else "4" if temporary else "5"
    for match in reversed(list(_CODES.finditer(result.reply[-MAX_REPLY:]))):
        if match[1].decode() == kind:
            return f"{kind}.{int(match[2])}.{int(match[3])}"
    if result.outcome is Delivered.UNKNOWN:
        return "4.4.2"  # the connection broke
    if kind == "4" and action == "failed":
        return "4.4.7"  # the time for delivery is over
    return f"{kind}.0.0"


def _subject(actions: set[str]) -> str:
    if "failed" in actions:
        return "Undelivered mail: it could not be delivered"
    return "Delayed mail: it is still being tried" if "delayed" in actions else "Delivery report"


def _thread(head: bytes) -> list[bytes]:
    """What ties the notice to the message (RFC 3834 §3.1.5)."""
    for field in fields(head)[0]:
        if field.name.lower() == "message-id" and _ID.fullmatch(field.value):
            return [written("In-Reply-To", field.value), written("References", field.value)]
    return []


def _notification(
    host: str, head: bytes, results: Sequence[Told], arrived_at: float, will_retry_until: float | None
) -> bytes:
    """What a person reads."""
    paragraphs = [
        *textwrap.wrap(f"This is deliverkit on {host}. As a mail server does, it tells you what became of", _WIDTH),
        "your message:",
        *_about(head),
    ]
    paragraphs.append(f"  Taken over: {_date(arrived_at)}")
    for result, server, _ in results:
        paragraphs += ["", f"<{shown(result.address)}>", *_fate(result, _word(server), will_retry_until)]
    encoding, content = content_of("\n".join(paragraphs) + "\n")
    return _part("text/plain; charset=utf-8", content, f"Content-Transfer-Encoding: {encoding}", "notification")


def _about(head: bytes) -> list[str]:
    found = {field.name.lower(): field for field in reversed(fields(head)[0])}
    return [
        f"  {found[name].name}: {shown(found[name].value, _WIDTH)}"
        for name in ("subject", "message-id")
        if name in found
    ]


def _fate(result: Result, server: str, will_retry_until: float | None) -> list[str]:
    """One recipient: what became of it, what the server said, what that means."""
    who = server or "The server"
    at = f", {_AT[result.stage]}" if result.reply and result.stage in _AT else ""
    match result.outcome:
        case Delivered.ACCEPTED:
            said = f"Handed over: {who} took the message, and answers for it from here on."
        case Delivered.REFUSED:
            said = f"Not delivered: {who} refused it for good{at}. It is not tried again."
        case Delivered.FAILED:
            said = f"Not delivered: it could not be handed over to {server or 'any server'}{at}. It is not tried again."
        case Delivered.UNKNOWN:
            said = (
                f"Perhaps delivered: the whole message was sent to {server or 'the server'}, which did not say whether "
                "it took it. It is not sent again, for it could arrive twice. Ask the recipient."
            )
        case Delivered.DEFERRED if will_retry_until is not None:
            until = _date(will_retry_until)
            said = f"Delayed: {_not_yet(result, server)}. It is tried again until {until}. You need not send it again."
        case Delivered.DEFERRED:
            said = f"Not delivered: {_not_yet(result, server)}, and the time for trying is over."
    lines = _wrapped(said)
    if result.why:
        lines += _wrapped(f"Why: {shown(result.why)}")
    if result.reply:
        lines += ["  The server said:", *(f"    {line}" for line in _said(result.reply))]
        if result.outcome is not Delivered.ACCEPTED:
            decoded = decode("\n".join(_said(result.reply)), stage=str(result.stage), host=server or None)
            lines += _wrapped(f"That means: {escaped(decoded.meaning)}")
            lines += _wrapped(f"What to do: {escaped(decoded.action)}")
    return lines


def _not_yet(result: Result, server: str) -> str:
    if result.reply:
        at = f", {_AT[result.stage]}" if result.stage in _AT else ""
        return f"{server or 'the server'} would not take it yet{at}"
    return f"{server} did not take it" if server else "no server could be reached"


def _said(reply: bytes) -> list[str]:
    """A reply line by line, safe to read."""
    text = reply[:MAX_REPLY].decode("utf-8", "backslashreplace")
    lines = [escaped(line) for line in re.split(r"\r\n|\r|\n", text) if line.strip()]
    return [*lines, f"… ({len(reply)} octets in all)"] if len(reply) > MAX_REPLY else lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def _status(
    host: str, envelope_id: str, results: Sequence[Told], arrived_at: float, will_retry_until: float | None
) -> bytes:
    """What a machine reads (RFC 3464 §2.1): the message's fields, then those of each recipient."""
    message = [("Original-Envelope-Id", _ascii(envelope_id))] if envelope_id else []
    message += [("Reporting-MTA", f"dns; {host}"), ("Arrival-Date", _date(arrived_at))]
    blocks = [_block(message)]
    for result, server, tried_at in results:
        action = _action(result, will_retry_until)
        block = [
            ("Final-Recipient", _recipient(result.address)),
            ("Action", action),
            ("Status", _code(result, action)),
        ]
        if name := _word(server):
            block.append(("Remote-MTA", f"dns; {name}"))
        if result.reply:
            block.append(("Diagnostic-Code", f"smtp; {_ascii(' '.join(_said(result.reply)))}"))
        elif result.why:
            block.append(("Diagnostic-Code", f"X-Deliverkit; {_ascii(result.why[:MAX_REPLY])}"))
        if tried_at is not None:
            block.append(("Last-Attempt-Date", _date(tried_at)))
        if action == "delayed" and will_retry_until is not None:
            block.append(("Will-Retry-Until", _date(will_retry_until)))
        blocks.append(_block(block))
    return _part("message/delivery-status", b"\r\n".join(blocks), "", "delivery report")


def _block(named: Sequence[tuple[str, str]]) -> bytes:
    """Fields, folded. A word that would not fit on a line is cut, for a reply can be one word of any length."""
    lines: list[str] = []
    for name, value in named:
        # An address is one word, blanks in quotes or not: its length is bounded.
        whole = name == "Final-Recipient"
        lines += [f"{name}: {value}"] if whole else folded(f"{name}: " + _LONG_WORD.sub(r"\1 ", value))
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _recipient(address: str) -> str:
    r"""The address with its type; UTF-8 as `\x{…}` (utf-8-addr-xtext, RFC 6533 §3)."""
    if address.isascii():
        return f"rfc822; {escaped(address)[: MAX_LINE - 100]}"
    escapes = "".join(rf"\x{{{ord(char):X}}}" if not "!" <= char <= "~" or char in "\\+=" else char for char in address)
    return f"utf-8; {escapes[: MAX_LINE - 100]}"


def _returned(head: bytes) -> bytes:
    """The header of the message (RFC 6522 §4)."""
    if _SEVEN_BIT.fullmatch(head):
        return _part("text/rfc822-headers", head, "", "header of the message")
    quoted = binascii.b2a_qp(head, istext=True)
    encoding = "Content-Transfer-Encoding: quoted-printable"
    return _part("text/rfc822-headers; charset=utf-8", quoted, encoding, "header of the message")


def _part(form: str, content: bytes, encoding: str, description: str) -> bytes:
    lines = [f"Content-Type: {form}", f"Content-Description: {description}", *([encoding] if encoding else [])]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii") + b"\r\n" + content


def _head(original: bytes) -> bytes:
    """The header with CRLF line ends alone, cut behind a field's line where it is very long."""
    mended = original[: MAX_HEADER * 2].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    head = mended.partition(b"\n\n")[0][:MAX_HEADER]
    if len(head) == MAX_HEADER:
        head = head.rpartition(b"\n")[0] or head
    return head.replace(b"\n", b"\r\n").removesuffix(b"\r\n") + b"\r\n"


def _date(at: float) -> str:
    return format_datetime(dt.datetime.fromtimestamp(int(at), dt.UTC))


def _word(name: str) -> str:
    """A host's name as one word of ASCII."""
    return re.sub(r"[^!-~]", "", name)[:_MAX_HOST]


def _ascii(text: str) -> str:
    r"""One line of ASCII; what is not ASCII as `\xNN`, `\uNNNN`."""
    return escaped(text).encode("ascii", "backslashreplace").decode("ascii")
