"""What a chapter of facts is made of. Texts are as they came: who draws them makes them safe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import msgspec

MOST: Final = 200
"""Rows of one table, lines of one block."""


class Cell(msgspec.Struct, frozen=True):
    """One cell. `code` marks what was published or said, to be shown letter by letter; `depth` indents it."""

    text: str
    code: bool = False
    depth: int = 0


Row: TypeAlias = tuple[Cell, ...]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table. Without a `head` its rows are a name and a value each. `more` rows were left out."""

    caption: str
    rows: tuple[Row, ...]
    head: tuple[str, ...] = ()
    more: int = 0
    folded: bool = False
    """Whether it is shown on demand alone."""


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Lines to be shown as they stand, such as a conversation; each was made safe."""

    caption: str
    lines: tuple[str, ...]
    more: int = 0
    folded: bool = True


Item: TypeAlias = Table | Block


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """One area: what stands in its tables, and what is to be said beside them."""

    title: str
    items: tuple[Item, ...] = ()
    notes: tuple[str, ...] = ()


def code(text: object) -> Cell:
    """What was published, said or asked."""
    return Cell(str(text), code=True)


def named(caption: str, pairs: Iterable[tuple[str, Cell | str | None]], *, folded: bool = False) -> Table:
    """A table of names and values; a value that is None or "" is left out."""
    rows = [(Cell(name), _cell(value)) for name, value in pairs if value]
    return Table(caption=caption, rows=tuple(rows[:MOST]), more=max(len(rows) - MOST, 0), folded=folded)


def table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[Cell | str]], *, more: int = 0, folded: bool = False
) -> Table:
    """A table with a head. `more`: rows left out already."""
    made = [tuple(map(_cell, row)) for row in rows]
    left = max(len(made) - MOST, 0)
    return Table(caption=caption, head=tuple(head), rows=tuple(made[:MOST]), more=more + left, folded=folded)


def filled(*items: Item) -> tuple[Item, ...]:
    """The items that hold something."""
    return tuple(item for item in items if (item.rows if isinstance(item, Table) else item.lines))


def listed(texts: Sequence[str], most: int = 20) -> str:
    """The texts in a row, separated by commas."""
    more = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {more} more" if more > 0 else "")


def _cell(value: Cell | str) -> Cell:
    return value if isinstance(value, Cell) else Cell(value)
