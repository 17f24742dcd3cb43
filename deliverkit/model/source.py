"""DNS as code: the records that a file would publish, each with its place.

Names are lower-case A-labels, absolute, without the trailing dot. Lines and columns (in characters) count from 1.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from deliverkit.model.lookup import Rdata

SourceKind = Literal["zone", "octodns", "dnscontrol", "terraform"]
ProblemKind = Literal["syntax", "include", "unreadable", "generate"]


class Place(msgspec.Struct, frozen=True):
    """A place in a file; `path` relative to the working directory where it can be, with slashes."""

    path: str
    line: int
    column: int


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """A word of a record's data as the file writes it: escapes as they stand, the quotes taken off."""

    text: str
    place: Place
    quoted: bool = False


class SourceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record. `rdata` is None where its value cannot be told: `unknown` then says why."""

    name: str
    rdtype: str
    ttl: int | None = None
    rdata: Rdata | None = None
    text: str
    """The data as written, in presentation form, on one line."""
    place: Place
    """Where the record begins."""
    raw: str = ""
    """The line or lines as written."""
    unknown: str | None = None
    """Why the value is not known before it is applied."""
    owner: str = ""
    """The owner as written; "" where the file leaves it out."""
    words: tuple[Word, ...] = ()
    """The words of the data, where the format has words."""
    comment: str = ""
    """What stands behind the `;` on the line where the data ends."""
    origin: str = ""
    """What relative names stood under, as a name."""
    generated: bool = False
    """One of several that a single line makes."""
    last: int = 0
    """The line on which the record ends; 0: where it begins."""


class SourceProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be read."""

    place: Place
    message: str
    kind: ProblemKind = "syntax"
    text: str = ""
    """The line as written."""


class InlineIgnore(msgspec.Struct, frozen=True, kw_only=True):
    """`; deliverkit: ignore[RULE] until=2027-01-31 reason`: accepted at the lines `first` to `last` of its file."""

    rule: str
    place: Place
    first: int
    last: int
    reason: str | None = None
    expires: dt.date | None = None
    problem: str | None = None
    """What is wrong with the comment itself: a date that is none."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What one file, with what it includes, would publish."""

    path: str
    kind: SourceKind
    zones: tuple[str, ...] = ()
    """Where its zones begin."""
    records: tuple[SourceRecord, ...] = ()
    problems: tuple[SourceProblem, ...] = ()
    ignores: tuple[InlineIgnore, ...] = ()
    includes: tuple[str, ...] = ()
    """The files that it includes."""
    partial: bool = False
    """Whether the zone may hold more than the file: what is absent from it is not absent."""
    deleted: tuple[tuple[str, str], ...] = ()
    """Name and type of the record sets that applying a plan takes away."""
