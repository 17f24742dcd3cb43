"""Facts of area `dns`."""

from __future__ import annotations

from deliverkit.facts.tree import Fact


class DnsFacts(Fact, frozen=True, kw_only=True):
    """What is known of the area."""
