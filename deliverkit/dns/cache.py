"""Each question once a run: a cache with single-flight, kept for all targets together.

Whoever asks what is being asked already waits for the same answer. A flight is a task of its own, so
that one waiter's deadline cancels nobody else's answer. Absence and failure are kept like the rest: a
run sees one world.
"""

from __future__ import annotations

import asyncio

from deliverkit.dns.port import Port, normal_name
from deliverkit.model import Lookup

Key = tuple[str, str, str | None]


class Cache:
    """A `Port` over another that asks nothing twice. Close it to end what is still in flight."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._flights: dict[Key, asyncio.Task[Lookup]] = {}
        self.lookups: dict[Key, Lookup] = {}
        """What was answered, by (name, rdtype, server asked directly or None)."""
        self.asked = 0
        """Questions passed on to the port."""

    async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
        """The one outcome of this question in this run."""
        key = (normal_name(name), rdtype, server)
        held = self.lookups.get(key)
        if held is not None:
            return held
        flight = self._flights.get(key)
        if flight is None:
            self.asked += 1
            flight = asyncio.create_task(self._fly(key))
            self._flights[key] = flight
        return await asyncio.shield(flight)

    async def _fly(self, key: Key) -> Lookup:
        name, rdtype, server = key
        try:
            lookup = await self._port.lookup(name, rdtype, server=server)
            self.lookups[key] = lookup
        finally:
            del self._flights[key]
        return lookup

    async def close(self) -> None:
        """Cancels the flights nobody waits for any more."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
