"""Aligned columns: a table is drawn in the richest of several forms that fits the line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from deliverkit.render.text.sheet import Part, Sheet, width_of

_GAP: Final = 2

Row: TypeAlias = tuple[Part, ...]
"""The cells of one row, as many in each."""


def write_table(sheet: Sheet, head: Row, rows: Sequence[Row], *, indent: int = 0, right: frozenset[int]) -> None:
    """The head and the rows beneath it; the columns `right` are flush right. No line is wrapped."""
    lines = [_plain(sheet, row) for row in (head, *rows)]
    widths = _widths(lines)
    for place, line in enumerate(lines):
        parts: list[Part] = []
        for column, (words, style) in enumerate(line):
            pad = " " * (widths[column] - width_of(words))
            gap = " " * _GAP if column else ""
            both = f"{gap}{pad}" if column in right else gap
            parts.extend((both, (words, "dim" if place == 0 else style)))
            if column not in right:
                parts.append(pad)
        sheet.line(*parts, indent=indent)


def fits(sheet: Sheet, head: Row, rows: Sequence[Row], *, indent: int = 0) -> bool:
    """Whether no line of the table is longer than the sheet is wide."""
    widths = _widths([_plain(sheet, row) for row in (head, *rows)])
    return indent + sum(widths) + _GAP * (len(widths) - 1) <= sheet.look.width


def without_empty(
    head: Row, rows: Sequence[Row], *, nothing: tuple[str, ...] = ("",)
) -> tuple[Row, list[Row], tuple[int, ...]]:
    """The table without columns that hold nothing, and which columns stayed."""
    kept = tuple(column for column in range(len(head)) if any(_words(row[column]) not in nothing for row in rows))
    return _only(head, kept), [_only(row, kept) for row in rows], kept


def _only(row: Row, kept: tuple[int, ...]) -> Row:
    return tuple(row[column] for column in kept)


def _words(part: Part) -> str:
    return part if isinstance(part, str) else part[0]


def _plain(sheet: Sheet, row: Row) -> list[tuple[str, str]]:
    return [(sheet.look.plain(_words(part)), "" if isinstance(part, str) else part[1]) for part in row]


def _widths(lines: Sequence[Sequence[tuple[str, str]]]) -> list[int]:
    return [max(map(width_of, column)) for column in _columns(lines)]


def _columns(lines: Sequence[Sequence[tuple[str, str]]]) -> Iterator[list[str]]:
    for column in zip(*lines, strict=True):
        yield [words for words, _ in column]
