"""One consequence of a change, and the words for lists in it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

_LISTED = 6


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One consequence: `before` and `after` are what it follows from, None where there is nothing."""

    area: str
    before: str | None
    after: str | None
    consequence: str
    severity: str = "notice"


def listed(words: Sequence[str], most: int = _LISTED) -> str:
    """`a`, `a and b`, `a, b and 7 more`."""
    words = [*words[:most], f"{len(words) - most} more"] if len(words) > most else [*words]
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
