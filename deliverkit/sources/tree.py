"""A document as a tree in which every value knows its line and column: what JSON and YAML files are read into.

Files are hostile until read: the size, the depth and the number of values are bounded, and nothing in them is ever
made into anything but text, numbers, lists and tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

import msgspec

MAX_DEPTH: Final = 100
"""Lists and tables within each other."""
MAX_VALUES: Final = 4_000_000
"""Values of one file."""


class UnreadableError(ValueError):
    """A document that cannot be read further: what is wrong, and where (both from 1)."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class Scalar(msgspec.Struct, frozen=True, gc=False):
    """A text, number, truth value or nothing; `text` as written, without its quotes."""

    value: str | int | float | bool | None
    text: str
    line: int
    column: int


class Items(msgspec.Struct, frozen=True, gc=False):
    """A list."""

    nodes: tuple[Node, ...]
    line: int
    column: int


class Table(msgspec.Struct, frozen=True, gc=False):
    """A table, its keys in the order written; of a key written twice both stand here."""

    pairs: tuple[tuple[Scalar, Node], ...]
    line: int
    column: int

    def get(self, key: str) -> Node | None:
        """The value of a key, the last where it was written twice; None where it is missing."""
        return next((value for name, value in reversed(self.pairs) if name.text == key), None)


Node: TypeAlias = Scalar | Items | Table


class Remark(msgspec.Struct, frozen=True):
    """Something odd that did not end the reading: `kind` is `duplicate-key`, `alias`, `tag` or `document`."""

    kind: str
    message: str
    line: int
    column: int


class Document(msgspec.Struct, frozen=True):
    """A whole file."""

    root: Node
    remarks: tuple[Remark, ...] = ()


def repeated(pairs: list[tuple[Scalar, Node]]) -> Iterator[Remark]:
    """A remark for each key that its table had before."""
    first: dict[str, Scalar] = {}
    for key, _ in pairs:
        before = first.setdefault(key.text, key)
        if before is not key:
            yield Remark(
                "duplicate-key",
                f"the key {key.text!r} stands here a second time (first in line {before.line}): the last one counts",
                key.line,
                key.column,
            )


def table(node: Node | None, *keys: str) -> Table | None:
    """The table that these keys lead to, None where there is none."""
    found = at(node, *keys)
    return found if isinstance(found, Table) else None


def items(node: Node | None, *keys: str) -> tuple[Node, ...]:
    """The list that these keys lead to, empty where there is none."""
    found = at(node, *keys)
    return found.nodes if isinstance(found, Items) else ()


def text(node: Node | None, *keys: str) -> str | None:
    """The string that these keys lead to, None where there is none or it is something else."""
    found = at(node, *keys)
    return found.value if isinstance(found, Scalar) and isinstance(found.value, str) else None


def at(node: Node | None, *keys: str) -> Node | None:
    """What these keys lead to."""
    for key in keys:
        node = node.get(key) if isinstance(node, Table) else None
    return node
