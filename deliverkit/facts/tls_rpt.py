"""Facts of area `tls-rpt`: where senders report failures of TLS (RFC 8460)."""

from __future__ import annotations

from deliverkit.facts.tree import Fact
from deliverkit.model import Absent, Answer
from deliverkit.records.tls_rpt import TlsRptRecord


class TlsRptFacts(Fact, frozen=True, kw_only=True):
    """What a domain says of TLS reports."""

    domain: str
    hosts: Answer[tuple[str, ...]] = Absent("not asked for")
    """The hosts that take the domain's mail; Absent: it takes none."""
    texts: Answer[tuple[str, ...]] = Absent("not asked for")
    """Every TXT record at `_smtp._tls`, whatever it is."""
    records: tuple[TlsRptRecord, ...] = ()
    """Those that senders recognise."""

    @property
    def name(self) -> str:
        """Where the record stands."""
        return f"_smtp._tls.{self.domain}"
