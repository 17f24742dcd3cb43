"""What the report says of area `tls-rpt`."""

from __future__ import annotations

import msgspec

from deliverkit.facts.tls_rpt import TlsRptFacts


class TlsRptReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts as the contract names them."""

    record: str | None
    rua: tuple[str, ...]


def report(facts: TlsRptFacts) -> TlsRptReport:
    """The area's facts, flattened for readers."""
    return TlsRptReport(record=None, rua=())
