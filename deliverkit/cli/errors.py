"""What ends a command with exit code 2: one clear line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TextIO


class UsageError(Exception):
    """The command cannot be done as typed; the message is one line."""


def nearest(word: str, known: Iterable[str]) -> str:
    """` (did you mean …?)` where a known word is near, else nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""


def encodable(text: str, stream: TextIO) -> str:
    """The text as the stream can hold it."""
    encoding = getattr(stream, "encoding", None) or "ascii"
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return text.encode("ascii", "backslashreplace").decode("ascii")
    return text
