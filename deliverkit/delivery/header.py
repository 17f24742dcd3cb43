"""The header of a message: its fields read from octets, and written to them (RFC 5322 §2.2, RFC 2047, RFC 6532).

What is read is anybody's: it never raises, however broken. What is written is the user's: it is taken as typed where it
is ASCII, encoded where it is not, and refused where it would end the line, the header or the sense.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from email.header import Header, decode_header, make_header
from email.headerregistry import AddressHeader, HeaderRegistry
from email.headerregistry import Group as Addresses
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

from deliverkit.records.mailbox import Mailbox, parse_mailbox

MAX_FIELD: Final = 4096
"""Characters of a field that are read for addresses: the reader's work grows faster than its length."""
MAX_WRITTEN: Final = 16_384
MAX_LINE: Final = 998
"""Octets of a line without its CRLF (RFC 5321 §4.5.3.1.6, RFC 5322 §2.1.1)."""
_FOLD: Final = 78
_ENCODED: Final = 76

ONCE: Final = frozenset({
    "date", "from", "sender", "reply-to", "to", "cc", "message-id", "in-reply-to", "references", "subject",
    "mime-version", "content-type", "content-transfer-encoding", "user-agent",
})  # fmt: skip
"""Fields that stand once (RFC 5322 §3.6, RFC 2045)."""
_ADDRESSES: Final = frozenset({"from", "sender", "reply-to", "to", "cc"})
_ADDRESSED: Final = frozenset({"from", "sender", "reply-to"})
"""Of these, those that have to hold an address; `To: undisclosed-recipients:;` holds none."""
_ENCODABLE: Final = re.compile(r"subject|comments|keywords|content-description|organization|x-.*|user-agent")
_HIDDEN: Final = frozenset({"bcc", "resent-bcc"})
_NAME: Final = re.compile(r"[!-9;-~]{1,76}")
_FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_MESSAGE_ID: Final = re.compile(r"\s*<[^<>@\s]{1,250}@[^<>@\s]{1,250}>\s*")
_WORD: Final = re.compile(r"[ \t]*[^ \t]+")
_NO_TEXT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


class MessageError(ValueError):
    """A message that cannot be made or sent; one line says why."""


class Field(msgspec.Struct, frozen=True):
    """A header field as it stands: the value with its folding, without the last CRLF. `line` counts from 1."""

    name: str
    raw: bytes
    line: int

    @property
    def value(self) -> str:
        r"""Unfolded text; octets that are not UTF-8 as `\xNN`."""
        return self.raw.replace(b"\r\n", b"").decode("utf-8", "backslashreplace").strip()


def fields(head: bytes) -> tuple[list[Field], list[int]]:
    """The fields of a header with CRLF line ends, and the numbers of the lines that are none."""
    found: list[tuple[str, list[bytes], int]] = []
    broken: list[int] = []
    for number, line in enumerate(head.removesuffix(b"\r\n").split(b"\r\n"), 1):
        if line[:1] in {b" ", b"\t"} and found:
            found[-1][1].append(line)
        elif match := _FIELD.fullmatch(line):
            found.append((match[1].decode("ascii"), [match[2]], number))
        else:
            broken.append(number)
    return [Field(name, b"\r\n".join(lines), number) for name, lines, number in found], broken


def mailboxes(value: str) -> tuple[Mailbox, ...]:
    """The addresses of a field like From, groups opened, in order; those that are none are left out. Never raises."""
    found: list[Mailbox] = []
    for group in _groups("from", value):
        for address in group.addresses:
            try:
                found.append(parse_mailbox(address.addr_spec))
            except (ValueError, RecursionError, IndexError, AttributeError, TypeError):
                continue
    return tuple(found)


def _groups(name: str, value: str) -> tuple[Addresses, ...]:
    if len(value) > MAX_FIELD:
        return ()
    try:
        field: Any = HeaderRegistry()(name, value)
        return tuple(field.groups) if isinstance(field, AddressHeader) else ()
    except Exception:  # noqa: BLE001 - the reader fails in many ways over what is no address, RecursionError among them
        return ()


def readable(value: str) -> str:
    """Text with its encoded words decoded (RFC 2047). Never raises."""
    try:
        return str(make_header(decode_header(value[:MAX_FIELD])))
    except Exception:  # noqa: BLE001 - it raises its own, LookupError for the charset, ValueError for the octets
        return value


def parse_header(text: str) -> tuple[str, str]:
    """`Name: value` as typed. Raises MessageError."""
    name, colon, value = text.partition(":")
    if not colon:
        raise MessageError(f"{_shown(text)} is not a header field: write 'Name: value'")
    _check_name(name)
    _check_text(name, value)
    return name, value.strip()


