"""The reply itself: how it begins, and where it stands inside a sentence."""

from __future__ import annotations

import re
from typing import Final

LINE: Final = re.compile(r"([2-5]\d\d)(?:([ \-\t])(.*)|[:;,]\s*(.*))?\Z", re.ASCII | re.DOTALL)
"""A line of a reply (RFC 5321 §4.2); some write a colon after the code."""
_STATUS: Final = re.compile(r"#?([245]\.\d{1,3}\.\d{1,3})(?=[\s:;,#)>]|\Z)", re.ASCII)
_CODE: Final = re.compile(r"[2-5]\d\d(?:[ \-#]|\Z)", re.ASCII)
_BOTH: Final = re.compile(r"(?<![\w.:/@+-])([245]\d\d)[ \-]#?\(?[245]\.\d{1,3}\.\d{1,3}(?![\d.])", re.ASCII)
"""Code and enhanced code side by side: a reply wherever they stand."""
_ANNOUNCED: Final = re.compile(
    r"(?:\b(?:said|says|was|responded|replied|answered|returned|respon[sd]e|reply|replies|error|errors|failed|failure|"
    r"reason|smtp|message|diagnostic|code|status|rejected|refused|exception|with|respuesta|antwort|fehler|r[ée]ponse)\b"
    r"|\AError\b)[\s:;=\"'<(\[`{b#-]{1,8}((?:4[2-7]\d|5[0-7]\d)(?:[ \-#][^\s]|:\s))",
    re.IGNORECASE,
)
_HASH: Final = re.compile(r"#((?:[45]\d\d )?#?[45]\.\d{1,3}\.\d{1,3}[ ;])", re.ASCII)
_TUPLE: Final = re.compile(r"\(([2-5]\d\d), b?(['\"])")
"""smtplib's way: `(550, b'5.1.1 …')`."""
_HTTP: Final = re.compile(r"HTTP/\d|\bHTTP \d|https?[ _]status", re.IGNORECASE)
_TAIL: Final = re.compile(r"(?: ?\(in reply to [^()]{1,80}\)| ?#SMTP#| ?##)+['\"]?\s*\Z")
_QUOTES: Final = {"'": "'", '"': '"', "`": "`", "(": ")", "<": ">", "[": "]", "{": "}"}
_MOST: Final = 2048
"""Characters of a line in which a reply is looked for."""


def begins(text: str) -> bool:
    """Whether the text begins as a reply: with a code, or an enhanced code."""
    return _CODE.match(text) is not None or _STATUS.match(text) is not None


def with_status(text: str, status: str | None) -> str:
    """The text with the enhanced code that the log has beside it in front, where it has no code of its own."""
    return text if status is None or begins(text) else f"{status} {text}"


def inside(line: str) -> tuple[str, str] | None:
    """The reply inside a sentence, and what stands before it; None where there is none.

    `Remote Server returned '550 5.1.1 …'` is `550 5.1.1 …`.
    """
    looked = line[:_MOST]
    python = _TUPLE.search(looked)
    if python is not None:
        return f"{python[1]} {_closed(line[python.end() :], python[2])}", line[: python.start()]
    found = _BOTH.search(looked)
    start = found.start(1) if found else None
    if start is None:
        found = _ANNOUNCED.search(looked)
        start = found.start(1) if found else None
        if found is not None and _HTTP.search(looked[: found.end()]):
            return None
    if start is None:
        found = _HASH.search(looked)
        start = found.start(1) if found else None
    if start is None:
        return None
    quote = _QUOTES.get(looked[start - 1]) if start else None
    text = line[start:]
    if quote is not None:
        text = _closed(text, quote)
    text = _TAIL.sub("", text).replace("#", "", 1) if text[:5].find("#") >= 0 else _TAIL.sub("", text)
    return text.strip(), line[:start]


def _closed(text: str, quote: str) -> str:
    """The text up to the last sign that closes it."""
    end = text.rfind(quote)
    return text[:end] if end > 0 else text
