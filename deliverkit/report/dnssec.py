"""What the report says of area `dnssec`."""

from __future__ import annotations

import msgspec

from deliverkit.facts.dnssec import DnssecFacts


class DnssecReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts."""

    status: str | None


def report(facts: DnssecFacts) -> DnssecReport:
    """The area's facts, flattened for readers."""
    return DnssecReport(status=None)
