"""`--resolver authoritative`: each zone's own name servers, asked directly.

The zone of a name and the addresses of its servers are found through an ordinary resolver; the question
itself goes to those servers without recursion. Where a CNAME leads out of the answer, the resolver goes on.
"""

from __future__ import annotations

import asyncio
from typing import Final

from deliverkit.dns.port import Port, normal_name
from deliverkit.model import Address, Found, Host, Lookup, LookupOutcome

SERVERS: Final = 4
"""Addresses of one zone that are tried before giving up."""
_NAMES: Final = 8


class Authoritative:
    """A `Port` over one with a resolver behind it."""

    def __init__(self, behind: Port, *, ipv4: bool = True, ipv6: bool = True) -> None:
        self._behind = behind
        self._types = tuple(kind for kind, wanted in (("A", ipv4), ("AAAA", ipv6)) if wanted)

    async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
        """The outcome of the first of the zone's servers that has one."""
        name = normal_name(name)
        if server is not None:
            return await self._behind.lookup(name, rdtype, server=server)
        # DS records stand in the zone above (RFC 4035 §2.4).
        zone = name.partition(".")[2] if rdtype == "DS" else name
        servers = await self._servers(zone)
        if isinstance(servers, Lookup):
            if servers.outcome is not LookupOutcome.UNKNOWN:
                return await self._behind.lookup(name, rdtype)
            return Lookup(
                name=name,
                rdtype=rdtype,
                outcome=LookupOutcome.UNKNOWN,
                server=servers.server,
                why=f"the name servers of {name or '.'} could not be found: {servers.why}",
            )
        last: Lookup | None = None
        for address in servers[:SERVERS]:
            last = await self._behind.lookup(name, rdtype, server=address)
            if last.outcome is not LookupOutcome.UNKNOWN:
                return last
        return last or Lookup(
            name=name,
            rdtype=rdtype,
            outcome=LookupOutcome.UNKNOWN,
            why=f"no address of a name server to ask for {name or '.'} {rdtype}",
        )

    async def _servers(self, name: str) -> list[str] | Lookup:
        """Addresses of the deepest zone that encloses the name, in a fixed order; else the lookup that failed."""
        while True:
            lookup = await self._behind.lookup(name, "NS")
            if lookup.outcome is LookupOutcome.FOUND and not lookup.aliases:
                break
            if lookup.outcome in (LookupOutcome.UNKNOWN, LookupOutcome.INVALID) or not name:
                return lookup
            name = name.partition(".")[2]
        hosts = sorted(record.name for record in lookup.records if isinstance(record, Host))[:_NAMES]
        found = await asyncio.gather(*(self._behind.lookup(host, rdtype) for rdtype in self._types for host in hosts))
        addresses: list[str] = []
        for answer in found:
            match answer.of(Address):
                case Found(records):
                    addresses += sorted(record.address for record in records)
        return list(dict.fromkeys(addresses))