def check(name: str, value: str) -> None:
    """Whether a field of the user's may stand in a message. Raises MessageError."""
    _check_name(name)
    _check_text(name, value)
    lower, value = name.lower(), value.strip()
    if lower in _HIDDEN:
        raise MessageError(f"{name}: would tell every recipient who the hidden ones are; name them with --to alone")
    if lower == "content-transfer-encoding":
        raise MessageError(f"{name}: goes by the text, and is not for setting; send a file (--message) instead")
    if lower == "mime-version" and value != "1.0":
        raise MessageError(f"{name}: is 1.0 (RFC 2045 §4)")
    if lower == "message-id" and not _MESSAGE_ID.fullmatch(value):
        raise MessageError(f"{name}: {_shown(value)} is not of the form <unique@domain> (RFC 5322 §3.6.4)")
    if lower == "date":
        _check_date(name, value)
    if lower in _ADDRESSED and not mailboxes(value):
        raise MessageError(f"{name}: {_shown(value)} holds no mail address")


def _check_date(name: str, value: str) -> None:
    try:
        parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        raise MessageError(f"{name}: {_shown(value)} is not a date like Thu, 26 Nov 2026 15:00:00 +0000") from None


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise MessageError(f"{_shown(name)} is not the name of a header field (RFC 5322 §2.2)")


def _check_text(name: str, value: str) -> None:
    """No line end, no other control, nothing that is not text: each could begin a field or end the header."""
    if len(value) > MAX_WRITTEN:
        raise MessageError(f"{name}: is longer than {MAX_WRITTEN} characters")
    for char in value:
        if unicodedata.category(char) in _NO_TEXT:
            what = "octets that are not UTF-8" if unicodedata.category(char) == "Cs" else f"U+{ord(char):04X}"
            raise MessageError(f"{name}: holds {what}, which no header field may hold (RFC 5322 §2.2)")


def written(name: str, value: str) -> bytes:
    """A field on the wire: ASCII as it is, folded at its white space; other text encoded (RFC 2047).

    UTF-8 stays only in a local part, where nothing else is possible (RFC 6532). Raises MessageError.
    """
    lower = name.lower()
    value = value.strip()
    encodable = bool(_ENCODABLE.fullmatch(lower))
    if not value.isascii():
        if lower in _ADDRESSES:
            value = _encoded_addresses(name, value)
        elif encodable:
            value = encoded(value, name)
        else:
            raise MessageError(f"{name}: holds characters that are not ASCII, which this field may not")
    lines = list(folded(f"{name}: {value}" if value else f"{name}:"))
    if max(len(line.encode()) for line in lines) > MAX_LINE:
        if not encodable:
            raise MessageError(
                f"{name}: holds a word of more than {MAX_LINE} octets, and no line may (RFC 5322 §2.1.1)"
            )
        lines = list(folded(f"{name}: {encoded(value, name)}"))
    return "".join(f"{line}\r\n" for line in lines).encode()


def encoded(text: str, name: str = "") -> str:
    """Text as encoded words (RFC 2047), a space between each two; the first leaves room for the field's name."""
    return Header(text, charset="utf-8", maxlinelen=_ENCODED, header_name=name or None).encode(linesep="")


def _encoded_addresses(name: str, value: str) -> str:
    """An address list with its display names encoded and its domains in A-labels."""
    parts: list[str] = []
    for group in _groups(name, value):
        inner: list[str] = []
        for address in group.addresses:
            try:
                mailbox = parse_mailbox(address.addr_spec)
            except ValueError as error:
                raise MessageError(f"{name}: {error}") from None
            inner.append(_named(address.display_name, mailbox))
        listed = ", ".join(inner)
        parts.append(listed if group.display_name is None else f"{_phrase(group.display_name)}: {listed};")
    if not parts:
        raise MessageError(f"{name}: {_shown(value)} holds no mail address")
    return ", ".join(parts)


def _named(display_name: str, mailbox: Mailbox) -> str:
    return f"{_phrase(display_name)} <{mailbox.address}>" if display_name else mailbox.address


def _phrase(text: str) -> str:
    if not text.isascii():
        return encoded(text)
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def folded(line: str) -> Iterator[str]:
    """The line in pieces of 78 characters where its white space allows it; joined, they are the line again."""
    name, *words = _WORD.findall(line)
    current, full = name, False  # the name never stands alone: what reads such a line is not always a mail server
    for word in words:
        if full and len(current) + len(word) > _FOLD:
            yield current
            current = ""
        current += word
        full = True
    yield current


def repeated(names: Sequence[str]) -> list[str]:
    """Names of fields that stand once and stand here more often, lower case."""
    lower = [name.lower() for name in names]
    return sorted({name for name in lower if name in ONCE and lower.count(name) > 1})


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 80 else f"{text[:80]}...")  # noqa: PLR2004 - a line's worth
