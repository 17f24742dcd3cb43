"""Master-file text to entries (RFC 1035 §5.1): the words of a record or a directive, each with its place.

Parentheses, quotes, escapes and comments are understood here, and nothing else. What cannot be read is told and left
behind: the next line is read as if nothing had been.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from deliverkit.model.source import Place, Word

MAX_LINES: Final = 2000
"""Lines of one entry."""
MAX_WORDS: Final = 20_000
_TOKEN: Final = re.compile(
    r"""(?P<blank>[ \t\r\f]+)|;(?P<comment>.*)|(?P<open>\()|(?P<close>\))
    |"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<word>(?:\\.|[^ \t\r\f;()"\\])+)""",
    re.VERBOSE | re.DOTALL,
)


class Entry(msgspec.Struct, kw_only=True):
    """One logical line: `first` and `last` are its physical ones."""

    first: int
    last: int
    words: list[Word]
    joined: list[bool]
    """Of each word, whether it follows the one before without a blank."""
    indented: bool = False
    """Whether it begins with a blank: the owner is the one before."""
    comments: list[tuple[Place, str]]
    problem: tuple[Place, str] | None = None
    opened: Place | None = None
    depth: int = 0


def lines_of(text: str) -> list[str]:
    """The physical lines, without their ends."""
    return text.split("\n")


def entries(lines: list[str], path: str) -> Iterator[Entry]:
    """Every entry and every line that holds a comment alone, in order."""
    at = 0
    while at < len(lines):
        entry = _entry(lines, at, path)
        if entry.words or entry.comments or entry.problem:
            yield entry
        at = entry.last


def _entry(lines: list[str], at: int, path: str) -> Entry:
    line = lines[at]
    entry = Entry(first=at + 1, last=at + 1, words=[], joined=[], comments=[], indented=line[:1] in (" ", "\t"))
    while True:
        number = entry.last
        line = lines[number - 1]
        if entry.depth and number > entry.first and line[:1] not in ("", " ", "\t") and _begins_anew(line):
            return _unclosed(entry)
        _scan(entry, line, number, path)
        if entry.problem is not None or entry.depth == 0:
            return entry
        if number == len(lines) or number - entry.first >= MAX_LINES or len(entry.words) > MAX_WORDS:
            return _unclosed(entry)
        entry.last += 1


def _begins_anew(line: str) -> bool:
    """Whether a line inside parentheses opens some of its own: those before were never closed."""
    depth = 0
    for match in _TOKEN.finditer(line):
        if match["open"]:
            depth += 1
        elif match["close"]:
            if depth == 0:
                return False
            depth -= 1
    return depth > 0


def _unclosed(entry: Entry) -> Entry:
    """The entry as a problem; what follows its first line is read anew."""
    place = entry.opened
    line = place.line if place is not None else entry.first
    problem = (place or Place("", entry.first, 1), "a parenthesis that is never closed")
    return msgspec.structs.replace(entry, last=line, words=[], joined=[], comments=[], problem=problem)


def _scan(entry: Entry, line: str, number: int, path: str) -> None:
    at = 0
    blank = True
    while at < len(line):
        match = _TOKEN.match(line, at)
        if match is None:
            what = "a quote that is never closed" if line[at] == '"' else "a backslash with nothing behind it"
            entry.problem = (Place(path, number, at + 1), what)
            return
        start, at = at, match.end()
        kind = match.lastgroup
        if kind in ("word", "quoted"):
            place = Place(path, number, start + 1)
            entry.words.append(Word(text=match[kind], place=place, quoted=kind == "quoted"))
            entry.joined.append(not blank)
            blank = False
            continue
        blank = True
        if kind == "comment":
            entry.comments.append((Place(path, number, start + 1), match["comment"]))
        elif kind == "open":
            entry.depth += 1
            entry.opened = entry.opened or Place(path, number, start + 1)
        elif kind == "close":
            if entry.depth == 0:
                entry.problem = (Place(path, number, start + 1), "a closing parenthesis with none open")
                return
            entry.depth -= 1
