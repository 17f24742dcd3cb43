"""Files as a source of answers: what the DNS would say once they are published.

A name inside one of their zones is answered from them, absence included. What lies outside (another's name, one that is
delegated away) is asked of the port behind, if there is one: else the outcome is UNKNOWN, and `why` says `OUTSIDE`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Final

from msgspec.structs import replace

from deliverkit.dns.port import Port, name_error, normal_name
from deliverkit.dns.zone import CHAIN
from deliverkit.model import Host, Lookup, LookupOutcome, Note, Rdata, Txt
from deliverkit.model.source import Source, SourceRecord
from deliverkit.records.dmarc_psl import registrable_domain
from deliverkit.records.names import is_subdomain

OUTSIDE: Final = "outside the files"
_GLUE: Final = frozenset({"NS", "DS", "RRSIG", "NSEC", "NSEC3", "A", "AAAA"})
_ALIASES: Final = frozenset({"ALIAS", "ANAME", "FLATTEN"})


class Published:
    """The records of all sources. A `Port`."""

    def __init__(self, sources: Iterable[Source], behind: Port | None = None, *, partial: bool = False) -> None:
        self._behind = behind
        self._partial = partial
        self.zones: dict[str, Source] = {}
        """Where each zone begins, and the source it came from."""
        self.records: dict[tuple[str, str], list[SourceRecord]] = {}
        self.names: set[str] = set()
        """Every name that exists, the empty ones between included."""
        self._types: dict[str, set[str]] = {}
        self._lasting: set[str] = set()
        """Names at or below which there is more than a delegation leaves."""
        self.starts: dict[str, tuple[str, ...]] = {}
        """Where the zones of each source begin, by its path."""
        for source in sources:
            self.starts[source.path] = zones_of(source)
            for apex in self.starts[source.path]:
                self.zones.setdefault(apex, source)
                self._exists(apex)
            for record in source.records:
                self._add(record)

    def _add(self, record: SourceRecord) -> None:
        self.records.setdefault((record.name, record.rdtype), []).append(record)
        self._types.setdefault(record.name, set()).add(record.rdtype)
        self._exists(record.name)
        if record.rdtype not in _GLUE:
            _climb(record.name, self._lasting)

    def _exists(self, name: str) -> None:
        _climb(name, self.names)

    def types(self, name: str) -> set[str]:
        """The types of records at a name."""
        return self._types.get(name, set())

    def zone_of(self, name: str) -> str | None:
        """The zone a name is answered from; None: from none."""
        at = name
        while True:
            if at in self.zones:
                return at
            if "NS" in self._types.get(at, ()) and at not in self._lasting:
                return None
            if not at:
                return None
            at = at.partition(".")[2]

    def covers(self, name: str) -> bool:
        """Whether the name exists, by itself or by a wildcard."""
        return name in self.names or self._wildcard(name) is not None

    async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
        """What the files say, or the port behind."""
        name = normal_name(name)
        if problem := name_error(name):
            return Lookup(name=name, rdtype=rdtype, outcome=LookupOutcome.INVALID, why=f"{name} {problem}")
        owner, aliases = name, list[str]()
        while True:
            answer = self._answer(name, owner, rdtype, tuple(aliases))
            if isinstance(answer, Lookup):
                return answer
            if answer is None:
                return await self._beyond(name, owner, rdtype, tuple(aliases), server)
            owner = answer
            if owner in aliases or owner == name or len(aliases) >= CHAIN:
                why = f"a CNAME loop, or a chain of more than {CHAIN}, for {name} {rdtype}"
                return Lookup(
                    name=name,
                    rdtype=rdtype,
                    outcome=LookupOutcome.UNKNOWN,
                    aliases=tuple(aliases),
                    why=why,
                    notes=(Note.CNAME_LOOP,),
                )
            aliases.append(owner)

    def _answer(self, name: str, owner: str, rdtype: str, aliases: tuple[str, ...]) -> Lookup | str | None:
        """The outcome at `owner`; or the name that a CNAME there leads to; None where another is to say."""
        apex = self.zone_of(owner)
        if apex is None:
            return None
        source = self.zones[apex]
        base = Lookup(
            name=name,
            rdtype=rdtype,
            outcome=LookupOutcome.UNKNOWN,
            server=f"zone {source.path}",
            aliases=aliases,
            attempts=0,
        )
        held = owner if owner in self.names else self._wildcard(owner)
        found = self.records.get((held, rdtype)) if held is not None else None
        alias = self.records.get((held, "CNAME")) if held is not None and not found else None
        for record in found or alias or ():
            if record.unknown is not None:
                return replace(base, why=f"{record.place.path}:{record.place.line}: {record.unknown}")
        if found:
            values: tuple[Rdata, ...] = tuple(dict.fromkeys(r.rdata for r in found if r.rdata is not None))
            return replace(
                base,
                outcome=LookupOutcome.FOUND,
                ttl=next((record.ttl for record in found if record.ttl is not None), None),
                records=values,
                rcode="NOERROR",
            )
        if alias and isinstance(alias[0].rdata, Host):
            return alias[0].rdata.name
        flattened = held is not None and rdtype in ("A", "AAAA") and not _ALIASES.isdisjoint(self.types(held))
        if flattened or self._partial or source.partial:
            return None
        exists = held is not None
        what = "no such records" if exists else "NXDOMAIN"
        return replace(
            base,
            outcome=LookupOutcome.NODATA if exists else LookupOutcome.NXDOMAIN,
            rcode="NOERROR" if exists else "NXDOMAIN",
            why=f"{what} in {source.path} for {name or '.'} {rdtype}",
        )

    async def _beyond(self, name: str, owner: str, rdtype: str, aliases: tuple[str, ...], server: str | None) -> Lookup:
        if self._behind is None:
            return Lookup(
                name=name,
                rdtype=rdtype,
                outcome=LookupOutcome.UNKNOWN,
                aliases=aliases,
                attempts=0,
                why=f"{owner or '.'} {rdtype} is {OUTSIDE}",
            )
        answer = await self._behind.lookup(owner, rdtype, server=server)
        return replace(answer, name=name, aliases=(*aliases, *answer.aliases)[: CHAIN + 1])

    def _wildcard(self, name: str) -> str | None:
        """The wildcard that covers a name which does not exist (RFC 4592 §3.3.1)."""
        while name:
            name = name.partition(".")[2]
            if name in self.names or not name:
                wildcard = f"*.{name}" if name else "*"
                return wildcard if wildcard in self.names else None
        return None


def _climb(name: str, into: set[str]) -> None:
    while name not in into:
        into.add(name)
        if not name:
            break
        name = name.partition(".")[2]


def zones_of(source: Source) -> tuple[str, ...]:
    """Where the zones of a source begin: what it says, else the `$ORIGIN`s, else the outermost names that hold mail."""
    said = dict.fromkeys(zone for zone in source.zones if zone)
    if said and "" not in source.zones:
        return tuple(said)
    # A file that begins at the root is a collection of zones: nobody but the root's operators publishes that one.
    rooted = "" in source.zones
    candidates = {_start(record, rooted=rooted) for record in source.records if not _below(record.name, said)} - {""}
    found = dict(said)
    for name in sorted(candidates, key=lambda name: (name.count("."), name)):
        if not _below(name, found):
            found[name] = None
    return tuple(found)


def _below(name: str, zones: Container[str]) -> bool:
    """Whether a name lies at or below one of these."""
    while name:
        if name in zones:
            return True
        name = name.partition(".")[2]
    return False


def _start(record: SourceRecord, *, rooted: bool) -> str:
    origin = record.origin
    if not rooted and origin and is_subdomain(record.name, origin) and registrable_domain(origin) is not None:
        return origin
    labels = record.name.split(".")
    while labels and (labels[0].startswith("_") or labels[0] == "*" or "._" in ".".join(labels)):
        labels = labels[1:]
    return ".".join(labels)


def is_spf(record: SourceRecord) -> bool:
    """Whether this is an SPF record (RFC 7208 §4.5)."""
    if not isinstance(record.rdata, Txt):
        return False
    return record.rdata.raw[:7].lower() in {b"v=spf1", b"v=spf1 "}
