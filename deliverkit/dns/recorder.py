"""Keeps every question and its outcome: the evidence of one target."""

from __future__ import annotations

from deliverkit.dns.port import Port, normal_name
from deliverkit.model import Lookup


class Recorder:
    """A `Port` that remembers what went through it, each question once."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self.lookups: dict[tuple[str, str, str | None], Lookup] = {}
        """By (name, rdtype, server asked directly or None), in the order first answered."""

    async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
        """The port's outcome, remembered; a question asked again gets the same outcome."""
        key = (normal_name(name), rdtype, server)
        if key in self.lookups:
            return self.lookups[key]
        lookup = await self._port.lookup(name, rdtype, server=server)
        return self.lookups.setdefault(key, lookup)
