"""Where to dial: the hosts of a target and their addresses.

What the user typed is always connected to. An address that the DNS named for a mail host is connected to only
where a stranger could reach it, unless `--allow-private` is typed.
"""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Final

import msgspec

from deliverkit.dns.options import connected, parse_connect_to
from deliverkit.dns.port import Port
from deliverkit.model import Absent, Address, Answer, Found, Host, Inputs, LookupOutcome, Mx, Note, Sessions, Unknown
from deliverkit.probes.smtp_calls import MX_PORT, Place
from deliverkit.records.names import is_address, is_hostname, is_localhost, special_address

MOST_HOSTS: Final = 10
"""Mail hosts that are dialled, the preferred first."""
MOST_ADDRESSES: Final = 4
"""Addresses of each family that are dialled."""
_LOOPBACK: Final = ("127.0.0.1", "::1")


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """What became of looking for one host."""

    addresses: Answer[tuple[str, ...]]
    places: tuple[Place, ...] = ()
    refused: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    missing: str | None = None
    """Why addresses of one family could not be told though those of the other could."""


async def mail_hosts(domain: str, port: Port) -> Answer[tuple[str, ...]]:
    """The hosts that take a domain's mail, the preferred first (RFC 5321 §5.1); Absent where there are none."""
    answer = await port.lookup(domain, "MX")
    if answer.outcome is LookupOutcome.UNKNOWN or Note.CNAME_LOOP in answer.notes:
        return Unknown(answer.why)
    if answer.outcome is LookupOutcome.NXDOMAIN:
        return Absent(answer.why, nxdomain=True)
    best: dict[str, int] = {}
    for record in answer.records:
        if isinstance(record, Mx):
            best[record.host] = min(record.preference, best.get(record.host, record.preference))
    if not best:
        # No MX: the domain itself, where it has an address (the implicit MX).
        itself = await _resolved(domain, port, ipv4=True, ipv6=True)
        if isinstance(itself[0], Found):
            return Found((domain,))
        if isinstance(itself[0], Absent):
            return Absent(f"{domain} takes no mail: it has neither MX nor address", nxdomain=itself[0].nxdomain)
        return itself[0]
    hosts = tuple(host for _, host in sorted((preference, host) for host, preference in best.items()) if host)
    return Found(hosts) if hosts else Absent(f"{domain} takes no mail: its MX is null (RFC 7505)")


async def places(inputs: Inputs, sessions: Sessions, host: str, port: Port) -> Where:
    """Where each port of a host is reached."""
    table = parse_connect_to(inputs.connect_to)
    ports = (MX_PORT,) if sessions.by_mx else sessions.ports
    typed = not sessions.by_mx
    if not typed and (is_address(host) or is_localhost(host) or not is_hostname(host)):
        return Where(addresses=Absent(f"{host} is no name that mail is delivered to"))
    found: list[Place] = []
    names = {number: connected(table, host, number) for number in ports}
    asked = {name: await _looked_up(name, inputs, sessions, port) for name in {at for at, _ in names.values()}}
    refused: dict[str, None] = {}
    skipped: dict[str, None] = {}
    for number, (at, dial_port) in names.items():
        redirected = at != host
        addresses, _ = asked[at]
        if not isinstance(addresses, Found):
            continue
        count: dict[int, int] = {}
        for address in addresses.value:
            if not typed and not redirected and not inputs.allow_private and special_address(address) is not None:
                refused[address] = None
                continue
            version = ipaddress.ip_address(address).version
            count[version] = count.get(version, 0) + 1
            if count[version] > MOST_ADDRESSES:
                skipped[address] = None
                continue
            found.append(Place(host=host, port=number, address=address, dial_port=dial_port, redirected=at != host))
    of, missing = asked[host] if host in asked else next(iter(asked.values()))
    return Where(
        addresses=of,
        places=tuple(sorted(found, key=lambda place: (_order(place.address), place.port))),
        refused=tuple(refused),
        skipped=tuple(skipped),
        missing=missing,
    )


async def _looked_up(
    name: str, inputs: Inputs, sessions: Sessions, port: Port
) -> tuple[Answer[tuple[str, ...]], str | None]:
    """The addresses of a name that may be an address itself, of the families that are dialled."""
    ipv4, ipv6 = inputs.ipv4, inputs.ipv6
    if sessions.source_address is not None:
        version = ipaddress.ip_address(sessions.source_address).version
        ipv4, ipv6 = ipv4 and version == 4, ipv6 and version == 6  # noqa: PLR2004 - the families
    literal = (name,) if is_address(name) else _LOOPBACK if is_localhost(name) else ()
    if literal:
        kept = tuple(
            address
            for address in literal
            if (ipv4 if ipaddress.ip_address(address).version == 4 else ipv6)  # noqa: PLR2004
        )
        return Found(kept) if kept else Absent(f"{name} is of the address family that is not used"), None
    found, missing = await _resolved(name, port, ipv4=ipv4, ipv6=ipv6)
    if isinstance(found, Absent) and not found.nxdomain and not (ipv4 and ipv6):
        # What our own options leave out is no fault of the host's.
        others, _ = await _resolved(name, port, ipv4=not ipv4, ipv6=not ipv6)
        if not isinstance(others, Absent):
            wanted, other = ("IPv4", "IPv6") if ipv4 else ("IPv6", "IPv4")
            found = Unknown(f"{name} has no {wanted} address, and {other} is left out (-4, -6 or --source-address)")
    return found, missing


async def _resolved(name: str, port: Port, *, ipv4: bool, ipv6: bool) -> tuple[Answer[tuple[str, ...]], str | None]:
    """IPv4 before IPv6, each in the order of its number; and why one family is missing."""
    kinds = [kind for kind, wanted in (("A", ipv4), ("AAAA", ipv6)) if wanted]
    lookups = await asyncio.gather(*(port.lookup(name, kind) for kind in kinds))
    found: dict[str, None] = {}
    unknown: list[str] = []
    absent: list[Absent] = []
    for lookup in lookups:
        match lookup.of(Address):
            case Found(records):
                found.update(dict.fromkeys(sorted((record.address for record in records), key=_order)))
            case Unknown(why):
                unknown.append(why)
            case Absent() as nothing:
                absent.append(nothing)
    if found:
        return Found(tuple(found)), unknown[0] if unknown else None
    if unknown:
        return Unknown(unknown[0]), None
    return absent[0] if absent else Absent(f"{name} has no address"), None


def _order(address: str) -> tuple[int, int]:
    made = ipaddress.ip_address(address)
    return made.version, int(made)


async def pointed(address: str, port: Port) -> Answer[tuple[str, ...]]:
    """The names that the PTR records of an address give."""
    answer = (await port.lookup(ipaddress.ip_address(address).reverse_pointer, "PTR")).of(Host)
    if not isinstance(answer, Found):
        return answer
    return Found(tuple(sorted({record.name for record in answer.value})))
