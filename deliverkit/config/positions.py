"""Where each key of a TOML document stands: tomllib keeps no positions.

The document was read by tomllib before and is known to be valid (TOML 1.0), so this only has to find its way: it
steps over values by their delimiters and notes where keys, headers and the elements of arrays begin. Its view of which
keys there are is held against tomllib's by the tests.
"""

from __future__ import annotations

import re
import tomllib
from typing import Final

from deliverkit.config.settings import Keys

_BLANK: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE: Final = re.compile(r"[ \t]*")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_BASIC: Final = re.compile(r'"(?:[^"\\\n]++|\\.)*+"')
_LITERAL: Final = re.compile(r"'[^'\n]*'")
_LONG_BASIC: Final = re.compile(r'"""(?:[^"\\]++|\\.|"{1,2}(?!"))*+"{3,5}', re.DOTALL)
_LONG_LITERAL: Final = re.compile(r"'''(?:[^']++|'{1,2}(?!'))*+'{3,5}", re.DOTALL)
_PLAIN: Final = re.compile(r"[^,\]}#\n]+")
_QUOTED: Final = (_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL)


def positions(text: str) -> dict[Keys, tuple[int, int]]:
    """Line and column (from 1) of every table, key and array element of a valid document.

    A table that only a dotted key or a header below it names has the place of that. Raises ValueError where the way is
    lost, which a document that tomllib reads does not bring about.
    """
    return _Scan(text.replace("\r\n", "\n")).document()


class _Scan:
    """One walk over a document."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.begin = 0
        """Where the line begins."""
        self.found: dict[Keys, tuple[int, int]] = {}
        self.last: dict[Keys, int] = {}
        """Of each array of tables the element that is open."""

    def document(self) -> dict[Keys, tuple[int, int]]:
        table: Keys = ()
        while True:
            self._over(_BLANK)
            if self.at == len(self.text):
                return self.found
            table = self._header() if self.text[self.at] == "[" else self._pair(table)

    def _header(self) -> Keys:
        place = self._place()
        several = self.text.startswith("[[", self.at)
        self._step(2 if several else 1)
        keys = self._keys()
        self._step(2 if several else 1)
        table: Keys = ()
        for key in keys[:-1]:
            table = self._open((*table, key), place)
        table = (*table, keys[-1])
        if several:
            number = self.last[table] = self.last.get(table, -1) + 1
            self.found.setdefault(table, place)
            table = (*table, number)
        self.found[table] = place
        return table

    def _open(self, table: Keys, place: tuple[int, int]) -> Keys:
        """A table on the way: of an array of tables the element that was begun last."""
        self.found.setdefault(table, place)
        return (*table, self.last[table]) if table in self.last else table

    def _pair(self, table: Keys) -> Keys:
        """`key = value`, noted; the table again."""
        place = self._place()
        path = table
        for key in self._keys():
            path = (*path, key)
            self.found.setdefault(path, place)
        self._expect("=")
        self._value(path)
        return table

    def _keys(self) -> list[str]:
        """A key, dotted or not."""
        keys = [self._key()]
        while self.text.startswith(".", self.at):
            self._step(1)
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        self._over(_SPACE)
        for form in (_BARE, _BASIC, _LITERAL):
            match = form.match(self.text, self.at)
            if match is not None:
                self._over(form)
                self._over(_SPACE)
                return _unquoted(match[0])
        raise self._lost()

    def _value(self, path: Keys) -> None:
        self._over(_SPACE)
        match self.text[self.at : self.at + 1]:
            case "[":
                self._array(path)
            case "{":
                self._inline(path)
            case '"' | "'":
                if not any(self._over(form) for form in _QUOTED):
                    raise self._lost()
            case _:
                if not self._over(_PLAIN):
                    raise self._lost()

    def _array(self, path: Keys) -> None:
        self._step(1)
        number = 0
        while True:
            self._over(_BLANK)
            if self._closed("]"):
                return
            self.found[*path, number] = self._place()
            self._value((*path, number))
            number += 1

    def _inline(self, path: Keys) -> None:
        self._step(1)
        while True:
            self._over(_BLANK)
            if self._closed("}"):
                return
            self._pair(path)

    def _closed(self, end: str) -> bool:
        """Past a comma, if there is one; whether the end is there, and then past it."""
        if self.text.startswith(",", self.at):
            self._step(1)
            self._over(_BLANK)
        if not self.text.startswith(end, self.at):
            return False
        self._step(1)
        return True

    def _expect(self, char: str) -> None:
        if not self.text.startswith(char, self.at):
            raise self._lost()
        self._step(1)

    def _over(self, form: re.Pattern[str]) -> bool:
        """Past what has this form; whether there was any."""
        match = form.match(self.text, self.at)
        if match is None or match.end() == self.at:
            return False
        lines = self.text.count("\n", self.at, match.end())
        if lines:
            self.line += lines
            self.begin = self.text.rindex("\n", self.at, match.end()) + 1
        self.at = match.end()
        return True

    def _step(self, count: int) -> None:
        self.at += count

    def _place(self) -> tuple[int, int]:
        return self.line, self.at - self.begin + 1

    def _lost(self) -> ValueError:
        return ValueError(f"line {self.line}, column {self.at - self.begin + 1}: not understood")


def _unquoted(written: str) -> str:
    """A key as it is meant."""
    if written[0] == "'":
        return written[1:-1]
    if written[0] == '"':
        return str(tomllib.loads(f"k = {written}")["k"]) if "\\" in written else written[1:-1]
    return written
