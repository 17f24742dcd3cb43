"""An input's lines: a message, the messages of an mbox, or lines that each tell something; read in one pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from deliverkit.replies.inputs.item import MAX_LINE, MAX_MESSAGE, Item
from deliverkit.replies.inputs.reader import Counts, Reader

_HEADER: Final = re.compile(r"[!-9;-~]{1,76}:(?:[ \t]|\Z)|From \S+ .{0,60}\d{4}")
_MESSAGE: Final = frozenset({
    "received", "return-path", "from", "to", "subject", "date", "message-id", "content-type", "mime-version", "from ",
    "delivered-to", "auto-submitted", "x-failed-recipients",
})  # fmt: skip
_MAX_HEADERS: Final = 300


def items(lines: Iterable[bytes], counts: Counts) -> Iterator[Item]:
    """The replies of an input, in their order; `counts` is kept up to date."""
    source = _numbered(lines, counts)
    head: list[tuple[int, str, bytes]] = []
    names: set[str] = set()
    whole = False
    for entry in source:
        head.append(entry)
        text = entry[1]
        if not text.strip():
            if len(head) == 1 or not names:
                continue
            whole = True
            break
        match = _HEADER.match(text)
        if match is not None:
            names.add("from " if text.startswith("From ") else text.partition(":")[0].lower())
        if (match is None and not (names and text[0] in " \t")) or len(head) > _MAX_HEADERS:
            break
    else:
        whole = True
    if whole and len(names & _MESSAGE) > 1:
        yield from _messages(head, source, counts)
        return
    reader = Reader(counts)
    for number, text, _ in head:
        yield from reader.feed(text, number)
    for number, text, _ in source:
        yield from reader.feed(text, number)
    yield from reader.end()


def _numbered(lines: Iterable[bytes], counts: Counts) -> Iterator[tuple[int, str, bytes]]:
    for octets in lines:
        counts.lines += 1
        if len(octets) > MAX_LINE:
            counts.cut += 1
        text = octets[:MAX_LINE].decode("utf-8", "backslashreplace").rstrip("\r\n")
        if counts.lines == 1:
            text = text.removeprefix("\ufeff")
        yield counts.lines, text, octets


def _messages(
    head: list[tuple[int, str, bytes]], rest: Iterator[tuple[int, str, bytes]], counts: Counts
) -> Iterator[Item]:
    """A message, or the messages of an mbox."""
    mbox = head[0][1].startswith("From ")
    first = head[0][0]
    octets = bytearray(b"".join(_ended(entry[2]) for entry in head))
    blank = True
    for number, text, line in rest:
        if mbox and blank and text.startswith("From ") and _HEADER.match(text):
            yield from _message(octets, first, counts)
            first, octets = number, bytearray()
        blank = not text
        if len(octets) < MAX_MESSAGE:
            octets += _ended(line)
    yield from _message(octets, first, counts)


def _ended(line: bytes) -> bytes:
    return line[:MAX_LINE].rstrip(b"\r\n") + b"\n"


def _message(octets: bytearray, first: int, counts: Counts) -> Iterator[Item]:
    from deliverkit.replies.inputs import notice  # noqa: PLC0415 - for messages alone

    found = notice.items(bytes(octets), first, _prose)
    counts.skipped += 0 if found else octets.count(b"\n")
    yield from found


def _prose(lines: list[str]) -> Iterator[Item]:
    reader = Reader(Counts())
    for number, line in enumerate(lines, 1):
        yield from reader.feed(line[:MAX_LINE], number)
    yield from reader.end()
