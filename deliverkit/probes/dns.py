"""Probes area `dns`: the world to facts."""

from __future__ import annotations

from deliverkit.dns.recorder import Recorder
from deliverkit.facts.dns import DnsFacts
from deliverkit.model import Inputs


async def probe(inputs: Inputs, port: Recorder) -> DnsFacts:
    """What was odd in the answers that the other areas got; runs after them."""
    return DnsFacts()
