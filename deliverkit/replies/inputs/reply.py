"""The reply itself: how it begins, and where it stands inside a sentence."""

from __future__ import annotations

import re
from typing import Final

import msgspec

LINE: Final = re.compile(r"([2-5]\d\d)(?:([ \-\t])(.*)|[:;,]\s*(.*))?\Z", re.ASCII | re.DOTALL)
"""A line of a reply (RFC 5321 §4.2); some write a colon after the code."""
_STATUS: Final = re.compile(r"#?([245]\.\d{1,3}\.\d{1,3})(?=[\s:;,#)>]|\Z)", re.ASCII)
_CODE: Final = re.compile(r"[2-5]\d\d(?:[ \-#]|\Z)", re.ASCII)
_BOTH: Final = re.compile(r"(?<![\w.:/@+-])([245]\d\d)[ \-]#?\(?[245]\.\d{1,3}\.\d{1,3}(?![\d.])", re.ASCII)
"""Code and enhanced code side by side: a reply wherever they stand."""
_ANNOUNCED: Final = re.compile(
    r"(?:\b(?:said|says|was|responded|replied|answered|returned|respon[sd]e|reply|replies|error|errors|failed|failure|"
    r"reason|smtp|message|diagnostic|code|status|rejected|refused|exception|with|respuesta|antwort|fehler|r[ée]ponse)\b"
    r"|\AError\b|<--?|\bRECEIVED\b|\[[0-9a-f.:]{3,45}\](?=:)|"
    r"\bremote mail(?: server|er) after [^:]{1,40}(?:: ?<[^>\s]{0,255}>)?|"
    r"\A\s{0,20}<?[^\s<>@]{1,64}@[^\s<>@]{1,255}>?:)[\s:;=\"'<(\[`{b#-]{1,8}"
    r"((?:4[2-7]\d|5[0-7]\d)(?:[ \-#][^\s]|\)?:\s))",
    re.IGNORECASE,
)
_HASH: Final = re.compile(r"#((?:[45]\d\d )?#?[45]\.\d{1,3}\.\d{1,3}[ ;])", re.ASCII)
_TUPLE: Final = re.compile(r"\(([2-5]\d\d), b?(['\"])")
"""smtplib's way: `(550, b'5.1.1 …')`."""
_APART: Final = re.compile(r"ERROR_CODE ?:([2-5]\d\d), ?ERROR_CODE ?: ?", re.ASCII)
"""Zoho's way: `ERROR_CODE :550, ERROR_CODE :5.1.1 …`."""
_HTTP: Final = re.compile(r"HTTP/\d|\bHTTP \d|https?[ _]status", re.IGNORECASE)
_TAIL: Final = re.compile(r"(?: ?\(in reply to [^()]{1,80}\)| ?#SMTP#| ?##)+['\"]?\s*\Z")
_QUOTES: Final = {"'": "'", '"': '"', "`": "`", "(": ")", "<": ">", "[": "]", "{": "}"}
_MOST: Final = 2048
"""Characters of a line in which a reply is looked for."""


def begins(text: str) -> bool:
    """Whether the text begins as a reply: with a code, or an enhanced code."""
    return _CODE.match(text) is not None or _STATUS.match(text) is not None


def in_lines(text: str) -> str:
    r"""A reply of several lines that a log has in one, with its lines again.

    Postfix writes a space between them, Exim `\n`.
    """
    if text[3:4] != "-" or not text[:3].isdigit():
        return text
    return re.sub(rf"(?: |\\n)(?={text[:3]}[- ])", "\n", text)


def with_status(text: str, status: str | None) -> str:
    """The text with the enhanced code that the log has beside it in front, where it has no code of its own."""
    return text if status is None or begins(text) else f"{status} {text}"


class Place(msgspec.Struct, frozen=True):
    """Where a reply stands inside a sentence: where it begins, and the sign that closes it."""

    start: int
    close: str | None = None
    code: str = ""
    """The code, where it stands apart from the text."""


def find(line: str) -> Place | None:
    """Where a reply stands in a sentence; None where none does."""
    looked = line[:_MOST]
    python = _TUPLE.search(looked)
    if python is not None:
        return Place(python.end(), python[2], f"{python[1]} ")
    apart = _APART.search(looked)
    if apart is not None:
        return Place(apart.end(), None, f"{apart[1]} ")
    found = _BOTH.search(looked)
    if found is None:
        found = _ANNOUNCED.search(looked)
        if found is not None and _HTTP.search(looked[: found.end()]):
            return None
    if found is None:
        found = _HASH.search(looked)
    if found is None:
        return None
    start = found.start(1)
    if looked[start + 3 : start + 5] == "):":
        return Place(start + 5, None, f"{looked[start : start + 3]} ")
    return Place(start, _QUOTES.get(looked[start - 1]) if start else None)


def quoted(text: str, place: Place) -> str:
    """The reply alone, from `text` which begins where it does: `550 5.1.1 …'` is `550 5.1.1 …`."""
    if place.close is not None:
        end = text.rfind(place.close)
        text = text[:end] if end > 0 else text
    text = _TAIL.sub("", text)
    if "#" in text[:5]:
        text = text.replace("#", "", 1)
    return f"{place.code}{text.strip()}"


def inside(line: str) -> str | None:
    """The reply inside a sentence: `Remote Server returned '550 5.1.1 …'` is `550 5.1.1 …`."""
    place = find(line)
    return None if place is None else quoted(line[place.start :], place)
