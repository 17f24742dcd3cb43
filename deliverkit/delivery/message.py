"""The message of a delivery: composed with the standard library's email package, or a file, byte for byte.

Whichever it is, on the wire every line ends in CRLF and in nothing else: a bare CR or LF is a line end to some servers
and none to others, and between two such servers one message becomes two (SMTP smuggling, CVE-2023-51764).
"""

from __future__ import annotations

import datetime as dt
import html
import os
from collections.abc import Callable, Sequence
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Final

import msgspec

from deliverkit import __version__
from deliverkit.delivery.header import (
    MAX_LINE,
    Field,
    MessageError,
    check,
    fields,
    mailboxes,
    parse_header,
    repeated,
    written,
)
from deliverkit.records.mailbox import Mailbox
from deliverkit.records.taglist import parse_tags

__all__ = [
    "Message",
    "MessageError",
    "compose",
    "content_of",
    "from_file",
    "parse_header",
    "read",
    "signatures",
    "stuffed",
]

MAX_MESSAGE: Final = 50 * 1024 * 1024
MAX_HEADER: Final = 1024 * 1024
_MAX_SIGNATURES: Final = 20
_SHOWN_ID: Final = 300
_PLAIN_LINE: Final = 78
_UNIQUE_OCTETS: Final = 8
_POLICY: Final = SMTP.clone(cte_type="7bit", max_line_length=_PLAIN_LINE)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message ready for DATA: `octets` has CRLF line ends only, ends in one, and is not dot-stuffed."""

    octets: bytes
    message_id: str
    """With its brackets, as the field has it; "" where a file has none."""
    from_domain: str | None
    """The A-labels of the first author's domain: what DMARC looks at."""
    from_address: str | None
    eight_bit: bool
    """Octets over 127 anywhere: BODY=8BITMIME."""
    utf8: bool
    """UTF-8 in the header: SMTPUTF8 (RFC 6532)."""
    longest: int
    """Octets of the longest line without its CRLF."""
    signed_by: tuple[tuple[str, str], ...] = ()
    """Domain and selector of each DKIM-Signature that stands in it, top down."""
    notes: tuple[str, ...] = ()
    """What was mended, and what servers may object to."""


def compose(
    *,
    sender: Mailbox | None,
    recipients: Sequence[Mailbox],
    subject: str | None,
    body: str | None,
    headers: Sequence[tuple[str, str]],
    now: float,
    host: str,
    entropy: Callable[[int], bytes] = os.urandom,
) -> Message:
    """A test message that says that it is one. `headers` add to the usual fields, or take the place of one.

    `now` is in seconds since the epoch, `host` the name this machine gives itself. The same `now` and `entropy` give
    the same octets, which are 7-bit but for UTF-8 in a local part. Raises MessageError.
    """
    for name, value in headers:
        check(name, value)
    if twice := repeated([name for name, _ in headers]):
        raise MessageError(f"--header gives {twice[0]} twice: it stands once in a message (RFC 5322 §3.6)")
    if subject is not None:
        check("Subject", subject)
    host = host or "localhost"
    given = {name.lower(): (name, value) for name, value in headers}
    author = given["from"][1] if "from" in given else _author(sender, host)
    when = dt.datetime.fromtimestamp(int(now), dt.UTC)
    unique = f"<{when:%Y%m%d%H%M%S}.{entropy(_UNIQUE_OCTETS).hex()}@{_home(author, host)}>"
    message_id = given["message-id"][1].strip() if "message-id" in given else unique
    form, is_html = _form(given["content-type"][1] if "content-type" in given else "text/plain")
    text = _text(body, _note(sender, host, when, message_id), is_html=is_html)
    usual = [
        ("From", author),
        ("To", ", ".join(mailbox.address for mailbox in recipients) or "undisclosed-recipients:;"),
        ("Subject", f"deliverkit test, {when:%Y-%m-%d %H:%M:%S} UTC" if subject is None else subject),
        ("Date", format_datetime(when)),
        ("Message-ID", message_id),
        ("User-Agent", f"deliverkit/{__version__}"),
        ("MIME-Version", "1.0"),
        ("Content-Type", form),
    ]
    encoding, content = content_of(text)
    lines = [written(*given.get(name.lower(), (name, value))) if name != "Content-Type" else written(name, form)
             for name, value in usual]  # fmt: skip
    lines.append(written("Content-Transfer-Encoding", encoding))
    placed = {name.lower() for name, _ in usual}
    lines += [written(name, value) for name, value in headers if name.lower() not in placed]
    octets = b"".join(lines) + b"\r\n" + content
    if len(octets) > MAX_MESSAGE:
        raise MessageError(f"the message is larger than {MAX_MESSAGE >> 20} MiB")
    return read(octets)


