r"""BIND's `$GENERATE`: one line that makes many (BIND 9 ARM, "$GENERATE").

`$` is the number of the turn, `${offset,width,base}` that number shifted, padded and in another base (d, o, x, X, or
n and N for nibbles); `\$` and `$$` are a dollar sign.
"""

from __future__ import annotations

import re
from typing import Final

MAX_GENERATED: Final = 65_536
_RANGE: Final = re.compile(r"(\d{1,10})-(\d{1,10})(?:/(\d{1,10}))?")
_PART: Final = re.compile(r"\\\$|\$\$|\$\{([^}]*)\}|\$")
_MODIFIER: Final = re.compile(r"([+-]?\d{1,9})(?:,(\d{1,2})(?:,([doxXnN]))?)?")


class GenerateError(ValueError):
    """Not a `$GENERATE` that can be done; the message says why."""


def turns(text: str) -> range:
    """The numbers of `start-stop/step`. Raises `GenerateError`."""
    match = _RANGE.fullmatch(text)
    if match is None:
        raise GenerateError(f"{text} is no range such as 1-10 or 0-254/2")
    start, stop, step = int(match[1]), int(match[2]), int(match[3] or 1)
    if step == 0 or stop < start:
        raise GenerateError(f"{text} is a range that never ends or never begins")
    numbers = range(start, stop + 1, step)
    if len(numbers) > MAX_GENERATED:
        raise GenerateError(f"{len(numbers)} records, more than {MAX_GENERATED}")
    return numbers


def filled(template: str, number: int) -> str:
    """The template of one turn. Raises `GenerateError`."""

    def value(match: re.Match[str]) -> str:
        if match[0] in (r"\$", "$$"):
            return "$"
        return str(number) if match[1] is None else _modified(match[1], number)

    return _PART.sub(value, template)


def _modified(modifier: str, number: int) -> str:
    match = _MODIFIER.fullmatch(modifier)
    if match is None:
        raise GenerateError(f"${{{modifier}}} is no modifier such as ${{0,3,d}}")
    value, width, base = number + int(match[1]), int(match[2] or 0), match[3] or "d"
    if value < 0:
        raise GenerateError(f"${{{modifier}}} makes a negative number")
    if base in "nN":
        return _nibbles(value, width, upper=base == "N")
    return f"{value:0{width}{base}}" if width else f"{value:{base}}"


def _nibbles(value: int, width: int, *, upper: bool) -> str:
    """Hexadecimal digits from the last to the first, dots between; as in BIND the dots count in the width."""
    made = ""
    while True:
        made += f"{value & 15:{'X' if upper else 'x'}}"
        value >>= 4
        if value == 0 and len(made) >= width:
            return made
        made += "."
        if value == 0 and len(made) >= width:
            return made
