"""Probes area `mx`: the records, each host's addresses, and what tells a parked domain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from deliverkit.dns import Port
from deliverkit.facts.mx import MxFacts, MxHost, SpecialAddress
from deliverkit.model import Absent, Address, Answer, Found, Inputs, Lookup, LookupOutcome, Mx, Note, Txt, Unknown
from deliverkit.records.mx_providers import mx_provider
from deliverkit.records.names import is_address, is_hostname, is_localhost, special_address

MAX_HOSTS = 50
"""Hosts whose addresses are asked for; of the others only the names are kept."""


async def probe(inputs: Inputs, port: Port) -> MxFacts:
    """Gather the area's facts of one domain: MX, TXT, A and AAAA side by side, the hosts right after the MX."""
    domain = inputs.domain
    (answer, hosts, total), txt, a, aaaa = await asyncio.gather(
        _mail_hosts(inputs, port), port.lookup(domain, "TXT"), port.lookup(domain, "A"), port.lookup(domain, "AAAA")
    )
    records = _records(answer)
    ipv4, ipv6 = _addresses(a), _addresses(aaaa)
    return MxFacts(
        domain=domain,
        expected=inputs.expected,
        records=records,
        hosts=Found(hosts) if isinstance(records, Found) else records,
        aliases=answer.aliases,
        ttl=answer.ttl,
        looped=Note.CNAME_LOOP in answer.notes,
        beside_alias=bool(answer.aliases)
        and any(other.outcome is LookupOutcome.FOUND and not other.aliases for other in (txt, a, aaaa)),
        ipv4=ipv4,
        ipv6=ipv6,
        special=() if inputs.allow_private else _special((ipv4, ipv6)),
        spf=_spf(txt),
        total=total,
    )


async def _mail_hosts(inputs: Inputs, port: Port) -> tuple[Lookup, tuple[MxHost, ...], int]:
    answer = await port.lookup(inputs.domain, "MX")
    best: dict[str, int] = {}
    for record in answer.records:
        if isinstance(record, Mx) and record.host:
            best[record.host] = min(record.preference, best.get(record.host, record.preference))
    order = sorted((preference, host) for host, preference in best.items())
    hosts = await asyncio.gather(
        *(
            _host(preference, host, port, skipped=n >= MAX_HOSTS, private=inputs.allow_private)
            for n, (preference, host) in enumerate(order)
        )
    )
    return answer, tuple(hosts), len(order)


async def _host(preference: int, host: str, port: Port, *, skipped: bool, private: bool) -> MxHost:
    provider = mx_provider(host)
    # A name that is an address in digits is never asked for, and never connected to as an address.
    literal = is_address(host)
    ipv4: Answer[tuple[str, ...]]
    ipv6: Answer[tuple[str, ...]]
    aliases: Answer[tuple[str, ...]]
    looped = False
    if literal or skipped or is_localhost(host):
        ipv4 = ipv6 = aliases = Absent(f"{host} was not looked up")
    else:
        a, aaaa = await asyncio.gather(port.lookup(host, "A"), port.lookup(host, "AAAA"))
        ipv4, ipv6, aliases = _addresses(a), _addresses(aaaa), _aliases(a, aaaa)
        looped = Note.CNAME_LOOP in (*a.notes, *aaaa.notes)
    return MxHost(
        preference=preference,
        host=host,
        literal=literal,
        hostname=is_hostname(host),
        ipv4=ipv4,
        ipv6=ipv6,
        aliases=aliases,
        looped=looped,
        special=() if private else _special((ipv4, ipv6)),
        provider=provider.name if provider else None,
        provider_kind=provider.kind.value if provider else None,
        redundant=bool(provider and provider.redundant),
        skipped=skipped,
    )


def _records(answer: Lookup) -> Answer[tuple[tuple[int, str], ...]]:
    match answer.of(Mx):
        case Found(records) if records:
            return Found(tuple(sorted((record.preference, record.host) for record in records)))
        case Found():
            return Absent(f"no MX record among the answers for {answer.name} MX")
        case other:
            return other


def _addresses(answer: Lookup) -> Answer[tuple[str, ...]]:
    """Sorted, each once: the order of an answer is no fact."""
    match answer.of(Address):
        case Found(records) if records:
            return Found(tuple(sorted({record.address for record in records})))
        case Found():
            return Absent(f"no address among the answers for {answer.name} {answer.rdtype}")
        case other:
            return other


def _aliases(*answers: Lookup) -> Answer[tuple[str, ...]]:
    """Whether a name is an alias: any answer tells, a failure only where it shows the chain."""
    for answer in answers:
        if answer.aliases:
            return Found(answer.aliases)
    for answer in answers:
        if answer.outcome is not LookupOutcome.UNKNOWN:
            return Found(())
    return Unknown(answers[0].why)


def _special(answers: Iterable[Answer[tuple[str, ...]]]) -> tuple[SpecialAddress, ...]:
    return tuple(
        SpecialAddress(address=address, kind=kind)
        for answer in answers
        if isinstance(answer, Found)
        for address in answer.value
        if (kind := special_address(address)) is not None
    )


def _spf(answer: Lookup) -> Answer[tuple[str, ...]]:
    """The records that RFC 7208 §4.5 selects."""
    match answer.of(Txt):
        case Found(records):
            chosen = tuple(
                sorted(r.text for r in records if r.text.lower() == "v=spf1" or r.text.lower().startswith("v=spf1 "))
            )
            return Found(chosen) if chosen else Absent(f"no SPF record at {answer.name}")
        case other:
            return other
