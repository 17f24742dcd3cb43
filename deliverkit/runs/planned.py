"""The DNS as it will be once files are published: their records in front of a port, and what a plan deletes gone.

A zone that is signed today is taken for signed then: what the files say of it comes as validated.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from deliverkit.dns.port import Port, normal_name
from deliverkit.model import Lookup, LookupOutcome
from deliverkit.model.source import Source
from deliverkit.runs.options import RunError
from deliverkit.sources import SourceError, read
from deliverkit.sources.answers import Published

_OURS = "zone "
"""How an answer from a file names its server."""


def read_sources(paths: Sequence[Path]) -> tuple[Source, ...]:
    """The files, none of which may hold what cannot be read. Raises `RunError`."""
    found: list[Source] = []
    for path in paths:
        try:
            source = read(path)
        except SourceError as error:
            raise RunError(str(error)) from error
        if source.problems:
            first = min(source.problems, key=lambda problem: (problem.place.line, problem.place.column))
            others = f" (and {len(source.problems) - 1} more: deliverkit lint tells all)" if source.problems[1:] else ""
            place = f"{first.place.path}:{first.place.line}:{first.place.column}"
            raise RunError(f"{place}: {first.message}{others}")
        found.append(source)
    return tuple(found)


class Planned:
    """What will be published, in front of what is. A `Port`."""

    def __init__(self, sources: Sequence[Source], behind: Port, *, partial: bool = False) -> None:
        deleted = {pair for source in sources for pair in source.deleted}
        self._behind = behind
        self._published = Published(sources, _Without(behind, deleted) if deleted else behind, partial=partial)

    def holds(self, name: str) -> bool:
        """Whether a name is answered from the files, or stands in them (where it is delegated away)."""
        return self._published.zone_of(name) is not None or name in self._published.names

    async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
        """What the files say, else the port behind."""
        lookup = await self._published.lookup(name, rdtype, server=server)
        if not lookup.server.startswith(_OURS) or lookup.outcome is LookupOutcome.UNKNOWN:
            return lookup
        apex = self._published.zone_of(lookup.aliases[-1] if lookup.aliases else lookup.name)
        if apex is None:
            return lookup
        today = await self._behind.lookup(apex, "SOA")
        if today.authenticated:
            return replace(lookup, authenticated=True)
        # Known not to be signed: the answer is as that server's is, of whom it can be told whether it validates.
        known = today.server if today.outcome is not LookupOutcome.UNKNOWN and rdtype != "TXT" else ""
        return replace(lookup, server=known or lookup.server)


class _Without:
    """A port without the record sets that a plan deletes."""

    def __init__(self, port: Port, deleted: set[tuple[str, str]]) -> None:
        self._port = port
        self._deleted = deleted

    async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
        """The port's outcome, or that there is no such record any more."""
        if (normal_name(name), rdtype) not in self._deleted:
            return await self._port.lookup(name, rdtype, server=server)
        return Lookup(
            name=normal_name(name),
            rdtype=rdtype,
            outcome=LookupOutcome.NODATA,
            server="the plan",
            rcode="NOERROR",
            why=f"the plan deletes {name} {rdtype}",
            attempts=0,
        )
