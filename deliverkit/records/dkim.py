"""A DKIM key record, read with positions (RFC 6376 §3.6.1, RFC 8301, RFC 8463).

    v=DKIM1; k=rsa; h=sha256; s=email; t=y:s; n=a note; p=<base64>

Only p= is required. Unknown tags, flags, hashes and service types are ignored, a tag that stands twice
makes the whole list invalid (§3.2), and a v= other than DKIM1 makes verifiers discard the record.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from deliverkit.records.dkim_key import Key, decode_key
from deliverkit.records.taglist import Tag, TagError, TagList, parse_tags

MAX_TEXT: Final = 65_535
KEY_TYPES: Final = ("rsa", "ed25519")
_SPACE: Final = re.compile(r"\s+")
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/=\s]|=(?=\s*[^=\s])")
# What makes a text at a selector worth reading as a key, damaged or not.
_LIKE: Final = re.compile(
    r"(?i)dkim1|(?:^|[;\s\"'])p\s*(?:=|&#|&eq|%3d)|MI[GHI][A-Za-z0-9+/]{20}|PRIVATE KEY|PUBLIC KEY"
)


class KeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A key record as verifiers read it. `key` is None where p= is missing, empty or of an unknown type."""

    text: str
    tags: TagList
    version: str | None
    version_first: bool
    """False where v= stands, but not first (§3.6.1: MUST be the first tag)."""
    key_type: str
    p: str | None
    """p= without white space; "" is a revoked key, None a record without p=."""
    hashes: tuple[str, ...] | None
    services: tuple[str, ...] | None
    flags: tuple[str, ...]
    notes: str | None
    key: Key | None
    errors: tuple[TagError, ...]

    @property
    def revoked(self) -> bool:
        """An empty p= (§3.6.1)."""
        return self.p == ""

    @property
    def testing(self) -> bool:
        """t=y: the domain is testing DKIM."""
        return "y" in self.flags

    @property
    def strict(self) -> bool:
        """t=s: i= may not be a subdomain of d=."""
        return "s" in self.flags


def looks_like_key(text: str) -> bool:
    """Whether a TXT record at a selector is meant as a DKIM key, however damaged."""
    return bool(_LIKE.search(text[:MAX_TEXT]))


def parse_key_record(text: str) -> KeyRecord:
    """`text` read as a key record; what is wrong stands in `errors`, each with its place. Never raises."""
    tags = parse_tags(text)
    # A note is for people (§3.6.1 n=): verifiers do not look at its characters.
    notes = tags.first("n")
    errors = [e for e in tags.errors if notes is None or not _within(e, notes)]
    version = tags.first("v")
    if version is not None and version.value != "DKIM1":
        errors.append(TagError("a version that verifiers discard: it must be DKIM1", *_span(version)))
    k = tags.first("k")
    key_type = k.value if k is not None and k.value else "rsa"
    tag = tags.first("p")
    compact = None if tag is None else _SPACE.sub("", tag.value)
    key = None
    if tag is None:
        errors.append(TagError("the record has no p=, and so no key", len(text), len(text)))
    elif compact and key_type in KEY_TYPES:
        key = decode_key(key_type, compact)
        if key.problem is not None:
            errors.append(_key_error(tag, key))
    return KeyRecord(
        text=text,
        tags=tags,
        version=None if version is None else version.value,
        version_first=version is None or tags.tags[0] is version,
        key_type=key_type,
        p=compact,
        hashes=_list(tags.first("h")),
        services=_list(tags.first("s")),
        flags=_list(tags.first("t")) or (),
        notes=None if notes is None else notes.value,
        key=key,
        errors=tuple(sorted(errors, key=lambda error: error.start)),
    )


def _within(error: TagError, tag: Tag) -> bool:
    return tag.value_span[0] <= error.start < tag.value_span[1]


def _span(tag: Tag) -> tuple[int, int]:
    """The value, or where there is none the whole tag."""
    low, high = tag.value_span
    return (low, high) if low < high else (tag.name_span[0], high)


def _key_error(tag: Tag, key: Key) -> TagError:
    low, high = tag.value_span
    if bad := _NOT_BASE64.search(tag.value):
        return TagError("not base64: this character cannot stand in p=", low + bad.start(), low + bad.start() + 1)
    if key.missing:
        lacking = f"{key.missing} octet{'s' if key.missing > 1 else ''}"
        return TagError(f"the key {key.problem}: {lacking} are missing after this", high, high)
    return TagError(f"the key {key.problem}", low, high)


def _list(tag: Tag | None) -> tuple[str, ...] | None:
    """A colon-separated value; None where the tag is not there."""
    if tag is None:
        return None
    return tuple(part.strip() for part in tag.value.split(":") if part.strip())


def written(record: KeyRecord, p: str) -> str:
    """The record anew, v= first, with `p` as its key and its other tags kept, white space in values dropped."""
    parts = ["v=DKIM1"]
    seen = {"v", "p"}
    kind = record.tags.first("k")
    if kind is None and record.key_type != "rsa":
        parts.append(f"k={record.key_type}")
    for tag in record.tags.tags:
        if tag.name in seen or not re.fullmatch(r"[a-z][a-z0-9_]*", tag.name):
            continue
        seen.add(tag.name)
        value = tag.value if tag.name == "n" else _SPACE.sub("", tag.value)
        parts.append(f"{tag.name}={value}")
    parts.append(f"p={p}")
    return "; ".join(parts)
