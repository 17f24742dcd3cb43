"""Probes area `dane`: the TLSA records of every mail host."""

from __future__ import annotations

from collections.abc import Iterable

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.dane import DaneFacts, DaneHost
from deliverkit.model import Absent, Inputs


async def probe(inputs: Inputs, port: Recorder) -> DaneFacts:
    """Gather the area's facts: of every MX of the domain on port 25."""
    return DaneFacts(domain=inputs.domain, hosts=Absent("no host"))


async def probe_hosts(domain: str, hosts: Iterable[tuple[str, int]], port: Recorder) -> tuple[DaneHost, ...]:
    """The TLSA records of these hosts and ports, side by side; used by the `smtp` command too."""
    return ()
