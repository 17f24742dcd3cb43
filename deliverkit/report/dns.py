"""What the report says of area `dns`."""

from __future__ import annotations

import msgspec

from deliverkit.facts.dns import DnsFacts


class DnsReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts as the contract names them."""


def report(facts: DnsFacts) -> DnsReport:
    """The area's facts, flattened for readers."""
    return DnsReport()
