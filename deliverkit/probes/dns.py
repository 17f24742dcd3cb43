"""Probes area `dns`: the world to facts."""

from __future__ import annotations

from deliverkit.dns import Port
from deliverkit.facts.dns import DnsFacts
from deliverkit.model import Inputs


async def probe(inputs: Inputs, port: Port) -> DnsFacts:
    """Gather the area's facts of one domain."""
    return DnsFacts()
