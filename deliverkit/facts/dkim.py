"""Facts of area `dkim`."""

from __future__ import annotations

from deliverkit.facts.tree import Fact


class DkimFacts(Fact, frozen=True, kw_only=True):
    """What is known of the area."""
