"""A whole message: a bounce, by its delivery status (RFC 3464), else by the words it has for people.

It is read by the standard library's email package. The message that came back is never looked into.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from deliverkit.replies.inputs import fields
from deliverkit.replies.inputs.item import MAX_LINE, MAX_MESSAGE, Item, Kind

if TYPE_CHECKING:
    from email.message import Message

_MAX_DEPTH: Final = 16
_MAX_PARTS: Final = 200
_MAX_RECIPIENTS: Final = 10_000
_MAX_BODY: Final = 512 * 1024
_STATUS: Final = ("message/delivery-status", "message/global-delivery-status")
_RETURNED: Final = re.compile(
    r"\W{0,40}(?:this is a copy of (?:the|your) message|below this line is a copy|original message|"
    r"the (?:header|message|body) (?:of the|that)|copy of (?:the|your) (?:original )?message|original-nachricht|"
    r"undelivered message follows|message headers? follow|returned message)",
    re.IGNORECASE,
)
_HEADER: Final = re.compile(r"(?:Received|Return-Path|Message-I[dD]|MIME-Version): ")

Lines = Callable[[list[str]], Iterator[Item]]
"""Reads lines as `reader` does: for the text of a bounce."""


def items(octets: bytes, line: int, read: Lines) -> list[Item]:
    """The replies of a message; `line` is where it begins. Whatever the octets are, nothing is raised."""
    from email import message_from_bytes  # noqa: PLC0415 - a tenth of the start, for messages alone

    try:
        message = message_from_bytes(octets[:MAX_MESSAGE])
        parts = list(_parts(message))
    except (ValueError, LookupError, RecursionError, AssertionError, TypeError, AttributeError):
        # The email package stumbles over some malformed messages: then its lines are all there is.
        text = octets[:_MAX_BODY].decode("utf-8", "backslashreplace")
        return [_placed(item, line) for item in read(text.splitlines())]
    found = [item for part in parts if part.get_content_type() in _STATUS for item in _reported(part, line)]
    if any(item.text[:3].isdigit() for item in found):
        return found
    told = [
        _placed(item, line)
        for part in parts
        if part.get_content_maintype() == "text"
        for item in read(_own_lines(_text(part), html=part.get_content_subtype() == "html"))
    ]
    if any(item.text[:3].isdigit() for item in told):
        return told
    return found or told or _unparted(octets, line, read)


def _unparted(octets: bytes, line: int, read: Lines) -> list[Item]:
    """Of a message whose parts cannot be told apart: its lines, the fields of a notice before its words."""
    body = octets[:_MAX_BODY].partition(b"\n\n")[2].decode("utf-8", "backslashreplace")
    found = list(read(_own_lines(body, html=False)))
    fielded = [item for item in found if item.kind is Kind.DSN]
    return [_placed(item, line) for item in fielded or found]


def _placed(item: Item, line: int) -> Item:
    return msgspec.structs.replace(item, line=line, kind=Kind.DSN)


def _parts(message: Message) -> Iterator[Message]:
    """The parts, without what lies inside a returned message."""
    waiting: list[tuple[Message, int]] = [(message, 0)]
    seen = 0
    while waiting and seen < _MAX_PARTS:
        part, depth = waiting.pop(0)
        seen += 1
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list) and depth < _MAX_DEPTH:
            waiting[:0] = [(child, depth + 1) for child in payload if not isinstance(child, str)]
        else:
            yield part


def _reported(part: Message, line: int) -> Iterator[Item]:
    groups = list(_groups(part))[:_MAX_RECIPIENTS]
    reporter = next((group["reporting-mta"] for group in groups if "reporting-mta" in group), None)
    for group in groups:
        if "final-recipient" in group or "diagnostic-code" in group or "status" in group:
            item = fields.recipient(group, reporter=reporter, line=line)
            if item is not None:
                yield msgspec.structs.replace(item, time=_time(group))


def _groups(part: Message) -> Iterator[dict[str, str]]:
    payload = part.get_payload()
    if isinstance(payload, list) and part.get_content_type() == _STATUS[0]:
        for block in payload:
            if isinstance(block, str):
                continue
            yield {str(name).lower(): _clean(value) for name, value in block.items()}
        return
    group: dict[str, str] = {}
    name = ""
    for text in _text(part).splitlines():
        match = fields.FIELD.match(text)
        if not text.strip():
            yield group
            group, name = {}, ""
        elif match is not None:
            name = match[1].lower()
            group[name] = match[2]
        elif name and text[:1] in " \t":
            group[name] += f"\n{text}"
    yield group


def _clean(value: object) -> str:
    return str(value)[:MAX_LINE].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _time(group: dict[str, str]) -> str | None:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - as above

    try:
        return parsedate_to_datetime(group.get("last-attempt-date") or group["arrival-date"]).isoformat()
    except (KeyError, ValueError, TypeError, IndexError, OverflowError):
        return None


def _text(part: Message) -> str:
    try:
        payload = part.get_payload(decode=True)
        octets = payload if isinstance(payload, bytes) else b""
        charset = str(part.get_content_charset() or "utf-8")
        return octets[:_MAX_BODY].decode(charset, "backslashreplace")
    except (LookupError, ValueError, TypeError, AttributeError):
        return octets[:_MAX_BODY].decode("utf-8", "backslashreplace")


def _own_lines(text: str, *, html: bool) -> list[str]:
    """The notice's own lines: what comes before the message that it returns."""
    if html:
        import html as markup  # noqa: PLC0415 - for messages alone

        for name in ("script", "style"):
            text = _without(text, name)
        text = re.sub(r"<(?:br|/p|/div|/tr|/td|/h\d)\b[^<>]{0,200}>", "\n", text, flags=re.IGNORECASE)
        text = markup.unescape(re.sub(r"<[A-Za-z/!][^<>]{0,2000}>", "", text))
    lines: list[str] = []
    for line in text.splitlines():
        if _HEADER.match(line) or (_RETURNED.match(line) and lines):
            break
        lines.append(line)
    return lines


def _without(text: str, name: str) -> str:
    """HTML without the elements of this name, which hold no words; one that is never closed ends the text."""
    kept: list[str] = []
    lower = text.lower()
    at = 0
    while (start := lower.find(f"<{name}", at)) >= 0:
        kept.append(text[at:start])
        end = lower.find(f"</{name}", start)
        if end < 0:
            return "".join(kept)
        at = end
    return "".join(kept) + text[at:]