def _author(sender: Mailbox | None, host: str) -> str:
    return sender.address if sender is not None else f"MAILER-DAEMON@{host}"


def _home(author: str, host: str) -> str:
    """The right-hand side of the Message-ID: the author's domain, else this host."""
    found = mailboxes(author)
    return found[0].domain if found else host


def _form(given: str) -> tuple[str, bool]:
    """The Content-Type that is written, and whether it is HTML."""
    try:
        field: Any = HeaderRegistry()("content-type", given)
        known = not field.defects and field.maintype == "text"
    except Exception:  # noqa: BLE001 - the reader fails in many ways over what is no content type
        known = False
    if not known:
        raise MessageError("Content-Type: --body is text; send a file (--message) for anything else")
    charset = field.params.get("charset")
    if charset is None:
        given = f"{given.strip().rstrip(';')}; charset=utf-8"
    elif charset.lower() != "utf-8":
        raise MessageError("Content-Type: the charset of --body is utf-8; send a file (--message) for another")
    return given, field.subtype == "html"


def _note(sender: Mailbox | None, host: str, when: dt.datetime, message_id: str) -> str:
    return (
        "This is a test message. You need not do anything about it.\n"
        f"It was sent by deliverkit {__version__} on {host}\n"
        f"for {sender.address if sender is not None else 'the null sender <>'}\n"
        f"on {format_datetime(when)}.\n"
        f"Message-ID: {message_id}\n"
    )


def _text(body: str | None, note: str, *, is_html: bool) -> str:
    """What was typed, then the note."""
    said = (body or "").replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    if is_html:
        return f"{said}\n<hr>\n<p>{html.escape(note.rstrip()).replace(chr(10), '<br>' + chr(10))}</p>\n"
    return f"{said}\n\n{'-' * 40}\n{note}" if said else note


def content_of(text: str) -> tuple[str, bytes]:
    """Content-Transfer-Encoding, and the body in it with CRLF: as it is where 7-bit text in short lines, else QP."""
    try:
        octets = text.encode()
    except UnicodeEncodeError:
        raise MessageError("the body holds octets that are not UTF-8") from None
    plain = (
        octets.isascii()
        and all(octet >= ord(" ") or octet in b"\t\n" for octet in set(octets))
        and b"\x7f" not in octets
        and max(map(len, octets.split(b"\n"))) <= _PLAIN_LINE
    )
    part = EmailMessage(policy=_POLICY)
    part.set_content(text, cte="7bit" if plain else "quoted-printable")
    return str(part["Content-Transfer-Encoding"]), part.as_bytes().partition(b"\r\n\r\n")[2]


def from_file(octets: bytes) -> Message:
    """A message as it stands in a file, byte for byte but for line ends, which are made CRLF. Raises MessageError.

    Nothing is added: fields that are missing are noted, and whatever servers may object to.
    """
    _check_octets(octets)
    mended, notes = _line_ends(octets)
    head, empty, _ = mended.partition(b"\r\n\r\n")
    found, broken = fields(head[:MAX_HEADER])
    if broken and broken[0] == 1:
        raise MessageError("its first line is not a header field (Name: value)")
    if not empty:
        raise MessageError("no empty line ends its header: it has no body, or is no message")
    if len(head) > MAX_HEADER:
        raise MessageError(f"its header is larger than {MAX_HEADER >> 20} MiB")
    if broken:
        notes.append(f"line {broken[0]} is no header field: some servers take the header to end there")
    notes += _objections(found, head)
    message = read(mended)
    if message.longest > MAX_LINE:
        notes.append(
            f"its longest line has {message.longest} octets, and servers take {MAX_LINE} (RFC 5321 §4.5.3.1.6)"
        )
    return msgspec.structs.replace(message, notes=tuple(notes))


