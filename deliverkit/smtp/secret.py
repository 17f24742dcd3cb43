"""A secret that is used and never shown, and the forms in which a peer might show it.

A server that refuses a login may echo what it was sent: as it came, decoded, or in some other dress. Whatever it
says is therefore searched for the secret, and for each message that was made of it, before it is kept anywhere.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import html
import json
import re
import urllib.parse
from collections.abc import Iterator
from typing import Final

REDACTED: Final = b"<redacted>"
_SHORT: Final = 3
"""A form of fewer octets is a part of ordinary words, and stays."""
_CORE: Final = 4
_SURE: Final = 8
"""Octets of base64 from which on its case may have been changed, too: fewer would match ordinary words."""
_WORD: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_=-")
_CUT: Final = 4
"""Octets of a form that are told at the end of a reply which was cut off in the middle of it."""
_LONGEST: Final = 4096


class Secret:
    """A password or token. Neither `repr` nor `str` nor pickling gives it away."""

    __slots__ = ("_encoded", "_plain", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        self._plain: dict[bytes, None] | None = None
        self._encoded: dict[bytes, None] = {}

    def reveal(self) -> str:
        """The secret itself, for the mechanism that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        raise TypeError("a secret is not written anywhere")

    def learn(self, octets: bytes) -> None:
        """Takes what was made of the secret (a digest, a proof, a whole message) for as secret as itself."""
        self._known().update(dict.fromkeys(form.lower() for form in _spelled(octets) if len(form) >= _SHORT))
        self._encoded.update(dict.fromkeys(form for form in _base64(octets) if len(form) >= _CORE))

    def redact(self, octets: bytes, *, cut: bool = False) -> bytes:
        """`octets` without the secret, in whatever encoding it stands there.

        `cut`: they ended before their end, so that a beginning of the secret at their end is one, too.
        """
        if not octets:
            return octets
        plain = self._known()
        low = octets.lower()
        hits = [form for form in self._encoded if (form.lower() in low if len(form) >= _SURE else form in octets)]
        if hits:
            octets = _whole_words(_pattern(hits, _SURE), octets)
            low = octets.lower()
        hits = [form for form in plain if form in low]
        if hits:
            octets = _pattern(hits, _SHORT).sub(REDACTED, octets)
        return self._without_end(octets) if cut else octets

    def _known(self) -> dict[bytes, None]:
        """The forms that are told in any case, in lower case; `_encoded` holds those of base64."""
        if self._plain is None:
            self._plain = {}
            for text in dict.fromkeys((self._value, self._value.strip())):
                octets = text.encode("utf-8", "surrogatepass")
                self.learn(octets)
                self._plain.update(dict.fromkeys(form.lower() for form in _written(text) if len(form) >= _SHORT))
                wide = text.encode("utf-16-le", "surrogatepass")
                self._encoded.update(dict.fromkeys(form for form in _base64(wide) if len(form) >= _CORE))
        return self._plain

    def _without_end(self, octets: bytes) -> bytes:
        tail = octets[-_LONGEST:]
        low = tail.lower()
        best = 0
        for form, there in (*((form, low) for form in self._known()), *((form, tail) for form in self._encoded)):
            for length in range(min(len(form) - 1, len(tail)), max(best, _CUT - 1), -1):
                if there.endswith(form[:length]):
                    best = length
                    break
        return octets[: len(octets) - best] + REDACTED if best else octets


def _pattern(forms: list[bytes], sure: int) -> re.Pattern[bytes]:
    """All the forms, longest first; without regard to case from `sure` octets on."""
    words = sorted(forms, key=len, reverse=True)
    return re.compile(
        b"|".join(b"(?i:" + re.escape(word) + b")" if len(word) >= sure else re.escape(word) for word in words)
    )


def _whole_words(pattern: re.Pattern[bytes], octets: bytes) -> bytes:
    """Each match goes with the run of base64 that it stands in: the neighbours hold the octets at its edges."""
    kept = bytearray()
    place = 0
    for match in pattern.finditer(octets):
        start, end = match.span()
        if start < place:
            continue
        while start > place and octets[start - 1] in _WORD:
            start -= 1
        while end < len(octets) and octets[end] in _WORD:
            end += 1
        kept += octets[place:start] + REDACTED
        place = end
    return bytes(kept + octets[place:])


def _spelled(octets: bytes) -> Iterator[bytes]:
    """Octets as they are, turned round, and octet by octet in the ways that peers write them."""
    pairs = [b"%02x" % octet for octet in octets]
    yield octets
    yield octets[::-1]
    for between in (b"", b" ", b":", b"-", b", "):
        yield between.join(pairs)
    for before in (b"%", b"=", b"\\x", b"0x"):
        yield b"".join(before + pair for pair in pairs)
    yield b" ".join(b"0x" + pair for pair in pairs)
    for quoted in (False, True):
        encoded = binascii.b2a_qp(octets, quotetabs=quoted, header=quoted)
        yield encoded
        yield encoded.replace(b"=\n", b"").replace(b"=\r\n", b"")
    yield repr(octets)[2:-1].encode()
    yield base64.b32encode(octets).rstrip(b"=")
    yield base64.b85encode(octets)
    yield octets.replace(b"\0", b" ").replace(b"\1", b" ")


def _written(text: str) -> Iterator[bytes]:
    """Text as it is escaped for URLs, HTML, JSON and other character sets."""
    for safe in ("", "/", "~!*'()"):
        yield urllib.parse.quote(text, safe=safe, errors="replace").encode()
        yield urllib.parse.quote_plus(text, safe=safe, errors="replace").encode()
    yield html.escape(text).encode("utf-8", "replace")
    yield html.escape(text, quote=False).encode("utf-8", "replace")
    yield html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;").encode("utf-8", "replace")
    yield "".join(f"&#{ord(mark)};" for mark in text).encode()
    yield "".join(f"&#x{ord(mark):x};" for mark in text).encode()
    yield "".join(f"\\u{ord(mark):04x}" for mark in text).encode()
    yield text.encode("unicode_escape")
    yield json.dumps(text)[1:-1].encode()
    yield json.dumps(text)[1:-1].replace("/", "\\/").encode()
    for charset in ("utf-16-le", "utf-16-be"):
        yield text.encode(charset, "surrogatepass")
        yield text[::-1].encode(charset, "surrogatepass")
    yield text[::-1].encode("utf-8", "surrogatepass")
    for charset in ("latin-1", "utf-7", "cp1252"):
        with contextlib.suppress(UnicodeError):
            yield text.encode(charset)


def _base64(raw: bytes) -> Iterator[bytes]:
    """What base64 shows of octets wherever they stand in the encoded ones: the whole signs of each alignment."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        core = encoded[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
        yield core
        yield core.replace(b"+", b"-").replace(b"/", b"_")
        yield core.replace(b"+", b"%2B").replace(b"/", b"%2F")
        yield core[::-1]
