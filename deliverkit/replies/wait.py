"""How long a reply asks to wait: "try again in 300 seconds", "after 00:05:00", "in 5 Minuten"."""

from __future__ import annotations

import re
from typing import Final

LONGEST_S: Final = 7 * 86_400
"""A longer wait is no advice to a mail server: it gives up after days (RFC 5321 §4.5.4.1)."""

_UNITS: Final = (
    ("st", 3600),  # Stunden
    ("s", 1),
    ("m", 60),
    ("h", 3600),
    ("o", 3600),  # ore
    ("d", 86_400),
    ("t", 86_400),  # Tage
    ("j", 86_400),  # jours
    ("g", 86_400),  # giorni
)
"""The beginnings of units in the languages of `_SPAN`, and their seconds."""

_LEAD: Final = r"(?:in|after|for|wait|again|retry|try|within|next|least|nach|apres|dans|dopo|tra|en|por|za|per)"
_UNIT: Final = (
    r"(seconds?|secs?|sekunden?|secondes?|secondi|segundos?|s|minutes?|mins?|minuten|minuti|minutos?|minut|m"
    r"|hours?|hrs?|h|stunden?|heures?|ore|horas?|days?|tagen?|jours?|giorni|dias?)"
)
_SPAN: Final = re.compile(rf"\b{_LEAD}\b[^0-9.;]{{0,30}}[(=: ]([0-9]{{1,6}}) ?{_UNIT}\b", re.ASCII)
_CLOCK: Final = re.compile(rf"\b{_LEAD}\b[^0-9]{{1,30}}([0-9]{{1,2}}):([0-9]{{2}}):([0-9]{{2}})(?![0-9:])", re.ASCII)
_WORDED: Final = re.compile(
    r"\b(?:in|after|for|wait|within) (half an|an?|one|(?:a )?few|several) (minute|hour|day)", re.ASCII
)
_BARE: Final = re.compile(r"\b(?:in|after|delay|wait|retry)[:= ]{1,3}([0-9]{2,6})(?![0-9.:])(?! ?[a-z%])", re.ASCII)
_SOME: Final = 5
"""What "a few" and "several" are taken for."""


def asked(folded: str) -> int | None:
    """Seconds that a folded text asks to wait; None where it does not say."""
    clock = _CLOCK.search(folded) if ":" in folded else None
    if clock:
        return _bounded(int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3]))
    span = _SPAN.search(folded)
    if span:
        return _bounded(int(span[1]) * _seconds(span[2]))
    worded = _WORDED.search(folded)
    if worded:
        return _bounded(_counted(worded[1], _seconds(worded[2])))
    bare = _BARE.search(folded) if "again" in folded or "retry" in folded or "wait" in folded else None
    return _bounded(int(bare[1])) if bare else None


def _counted(words: str, seconds: int) -> int:
    if words == "half an":
        return seconds // 2
    return seconds * (_SOME if words.endswith(("few", "several")) else 1)


def _seconds(unit: str) -> int:
    return next(seconds for beginning, seconds in _UNITS if unit.startswith(beginning))


def _bounded(seconds: int) -> int | None:
    return seconds if 0 < seconds <= LONGEST_S else None
