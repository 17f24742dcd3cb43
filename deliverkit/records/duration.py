"""How long: `2h`, `90m`, `1h30m`, `300`, as an operator types it, and as it is shown again."""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 366 * 86400
"""Seconds. What is longer was mistyped."""

_UNITS: Final = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
"""The largest first: the order in which they may follow each other."""
_TERM: Final = re.compile(r"(?P<number>[0-9]{1,12})\s*(?P<unit>[wdhms])", re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


def parse_duration(text: str) -> int:
    """Seconds: a number alone, or numbers with `w d h m s`, the largest unit first and each once.

    Raises ValueError with one line that says what is wrong. Zero is a duration; whether it makes sense, the
    option has to know.
    """
    words = text.strip().lower()
    if not words:
        raise ValueError("a duration is wanted: `2h`, `90m`, `1h30m`, or seconds")
    if _SECONDS.fullmatch(words):
        return _bounded(int(words), text)
    total, place, left = 0, 0, list(_UNITS)
    while place < len(words):
        term = _TERM.match(words, place)
        if term is None:
            raise ValueError(f"{text[:40]!r} is no duration: write `2h`, `90m`, `1h30m`, or seconds")
        unit = term["unit"]
        if unit not in left:
            raise ValueError(f"{text[:40]!r} is no duration: each unit once, the largest first (`1h30m`)")
        del left[: left.index(unit) + 1]
        total += int(term["number"]) * _UNITS[unit]
        place = term.end()
        while place < len(words) and words[place].isspace():
            place += 1
    return _bounded(total, text)


def _bounded(seconds: int, text: str) -> int:
    if seconds > LONGEST:
        raise ValueError(f"{text[:40]!r} is longer than a year")
    return seconds


def duration_words(seconds: float) -> str:
    """`45 s`, `1 min 30 s`, `5 min`, `1 h 30 min`, `4 d 30 min`: to the second below an hour, else to the minute."""
    whole = max(round(seconds), 0)
    if whole >= _UNITS["h"]:
        whole = (whole + 30) // 60 * 60
    words = []
    for unit, name in (("d", "d"), ("h", "h"), ("m", "min"), ("s", "s")):
        count, whole = divmod(whole, _UNITS[unit])
        if count:
            words.append(f"{count} {name}")
    return " ".join(words) or "0 s"
