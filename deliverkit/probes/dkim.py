"""Probes area `dkim`: the world to facts."""

from __future__ import annotations

from deliverkit.dns import Port
from deliverkit.facts.dkim import DkimFacts
from deliverkit.model import Inputs


async def probe(inputs: Inputs, port: Port) -> DkimFacts:
    """Gather the area's facts of one domain."""
    return DkimFacts()
