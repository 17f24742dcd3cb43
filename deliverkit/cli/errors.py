"""What ends a command with exit code 2: one clear line."""

from __future__ import annotations

from typing import TextIO

from deliverkit.model.near import nearest

__all__ = ["UsageError", "encodable", "nearest"]


class UsageError(Exception):
    """The command cannot be done as typed; the message is one line."""


def encodable(text: str, stream: TextIO) -> str:
    """The text as the stream can hold it; what it cannot hold as JSON escapes it, so that JSON stays JSON."""
    encoding = getattr(stream, "encoding", None) or "ascii"
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return "".join(one if one.isascii() else _units(one) for one in text)
    return text


def _units(character: str) -> str:
    """Its UTF-16 code units (RFC 8259 §7)."""
    octets = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{octets[place]:02x}{octets[place + 1]:02x}" for place in range(0, len(octets), 2))
