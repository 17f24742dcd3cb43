"""Facts of area `dnssec`: whether a domain is signed, and whether the chain holds (RFC 4033)."""

from __future__ import annotations

from deliverkit.facts.tree import Fact


class DnssecFacts(Fact, frozen=True, kw_only=True):
    """What a validating resolver says of a domain."""

    domain: str
