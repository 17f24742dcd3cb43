"""What the report says of area `dmarc`."""

from __future__ import annotations

import msgspec

from deliverkit.facts.dmarc import DmarcFacts


class DmarcReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts as the contract names them."""


def report(facts: DmarcFacts) -> DmarcReport:
    """The area's facts, flattened for readers."""
    return DmarcReport()
