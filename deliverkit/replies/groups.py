"""Replies that mean the same, gathered as a log is read: in space that does not grow with the log."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from typing import Final

from deliverkit.replies.alike import Tally, alike
from deliverkit.replies.decoded import Decoded
from deliverkit.replies.inputs import Item, Outcome, moment

_MOST_GROUPS: Final = 1000
_TEXTS: Final = 50
_DOMAINS: Final = 200
CLASSES: Final = ("permanent", "temporary", "unknown", "success", "intermediate")
"""In the order in which they are told."""


class Group:
    """Replies of one meaning: how many, the first of them, and what was in them."""

    def __init__(self, item: Item, decoded: Decoded) -> None:
        self.first = item
        self.decoded = decoded
        self.count = 0
        self.outcomes: Counter[Outcome | None] = Counter()
        self.texts: Tally[str] = Tally(_TEXTS)
        self.examples: dict[str, str] = {}
        self.domains: Tally[str] = Tally(_DOMAINS)
        self.began: dt.datetime | None = None
        self.ended: dt.datetime | None = None

    def add(self, item: Item, words: str, at: dt.datetime | None) -> None:
        """Counts one more; `words` is its text as `alike` has it."""
        self.count += 1
        self.outcomes[item.outcome] += 1
        self.texts.add(words)
        if len(self.examples) < 2 * _TEXTS:
            self.examples.setdefault(words, item.text)
        domain = (item.recipient or "").rpartition("@")[2].rstrip(">.").lower()
        if domain:
            self.domains.add(domain[:253])
        if at is not None:
            self.began = at if self.began is None else min(self.began, at)
            self.ended = at if self.ended is None else max(self.ended, at)


class Groups:
    """All groups of an input. `now` is aware: it gives times without a year or a zone what they lack."""

    def __init__(self, now: dt.datetime) -> None:
        self._groups: dict[tuple[object, ...], Group] = {}
        self._alike = functools.lru_cache(maxsize=2048)(alike)
        self._moment = functools.lru_cache(maxsize=64)(functools.partial(moment, now=now))
        self.count = 0

    def add(self, item: Item, decoded: Decoded) -> None:
        """Counts one reply."""
        self.count += 1
        # What this server refused to others is apart from what others refused to it.
        kind = (decoded.class_, decoded.category, decoded.provider, item.outcome is Outcome.REJECTED)
        fine = (*kind, decoded.detail, decoded.list)
        key = fine if fine in self._groups or len(self._groups) < _MOST_GROUPS else kind
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(item, decoded)
        group.add(item, self._alike(item.text), self._moment(item.time) if item.time else None)

    def all(self) -> list[Group]:
        """The groups: what failed first, what came most before the rest."""
        return sorted(
            self._groups.values(),
            key=lambda group: (CLASSES.index(group.decoded.class_), -group.count, group.first.line),
        )
