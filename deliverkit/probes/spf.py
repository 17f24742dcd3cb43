"""Probes area `spf`: the world to facts."""

from __future__ import annotations

from deliverkit.dns import Port
from deliverkit.facts.spf import SpfFacts
from deliverkit.model import Inputs


async def probe(inputs: Inputs, port: Port) -> SpfFacts:
    """Gather the area's facts of one domain."""
    return SpfFacts()
