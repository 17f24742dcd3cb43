"""Probes area `dmarc`: the world to facts."""

from __future__ import annotations

from deliverkit.dns import Port
from deliverkit.facts.dmarc import DmarcFacts
from deliverkit.model import Inputs


async def probe(inputs: Inputs, port: Port) -> DmarcFacts:
    """Gather the area's facts of one domain."""
    return DmarcFacts()
