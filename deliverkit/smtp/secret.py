"""A secret that is used and never shown, and the forms in which a peer might show it."""

from __future__ import annotations

import base64
import re
import urllib.parse
from typing import Final

REDACTED: Final = b"<redacted>"
_SHORT: Final = 3
"""A secret of fewer octets is a part of ordinary words: only its whole line can be kept back."""


class Secret:
    """A password or token. Neither `repr` nor `str` nor pickling gives it away."""

    __slots__ = ("_pattern", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        self._pattern: re.Pattern[bytes] | None = None

    def reveal(self) -> str:
        """The secret itself, for the mechanism that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        raise TypeError("a secret is not written anywhere")

    def redact(self, octets: bytes) -> bytes:
        """`octets` without the secret, in whatever encoding it stands there."""
        if self._pattern is None:
            self._pattern = _pattern(self._value)
        return self._pattern.sub(REDACTED, octets)


def _pattern(value: str) -> re.Pattern[bytes]:
    raw = value.encode("utf-8")
    if len(raw) < _SHORT:
        return re.compile(rb"(?!)")
    forms: dict[bytes, None] = {}
    for text in (value, *(part for part in (value.strip(),) if part)):
        octets = text.encode("utf-8")
        forms[octets] = None
        forms[octets.hex().encode()] = None
        forms[b" ".join(octets.hex()[place : place + 2].encode() for place in range(0, len(octets) * 2, 2))] = None
        forms[b":".join(octets.hex()[place : place + 2].encode() for place in range(0, len(octets) * 2, 2))] = None
        forms[urllib.parse.quote(text, safe="").encode()] = None
        forms[urllib.parse.quote_plus(text).encode()] = None
        forms["".join(f"%{octet:02x}" for octet in octets).encode()] = None
        forms["".join(f"\\x{octet:02x}" for octet in octets).encode()] = None
        forms["".join(f"={octet:02x}" for octet in octets).encode()] = None
        forms[text.encode("unicode_escape")] = None
        forms[text.encode("utf-16-le")] = None
        forms[text.encode("utf-16-be")] = None
        forms[octets[::-1]] = None
        forms[_html(text).encode()] = None
        forms[base64.b32encode(octets).rstrip(b"=")] = None
    literal = [re.escape(form) for form in forms if len(form) >= _SHORT]
    words = sorted(literal, key=len, reverse=True)
    shifted = [rb"[A-Za-z0-9+/_=-]*" + re.escape(form) + rb"[A-Za-z0-9+/_=-]*" for form in _base64(raw)]
    return re.compile(b"|".join([*shifted, *(b"(?i:" + word + b")" for word in words)]))


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _base64(raw: bytes) -> list[bytes]:
    """What base64 shows of the secret wherever it stands in the encoded octets: the whole groups of each alignment."""
    found: dict[bytes, None] = {}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        start = (shift * 8 + 5) // 6
        end = (shift + len(raw)) * 8 // 6
        core = encoded[start:end]
        if len(core) >= _SHORT:
            found[core] = None
            found[core.replace(b"+", b"-").replace(b"/", b"_")] = None
    return list(found)
