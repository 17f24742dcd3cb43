"""What the report says of area `dkim`."""

from __future__ import annotations

import msgspec

from deliverkit.facts.dkim import DkimFacts


class DkimReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts as the contract names them."""


def report(facts: DkimFacts) -> DkimReport:
    """The area's facts, flattened for readers."""
    return DkimReport()
