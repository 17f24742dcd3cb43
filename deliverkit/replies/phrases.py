"""Phrases: short patterns over the words of a reply, tried only where their plain words are there.

A phrase is a regular expression over lower-case text on one line, its accents taken off. Most replies
hold the words of few phrases, so the longest plain run of each is looked for first, which costs less than
a hundredth of the expression, and expressions are compiled when they are first needed.
"""

from __future__ import annotations

import functools
import re
from typing import Final

_PLAIN: Final = re.compile(r"[^\\.^$*+?{}\[\]|()]+")
_QUANTIFIERS: Final = frozenset("?*{")


def _outside_groups(phrase: str) -> str:
    """`phrase` with each group, class and escape replaced by a dot, so that what is plain must be there."""
    kept: list[str] = []
    depth = 0
    at = 0
    while at < len(phrase):
        char = phrase[at]
        if char == "\\":
            if not depth:
                kept.append(".")
            at += 2
            continue
        if char == "[":
            at = phrase.index("]", at + 2)
            char = "."
        if char == "(":
            depth += 1
        if not depth:
            kept.append(char)
        if char == ")":
            depth -= 1
            if not depth:
                kept.append(".")
        at += 1
    return "".join(kept)


def needed(phrase: str) -> str:
    """The longest run of characters that every text `phrase` matches must hold; empty where there is none.

    Raises ValueError for a bracket that is not closed.
    """
    outside = _outside_groups(phrase)
    if "|" in outside:
        return ""
    best = ""
    for run in _PLAIN.finditer(outside):
        plain = run[0]
        if run.end() < len(outside) and outside[run.end()] in _QUANTIFIERS:
            plain = plain[:-1]
        if len(plain) > len(best):
            best = plain
    return best


@functools.lru_cache(maxsize=4096)
def compiled(phrase: str) -> re.Pattern[str]:
    """`phrase` as an expression, compiled once."""
    return re.compile(phrase, re.ASCII)


class Phrase:
    """One phrase, and the words it needs."""

    __slots__ = ("_is_plain", "need", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.need = needed(pattern)
        self._is_plain = self.need == pattern

    def found(self, text: str) -> bool:
        """Whether `text`, folded, holds the phrase."""
        if self.need not in text:
            return False
        return self._is_plain or compiled(self.pattern).search(text) is not None
