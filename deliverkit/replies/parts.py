"""A reply taken apart: its codes, and the text of all lines as one.

The last line's code decides (RFC 5321 §4.2.1); a code that a server repeats on each line is taken off. What
is searched is lower-case, on one line, without accents, and never more than `LOOKED_AT` characters.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import msgspec

LOOKED_AT: Final = 4096
"""Characters of a reply that are read; what a server says stands at the beginning (RFC 5321 §4.5.3.1.5)."""
KEPT: Final = 8192
"""Characters of the input that are kept."""

_LINES: Final = re.compile(r"\r\n|\n|\r|\\r\\n|\\n")
_CODED: Final = re.compile(r"[\s\"']*([2-5][0-9]{2})(?:[ \t]*-(?=[2-5]\.[0-9])|[ \t]*-[ \t]*|[ \t]+|$)(.*)", re.DOTALL | re.ASCII)
_TIGHT: Final = re.compile(r"\s*([2-5][0-9]{2})(?:[:,#(<\[](?=[^0-9])|(?=[A-Z]{2,3}:[A-Z]))(.*)", re.DOTALL | re.ASCII)
_ENHANCED: Final = re.compile(r"[\s#(\[:<-]*([245])\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9]|\.[0-9])(?:-[0-9]{3}\b)?[\s:)\]>,;.-]*", re.ASCII)
_INSIDE: Final = re.compile(r"(?<![0-9.])([245])\.([0-9])\.([0-9]{1,3})(?![0-9]|\.[0-9])", re.ASCII)
_SAID: Final = re.compile(r"(?:said|remote mail server|error|response|replied|smtp|status|code)[^\n]{0,120}?[:>\s(]\s*([2-5][0-5][0-9])[ -](?=\S)", re.ASCII | re.I)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_QUOTES: Final = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "´": "'", "`": "'", "–": "-", "—": "-", "\u00a0": " ", "ß": "ss", "ł": "l", "ø": "o", "ı": "i"})


class Parts(msgspec.Struct, frozen=True):
    """`text`: the words of all lines, as they came; `folded`: the same, to be searched."""

    code: int | None
    enhanced: str | None
    text: str
    folded: str


def storable(text: str) -> str:
    r"""`text` without lone surrogates, which no encoding takes: an undecodable octet as `\xNN`."""
    if text.isascii():
        return text
    return _SURROGATE.sub(lambda found: _octet(ord(found[0])), text)


def _octet(point: int) -> str:
    low = point - 0xDC00
    return f"\\x{low:02x}" if 0x80 <= low <= 0xFF else f"\\u{point:04x}"  # noqa: PLR2004 - surrogateescape, PEP 383


def folded(text: str) -> str:
    """`text` in lower case, without accents, with one space between words."""
    if not text.isascii():
        text = text.translate(_QUOTES)
        text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(text.lower().split())


def parted(text: str) -> Parts:
    """Takes a reply of one or several lines apart; never raises."""
    looked_at = text[:LOOKED_AT]
    code: int | None = None
    enhanced: str | None = None
    words: list[str] = []
    for line in _LINES.split(looked_at):
        rest = line
        coded = _CODED.match(rest) or _TIGHT.match(rest)
        if coded:
            code = int(coded[1])
            rest = coded[2]
        status = _ENHANCED.match(rest)
        if status:
            enhanced = _status(status)
            rest = rest[status.end() :]
        rest = rest.strip()
        if rest:
            words.append(rest)
    joined = " ".join(words)
    if code is None:
        said = _SAID.search(joined)
        code = int(said[1]) if said else None
    if enhanced is None:
        inside = _INSIDE.search(joined)
        enhanced = _status(inside) if inside else None
    return Parts(code=code, enhanced=enhanced, text=joined, folded=folded(joined))


def _status(found: re.Match[str]) -> str:
    return ".".join(str(int(part)) for part in found.groups()[:3])
