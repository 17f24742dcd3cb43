"""Facts of area `mx`."""

from __future__ import annotations

from deliverkit.facts.tree import Fact


class MxFacts(Fact, frozen=True, kw_only=True):
    """What is known of the area."""
