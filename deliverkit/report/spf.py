"""What the report says of area `spf`."""

from __future__ import annotations

import msgspec

from deliverkit.facts.spf import SpfFacts


class SpfReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts as the contract names them."""


def report(facts: SpfFacts) -> SpfReport:
    """The area's facts, flattened for readers."""
    return SpfReport()
