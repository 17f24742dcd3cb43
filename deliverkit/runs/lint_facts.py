"""The tree of a target of which only the files are known."""

from __future__ import annotations

from deliverkit.facts.domain import DomainFacts
from deliverkit.facts.zone import ZoneFacts
from deliverkit.model import Absent, Found, Inputs


def files_alone(target: str, facts: ZoneFacts, now: float) -> DomainFacts:
    """What files say, and nothing of what the DNS would."""
    gone = Absent("no mail domain")
    return DomainFacts(
        inputs=Inputs(domain=target, areas=("zone",)),
        now=now,
        existence=Found(target),
        dns=gone,
        mx=gone,
        spf=gone,
        dkim=gone,
        dmarc=gone,
        zone=Found(facts),
    )
