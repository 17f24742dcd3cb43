"""Facts of area `tls-rpt`: where senders report failures of TLS (RFC 8460)."""

from __future__ import annotations

from deliverkit.facts.tree import Fact
from deliverkit.model import Answer


class TlsRptFacts(Fact, frozen=True, kw_only=True):
    """What a domain says of TLS reports."""

    domain: str
    records: Answer[tuple[str, ...]]
