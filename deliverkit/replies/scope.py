"""What a reply names: address, domain, pages, block list, and how long to wait."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import msgspec

from deliverkit.replies import tables
from deliverkit.replies.decoded import Scope
from deliverkit.replies.parts import Parts
from deliverkit.replies.phrases import compiled

MAX_WAIT_S: Final = 7 * 86_400
"""Longer waits are no advice to a mail server: RFC 5321 §4.5.4.1 gives up after days."""

_IPV4: Final = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9]|\.[0-9])", re.ASCII)
_IPV6: Final = re.compile(r"(?<![0-9a-f:.])(?:ipv6:)?((?:[0-9a-f]{0,4}:){2,7}[0-9a-f.]{0,15})(?![0-9a-f:])", re.ASCII | re.I)
_URL: Final = re.compile(r"(?:https?://|(?<![\w.@/-])www\.)[^\s<>\"'\\^`{|}]{3,400}", re.ASCII | re.I)
_NAME: Final = r"((?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.){1,8}[a-z][a-z0-9-]{0,60}[a-z0-9])"
_DOMAIN: Final = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        _NAME + r"'s (?:dmarc|policy)",
        r"(?:domain|domaine|dominio)(?: name| of| is| part)?[\s:=]{0,3}[\[<('\"]{0,2}" + _NAME + r"[\])>'\"]?",
        r"(?:sender|from|sender address)[\s:=]{1,3}[\[<('\"]{0,2}[^\s@<>]{1,64}@" + _NAME,
        r"query/(?:domain|dbl)[/=?a-z]{0,12}" + _NAME,
        _NAME + r"[\])>'\"]{0,2} (?:does not (?:meet|pass|have|resolve|exist)|has no|is listed|is on|requires)",
        r"(?:dmarc|spf|dkim)(?: \w+){0,3} (?:for|of|by) [\[<('\"]{0,2}" + _NAME,
        r"<[^\s@<>]{1,64}@" + _NAME + r">[^<]{0,20}sender",
    )
)
_TRAILING: Final = ".,;:!?)]}>'\""
_BLAMED: Final = ("url", "uri", "link")
_CLOCK: Final = re.compile(r"(?:after|in|for|retry|wait|available|within|again)[^0-9]{1,30}([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?![0-9:])", re.ASCII)
_SPAN: Final = re.compile(
    r"(?:in|after|for|wait|again|retry|try|within|next|least|nach|apres|dans|dopo|tra|en|por|za|per)\b[^0-9.;]{0,30}?[(=: ]"
    r"([0-9]{1,6}) ?"
    r"(seconds?|secs?|sekunden?|secondes?|secondi|segundos?|s\b|minutes?|mins?|minuten|minuti|minutos?|minut|m\b|hours?|hrs?|h\b|stunden?|heures?|ore\b|horas?|days?|tagen?|jours?|giorni|dias?)",
    re.ASCII,
)  # fmt: skip
_WORDED: Final = re.compile(r"(?:in|after|for|wait|again in|within) (an?|one|a few|few|several|half an) (minutes?|hours?|day|stunde)", re.ASCII)
_BARE: Final = re.compile(r"(?:retry|try again|come back|wait)[^0-9.;]{0,20}(?:in|after|:|=) ?([0-9]{2,6})(?![0-9.])(?! ?[a-z%])", re.ASCII)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "t": 86_400, "j": 86_400, "g": 86_400, "o": 3600}


class Named(msgspec.Struct, frozen=True):
    """What stood in the text."""

    scope: Scope
    list: str | None
    lookup: str | None
    urls: tuple[str, ...]


def _address(text: str) -> str | None:
    found = None
    if "." in text:
        for match in _IPV4.finditer(text):
            before, after = text[max(0, match.start() - 1) : match.start()], text[match.end() : match.end() + 1]
            address = _ip(match[0])
            if address is None:
                continue
            if before == "[" or after == "]":
                return address
            found = found or address
    if found is None and "::" in text or text.count(":") > 4:  # noqa: PLR2004 - of an address written out
        for match in _IPV6.finditer(text):
            address = _ip(match[1].rstrip(".:") if not match[1].endswith("::") else match[1])
            if address is not None:
                return found or address
    return found


def _ip(written: str) -> str | None:
    try:
        return str(ipaddress.ip_address(written))
    except ValueError:
        return None


def _domain(folded: str) -> str | None:
    if "." not in folded:
        return None
    for pattern in _DOMAIN:
        found = pattern.search(folded)
        if found and not found[1].endswith((".php", ".html", ".htm", ".cgi", ".rbl")):
            return found[1]
    return None


def wait(folded: str) -> int | None:
    """Seconds that the text asks to wait for; None where it does not say."""
    clock = _CLOCK.search(folded) if ":" in folded else None
    if clock:
        return _bounded(int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3]))
    span = _SPAN.search(folded)
    if span:
        return _bounded(int(span[1]) * _UNITS[span[2][0]])
    worded = _WORDED.search(folded)
    if worded:
        unit = _UNITS[worded[2][0]] if worded[2] != "stunde" else 3600
        return _bounded(unit * {"half an": 1, "few": 5, "a few": 5, "several": 5}.get(worded[1], 1) // (2 if worded[1] == "half an" else 1))
    bare = _BARE.search(folded)
    return _bounded(int(bare[1])) if bare else None


def _bounded(seconds: int) -> int | None:
    return seconds if 0 < seconds <= MAX_WAIT_S else None


def named(parts: Parts) -> Named:
    """What the text of a reply names."""
    folded = parts.folded
    urls: tuple[str, ...] = ()
    if "http" in folded or "www." in folded:
        urls = tuple(match[0].rstrip(_TRAILING) for match in _URL.finditer(parts.text))[:5]
    ip = _address(parts.text)
    name, lookup = block_list(folded)
    return Named(scope=Scope(ip=ip, domain=_domain(folded)), list=name, lookup=lookup, urls=urls)


def block_list(folded: str) -> tuple[str | None, str | None]:
    """Name and look-up page of the block list a folded text speaks of."""
    entries, words = tables.block_lists()
    for at in sorted(words.owners(folded)):
        entry = entries[at]
        if any(compiled(mark).search(folded) for mark in entry.marks):
            return entry.name, entry.lookup
    return None, None
