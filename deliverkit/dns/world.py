"""A `.world`: zone text with words for faults, held in memory and asked as a port.

Beside ordinary master-file lines (RFC 1035 §5) a line may hold a fault in the place of data:

    broken.example.   SERVFAIL          ; every type at and below this name
    _dmarc.example.   TXT TIMEOUT       ; this type at this name
    AD                                  ; every answer comes as validated

Faults: SERVFAIL REFUSED TIMEOUT BOGUS MALFORMED TRUNCATED. What is not in the world is NXDOMAIN.
`$ORIGIN` defaults to the root, the TTL to 3600.
"""

from __future__ import annotations

from typing import Final

from deliverkit.dns.port import normal_name
from deliverkit.dns.zone import FAULTS, Beyond, Zones
from deliverkit.dns.zonetext import ZoneError
from deliverkit.model import Lookup

__all__ = ["FAULTS", "SERVER", "World", "WorldError"]

SERVER: Final = "192.0.2.53"
"""The address a world's answers are said to come from (RFC 5737)."""


class WorldError(ValueError):
    """The text is not a world."""


class World:
    """Zone text and faults in memory. A `Port`."""

    def __init__(self, text: str) -> None:
        self._zones = Zones()
        self.asked: list[tuple[str, str]] = []
        """Each question asked, in order: tests count them."""
        try:
            self._zones.read(text, source="world", apex="")
        except ZoneError as error:
            raise WorldError(str(error)) from error

    async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
        """The world's answer; `server` is only named in it."""
        name = normal_name(name)
        self.asked.append((name, rdtype))
        answer = self._zones.resolve(name, rdtype, server=server or SERVER)
        if isinstance(answer, Beyond):  # the world begins at the root: nothing is beyond it
            raise AssertionError(answer)  # noqa: TRY004 - no type of the caller's
        return answer
