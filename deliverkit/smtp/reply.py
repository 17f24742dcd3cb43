"""Octets to replies (RFC 5321 §4.2), without a socket.

A reply is kept as it came: bare LF, 8-bit octets, codes that disagree. What is odd about it stands in
`defects`; what cannot be read as a reply at all raises `BadReplyError`. Lines and replies are bounded, so
that a peer which never ends one costs no more than the limits.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from typing import Final

import msgspec

MAX_LINE: Final = 8192
"""Octets of one line; RFC 5321 §4.5.3.1.5 has 512, RFC 4954 §4 12,288 for AUTH."""
MAX_AUTH_LINE: Final = 12_288
MAX_REPLY: Final = 65_536
MAX_LINES: Final = 512
_LIMIT_OF_RFC: Final = 512

_LINE: Final = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_ANY_CODE: Final = re.compile(rb"[0-9]{3}(?:[ \-].*)?", re.DOTALL)
_TLS_RECORD: Final = (b"\x15\x03", b"\x16\x03")
"""An alert or a handshake message of TLS: no line end ever follows, so it is told by its beginning."""
_ENHANCED: Final = re.compile(rb"([245])\.([0-9]{1,3})\.([0-9]{1,3})(?:[ \t]|$)")


class Defect(enum.StrEnum):
    """What is odd about a reply that could be read."""

    BARE_LF = "bare-lf"  # a line ends in LF without CR (RFC 5321 §2.3.8)
    BARE_CR = "bare-cr"  # a CR stands inside a line
    NUL = "nul"
    CONTROL = "control"  # another control octet than TAB (RFC 5321 §4.2: textstring)
    EIGHT_BIT = "eight-bit"  # octets over 127 (RFC 6531 §3.7.4.1 allows UTF-8 after SMTPUTF8 alone)
    LONG_LINE = "long-line"  # over 512 octets (RFC 5321 §4.5.3.1.5)
    MIXED_CODES = "mixed-codes"  # the lines' codes differ (RFC 5321 §4.2.1)
    ENHANCED_MISMATCH = "enhanced-mismatch"  # the classes of both codes differ (RFC 2034 §4)
    EMPTY_LINE = "empty-line"  # an empty line stood before it
    NO_SEPARATOR = "no-separator"  # the code and nothing more: allowed (RFC 5321 §4.2), and kept to tell


class Bad(enum.StrEnum):
    """Why octets are no reply."""

    LINE_TOO_LONG = "line-too-long"
    REPLY_TOO_LONG = "reply-too-long"
    NOT_A_REPLY = "not-a-reply"


class BadReplyError(Exception):
    """Octets that are no reply; `seen` holds them, as far as they were read: never more than the limits."""

    def __init__(self, bad: Bad, why: str, seen: bytes = b"") -> None:
        super().__init__(why)
        self.bad = bad
        self.why = why
        self.seen = seen


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One reply. `lines` holds the text after the code of each line; the last line's `code` decides."""

    code: int
    lines: tuple[bytes, ...]
    raw: bytes
    defects: tuple[Defect, ...] = ()

    @property
    def text(self) -> str:
        r"""The lines as text, one each; undecodable octets as `\xNN`."""
        return "\n".join(decoded(line) for line in self.lines)

    @property
    def first(self) -> str:
        """The first line's text."""
        return decoded(self.lines[0]) if self.lines else ""

    @property
    def shown(self) -> str:
        """Code and text of the last line, for a sentence."""
        return f"{self.code} {decoded(self.lines[-1])}".rstrip() if self.lines else str(self.code)

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code of the last line that has one (RFC 2034)."""
        for line in reversed(self.lines):
            match = _ENHANCED.match(line)
            if match:
                return ".".join(str(int(part)) for part in match.groups())
        return None

    @property
    def ok(self) -> bool:
        """2yz."""
        return self.code // 100 == 2  # noqa: PLR2004 - the code's class

    @property
    def intermediate(self) -> bool:
        """3yz."""
        return self.code // 100 == 3  # noqa: PLR2004 - the code's class

    @property
    def temporary(self) -> bool:
        """4yz."""
        return self.code // 100 == 4  # noqa: PLR2004 - the code's class

    @property
    def permanent(self) -> bool:
        """5yz."""
        return self.code // 100 == 5  # noqa: PLR2004 - the code's class


def decoded(octets: bytes) -> str:
    r"""Text of a peer: UTF-8, what is not as `\xNN`."""
    return octets.decode("utf-8", "backslashreplace")


class Reader:
    """Takes octets as they come and gives replies as they are whole, whatever the chunks were.

    After a `BadReplyError` the stream is lost: every further call raises it again.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._raw = bytearray()
        self._lines: list[tuple[bytes, bytes]] = []
        self._defects: dict[Defect, None] = {}
        self._lost: BadReplyError | None = None
        self.limit = MAX_LINE

    @property
    def pending(self) -> bytes:
        """What came and is not yet part of a whole reply."""
        return bytes(self._raw) + bytes(self._buffer)

    @property
    def idle(self) -> bool:
        """Whether nothing is pending."""
        return not self._buffer and not self._raw

    def feed(self, octets: bytes) -> None:
        """Takes octets; they are looked at by `next`."""
        self._buffer += octets

    def drop(self) -> bytes:
        """Forgets what is pending, and returns it."""
        dropped = self.pending
        self._buffer.clear()
        self._scanned = 0
        self._start()
        return dropped

    def next(self) -> Reply | None:
        """The next whole reply, None until one is there. Raises `BadReplyError`."""
        if self._lost is not None:
            raise self._lost
        try:
            for raw in self._split():
                reply = self._take(raw)
                if reply is not None:
                    return reply
        except BadReplyError as error:
            self._lost = error
            raise
        return None

    def _split(self) -> Iterator[bytes]:
        while True:
            if not self._lines and self._buffer.startswith(_TLS_RECORD):
                raise BadReplyError(Bad.NOT_A_REPLY, _why(bytes(self._buffer[:8])), self.pending[:MAX_REPLY])
            end = self._buffer.find(b"\n", self._scanned)
            if end < 0:
                self._scanned = len(self._buffer)
                if len(self._buffer) > self.limit:
                    raise self._too_long(bytes(self._buffer))
                return
            raw = bytes(self._buffer[: end + 1])
            del self._buffer[: end + 1]
            self._scanned = 0
            if len(raw) > self.limit:
                raise self._too_long(raw)
            yield raw

    def _too_long(self, line: bytes) -> BadReplyError:
        why = f"a line of more than {self.limit} octets"
        return BadReplyError(Bad.LINE_TOO_LONG, why, (bytes(self._raw) + line)[: self.limit])

    def _take(self, raw: bytes) -> Reply | None:
        self._raw += raw
        line = raw[:-2] if raw.endswith(b"\r\n") else raw[:-1]
        if not raw.endswith(b"\r\n"):
            self._defects[Defect.BARE_LF] = None
        if not line.strip(b"\r") and not self._lines:
            self._defects[Defect.EMPTY_LINE] = None
            self._bounded()
            return None
        match = _LINE.fullmatch(line)
        if match is None:
            raise BadReplyError(Bad.NOT_A_REPLY, _why(line), bytes(self._raw))
        code, separator, text = match.groups()
        self._lines.append((code, text or b""))
        self._look(raw, line, separator)
        self._bounded()
        if separator == b"-":
            return None
        return self._whole()

    def _bounded(self) -> None:
        if len(self._raw) > MAX_REPLY or len(self._lines) > MAX_LINES:
            said = f"{MAX_REPLY // 1024} KiB" if len(self._raw) > MAX_REPLY else f"{MAX_LINES} lines"
            raise BadReplyError(Bad.REPLY_TOO_LONG, f"a reply of more than {said}", bytes(self._raw))

    def _look(self, raw: bytes, line: bytes, separator: bytes | None) -> None:
        if len(raw) > _LIMIT_OF_RFC:
            self._defects[Defect.LONG_LINE] = None
        if separator is None:
            self._defects[Defect.NO_SEPARATOR] = None
        if b"\r" in line:
            self._defects[Defect.BARE_CR] = None
        if b"\0" in line:
            self._defects[Defect.NUL] = None
        if any((octet < 0x20 and octet not in b"\t\r\0") or octet == 0x7F for octet in line):  # noqa: PLR2004 - C0, DEL
            self._defects[Defect.CONTROL] = None
        if not line.isascii():
            self._defects[Defect.EIGHT_BIT] = None

    def _whole(self) -> Reply:
        codes = [code for code, _ in self._lines]
        if len(set(codes)) > 1:
            self._defects[Defect.MIXED_CODES] = None
        for code, text in self._lines:
            match = _ENHANCED.match(text)
            if match and match[1] != code[:1]:
                self._defects[Defect.ENHANCED_MISMATCH] = None
        reply = Reply(
            code=int(codes[-1]),
            lines=tuple(text for _, text in self._lines),
            raw=bytes(self._raw),
            defects=tuple(self._defects),
        )
        self._start()
        return reply

    def _start(self) -> None:
        self._raw = bytearray()
        self._lines = []
        self._defects = {}


def _why(line: bytes) -> str:
    """Why a line is no line of a reply, naming the protocol it looks like where one is known."""
    for start, what in (
        (b"HTTP/", "HTTP"), (b"SSH-", "SSH"), (b"* OK", "IMAP"), (b"* PREAUTH", "IMAP"), (b"* BYE", "IMAP"),
        (b"+OK", "POP3"), (b"\x15\x03", "a TLS alert"), (b"\x16\x03", "a TLS handshake"), (b"<", "HTML or XML"),
    ):  # fmt: skip
        if line.startswith(start):
            return f"this is not SMTP: it looks like {what}"
    if _ANY_CODE.fullmatch(line):
        return "a reply code outside 200 to 599"
    return "a line that does not begin with a three-digit reply code"


def parse(raw: bytes, *, limit: int = MAX_AUTH_LINE) -> Reply | None:
    """The reply that `raw` holds, as it was recorded; None where there is none."""
    reader = Reader()
    reader.limit = limit
    reader.feed(raw)
    try:
        return reader.next()
    except BadReplyError:
        return None
