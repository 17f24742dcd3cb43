"""What the report says of area `mx`."""

from __future__ import annotations

import msgspec

from deliverkit.facts.mx import MxFacts


class MxReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts as the contract names them."""


def report(facts: MxFacts) -> MxReport:
    """The area's facts, flattened for readers."""
    return MxReport()
