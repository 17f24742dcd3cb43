"""Probes area `mx`: the world to facts."""

from __future__ import annotations

from deliverkit.dns import Port
from deliverkit.facts.mx import MxFacts
from deliverkit.model import Inputs


async def probe(inputs: Inputs, port: Port) -> MxFacts:
    """Gather the area's facts of one domain."""
    return MxFacts()
