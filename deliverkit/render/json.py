"""JSON: the report's structs as they stand (RFC 8259), one document.

What could act on a terminal, or mislead whoever reads it, is written as an escape; a reader of JSON
gets the same string.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any, Final

import msgspec

_BEYOND: Final = re.compile(r"[^\x00-\x7e]")
# What CI runners obey in the middle of a line: `##[error]`, `##vso[…]`.
_OBEYED: Final = re.compile(r"##(?=\[|[A-Za-z]{1,32}\[)")
# Control, format (bidi, zero width), surrogate, private, unassigned, line and paragraph separators.
_ESCAPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def render(document: Any, *, indent: int | None = 2) -> str:
    """A struct of ours, or builtins, as one JSON document with a newline at its end."""
    built = msgspec.to_builtins(document, str_keys=True)
    text = json.dumps(built, ensure_ascii=False, indent=indent, allow_nan=False)
    return safe(text) + "\n"


def quick(document: Any, *, indent: int | None = 2) -> str:
    """As `render`, for documents by the thousand that hold neither fractions nor lone surrogates."""
    octets = msgspec.json.encode(document)
    return safe(msgspec.json.format(octets, indent=indent).decode() if indent else octets.decode()) + "\n"


def schema(kind: type[Any], name: str) -> str:
    """The JSON Schema of a document of ours."""
    made = msgspec.json.schema(kind)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{name.replace('/', ':')}"}
    return json.dumps({**head, "title": name, **made}, indent=2, ensure_ascii=False) + "\n"


def safe(text: str) -> str:
    """`json.dumps` escaped the C0 controls; the rest of what is unsafe stands only inside strings."""
    text = _OBEYED.sub(r"#\\u0023", text)
    if text.isascii() and "\x7f" not in text:
        return text
    return _BEYOND.sub(_kept, text)


def _kept(match: re.Match[str]) -> str:
    char = match[0]
    return _escape(char) if unicodedata.category(char) in _ESCAPED else char


def _escape(char: str) -> str:
    code = ord(char)
    if code > 0xFFFF:  # noqa: PLR2004 - beyond the basic plane: a surrogate pair (RFC 8259 §7)
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"
