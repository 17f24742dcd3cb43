"""Tag=value lists with positions (RFC 6376 §3.2), as DKIM, DMARC, TLS-RPT and BIMI records are written.

    tag-list = tag-spec *( ";" tag-spec ) [ ";" ]
    tag-spec = [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]

Nothing here raises: what breaks the grammar is a `TagError` with its place, and what could be read
is read all the same, as verifiers do. Names are kept as written (they are case-sensitive); a name
that stands twice is an error, and both tags are kept. Spans are character offsets, end exclusive.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

MAX_TAGS: Final = 256
"""Tags that are read of one list: no record in use has a tenth of it."""

MAX_ERRORS: Final = 16
"""Errors that are kept of one list."""

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SPACE: Final = " \t\r\n"
# RFC 6376 §3.2: tval is %x21-3A / %x3C-7E; white space may stand between.
_FORBIDDEN: Final = re.compile(r"[^\x20-\x7e\t\r\n]+")

Span = tuple[int, int]


class Tag(msgspec.Struct, frozen=True):
    """One `name=value`, surrounding white space stripped, and where both stand."""

    name: str
    value: str
    name_span: Span
    value_span: Span


class TagError(msgspec.Struct, frozen=True):
    """What breaks the grammar, and where; `end` exclusive, an empty span points between two characters."""

    message: str
    start: int
    end: int


class TagList(msgspec.Struct, frozen=True):
    """A list, read as far as it can be."""

    tags: tuple[Tag, ...]
    errors: tuple[TagError, ...]

    def first(self, name: str) -> Tag | None:
        """The first tag of that name (names are case-sensitive)."""
        return next((tag for tag in self.tags if tag.name == name), None)


def parse_tags(text: str) -> TagList:
    """`text` taken apart at its semicolons. Never raises; linear in the length of `text`."""
    tags: list[Tag] = []
    errors: list[TagError] = []
    seen: set[str] = set()
    start = 0
    while start <= len(text):
        end = text.find(";", start)
        last = end < 0
        end = len(text) if last else end
        if len(tags) >= MAX_TAGS or len(errors) >= MAX_ERRORS:
            errors.append(TagError("the list is too long or too broken: the rest was not read", start, len(text)))
            break
        low, high = _stripped(text, start, end)
        if low < high:
            _read(text, low, high, tags, errors, seen)
        elif not last or not tags:
            # A single ";" may end the list; an empty tag anywhere else is none of the grammar.
            errors.append(
                TagError("an empty tag: nothing stands before this semicolon", start, min(end + 1, len(text)))
            )
        start = end + 1
        if last:
            break
    return TagList(tuple(tags), tuple(errors))


def _read(text: str, low: int, high: int, tags: list[Tag], errors: list[TagError], seen: set[str]) -> None:
    equals = text.find("=", low, high)
    if equals < 0:
        errors.append(TagError("a tag without `=`", low, high))
        return
    name_start, name_end = _stripped(text, low, equals)
    value_start, value_end = _stripped(text, equals + 1, high)
    name = text[name_start:name_end]
    if not name:
        errors.append(TagError("no name stands before `=`", low, equals + 1))
        return
    if not _NAME.fullmatch(name):
        errors.append(TagError("not a tag name: a letter, then letters, digits and underscores", name_start, name_end))
    elif name in seen:
        errors.append(TagError(f"the tag {name}= stands twice", name_start, name_end))
    seen.add(name)
    if bad := _FORBIDDEN.search(text, value_start, value_end):
        errors.append(TagError(f"a character that may not stand in {name[:32]}=", bad.start(), bad.end()))
    tags.append(Tag(name, text[value_start:value_end], (name_start, name_end), (value_start, value_end)))


def _stripped(text: str, low: int, high: int) -> Span:
    while low < high and text[low] in _SPACE:
        low += 1
    while high > low and text[high - 1] in _SPACE:
        high -= 1
    return low, high
