"""What the report says of area `dane`."""

from __future__ import annotations

import msgspec

from deliverkit.facts.dane import DaneFacts


class DaneReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts."""

    hosts: tuple[str, ...]


def report(facts: DaneFacts) -> DaneReport:
    """The area's facts, flattened for readers."""
    return DaneReport(hosts=())
