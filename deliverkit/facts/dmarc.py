"""Facts of area `dmarc`."""

from __future__ import annotations

from deliverkit.facts.tree import Fact


class DmarcFacts(Fact, frozen=True, kw_only=True):
    """What is known of the area."""
