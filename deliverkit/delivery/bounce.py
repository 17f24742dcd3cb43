"""The notice that a mail server sends when it cannot deliver, or cannot yet (RFC 3464, RFC 6522).

Three parts: for the sender in plain words, for machines field by field, and the header of the message. What servers
said stands in it as they said it, made 7-bit and folded, so that no reply can end a field or begin a part.
"""

from __future__ import annotations

import binascii
import os
import re
from collections.abc import Callable, Sequence
from typing import Final

from deliverkit.delivery.header import MAX_LINE, fields, folded, written
from deliverkit.delivery.message import content_of
from deliverkit.delivery.notice import MAX_REPLY, Told, date, notice, reply_lines, word
from deliverkit.model.delivery import Delivered, Result
from deliverkit.model.display import escaped

MAX_HEADER: Final = 65_536
_LONG_WORD: Final = re.compile(r"([^ ]{70})(?=[^ ])")
_CODES: Final = re.compile(rb"^([245])[0-9]{2}[ -]\1\.([0-9]{1,3})\.([0-9]{1,3})(?=[ \t\r\n]|$)", re.MULTILINE)
_SEVEN_BIT: Final = re.compile(rb"(?:[\t\x20-\x7e]{0,998}\r\n)*")
_ID: Final = re.compile(r"<[!-;=?-~]{3,500}>")


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
    host = word(reporting_mta) or "localhost"
    head = _head(original)
    boundary = f"=_{entropy(16).hex()}"
    top = [
        written("Return-Path", "<>"),
        written("From", f"Mail Delivery System <MAILER-DAEMON@{host}>"),
        written("To", sender),
        written("Subject", _subject([result for result, _, _ in results], will_retry_until)),
        written("Date", date(now)),
        written("Message-ID", f"<{entropy(8).hex()}.bounce@{host}>"),
        *_thread(head),
        written("Auto-Submitted", "auto-replied"),
        written("MIME-Version", "1.0"),
        f'Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="{boundary}"\r\n'.encode(),
    ]
    encoding, content = content_of(notice(host, head, results, arrived_at, will_retry_until))
    parts = (
        _part(
            "text/plain; charset=utf-8",
            content,
            f"Content-Transfer-Encoding: {encoding}",
            "notification",
        ),
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


def _subject(results: Sequence[Result], will_retry_until: float | None) -> str:
    actions = {_action(result, will_retry_until) for result in results if result.outcome is not Delivered.UNKNOWN}
    if "failed" in actions:
        return "Undelivered mail: it could not be delivered"
    if any(result.outcome is Delivered.UNKNOWN for result in results):
        return "Mail that may not have been delivered"
    return "Delayed mail: it is still being tried" if "delayed" in actions else "Delivery report"


def _thread(head: bytes) -> list[bytes]:
    """What ties the notice to the message (RFC 3834 §3.1.5)."""
    for field in fields(head)[0]:
        if field.name.lower() == "message-id" and _ID.fullmatch(field.value):
            return [written("In-Reply-To", field.value), written("References", field.value)]
    return []


def _status(
    host: str, envelope_id: str, results: Sequence[Told], arrived_at: float, will_retry_until: float | None
) -> bytes:
    """What a machine reads (RFC 3464 §2.1): the message's fields, then those of each recipient."""
    message = [("Original-Envelope-Id", _ascii(envelope_id))] if envelope_id else []
    message += [("Reporting-MTA", f"dns; {host}"), ("Arrival-Date", date(arrived_at))]
    blocks = [_block(message)]
    for result, server, tried_at in results:
        action = _action(result, will_retry_until)
        block = [
            ("Final-Recipient", _recipient(result.address)),
            ("Action", action),
            ("Status", _code(result, action)),
        ]
        if name := word(server):
            block.append(("Remote-MTA", f"dns; {name}"))
        if result.reply:
            block.append(("Diagnostic-Code", f"smtp; {_ascii(' '.join(reply_lines(result.reply)))}"))
        elif result.why:
            block.append(("Diagnostic-Code", f"X-Deliverkit; {_ascii(result.why[:MAX_REPLY])}"))
        if tried_at is not None:
            block.append(("Last-Attempt-Date", date(tried_at)))
        if action == "delayed" and will_retry_until is not None:
            block.append(("Will-Retry-Until", date(will_retry_until)))
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


def _ascii(text: str) -> str:
    r"""One line of ASCII; what is not ASCII as `\xNN`, `\uNNNN`."""
    return escaped(text).encode("ascii", "backslashreplace").decode("ascii")
