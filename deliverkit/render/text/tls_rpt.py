"""Area `tls-rpt` for people: the record, and where reports go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.model import shown
from deliverkit.report.tls_rpt import TlsRptReport

_MOST: Final = 12


def lines(facts: TlsRptReport, ascii: bool) -> Iterator[str]:  # noqa: A002 - as every area's
    """The area's facts, a line each; each line stands alone."""
    if not facts.records:
        yield "record     " + (f"could not be told: {shown(facts.unknown)}" if facts.unknown else "none")
    for record in facts.records[:4]:
        yield f"record     {shown(record)}"
    for uri in facts.rua[:_MOST]:
        yield f"reports    {shown(uri, 160)}"
    if len(facts.rua) > _MOST:
        yield f"  {'...' if ascii else '…'} and {len(facts.rua) - _MOST} more"
