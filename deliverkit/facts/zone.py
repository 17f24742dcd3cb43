"""Facts of area `zone`: what a file says as it is written, before anything is published."""

from __future__ import annotations

from deliverkit.facts.tree import Fact
from deliverkit.model.source import SourceKind, SourceProblem, SourceRecord


class ZoneSet(Fact, frozen=True, kw_only=True):
    """The records of one name and type, in the order written, duplicates kept."""

    name: str
    rdtype: str
    kind: SourceKind
    apex: str | None
    """The zone it belongs to; None: to none of the files'."""
    records: tuple[SourceRecord, ...]
    unmet: frozenset[str] = frozenset()
    """Names inside the zones that these records lead to and no file holds."""
    pointed_at: bool = False
    """Whether an alias, or an SPF record, of the files leads to this name."""
    right_name: bool = False
    """Whether the name at which a record like this is looked for holds one."""


class ZoneName(Fact, frozen=True, kw_only=True):
    """A name and all that stands at it."""

    name: str
    apex: str | None
    sets: tuple[ZoneSet, ...]


class ZoneProblem(Fact, frozen=True, kw_only=True):
    """What could not be read."""

    problem: SourceProblem


class ZoneFile(Fact, frozen=True, kw_only=True):
    """One file as a whole."""

    path: str
    kind: SourceKind
    apexes: tuple[str, ...]
    """Where its SOA records stand."""
    records: int
    outside: tuple[SourceRecord, ...] = ()
    """Records that lie outside the one zone of the file."""
    unread: tuple[ZoneProblem, ...] = ()
    first: SourceRecord | None = None
    partial: bool = False


class ZoneFacts(Fact, frozen=True, kw_only=True):
    """What the files say of a target: its names, and the files that begin with it."""

    names: tuple[ZoneName, ...] = ()
    files: tuple[ZoneFile, ...] = ()
