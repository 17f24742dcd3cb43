"""Phrases: short patterns over the words of a reply, tried only where their words are there.

A phrase is a regular expression over lower-case text on one line, its accents taken off. A reply holds the words
of few phrases. So what each phrase needs, one of a few plain words, is looked up first: `Words` finds all words of all
phrases in one pass over the text, by their first three characters. Expressions are compiled when first needed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Final

SHORTEST: Final = 3
"""Characters of the shortest word that is looked up; a phrase with none as long is always tried."""

_Need = frozenset[str]
_ZERO_WIDTH: Final = "bB"
_WIDE: Final = "dDwWsS"


def needed(phrase: str) -> frozenset[str]:
    """The words of which every text that `phrase` matches holds one; empty where nothing can be said.

    Raises ValueError for a bracket that is not closed.
    """
    return _alternatives(phrase)


def _alternatives(phrase: str) -> _Need:
    needs = [_sequence(part) for part in _split(phrase)]
    return frozenset().union(*needs) if all(needs) else frozenset()


def _split(phrase: str) -> list[str]:
    """`phrase` at its outermost bars."""
    parts: list[str] = []
    depth = start = at = 0
    while at < len(phrase):
        char = phrase[at]
        if char == "\\":
            at += 1
        elif char == "[":
            at = phrase.index("]", at + 2)
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == "|" and not depth:
            parts.append(phrase[start:at])
            start = at + 1
        at += 1
    if depth:
        raise ValueError(f"a bracket is not closed in {phrase!r}")
    return [*parts, phrase[start:]]


def _sequence(part: str) -> _Need:
    """What one alternative needs: its longest plain run, or a group of which each alternative needs something."""
    best: _Need = frozenset()
    run = ""
    at = 0
    while at < len(part):
        item, end, is_plain = _item(part, at)
        optional, after = _quantified(part, end)
        if is_plain and after == end:
            run += item
        else:
            best = _better(best, run)
            run = item if is_plain and not optional else ""
            if run:
                best = _better(best, run)
                run = ""
            if item.startswith("(") and not optional and not item.startswith(("(?!", "(?<", "(?=")):
                inner = item[1:-1].removeprefix("?:")
                best = _longer(best, _alternatives(inner))
        at = after
    return _better(best, run)


def _item(part: str, at: int) -> tuple[str, int, bool]:
    """The item at `at`, where it ends, and whether it is plain text (zero-width marks are, of nothing)."""
    char = part[at]
    if char == "\\":
        escaped = part[at + 1]
        if escaped in _ZERO_WIDTH:
            return "", at + 2, True
        return escaped, at + 2, escaped not in _WIDE
    if char == "[":
        end = part.index("]", at + 2) + 1
        return "[]", end, False
    if char == "(":
        end = _closed(part, at)
        return part[at:end], end, False
    if char in "^$":
        return "", at + 1, True
    return char, at + 1, char != "."


def _closed(part: str, at: int) -> int:
    depth = 0
    while True:
        char = part[at]
        if char == "\\":
            at += 1
        elif char == "[":
            at = part.index("]", at + 2)
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if not depth:
                return at + 1
        at += 1


def _quantified(part: str, end: int) -> tuple[bool, int]:
    """Whether the item before `end` may be missing, and where its quantifier ends."""
    if end >= len(part) or part[end] not in "?*+{":
        return False, end
    if part[end] == "{":
        close = part.index("}", end)
        return part[end + 1] == "0", close + 1
    return part[end] != "+", end + 1


def _better(best: _Need, run: str) -> _Need:
    return _longer(best, frozenset((run,)) if len(run) >= SHORTEST else frozenset())


def _longer(best: _Need, other: _Need) -> _Need:
    if not other:
        return best
    return other if not best or min(map(len, other)) > min(map(len, best)) else best


@functools.lru_cache(maxsize=4096)
def compiled(phrase: str) -> re.Pattern[str]:
    """`phrase` as an expression, compiled once."""
    return re.compile(phrase, re.ASCII)


@functools.lru_cache(maxsize=4096)
def needed_once(phrase: str) -> frozenset[str]:
    """`needed`, worked out once."""
    return needed(phrase)


class Phrase:
    """One phrase, and the words it needs."""

    __slots__ = ("is_plain", "need", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.need = needed_once(pattern)
        self.is_plain = self.need == {pattern}

    def found(self, text: str) -> bool:
        """Whether `text`, folded, holds the phrase."""
        need = self.need
        if need and not any(word in text for word in need):
            return False
        return self.is_plain or compiled(self.pattern).search(text) is not None


class Words:
    """All words that a set of phrases needs, found in a text in one pass."""

    __slots__ = ("_by_start", "always")

    def __init__(self, phrases: Iterable[tuple[Phrase, int]]) -> None:
        self._by_start: dict[str, list[tuple[str, int]]] = {}
        always: set[int] = set()
        for phrase, owner in phrases:
            if not phrase.need:
                always.add(owner)
            for word in phrase.need:
                entries = self._by_start.setdefault(word[:SHORTEST], [])
                if (word, owner) not in entries:
                    entries.append((word, owner))
        self.always = frozenset(always)

    def owners(self, text: str) -> set[int]:
        """The owners of phrases that may be in `text`."""
        found = set(self.always)
        by_start = self._by_start
        for start in {text[at : at + SHORTEST] for at in range(len(text) - SHORTEST + 1)} & by_start.keys():
            for word, owner in by_start[start]:
                if owner not in found and word in text:
                    found.add(owner)
        return found