def _check_octets(octets: bytes) -> None:
    """Whether this can be a message at all."""
    if len(octets) > MAX_MESSAGE:
        raise MessageError(f"it is larger than {MAX_MESSAGE >> 20} MiB")
    if not octets.strip():
        raise MessageError("it is empty")
    if octets.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise MessageError("it begins with a byte order mark, which would be part of the first field's name")
    if (place := octets.find(b"\0")) >= 0:
        raise MessageError(f"octet {place + 1} is a NUL, which SMTP does not carry (RFC 5322 §3.5, RFC 2045 §2.8)")
    if octets.startswith(b"From "):
        raise MessageError("its first line, `From …`, is a mailbox file's separator and no header field: take it away")


def _line_ends(octets: bytes) -> tuple[bytes, list[str]]:
    """Every CRLF, CR and LF as CRLF, and what was not."""
    notes: list[str] = []
    whole = octets.count(b"\r\n")
    for octet, name in ((b"\n", "LF"), (b"\r", "CR")):
        if bare := octets.count(octet) - whole:
            notes.append(f"{bare} line {'end was' if bare == 1 else 'ends were'} a bare {name}: sent as CRLF")
    mended = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    if not mended.endswith(b"\r\n"):
        mended += b"\r\n"
        notes.append("its last line had no end: CRLF was added")
    return mended, notes


def _objections(found: Sequence[Field], head: bytes) -> list[str]:
    names = [field.name.lower() for field in found]
    notes = [f"it has no {name} field" for name in ("From", "Date", "Message-ID") if name.lower() not in names]
    notes += [f"it has more than one {name} field (RFC 5322 §3.6)" for name in repeated(names)]
    if "bcc" in names:
        notes.append("its Bcc field is sent too, and tells whom it names")
    if not head.isascii() and not _is_utf8(head):
        notes.append("its header holds octets that are neither ASCII nor UTF-8 (RFC 6532 §3.2)")
    authors = [mailboxes(field.value) for field in found if field.name.lower() == "from"]
    if authors and not authors[0]:
        notes.append("its From field holds no mail address that can be read")
    elif authors and len({mailbox.domain for mailbox in authors[0]}) > 1:
        notes.append("its From field names more than one domain: few receivers take that (RFC 7489 §6.6.1)")
    return notes


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def read(octets: bytes) -> Message:
    """What octets with CRLF line ends say of themselves. Never raises, whatever the header holds."""
    head = octets.partition(b"\r\n\r\n")[0]
    found, _ = fields(head[:MAX_HEADER])
    first = {field.name.lower(): field for field in reversed(found)}
    authors = mailboxes(first["from"].value) if "from" in first else ()
    return Message(
        octets=octets,
        message_id=first["message-id"].value[:_SHOWN_ID] if "message-id" in first else "",
        from_domain=authors[0].domain if authors else None,
        from_address=authors[0].address if authors else None,
        eight_bit=not octets.isascii(),
        utf8=not head.isascii() and _is_utf8(head),
        longest=max(map(len, octets.split(b"\r\n"))),
        signed_by=signatures(octets),
    )


def signatures(octets: bytes) -> tuple[tuple[str, str], ...]:
    """Domain and selector of each DKIM-Signature field, top down; fields without both are left out. Never raises."""
    found, _ = fields(octets.partition(b"\r\n\r\n")[0][:MAX_HEADER])
    signed: list[tuple[str, str]] = []
    for field in found:
        if field.name.lower() == "dkim-signature" and len(signed) < _MAX_SIGNATURES:
            tags = parse_tags(field.raw.decode("utf-8", "backslashreplace"))
            domain, selector = tags.first("d"), tags.first("s")
            if domain and selector and domain.value and selector.value:
                signed.append((domain.value.lower(), selector.value.lower()))
    return tuple(signed)


def stuffed(octets: bytes) -> bytes:
    """The octets with each line's leading dot doubled (RFC 5321 §4.5.2), without the final dot."""
    doubled = octets.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled
