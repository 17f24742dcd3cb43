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

_LINES: Final = re.compile(r"\r\n|\n|\r|(?:\\r)?\\n(?=[2-5][0-9]{2}[ -])")
_CODED: Final = re.compile(
    r"[\s\"']*([2-5][0-9]{2})(?:[ \t]*-(?=[2-5]\.[0-9])|[ \t]*-[ \t]*|[ \t]+|$)(.*)", re.DOTALL | re.ASCII
)
_TIGHT: Final = re.compile(r"\s*([2-5][0-9]{2})(?:[:,#(<\[](?=[^0-9])|(?=[A-Z]{2,3}:[A-Z]))(.*)", re.DOTALL | re.ASCII)
_ENHANCED: Final = re.compile(
    r"[\s#(\[:<-]*([245])\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9]|\.[0-9])(?:-[0-9]{3}\b)?[\s:)\]>,;.-]*", re.ASCII
)
_INSIDE: Final = re.compile(r"(?<![0-9.])([245])\.([0-9])\.([0-9]{1,3})(?![0-9]|\.[0-9])", re.ASCII)
_REPORTED: Final = (
    re.compile(r"(?:^|[\s:>(\"'])([2-5][0-9]{2})[ -](?=#?[245]\.[0-9]{1,3}\.[0-9]{1,3}\b)", re.ASCII),
    re.compile(
        r"(?:said|responded|replied|response|server|reply|error|returned|talk to me|initial connection|of data|\]|>)"
        r"[:,]? {0,2}[\"']?([2-5][0-5][0-9])[ -](?=\S)",
        re.ASCII | re.IGNORECASE,
    ),
    re.compile(r"[\]>a-z)]: {0,2}([45][0-5][0-9])[ -](?=\S)", re.ASCII | re.IGNORECASE),
)
"""A reply inside a report of it: "host mx.example.net said: 550 …"."""
_IN_REPLY: Final = re.compile(r"\(?\bin reply to (?:end of )?[a-z ]{2,12}command\)?", re.IGNORECASE)
_COMMANDS: Final = {
    "initial connection": "banner",
    "ehlo": "ehlo",
    "helo": "ehlo",
    "starttls": "starttls",
    "auth": "auth",
    "mail from": "mail",
    "rcpt to": "rcpt",
    "data": "data",
    "end of data": "eod",
}
"""What reports call the command that a reply answered, and its stage."""
_SPOKEN: Final = re.compile(
    r"(?:in reply to|after|our) (end of data|rcpt to|mail from|ehlo|helo|initial connection|starttls|auth|data)\b",
    re.ASCII,
)
_ADDRESS: Final = re.compile(r"<?[^\s<>@]{1,64}@[^\s<>@,;:]{1,255}>?")
"""An address of mail. Its words are names, and say nothing: `<spam@example.net>` is no spam."""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_QUOTES: Final = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "´": "'",
        "`": "'",
        "–": "-",
        "—": "-",
        "\u00a0": " ",
        "ß": "ss",
        "ł": "l",
        "ø": "o",
        "ı": "i",
    }
)


class Parts(msgspec.Struct, frozen=True):
    """A reply's parts.

    `text`: the words of all lines, as they came; `folded`: the same, to be searched; `words`: that without addresses.
    `stage`: what the text itself says of the command it answers. `report`: the folded text of the report around the
    reply, where there is one.
    """

    code: int | None
    enhanced: str | None
    text: str
    folded: str
    words: str
    stage: str | None = None
    report: str | None = None


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
    lines: list[str] = []
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
            lines.append(rest)
    joined = " ".join(lines)
    spoken = _SPOKEN.search(joined.lower()) if " " in joined else None
    report = None
    if code is None:
        whole = joined
        code, joined = _reported(joined)
        report = folded(whole) if code is not None else None
        status = _ENHANCED.match(joined) if code is not None else None
        if status:
            enhanced = _status(status)
            joined = joined[status.end() :]
    joined = _IN_REPLY.sub("", joined)
    if enhanced is None:
        inside = _INSIDE.search(joined)
        enhanced = _status(inside) if inside else None
    stage = _COMMANDS[spoken[1]] if spoken else None
    searched = folded(joined)
    words = _ADDRESS.sub("<>", searched) if "@" in searched else searched
    return Parts(code=code, enhanced=enhanced, text=joined, folded=searched, words=words, stage=stage, report=report)


def _reported(text: str) -> tuple[int | None, str]:
    """The code of a reply that a report quotes, and the text after it; the whole text where there is none."""
    for pattern in _REPORTED:
        found = pattern.search(text)
        if found:
            return int(found[1]), text[found.end() :]
    return None, text


def _status(found: re.Match[str]) -> str:
    return ".".join(str(int(part)) for part in found.groups()[:3])
