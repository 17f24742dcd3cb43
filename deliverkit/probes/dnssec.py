"""Probes area `dnssec`: what a validating resolver says of the domain, its DS and its keys."""

from __future__ import annotations

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.dnssec import DnssecFacts
from deliverkit.model import Inputs


async def probe(inputs: Inputs, port: Recorder) -> DnssecFacts:
    """Gather the area's facts of one domain."""
    await port.lookup(inputs.domain, "DNSKEY")
    return DnssecFacts(domain=inputs.domain)
