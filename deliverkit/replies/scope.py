"""What a reply names: address, domain, pages, block list."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import msgspec

from deliverkit.replies import tables
from deliverkit.replies.decoded import Scope
from deliverkit.replies.parts import Parts
from deliverkit.replies.phrases import Searched

_IPV4: Final = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9]|\.[0-9])", re.ASCII)
_IPV6: Final = re.compile(
    r"(?<![0-9a-f:.])(?:ipv6:)?((?:[0-9a-f]{0,4}:){2,7}[0-9a-f.]{0,15})(?![0-9a-f:])", re.ASCII | re.IGNORECASE
)
_URL: Final = re.compile(r"(?:https?://|(?<![\w.@/-])www\.)[^\s<>\"'\\^`{|}]{3,400}", re.ASCII | re.IGNORECASE)
_NAME: Final = r"(?<![a-z0-9_.-])((?:[a-z0-9_-]{1,63}\.){1,8}[a-z][a-z0-9-]{1,62})(?![a-z0-9_-])"
_DOMAIN: Final = tuple(
    (word, re.compile(pattern, re.ASCII))
    for word, pattern in (
        ("'s ", _NAME + r"'s (?:dmarc|policy)"),
        ("dom", r"(?:domain|domaine|dominio)(?: name| of| is| part)?[\s:=]{0,3}[\[<('\"]{0,2}" + _NAME),
        (
            "@",
            r"(?:sender|from|sender address)[\s:=]{1,3}[\[<('\"]{0,2}[^\s@<>]{1,64}@(?:)"
            + _NAME.removeprefix("(?<![a-z0-9_.-])"),
        ),
        ("query/", r"query/(?:domain|dbl)[/=?a-z]{0,12}[/=]" + _NAME.removeprefix("(?<![a-z0-9_.-])")),
        (" ", _NAME + r"[\])>'\"]{0,2} (?:does not (?:meet|pass|have|resolve|exist)|has no|is listed|requires)"),
        ("sender address", "@" + _NAME.removeprefix("(?<![a-z0-9_.-])") + r"[>\])]{0,2}:? sender address"),
        (" from ", r"(?:mail|message|messages) from " + _NAME),
        ("for ", r"(?:dmarc|spf|dkim)(?: \w{1,20}){0,3} (?:for|of|by) [\[<('\"]{0,2}" + _NAME),
    )
)
"""A word that has to be there, and how a domain is named with it."""
_FILES: Final = (".php", ".html", ".htm", ".cgi", ".rbl")
_TRAILING: Final = ".,;:!?)]}>'\""


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
    if found is None and ("::" in text or text.count(":") > 4):  # noqa: PLR2004 - of an address written out
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
    for word, pattern in _DOMAIN:
        found = pattern.search(folded) if word in folded else None
        if found and not found[1].endswith(_FILES):
            return found[1]
    return None


def named(parts: Parts, searched: Searched) -> Named:
    """What the text of a reply names."""
    folded = parts.folded
    urls: tuple[str, ...] = ()
    if "http" in folded or "www." in folded:
        urls = tuple(match[0].rstrip(_TRAILING) for match in _URL.finditer(parts.text))[:5]
    name, lookup = block_list(searched)
    return Named(scope=Scope(ip=_address(parts.text), domain=_domain(folded)), list=name, lookup=lookup, urls=urls)


def block_list(searched: Searched) -> tuple[str | None, str | None]:
    """Name and look-up page of the block list a text speaks of."""
    entries, words = tables.block_lists()
    candidates = words.candidates(searched)
    for at in sorted(candidates):
        if any(map(searched.holds, candidates[at])):
            return entries[at].name, entries[at].lookup
    return None, None
