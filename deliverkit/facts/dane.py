"""Facts of area `dane`: the TLSA records of a domain's mail hosts (RFC 7672)."""

from __future__ import annotations

from deliverkit.facts.tree import Fact
from deliverkit.model import Absent, Answer, Found
from deliverkit.records.tlsa import Tlsa


class DaneHost(Fact, frozen=True, kw_only=True):
    """One host and port, and its TLSA records."""

    domain: str = ""
    """The domain whose mail it takes, or the host itself."""
    host: str
    port: int
    name: str
    """`_25._tcp.mx.example.com`, where the records are or would be."""
    records: Answer[tuple[Tlsa, ...]]
    total: int = 0
    """Records published, read or not: a hostile set has hundreds."""
    secure: Answer[bool]
    """Whether DNSSEC secures what DANE rests on: the host's addresses, and the TLSA records or their denial. Unknown:
    the resolver does not validate, or the answer did not come."""
    addresses_secure: Answer[bool]
    """Of the host's addresses alone. Where they are not, senders do not ask for TLSA at all (RFC 7672 §2.2.2)."""
    aliases: tuple[str, ...] = ()
    """The names that a CNAME at the host leads through."""
    bogus: bool = False
    """The TLSA answer fails validation while the addresses' does not."""

    @property
    def published(self) -> tuple[Tlsa, ...]:
        """The records, empty where there are none or nobody could tell."""
        return self.records.value if isinstance(self.records, Found) else ()

    @property
    def usable(self) -> tuple[Tlsa, ...]:
        """Those that SMTP clients use."""
        return tuple(record for record in self.published if record.usable)

    @property
    def protected(self) -> bool:
        """Whether senders authenticate this host by DANE: usable records that DNSSEC secures."""
        return bool(self.usable) and self.secure == Found(True)


class DaneFacts(Fact, frozen=True, kw_only=True):
    """The hosts that take a domain's mail, or the one host asked about."""

    domain: str
    hosts: Answer[tuple[DaneHost, ...]]
    by_mx: bool = False
    """The hosts are those of MX records, not the name itself."""
    mx_secure: Answer[bool] = Absent("there is no MX")
    """Whether DNSSEC secures the MX records: else whoever forges them names hosts of his own (RFC 7672 §2.2.1)."""
    skipped: int = 0
    """Hosts beyond those that were looked up."""
    misplaced: Answer[tuple[str, tuple[Tlsa, ...]]] = Absent("no such records")
    """TLSA records at the domain itself, where nobody asks for them, as (name, records)."""
