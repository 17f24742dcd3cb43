"""The deadline of one target, for every question asked on its behalf."""

from __future__ import annotations

import asyncio
import time

from deliverkit.dns.port import Port, normal_name
from deliverkit.model import Lookup, LookupOutcome


class Bounded:
    """A `Port` that answers UNKNOWN once the target's time is over, the question in flight included.

    `deadline` in `time.monotonic()` seconds; `seconds` is what the user gave, for the words.
    """

    def __init__(self, port: Port, deadline: float, seconds: float, *, server: str = "the resolver") -> None:
        self._port = port
        self._deadline = deadline
        self._seconds = seconds
        self._server = server

    async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
        """The port's outcome, or UNKNOWN at the deadline."""
        left = self._deadline - time.monotonic()
        try:
            if left > 0:
                async with asyncio.timeout(left):
                    return await self._port.lookup(name, rdtype, server=server)
        except TimeoutError:
            pass
        name = normal_name(name)
        return Lookup(
            name=name,
            rdtype=rdtype,
            outcome=LookupOutcome.UNKNOWN,
            server=server or self._server,
            attempts=0,
            why=(
                f"not answered within the {self._seconds:g} s given for this target: "
                f"{name or '.'} {rdtype} asked of {server or self._server}"
            ),
        )
