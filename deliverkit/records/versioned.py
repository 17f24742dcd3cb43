"""Records that begin with their version, as MTA-STS (RFC 8461 §3.1) and TLS-RPT (RFC 8460 §3) write them.

    record = version 1*( *WSP ";" *WSP name "=" value ) [ *WSP ";" ]

Unlike the tag lists of DKIM, no white space stands around `=`, names know case, and the version comes first.
Nothing here raises, and every span lies inside the text.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

MAX_FIELDS: Final = 64
"""Fields that are read of one record."""
MAX_PROBLEMS: Final = 16
"""Problems that are kept of one record or policy."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_VALUE: Final = re.compile(r"[\x21-\x3a\x3c\x3e-\x7e]+")


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a text, and where: characters start to end, exclusive."""

    message: str
    start: int
    end: int
    mild: bool = False
    """Senders read the text as it was meant all the same."""


class Field(msgspec.Struct, frozen=True):
    """One `name=value` after the version, and where both stand."""

    name: str
    value: str
    start: int
    """Of the name."""
    value_start: int
    end: int


def begins(text: str, version: str) -> bool:
    """Whether the record begins with `version` and a semicolon: senders discard all others."""
    return text.startswith(version) and text[len(version) :].lstrip(" \t").startswith(";")


def parse_fields(text: str, version: str, known: frozenset[str]) -> tuple[list[Field], list[Problem]]:
    """The fields after the version; those whose name is not in `known` are held to the grammar of extensions."""
    fields: list[Field] = []
    problems: list[Problem] = []
    if not begins(text, version):
        end = text.find(";")
        problems.append(Problem(f"must begin with exactly {version};", 0, len(text) if end < 0 else end + 1))
    start = text.find(";") + 1
    if start == 0:
        return fields, problems
    parts = text[start:].split(";")
    for place, part in enumerate(parts):
        low = start + len(part) - len(part.lstrip(" \t"))
        high = start + len(part.rstrip(" \t"))
        if len(fields) >= MAX_FIELDS or len(problems) >= MAX_PROBLEMS:
            problems.append(Problem("too long or too broken: the rest was not read", start, len(text)))
            break
        if low < high:
            _field(text, low, high, known, fields, problems)
        elif place < len(parts) - 1:
            problems.append(Problem("nothing stands before this semicolon", start, start + len(part) + 1, mild=True))
        start += len(part) + 1
    return fields, problems


def _field(text: str, low: int, high: int, known: frozenset[str], fields: list[Field], problems: list[Problem]) -> None:
    name, mark, value = text[low:high].partition("=")
    if not mark:
        problems.append(Problem("a field without `=`", low, high))
        return
    if name != name.strip() or value != value.strip():
        problems.append(Problem("white space around `=`", low, high))
        name, value = name.strip(), value.strip()
    field = Field(name, value, low, high - len(value), high)
    if any(field.name == other.name for other in fields):
        problems.append(Problem(f"{name[:32]}= stands twice: the first one counts", low, high, mild=True))
    elif name not in known:
        if not _NAME.fullmatch(name):
            problems.append(
                Problem(
                    "not a field's name: a letter or digit, then at most 31 of A-Z a-z 0-9 _ - .",
                    low,
                    low + max(len(name), 1),
                )
            )
        elif not _VALUE.fullmatch(value):
            words = "an extension has no value" if not value else "a character that may not stand in an extension"
            problems.append(Problem(words, low, high))
    fields.append(field)
