"""What a damaged DMARC record was meant to be: near misses recognised, and the corrected text.

Damage comes from tools that quote, escape or encode a record once too often, and from hands. Each kind
has a name, so that a finding can say what happened. Nothing here raises.
"""

from __future__ import annotations

import difflib
import html
import re
from typing import Final

import msgspec

from deliverkit.records.dmarc import POLICIES, REMOVED, DmarcRecord, is_dmarc, parse_dmarc

MAX_TEXT: Final = 4096
"""Characters of a text that are looked at: no DMARC record in use has half of it."""

_LIKE: Final = re.compile(r"dmarc|(?:^|[;\s\"'])p\s*=\s*(?:none|quarantine|reject)", re.IGNORECASE)
_ENCODED: Final = re.compile(r"&(?:quot|semi|amp|equals|apos|colon|#[0-9]{1,4}|#x[0-9a-f]{1,4});?", re.IGNORECASE)
_QUOTES: Final = "\"'`“”„‘’«»"
_STRAY_SPACE: Final = re.compile("[\u00a0\u2000-\u200b\u202f\u2060\u3000\ufeff]")
_VERSION: Final = re.compile(
    r"^[\s;,]*(?:v\s*[=:]?\s*)?dmarc\s*[-_. ]?\s*1?(?:\.0)?(?![a-z0-9=])[\s;,:.]*", re.IGNORECASE
)
_VERSION_TAG: Final = re.compile(r"(?:^|;)\s*v\s*=\s*dmarc\s*1\s*(?=;|\Z)", re.IGNORECASE)
_NEXT_TAG: Final = re.compile(r"[\s,]+(?=(?:p|sp|np|psd|t|adkim|aspf|fo|rua|ruf|pct|rf|ri)\s*=)")


class Damage(msgspec.Struct, frozen=True):
    """What happened to a record: `kind` is quoted, escaped, html, space or version.

    `repaired` is the record that was meant, or None where that cannot be told.
    """

    kind: str
    repaired: str | None


def looks_like_dmarc(text: str) -> bool:
    """Whether a text that receivers do not take for a DMARC record was plainly meant to be one."""
    return _LIKE.search(text[:MAX_TEXT]) is not None


def damage_of(text: str) -> Damage | None:
    """What is wrong with a text meant as a DMARC record; None where it is no such text, or is sound."""
    if len(text) > MAX_TEXT or not looks_like_dmarc(text):
        return None
    current, kind = text, ""
    for name, mend in (("html", _unencoded), ("escaped", _unescaped), ("quoted", _unquoted), ("space", _unspaced)):
        mended = mend(current)
        if mended != current:
            # Quotes that are escaped too are quotes: \"v=DMARC1; p=none\"
            kind = name if not kind or (name == "quoted" and kind == "escaped") else kind
            current = mended
    if not is_dmarc(current):
        kind = kind or "version"
        current = _versioned(current)
    if not kind or current == text:
        return None
    return Damage(kind, corrected(parse_dmarc(current)) if is_dmarc(current) else None)


def without_empty_tags(text: str) -> str:
    """The text with each run of semicolons as one."""
    return re.sub(r";[\s;]*;", ";", text[:MAX_TEXT])


def corrected(record: DmarcRecord, **changes: str | None) -> str | None:
    """The record as it should be published, or None where its policy cannot be told.

    Tags stand in their order, each once; what cannot be read is left out. `changes` sets tags; None drops one.
    """
    policy = changes.get("p") or record.p or _meant(record)
    if policy is None:
        if not record.recovered:
            return None
        policy = "none"
    kept: dict[str, str] = {"p": policy}
    for tag in record.tags:
        name = tag.name.lower()
        if name in kept or name == "v" or name in REMOVED:
            continue
        value = _sound(record, name, tag.value)
        if value:
            kept[name] = value
    for name, new in changes.items():
        if name == "p":
            continue
        if new is None:
            kept.pop(name, None)
        else:
            kept[name] = new
    return "v=DMARC1; " + "; ".join(f"{name}={value}" for name, value in kept.items())


def mended(record: DmarcRecord, *, mailbox: str | None, **changes: str | None) -> str | None:
    """The record with all mended that may be mended without asking the owner; policies stay as they are.

    As `corrected`, and each report address once, no `fo` without `ruf`, and `rua` to `mailbox` (an address) where
    no report goes to anyone. `changes` has the last word. Every finding about one record gives this one, so that
    whoever follows one of them need not combine it with the rest.
    """
    harmless: dict[str, str | None] = {}
    for name, uris in (("rua", record.rua), ("ruf", record.ruf)):
        first: dict[str, str] = {}
        for uri in uris:
            if uri.corrected:
                first.setdefault(uri.corrected.lower(), uri.corrected)
        harmless[name] = ",".join(first.values()) or None
    if harmless["rua"] is None and mailbox:
        harmless["rua"] = f"mailto:{mailbox}"
    if harmless["ruf"] is None:
        harmless["fo"] = None
    return corrected(record, **(harmless | changes))


def _meant(record: DmarcRecord) -> str | None:
    """The policy that a misspelt `p=` comes closest to."""
    tag = record.tag("p")
    if tag is None:
        return None
    close = difflib.get_close_matches(tag.value[:32].lower(), POLICIES, n=1)
    return close[0] if close else None


def _sound(record: DmarcRecord, name: str, value: str) -> str | None:
    """The value of a tag as it should stand; None to leave the tag out."""
    if name in {"rua", "ruf"}:
        uris = (uri.corrected for uri in (record.rua if name == "rua" else record.ruf))
        return ",".join(dict.fromkeys(uri for uri in uris if uri)) or None
    if name in {"sp", "np"}:
        held = record.sp if name == "sp" else record.np
        close = difflib.get_close_matches(value[:32].lower(), POLICIES, n=1)
        return held or (close[0] if close else None)
    allowed = {"psd": r"[ynu]", "t": r"[yn]", "adkim": r"[rs]", "aspf": r"[rs]", "fo": r"[01ds](?:\s*:\s*[01ds])*"}
    if name in allowed:
        return value.lower() if re.fullmatch(allowed[name], value.lower()) else None
    # A tag nobody knows helps nobody, and one whose name is none breaks the list.
    return None


def _unencoded(text: str) -> str:
    return html.unescape(text) if _ENCODED.search(text) else text


def _unescaped(text: str) -> str:
    return re.sub(r"\\+(?=[;\"'=:,@ ]|\Z)", "", text)


def _unquoted(text: str) -> str:
    if not any(quote in text for quote in _QUOTES):
        return text
    # "one part" "another": the strings of a zone file, joined as it joins them.
    joined = re.sub(r"\"\s+\"", "", text.strip())
    return "".join(char for char in joined if char not in _QUOTES)


def _unspaced(text: str) -> str:
    plain = _STRAY_SPACE.sub(" ", text)
    return plain.strip() if plain != text or (text != text.lstrip() and not is_dmarc(text)) else text


def _versioned(text: str) -> str:
    """The text with its version where it belongs, and semicolons between its tags."""
    if tag := _VERSION_TAG.search(text):
        rest = text[: tag.start()] + text[tag.end() :]
    elif start := _VERSION.match(text):
        rest = text[start.end() :]
    else:
        rest = text
    rest = rest.strip(" \t\r\n;,")
    if not re.match(r"[a-z]{1,5}\s*=", rest, re.IGNORECASE):
        return text
    return "v=DMARC1; " + (rest if ";" in rest else _NEXT_TAG.sub("; ", rest))
