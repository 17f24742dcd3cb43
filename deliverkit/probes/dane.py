"""Probes area `dane`: the TLSA records of every mail host.

RFC 7672 rests on three answers, each secured by DNSSEC: the MX (§2.2.1), the host's addresses (§2.2.2), and the
TLSA records or their denial. All that can be asked at once is asked at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.dane import DaneFacts, DaneHost
from deliverkit.model import Absent, Answer, Found, Inputs, Lookup, LookupOutcome, Mx, Note, Other, Unknown
from deliverkit.probes.secured import ROOT, secured, validates
from deliverkit.records.names import is_address, is_localhost
from deliverkit.records.tlsa import Tlsa, parse_tlsa

PORT: Final = 25
MAX_HOSTS: Final = 20
"""Hosts whose TLSA records are asked for."""
MAX_RECORDS: Final = 100
"""Records of one set that are read."""


async def probe(inputs: Inputs, port: Recorder) -> DaneFacts:
    """Gather the area's facts: of every MX of the domain on port 25, or of the name itself where it has none."""
    domain = inputs.domain
    (mx, hosts), root, a, aaaa, own = await asyncio.gather(
        _by_mx(domain, port),
        port.lookup(*ROOT),
        port.lookup(domain, "A"),
        port.lookup(domain, "AAAA"),
        port.lookup(_name(domain), "TLSA"),
    )
    if mx.outcome is LookupOutcome.UNKNOWN:
        return DaneFacts(domain=domain, hosts=Unknown(mx.why), by_mx=True, mx_secure=Unknown(mx.why))
    if mx.outcome is LookupOutcome.FOUND:
        names = _names(mx)
        return DaneFacts(
            domain=domain,
            hosts=Found(hosts) if names else Absent("the MX names no host: the domain takes no mail"),
            by_mx=True,
            mx_secure=secured([mx], validating=validates([mx, root, own])),
            skipped=max(0, len(names) - MAX_HOSTS),
            misplaced=Absent("the domain is its own mail host") if domain in names else _misplaced(own),
        )
    # TLSA records without an address are nobody's, and yet what was asked about.
    if any(lookup.outcome in (LookupOutcome.FOUND, LookupOutcome.UNKNOWN) for lookup in (a, aaaa, own)):
        return DaneFacts(domain=domain, hosts=Found(await probe_hosts(domain, [(domain, PORT)], port)))
    return DaneFacts(domain=domain, hosts=Absent(f"{domain} has neither an MX nor an address"))


async def _by_mx(domain: str, port: Recorder) -> tuple[Lookup, tuple[DaneHost, ...]]:
    mx = await port.lookup(domain, "MX")
    return mx, await probe_hosts(domain, [(host, PORT) for host in _names(mx)[:MAX_HOSTS]], port)


def _names(mx: Lookup) -> list[str]:
    """The hosts that MX records name, by name; what is no name of a host is told by area `mx`."""
    found = {record.host for record in mx.records if isinstance(record, Mx)}
    return sorted(host for host in found if host and not is_address(host) and not is_localhost(host))


async def probe_hosts(domain: str, hosts: Iterable[tuple[str, int]], port: Recorder) -> tuple[DaneHost, ...]:
    """The TLSA records of these hosts and ports, side by side; used by the `smtp` command too."""
    return tuple(await asyncio.gather(*(_host(domain, host, number, port) for host, number in hosts)))


async def _host(domain: str, host: str, number: int, port: Recorder) -> DaneHost:
    if is_address(host):
        why = f"{host} is an address, and has no TLSA records"
        return DaneHost(
            domain=domain, host=host, port=number, name=host, records=Absent(why), secure=Absent(why),
            addresses_secure=Absent(why),
        )  # fmt: skip
    a, aaaa, tlsa, root = await asyncio.gather(
        port.lookup(host, "A"), port.lookup(host, "AAAA"), port.lookup(_name(host, number), "TLSA"), port.lookup(*ROOT)
    )
    aliases = a.aliases or aaaa.aliases
    validating = validates([a, aaaa, tlsa, root])
    if aliases and secured([a, aaaa], validating=validating) != Found(False):
        # RFC 7672 §2.2.2: of an alias first the name it leads to, then the alias itself.
        expanded = await port.lookup(_name(aliases[-1], number), "TLSA")
        if expanded.outcome is LookupOutcome.FOUND or tlsa.outcome is not LookupOutcome.FOUND:
            tlsa = expanded
    addresses = _addresses(a, aaaa, validating=validating)
    return DaneHost(
        domain=domain,
        host=host,
        port=number,
        name=tlsa.name,
        records=_records(tlsa),
        total=len(tlsa.records),
        secure=_both(addresses, secured([tlsa], validating=validating)),
        addresses_secure=addresses,
        aliases=aliases,
        bogus=Note.BOGUS in tlsa.notes and Note.BOGUS not in (*a.notes, *aaaa.notes),
    )


def _name(host: str, number: int = PORT) -> str:
    return f"_{number}._tcp.{host}"


def _addresses(a: Lookup, aaaa: Lookup, *, validating: bool | None) -> Answer[bool]:
    """By the addresses that there are, else by their denial; one of the two may have been lost."""
    found = [lookup for lookup in (a, aaaa) if lookup.outcome is LookupOutcome.FOUND]
    known = [lookup for lookup in (a, aaaa) if lookup.outcome is not LookupOutcome.UNKNOWN]
    return secured(found or known or [a], validating=validating)


def _both(addresses: Answer[bool], records: Answer[bool]) -> Answer[bool]:
    for answer in (addresses, records):
        if answer == Found(False):
            return answer
    return next((answer for answer in (addresses, records) if not isinstance(answer, Found)), Found(True))


def _records(lookup: Lookup) -> Answer[tuple[Tlsa, ...]]:
    match lookup.of(Other):
        case Found(records) if records:
            return Found(tuple(parse_tlsa(text) for text in sorted({record.text for record in records})[:MAX_RECORDS]))
        case Found():
            return Absent(f"no TLSA record among the answers for {lookup.name}")
        case other:
            return other


def _misplaced(lookup: Lookup) -> Answer[tuple[str, tuple[Tlsa, ...]]]:
    match _records(lookup):
        case Found(records):
            return Found((lookup.name, records))
        case Absent(why, nxdomain):
            return Absent(why, nxdomain)
        case other:
            return other
