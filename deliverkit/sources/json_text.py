"""JSON (RFC 8259) with the place of every value: the standard library's reader tells none."""

from __future__ import annotations

import bisect
import json.decoder
import re
from typing import Any, Final, cast

from deliverkit.sources.tree import (
    MAX_DEPTH,
    MAX_VALUES,
    Document,
    Items,
    Node,
    Remark,
    Scalar,
    Table,
    UnreadableError,
    repeated,
)

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<fraction>(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)")
_MAX_DIGITS: Final = 40
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_WORD: Final = re.compile("true|false|null")
_scan = cast("Any", json.decoder).scanstring


def read_json(text: str) -> Document:
    """The document. Raises `UnreadableError`."""
    return _Reader(text).read()


class _Reader:
    """One reading; `end` is how far it came."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text))]
        self._remarks: list[Remark] = []
        self._values = 0

    def read(self) -> Document:
        root, end = self._value(self._space(0), 1)
        end = self._space(end)
        if end < len(self._text):
            raise self._wrong("more text after the end of the document", end)
        return Document(root, tuple(self._remarks))

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect.bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def _wrong(self, message: str, offset: int) -> UnreadableError:
        return UnreadableError(message, *self._place(min(offset, len(self._text))))

    def _space(self, offset: int) -> int:
        match = _SPACE.match(self._text, offset)
        return match.end() if match else offset

    def _value(self, offset: int, depth: int) -> tuple[Node, int]:
        self._values += 1
        if self._values > MAX_VALUES:
            raise self._wrong(f"more than {MAX_VALUES} values", offset)
        mark = self._text[offset : offset + 1]
        if mark in ("{", "["):
            if depth > MAX_DEPTH:
                raise self._wrong(f"more than {MAX_DEPTH} levels within each other", offset)
            return self._table(offset, depth) if mark == "{" else self._items(offset, depth)
        return self._scalar(offset)

    def _scalar(self, offset: int) -> tuple[Scalar, int]:
        if self._text.startswith('"', offset):
            return self._string(offset)
        line, column = self._place(offset)
        if match := _NUMBER.match(self._text, offset):
            written = match[0]
            if len(written) > _MAX_DIGITS:
                raise self._wrong(f"a number of more than {_MAX_DIGITS} characters", offset)
            number = float(written) if match["fraction"] else int(written)
            return Scalar(number, written, line, column), match.end()
        if match := _WORD.match(self._text, offset):
            return Scalar(_WORDS[match[0]], match[0], line, column), match.end()
        found = "the end of the file" if offset >= len(self._text) else ascii(self._text[offset])
        raise self._wrong(f"expected a value, found {found}", offset)

    def _string(self, offset: int) -> tuple[Scalar, int]:
        try:
            value, end = _scan(self._text, offset + 1, True)
        except json.JSONDecodeError as error:
            raise self._wrong(error.msg[:1].lower() + error.msg[1:], error.pos) from error
        return Scalar(value, value, *self._place(offset)), end

    def _items(self, offset: int, depth: int) -> tuple[Items, int]:
        line, column = self._place(offset)
        nodes: list[Node] = []
        end = self._space(offset + 1)
        if self._text.startswith("]", end):
            return Items((), line, column), end + 1
        while True:
            node, end = self._value(end, depth + 1)
            nodes.append(node)
            end = self._space(end)
            mark = self._text[end : end + 1]
            if mark == "]":
                return Items(tuple(nodes), line, column), end + 1
            if mark != ",":
                raise self._wrong("expected , or ] in a list", end)
            end = self._space(end + 1)

    def _table(self, offset: int, depth: int) -> tuple[Table, int]:
        line, column = self._place(offset)
        pairs: list[tuple[Scalar, Node]] = []
        end = self._space(offset + 1)
        if self._text.startswith("}", end):
            return Table((), line, column), end + 1
        while True:
            if not self._text.startswith('"', end):
                raise self._wrong("expected a key in quotes", end)
            key, end = self._string(end)
            end = self._space(end)
            if not self._text.startswith(":", end):
                raise self._wrong("expected : after a key", end)
            value, end = self._value(self._space(end + 1), depth + 1)
            pairs.append((key, value))
            end = self._space(end)
            mark = self._text[end : end + 1]
            if mark == "}":
                self._remarks.extend(repeated(pairs))
                return Table(tuple(pairs), line, column), end + 1
            if mark != ",":
                raise self._wrong("expected , or } in a table", end)
            end = self._space(end + 1)
