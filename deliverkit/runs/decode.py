"""Decoding: the replies of an input, read once, shown to whoever wants them.

Nothing is asked of any network.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from deliverkit.replies import Decoded
from deliverkit.replies.inputs import MAX_LINE, Counts, Item
from deliverkit.replies.stream import explained, explained_text

_PIECE: Final = 1024 * 1024

Reply = tuple[Item, Decoded]


def replies_of(
    texts: Sequence[str], counts: Counts, *, provider: str | None = None, stage: str | None = None
) -> Iterator[Reply]:
    """The replies of texts that somebody typed, each an input of its own."""
    for text in texts:
        counts.lines += text.count("\n") + 1
        yield from explained_text(text, provider=provider, stage=stage)


def replies_in(
    stream: BinaryIO, counts: Counts, *, provider: str | None = None, stage: str | None = None
) -> Iterator[Reply]:
    """The replies of a stream, as they come."""
    head = stream.peek(2)[:2] if isinstance(stream, io.BufferedReader) else b""
    lines = _recoded(stream) if head in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else bounded(stream)
    return explained(lines, counts, provider=provider, stage=stage)


def bounded(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of a stream; of a line of any length, no more is held than is read of it."""
    while line := stream.readline(MAX_LINE + 1):
        yield line
        while len(line) > MAX_LINE and not line.endswith(b"\n"):
            line = stream.readline(_PIECE)
            if len(line) < _PIECE:
                break


def _recoded(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of UTF-16, which PowerShell writes into files."""
    text = io.TextIOWrapper(stream, "utf-16", errors="backslashreplace")
    while line := text.readline(MAX_LINE):
        yield line.encode("utf-8", "backslashreplace")
