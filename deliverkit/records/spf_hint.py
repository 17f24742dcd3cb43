"""What people write in place of SPF, and what they mean by it."""

from __future__ import annotations

import difflib
import html
import re
from typing import Final

import msgspec

_MECHANISMS: Final = ("all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists")
_MEANT: Final = {
    "ipv4": "ip4",
    "ipv6": "ip6",
    "ip": "ip4",
    "inc": "include",
    "includes": "include",
    "redirect": "redirect=",
    "host": "a",
    "address": "a",
}
_SPACED: Final = r"v\s+=\s*spf1\b|v=\s+spf1\b"
_ADDRESS: Final = re.compile(r"\d{1,3}(\.\d{1,3}){3}(/\d+)?", re.ASCII)


class NearMiss(msgspec.Struct, frozen=True):
    """A TXT record that was meant to be SPF and is not: why, and what it was meant to be (None: cannot be told)."""

    text: str
    why: str
    meant: str | None
    harmless: bool = False
    """Does no harm beside an SPF record."""


def mechanism_hint(text: str, name: str) -> str | None:
    """The term that was probably meant by an unknown mechanism; None where nobody can tell."""
    rest = text[len(name) :]
    if _ADDRESS.fullmatch(text):
        return f"ip4:{text}"
    meant = _MEANT.get(name)
    if meant is None and len(name) > 2:  # noqa: PLR2004 - shorter words are near everything
        close = difflib.get_close_matches(name[:16], _MECHANISMS, n=1, cutoff=0.7)
        meant = close[0] if close else None
    if meant == "redirect=":
        return f"redirect={rest.removeprefix(':')}" if rest.startswith(":") else None
    if meant is None or (meant == "all" and rest):
        return None
    return f"{meant}{rest.rstrip(',')}"


def near_miss(text: str) -> NearMiss | None:
    """Why a TXT record that looks like SPF is none to a receiver (RFC 7208 §4.5: exactly `v=spf1`, then a space)."""
    head = text[:64].lower()
    if "spf" not in head:
        return None
    stripped = text.strip()
    if _begins(r"spf2\.0/", stripped):  # RFC 4406, historic since RFC 6686
        wanted = _headed(r"spf2\.0/[a-z,]*", stripped)
        why = "it is Sender ID (spf2.0), which is given up"
        return NearMiss(text, why, wanted if _spf(wanted) else None, harmless=True)
    bare = html.unescape(stripped).replace("\\", "").replace('" "', "").strip("\"'“”„ \t")
    tests = (
        (stripped != text and _spf(stripped), "it begins with white space", stripped),
        (stripped != bare and _spf(bare), "quotation marks or escapes of a control panel were published with it", bare),
        (_begins(_SPACED, stripped), "white space stands inside v=spf1", _headed(r"v\s*=\s*spf1", stripped)),
        (_begins(r"v=spf1[^ ]", stripped), "no space follows v=spf1", _spaced(stripped)),
        (_begins(r"spf:? ?v=spf1\b", stripped), "something stands before v=spf1", _headed(r"spf:? ?v=spf1", stripped)),
        (_begins(r"spf1? ", stripped), "it begins with spf instead of v=spf1", _headed(r"spf1?", stripped)),
        (_begins(r"v:spf1", stripped), "it begins with v:spf1 instead of v=spf1", _headed(r"v:spf1", stripped)),
        (_begins(r"v=spf(?!1)", stripped), "its version is not spf1", None),
    )  # fmt: skip
    for hit, why, meant in tests:
        if hit:
            return NearMiss(text, why, meant if meant and _spf(meant) else None)
    return None


def _begins(pattern: str, text: str) -> bool:
    return re.match(pattern, text, re.IGNORECASE) is not None


def _headed(pattern: str, text: str) -> str:
    return re.sub(f"^(?:{pattern})", "v=spf1", text, count=1, flags=re.IGNORECASE)


def _spf(text: str) -> bool:
    return re.match(r"v=spf1( |$)", text, re.IGNORECASE | re.ASCII) is not None


def _spaced(text: str) -> str | None:
    """`v=spf1include:…` with its space; a version such as spf10 cannot be told."""
    rest = text[6:].lstrip("\t,;. ")
    if not rest or rest[0].isdigit():
        return None
    return f"v=spf1 {rest}"
