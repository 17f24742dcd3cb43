"""What the run says of the user's own files: what became of each ignore, and of each entry of the baseline."""

from __future__ import annotations

import datetime as dt

from deliverkit.facts.tree import Fact


class IgnoreFacts(Fact, frozen=True, kw_only=True):
    """An ignore, on the day of the run."""

    rule: str
    domain: str | None
    reason: str | None
    expires: dt.date | None
    path: str
    line: int
    inline: bool = False
    """Whether it is a comment beside a record."""
    problem: str | None = None
    """Why it cannot be understood; it accepts nothing then."""
    today: dt.date
    most_days: int
    """The longest that an ignore may hold, in days."""
    held: int
    """How many findings, and rules that could not be determined, it accepted."""
    told: bool
    """Whether the run came to a result about all that it names."""


class BaselineEntryFacts(Fact, frozen=True, kw_only=True):
    """What the baseline accepts of one rule on one subject."""

    rule: str
    domain: str
    subject: str
    path: str
    stale: bool
    """Whether the run judged the rule there, and no longer finds it."""


class ConfigFacts(Fact, frozen=True, kw_only=True):
    """The user's files."""

    ignores: tuple[IgnoreFacts, ...] = ()
    entries: tuple[BaselineEntryFacts, ...] = ()
