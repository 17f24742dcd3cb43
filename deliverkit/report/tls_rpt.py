"""What the report says of area `tls-rpt`."""

from __future__ import annotations

import msgspec

from deliverkit.facts.tls_rpt import TlsRptFacts
from deliverkit.model import Unknown, clipped
from deliverkit.model.display import RECORDED

_MOST = 100


class TlsRptReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts as the contract names them."""

    record: str | None
    """The record that senders use; null where there is none, or several."""
    rua: tuple[str, ...]
    """Its addresses that reports can go to."""
    records: tuple[str, ...]
    """Every record that begins as one."""
    unknown: str | None
    """Why the record could not be told."""


def report(facts: TlsRptFacts) -> TlsRptReport:
    """The area's facts, flattened for readers."""
    record = facts.records[0] if len(facts.records) == 1 else None
    return TlsRptReport(
        record=clipped(record.text, RECORDED) if record else None,
        rua=tuple(clipped(uri.text, RECORDED) for uri in record.rua if uri.problem is None) if record else (),
        records=tuple(clipped(each.text, RECORDED) for each in facts.records[:_MOST]),
        unknown=facts.texts.why if isinstance(facts.texts, Unknown) else None,
    )
