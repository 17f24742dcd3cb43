"""Who speaks: a provider told by its host's name, by marks in its replies, or by the caller."""

from __future__ import annotations

import functools
import re
from typing import Final

import msgspec

from deliverkit.replies import tables
from deliverkit.replies.phrases import Searched, Words

_PRIVATE: Final = re.compile(r"[245]\.[0-9]\.[1-9][0-9]{2}", re.ASCII)
"""Enhanced codes with a detail of three digits: no registry has them, and Microsoft is who made them up."""


class Provider(msgspec.Struct, frozen=True):
    """A provider that `decode` knows: its slug, its name, and the suffixes of its hosts' names."""

    slug: str
    name: str
    hosts: tuple[str, ...]


@functools.cache
def providers() -> tuple[Provider, ...]:
    """Every provider, by slug."""
    entries = tables.provider_entries()
    return tuple(Provider(slug, entries[slug].name, entries[slug].hosts) for slug in sorted(entries))


@functools.cache
def _suffixes() -> dict[str, str]:
    return {suffix: slug for slug, entry in tables.provider_entries().items() for suffix in entry.hosts}


@functools.cache
def _names() -> dict[str, str]:
    known: dict[str, str] = {}
    for slug, entry in tables.provider_entries().items():
        for name in (slug, entry.name, *entry.also):
            known.setdefault(_plain(name), slug)
    return known


@functools.cache
def _marks() -> tuple[tuple[str, ...], Words]:
    entries = tables.provider_entries()
    return tuple(entries), Words((mark, at) for at, entry in enumerate(entries.values()) for mark in entry.marks)


def _plain(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())


def named(name: str) -> str | None:
    """The slug of a provider by any of its names ("Gmail", "Google", "Outlook.com"); None if nobody is called so."""
    return _names().get(_plain(name[:100]))


def provider_of(host: str) -> str | None:
    """The slug of the provider that runs `host`, by the longest suffix known; None where none is."""
    labels = host[:255].lower().strip().rstrip(".").split(".")
    for at in range(len(labels)):
        slug = _suffixes().get(".".join(labels[at:]))
        if slug:
            return slug
    return None


def marked(searched: Searched, enhanced: str | None) -> str | None:
    """The slug of the provider whose marks the text of a reply bears."""
    slugs, words = _marks()
    candidates = words.candidates(searched)
    for at in sorted(candidates):
        if any(map(searched.holds, candidates[at])):
            return slugs[at]
    if enhanced and _PRIVATE.fullmatch(enhanced):
        return "microsoft"
    return None
