"""Facts of area `mx`: where a domain's mail goes."""

from __future__ import annotations

from deliverkit.facts.tree import Fact
from deliverkit.model import Absent, Answer, Expected, Found, Unknown


class SpecialAddress(Fact, frozen=True, kw_only=True):
    """An address that no stranger can reach; `kind` is `loopback`, `private` and so on."""

    address: str
    kind: str


class MxHost(Fact, frozen=True, kw_only=True):
    """One host of the MX records, with its addresses.

    A host that is an address in digits (`literal`) or one after the first fifty is not looked up: its
    addresses are then `Absent`.
    """

    preference: int
    host: str
    """As published: A-labels, lower case, no trailing dot."""
    literal: bool = False
    hostname: bool = True
    """Whether it obeys the syntax of host names (RFC 1123 §2.1)."""
    ipv4: Answer[tuple[str, ...]]
    ipv6: Answer[tuple[str, ...]]
    aliases: Answer[tuple[str, ...]]
    """The names a CNAME leads through, empty where the host is no alias."""
    looped: bool = False
    """Those CNAMEs come back to themselves."""
    special: tuple[SpecialAddress, ...] = ()
    provider: str | None = None
    provider_kind: str | None = None
    redundant: bool = False
    """One name of the provider stands for many machines."""
    skipped: bool = False
    """Beyond the cap, hence not looked up."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses that are known, IPv4 first."""
        return tuple(
            address for answer in (self.ipv4, self.ipv6) if isinstance(answer, Found) for address in answer.value
        )

    @property
    def resolves(self) -> bool | None:
        """Whether it has an address; None where that could not be told."""
        if self.addresses:
            return True
        if isinstance(self.ipv4, Unknown) or isinstance(self.ipv6, Unknown):
            return None
        return False


class MxFacts(Fact, frozen=True, kw_only=True):
    """Where the domain's mail goes."""

    domain: str
    expected: Expected = Expected()
    records: Answer[tuple[tuple[int, str], ...]]
    """Every MX record as (preference, host), sorted, "" for the root (RFC 7505); exact duplicates kept."""
    hosts: Answer[tuple[MxHost, ...]]
    """The hosts that are not the root, each once with its best preference, sorted by (preference, host)."""
    aliases: tuple[str, ...] = ()
    """The names a CNAME at the domain itself leads through."""
    looped: bool = False
    """Those CNAMEs come back to themselves."""
    beside_alias: bool = False
    """Other data stands beside that CNAME, which RFC 1034 §3.6.2 forbids."""
    ttl: int | None = None
    ipv4: Answer[tuple[str, ...]]
    """The domain's own addresses, by which mail goes where there is no MX (RFC 5321 §5.1)."""
    ipv6: Answer[tuple[str, ...]]
    special: tuple[SpecialAddress, ...] = ()
    """Of the domain's own addresses."""
    spf: Answer[tuple[str, ...]]
    """The domain's SPF records: a domain is told to be parked, or to send, by them."""
    total: int = 0
    """Distinct hosts published, whether looked up or not."""

    @property
    def null(self) -> bool:
        """A null MX and nothing else: the domain takes no mail (RFC 7505)."""
        return (
            isinstance(self.records, Found) and bool(self.records.value) and {h for _, h in self.records.value} == {""}
        )

    @property
    def addresses(self) -> tuple[str, ...]:
        """The domain's own addresses that are known."""
        return tuple(
            address for answer in (self.ipv4, self.ipv6) if isinstance(answer, Found) for address in answer.value
        )

    @property
    def implicit(self) -> bool:
        """No MX, but an address that stands for one (RFC 5321 §5.1)."""
        return isinstance(self.records, Absent) and bool(self.addresses)


def denies_all(spf: tuple[str, ...]) -> bool:
    """Whether the SPF records are one bare `v=spf1 -all`: the domain sends nothing."""
    return len(spf) == 1 and spf[0].lower().split()[1:] == ["-all"]


def may_send(spf: tuple[str, ...]) -> bool:
    """Whether an SPF record names anybody who may send: a mechanism that passes, or a redirect."""
    return any(
        not term.startswith(("-", "~", "?", "exp=")) for record in spf for term in record.lower().split()[1:] if term
    )
