"""The one sanitiser: what a peer wrote, made safe to show.

A terminal obeys control bytes, a reader is misled by bidirectional overrides, invisible characters
and piles of combining marks. `escaped` replaces each by its escape, visibly, and leaves all else as
it came. Renderers escape once more for their own format (HTML, CSV …), after this.
"""

from __future__ import annotations

import unicodedata

SHOWN = 512
"""Characters of one peer string that a person is shown."""

RECORDED = 4096
"""Characters of one peer string that JSON holds."""

# Cc control, Cf format (bidi, zero width), Cs surrogate, Co private, Cn unassigned, Zl/Zp separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FORMS = ((2, "x"), (4, "u"), (8, "U"))
_MARKS = 2
"""Combining marks on one letter: two are a language, more are an attack on the lines around it."""
_COMBINING = frozenset({"Mn", "Me", "Mc"})


def _escape(char: str) -> str:
    code = ord(char)
    width, letter = next(form for form in _FORMS if code < 16 ** form[0])
    return f"\\{letter}{code:0{width}x}"


def escaped(text: str) -> str:
    """`text` on one line, every character that could act on the reader's screen written as an escape."""
    if text.isascii() and text.isprintable():
        return text
    parts: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in _COMBINING else 0
        unsafe = category in _UNSAFE or marks > _MARKS or (category == "Zs" and char != " ")
        parts.append(_escape(char) if unsafe else char)
    return "".join(parts)


def clipped(text: str, limit: int) -> str:
    """`text`, cut at `limit` characters with the full length said."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text)} characters in all)"


def shown(text: str, limit: int = SHOWN) -> str:
    """A peer's text for a person: cut first, so that the work is bounded, then escaped."""
    return escaped(clipped(text, limit))
