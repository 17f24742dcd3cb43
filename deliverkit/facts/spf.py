"""Facts of area `spf`."""

from __future__ import annotations

from deliverkit.facts.tree import Fact


class SpfFacts(Fact, frozen=True, kw_only=True):
    """What is known of the area."""
