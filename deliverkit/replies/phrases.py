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

_NOTHING: Final[frozenset[str]] = frozenset()
_TOKEN: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?(?:[:=!]|<[=!]))?|\{[0-9,]*\}|[)|?*+.^$]|[^\\\[(){}|?*+.^$]+"
)
_ZERO_WIDTH: Final = frozenset(("^", "$", r"\b", r"\B"))
_CLASSES: Final = frozenset((".", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S"))
_GROUPS: Final = ("(", "(?:")


class _Level:
    """What is known of a group while it is read: the best need so far of this alternative, and of those before."""

    __slots__ = ("alternatives", "best", "opened", "run")

    def __init__(self, opened: str) -> None:
        self.opened = opened
        self.alternatives: list[frozenset[str]] = []
        self.best = _NOTHING
        self.run = ""

    def add(self, plain: str, *, quantified: bool) -> None:
        """Plain characters, of which a quantifier may follow the last."""
        if quantified:
            self.run += plain[:-1]
            self.end_run()
        else:
            self.run += plain

    def end_run(self) -> None:
        """The plain run is over: it is needed, if it is the longest."""
        if len(self.run) >= SHORTEST:
            self.take(frozenset((self.run,)))
        self.run = ""

    def take(self, need: frozenset[str]) -> None:
        """Keeps the need whose shortest word is longer: the rarer one."""
        if need and (not self.best or min(map(len, need)) > min(map(len, self.best))):
            self.best = need

    def end_alternative(self) -> None:
        """A bar, or the end."""
        self.end_run()
        self.alternatives.append(self.best)
        self.best = _NOTHING

    def need(self) -> frozenset[str]:
        """One word of any alternative, if each needs one."""
        return _NOTHING.union(*self.alternatives) if all(self.alternatives) else _NOTHING


def needed(phrase: str) -> frozenset[str]:
    """The words of which every text that `phrase` matches holds one; empty where nothing can be said.

    Raises ValueError for a bracket that is not closed.
    """
    levels = [_Level("(")]
    parts = _TOKEN.findall(phrase)
    for at, part in enumerate(parts):
        after = parts[at + 1] if at + 1 < len(parts) else ""
        level = levels[-1]
        if part[0] == "(":
            level.end_run()
            levels.append(_Level(part))
        elif part == ")":
            _close(levels, phrase, optional=_optional(after))
        elif part == "|":
            level.end_alternative()
        elif part in _CLASSES or part[0] == "[":
            level.end_run()
        elif part not in _ZERO_WIDTH and part[0] not in "?*+{":
            level.add(part[1:] if part[0] == "\\" else part, quantified=after[:1] in ("?", "*", "+", "{"))
    if len(levels) > 1:
        raise ValueError(f"a bracket is not closed in {phrase!r}")
    levels[0].end_alternative()
    return levels[0].need()


def _close(levels: list[_Level], phrase: str, *, optional: bool) -> None:
    """The innermost group is over; what it needs is needed outside, unless it may be missing or only looks around."""
    level = levels.pop()
    if not levels:
        raise ValueError(f"a bracket too many in {phrase!r}")
    level.end_alternative()
    if level.opened in _GROUPS and not optional:
        levels[-1].take(level.need())


def _optional(quantifier: str) -> bool:
    return quantifier in ("?", "*") or quantifier.startswith(("{0", "{,"))


@functools.lru_cache(maxsize=4096)
def compiled(phrase: str) -> re.Pattern[str]:
    """`phrase` as an expression, compiled once."""
    return re.compile(phrase, re.ASCII)


class Searched:
    """A folded text, and the three characters that begin at each place of it, which `Words` goes by."""

    __slots__ = ("starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = {text[at : at + SHORTEST] for at in range(len(text) - SHORTEST + 1)}

    def holds(self, phrase: str) -> bool:
        """Whether the phrase is in the text."""
        return compiled(phrase).search(self.text) is not None


class Words:
    """All words that a set of phrases needs, found in a text in one pass.

    Each phrase has an owner, a number: that of its rule.
    """

    __slots__ = ("_always", "_by_start")

    def __init__(self, phrases: Iterable[tuple[str, int]]) -> None:
        self._always: list[tuple[str, int]] = []
        self._by_start: dict[str, dict[str, list[tuple[str, int]]]] = {}
        for phrase, owner in phrases:
            words = needed(phrase)
            if not words:
                self._always.append((phrase, owner))
            for word in words:
                self._by_start.setdefault(word[:SHORTEST], {}).setdefault(word, []).append((phrase, owner))

    def candidates(self, searched: Searched) -> dict[int, set[str]]:
        """The phrases that may be in a text, by owner."""
        found: dict[int, set[str]] = {}
        for phrase, owner in self._always:
            found.setdefault(owner, set()).add(phrase)
        by_start = self._by_start
        text = searched.text
        for start in searched.starts & by_start.keys():
            for word, phrases in by_start[start].items():
                if word in text:
                    for phrase, owner in phrases:
                        found.setdefault(owner, set()).add(phrase)
        return found
