"""What the report says of area `mta-sts`."""

from __future__ import annotations

import msgspec

from deliverkit.facts.mta_sts import MtaStsFacts


class MtaStsReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts as the contract names them."""

    id: str | None
    mode: str | None
    mx: tuple[str, ...]
    max_age: int | None


def report(facts: MtaStsFacts) -> MtaStsReport:
    """The area's facts, flattened for readers."""
    return MtaStsReport(id=None, mode=None, mx=(), max_age=None)
