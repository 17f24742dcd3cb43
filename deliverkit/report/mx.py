"""What the report says of area `mx`."""

from __future__ import annotations

import msgspec

from deliverkit.facts.mx import MxFacts, MxHost
from deliverkit.model import Answer, Found, Unknown


class SpecialReport(msgspec.Struct, frozen=True, kw_only=True):
    """An address that no stranger can reach, and of what kind it is."""

    address: str
    kind: str


class MxHostReport(msgspec.Struct, frozen=True, kw_only=True):
    """One mail host. `unknown` says what could not be told of its addresses."""

    preference: int
    host: str
    addresses: tuple[str, ...]
    aliases: tuple[str, ...]
    provider: str | None
    special: tuple[SpecialReport, ...]
    unknown: tuple[str, ...]


class MxReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts as the contract names them.

    `null` is true for a null MX alone (RFC 7505), null where the MX could not be told. `implicit` says that
    mail goes to the domain's own `addresses` for want of an MX (RFC 5321 §5.1).
    """

    null: bool | None
    hosts: tuple[MxHostReport, ...]
    implicit: bool
    addresses: tuple[str, ...]
    aliases: tuple[str, ...]
    providers: tuple[str, ...]
    ttl: int | None
    hosts_published: int
    unknown: str | None


def report(facts: MxFacts) -> MxReport:
    """The area's facts, flattened for readers."""
    hosts = facts.hosts.value if isinstance(facts.hosts, Found) else ()
    unknown = isinstance(facts.records, Unknown)
    return MxReport(
        null=None if unknown else facts.null,
        hosts=tuple(_host(host) for host in hosts),
        implicit=facts.implicit,
        addresses=facts.addresses,
        aliases=facts.aliases,
        providers=tuple(dict.fromkeys(host.provider for host in hosts if host.provider)),
        ttl=facts.ttl,
        hosts_published=facts.total,
        unknown=facts.records.why if isinstance(facts.records, Unknown) else None,
    )


def _host(host: MxHost) -> MxHostReport:
    return MxHostReport(
        preference=host.preference,
        host=host.host,
        addresses=host.addresses,
        aliases=host.aliases.value if isinstance(host.aliases, Found) else (),
        provider=host.provider,
        special=tuple(SpecialReport(address=item.address, kind=item.kind) for item in host.special),
        unknown=tuple(dict.fromkeys(_why(host.ipv4) + _why(host.ipv6))),
    )


def _why(answer: Answer[tuple[str, ...]]) -> tuple[str, ...]:
    return (answer.why,) if isinstance(answer, Unknown) else ()
