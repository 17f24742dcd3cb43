"""The way to a domain: its MX hosts in order, their addresses, and what TLS with each has to be (RFC 5321 §5.1).

Null MX (RFC 7505) and a domain that does not exist are final; a question that was not answered is temporary. MTA-STS in
enforce mode takes hosts out that its policy does not cover (RFC 8461 §5), DANE makes a host impossible whose TLSA
records cannot be told (RFC 7672 §2.1.1). Addresses that no stranger can reach are not connected to, unless typed.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from deliverkit.delivery.request import SendRequest
from deliverkit.dns.options import connected, parse_connect_to
from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.dane import DaneHost
from deliverkit.facts.mta_sts import PolicyFacts
from deliverkit.model import (
    Address,
    Delivered,
    Demand,
    Found,
    Hop,
    Inputs,
    Lookup,
    LookupOutcome,
    Mode,
    Mx,
    Unknown,
)
from deliverkit.probes import dane, mta_sts
from deliverkit.probes.secured import ROOT, secured, validates
from deliverkit.records.names import is_address, is_hostname, is_localhost, special_address
from deliverkit.records.tlsa import Tlsa

MX_PORT: Final = 25
SMTPS: Final = 465
SUBMISSION: Final = 587
MOST_HOSTS: Final = 5
MOST_ADDRESSES: Final = 2
"""Of each family of a host."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """The hops to one domain, in the order they are tried; without any, what that means and why."""

    domain: str
    recipients: tuple[str, ...]
    hops: tuple[Hop, ...] = ()
    by: str = "mx"
    """`mx`, `implicit-mx`, `literal` or `server`."""
    outcome: Delivered | None = None
    """Where there is no hop."""
    reply: bytes = b""
    """The reply that a mail server gives its own user for it, in the words of the RFC that defines its code."""
    why: str = ""
    mta_sts: str = "none"
    """`none`, `enforce`, `testing`, or `unknown: ` and why."""
    dane: str = "none"
    """`secured`, `none`, or `unknown: ` and why."""
    notes: tuple[str, ...] = ()
    """Hosts left out, and why."""


async def routes(request: SendRequest, port: Recorder, now: float) -> tuple[Route, ...]:
    """One route for each domain among the recipients, in their order; one for all where a server was named."""
    if request.server is not None:
        recipients = tuple(mailbox.address for mailbox in request.recipients)
        return (await _by_server(request, request.server, recipients, port),)
    groups: dict[str, list[str]] = {}
    for mailbox in request.recipients:
        groups.setdefault(mailbox.domain, []).append(mailbox.address)
    found = await asyncio.gather(
        *(_by_domain(request, domain, tuple(recipients), port, now) for domain, recipients in groups.items())
    )
    return tuple(found)


async def _by_server(request: SendRequest, host: str, recipients: tuple[str, ...], port: Recorder) -> Route:
    number = request.port or _usual_port(request)
    found = await _reached(request, host, number, port)
    demand = _typed(request)
    hops = tuple(
        Hop(host=host, address=address, port=number, dial_port=found.dial_port, mode=request.mode, demand=demand)
        for address in found.addresses
    )
    route = Route(domain=host, recipients=recipients, hops=hops, by="server")
    if hops:
        return route
    unknown = found.unknown is not None
    return msgspec.structs.replace(
        route,
        outcome=Delivered.DEFERRED if unknown else Delivered.FAILED,
        why=found.unknown or found.absent or f"{host} has no address",
    )


def _usual_port(request: SendRequest) -> int:
    if request.mode is Mode.IMPLICIT:
        return SMTPS
    return SUBMISSION if request.user is not None else MX_PORT


def _typed(request: SendRequest) -> Demand:
    if request.require_tls:
        return Demand(source="requiretls", tls=True, verified=True, words="REQUIRETLS")
    if request.mode in (Mode.STARTTLS, Mode.IMPLICIT):
        return Demand(source="typed", tls=True, words=f"--tls {request.mode.value}")
    return Demand()


async def _by_domain(
    request: SendRequest, domain: str, recipients: tuple[str, ...], port: Recorder, now: float
) -> Route:
    route = Route(domain=domain, recipients=recipients)
    if domain.startswith("["):
        address = domain.strip("[]").removeprefix("IPv6:").removeprefix("ipv6:")
        _, dial_port = connected(parse_connect_to(request.connect_to), address, MX_PORT)
        hop = Hop(host=address, address=address, dial_port=dial_port, mode=request.mode, demand=_typed(request))
        return msgspec.structs.replace(route, hops=(hop,), by="literal")
    mx = await port.lookup(domain, "MX")
    hosts, ended = _hosts(domain, mx)
    if ended is not None:
        outcome, reply, why = ended
        return msgspec.structs.replace(route, outcome=outcome, reply=reply, why=why)
    implicit = not mx.records or mx.outcome is LookupOutcome.NODATA
    chosen = hosts[:MOST_HOSTS]
    policy, secure, mx_secure, found = await asyncio.gather(
        _policy(request, domain, port, now),
        _tlsa(domain, [host for _, host in chosen], port),
        _mx_secure(mx, port, implicit=implicit),
        asyncio.gather(*(_reached(request, host, MX_PORT, port) for _, host in chosen)),
    )
    route = msgspec.structs.replace(
        route,
        by="implicit-mx" if implicit else "mx",
        mta_sts=policy.said,
        dane=_dane_said(secure, mx_secure),
        notes=(f"{len(hosts) - MOST_HOSTS} hosts are beyond the first {MOST_HOSTS}",) if hosts[MOST_HOSTS:] else (),
    )
    if request.require_tls and not (mx_secure and not implicit) and policy.said != "enforce":
        why = f"REQUIRETLS wants the MX of {domain} secured by DNSSEC or MTA-STS (RFC 8689 §4.2.1): neither is"
        return msgspec.structs.replace(route, outcome=Delivered.FAILED, why=why)
    return _assembled(request, route, chosen, found, policy, secure if mx_secure else {}, implicit=implicit)


def _hosts(domain: str, mx: Lookup) -> tuple[tuple[tuple[int, str], ...], tuple[Delivered, bytes, str] | None]:
    """The hosts with their preferences, the preferred first; or what ends the delivery here (RFC 5321 §5.1)."""
    match mx.outcome:
        case LookupOutcome.UNKNOWN:
            return (), (Delivered.DEFERRED, b"451 4.4.3 the mail hosts cannot be looked up now", mx.why)
        case LookupOutcome.NXDOMAIN | LookupOutcome.INVALID:
            return (), (Delivered.REFUSED, b"550 5.1.2 the domain does not exist", mx.why)
        case LookupOutcome.NODATA:
            return ((0, domain),), None
    best: dict[str, int] = {}
    for record in mx.records:
        if isinstance(record, Mx):
            best[record.host] = min(record.preference, best.get(record.host, record.preference))
    named = sorted((preference, host) for host, preference in best.items() if host)
    if not named and best:
        why = f"{domain} takes no mail: its MX is null (RFC 7505)"
        return (), (Delivered.REFUSED, b"556 5.1.10 the domain takes no mail: its MX is null", why)
    return tuple(named) or ((0, domain),), None


class _Policy(msgspec.Struct, frozen=True):
    said: str
    facts: PolicyFacts | None = None


async def _policy(request: SendRequest, domain: str, port: Recorder, now: float) -> _Policy:
    inputs = Inputs(
        domain=domain,
        areas=("mx", "mta-sts"),
        connect_to=request.connect_to,
        allow_private=request.allow_private,
        ipv4=request.ipv4,
        ipv6=request.ipv6,
    )
    facts = await mta_sts.probe(inputs, port, now)
    if isinstance(facts.texts, Unknown):
        return _Policy(f"unknown: {facts.texts.why}")
    valid = [record for record in facts.records if record.valid]
    if len(facts.records) != 1 or not valid:
        # RFC 8461 §3.1: anything but one sound record is none.
        return _Policy("none")
    if isinstance(facts.policy, Unknown):
        return _Policy(f"unknown: {facts.policy.why}")
    if not isinstance(facts.policy, Found) or not facts.policy.value.valid:
        return _Policy("none: the policy that its record announces cannot be had")
    policy = facts.policy.value
    return _Policy(policy.mode or "none", policy if policy.mode in ("enforce", "testing") else None)


async def _tlsa(domain: str, hosts: Sequence[str], port: Recorder) -> dict[str, DaneHost]:
    usable = [host for host in hosts if not is_address(host) and not is_localhost(host)]
    found = await dane.probe_hosts(domain, [(host, MX_PORT) for host in usable], port)
    return {one.host: one for one in found}


async def _mx_secure(mx: Lookup, port: Recorder, *, implicit: bool) -> bool:
    root = await port.lookup(*ROOT)
    return implicit or secured([mx], validating=validates([mx, root])) == Found(True)


def _dane_said(hosts: dict[str, DaneHost], mx_secure: bool) -> str:
    if mx_secure and any(host.protected for host in hosts.values()):
        return "secured"
    unknown = next((host.secure.why for host in hosts.values() if isinstance(host.secure, Unknown)), None)
    return f"unknown: {unknown}" if unknown is not None else "none"


class _Reached(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses of one host that are connected to."""

    addresses: tuple[str, ...] = ()
    dial_port: int = MX_PORT
    unknown: str | None = None
    absent: str | None = None
    private: tuple[str, ...] = ()
    narrowed: bool = False
    """One address family is left out by our own options."""


async def _reached(request: SendRequest, host: str, number: int, port: Recorder) -> _Reached:
    table = parse_connect_to(request.connect_to)
    at, dial_port = connected(table, host, number)
    typed = at != host or request.server is not None
    ipv4, ipv6 = _families(request)
    if is_localhost(at) and typed:
        found = tuple(address for address, used in (("127.0.0.1", ipv4), ("::1", ipv6)) if used)
        return _Reached(addresses=found, dial_port=dial_port)
    if is_address(at):
        if not typed:
            return _Reached(absent=f"{host} is an address, and no name of a host: an MX may not name one")
        wanted = ipv4 if ipaddress.ip_address(at).version == 4 else ipv6  # noqa: PLR2004 - the family
        why = f"{at} is of the address family that is left out"
        return _Reached(addresses=(at,), dial_port=dial_port) if wanted else _Reached(absent=why)
    if not is_hostname(at) or is_localhost(at):
        return _Reached(absent=f"{at} is no name that mail is delivered to")
    kinds = [kind for kind, used in (("A", ipv4), ("AAAA", ipv6)) if used]
    lookups = await asyncio.gather(*(port.lookup(at, kind) for kind in kinds))
    found_here = _sorted_out(lookups, dial_port, strangers=not typed and not request.allow_private)
    return msgspec.structs.replace(found_here, narrowed=not (ipv4 and ipv6))


def _families(request: SendRequest) -> tuple[bool, bool]:
    if request.source_address is None:
        return request.ipv4, request.ipv6
    version = ipaddress.ip_address(request.source_address).version
    return request.ipv4 and version == 4, request.ipv6 and version == 6  # noqa: PLR2004 - the families


def _sorted_out(lookups: Iterable[Lookup], dial_port: int, *, strangers: bool) -> _Reached:
    addresses: list[str] = []
    private: list[str] = []
    unknown: str | None = None
    absent: str | None = None
    for lookup in lookups:
        if lookup.outcome is LookupOutcome.UNKNOWN:
            unknown = unknown or lookup.why
        elif lookup.outcome is not LookupOutcome.FOUND:
            absent = absent or lookup.why
        ours = sorted(
            {record.address for record in lookup.records if isinstance(record, Address)},
            key=lambda text: int(ipaddress.ip_address(text)),
        )
        open_ = [address for address in ours if not (strangers and special_address(address) is not None)]
        private += [address for address in ours if address not in open_]
        addresses += open_[:MOST_ADDRESSES]
    return _Reached(
        addresses=tuple(addresses), dial_port=dial_port, unknown=unknown, absent=absent, private=tuple(private)
    )


def _assembled(
    request: SendRequest,
    route: Route,
    hosts: Sequence[tuple[int, str]],
    found: Sequence[_Reached],
    policy: _Policy,
    secure: dict[str, DaneHost],
    *,
    implicit: bool,
) -> Route:
    hops: list[Hop] = []
    notes = list(route.notes)
    worst: list[tuple[Delivered, str]] = []
    for (preference, host), reached in zip(hosts, found, strict=True):
        out = _left_out(host, reached, policy, secure.get(host), implicit=implicit)
        if out is not None:
            worst.append(out)
            notes.append(f"{host} is left out: {out[1]}")
            continue
        demand, said = _demand(request, host, policy, secure.get(host), route.domain)
        notes += said
        hops += [
            Hop(
                host=host,
                address=address,
                port=MX_PORT,
                dial_port=reached.dial_port,
                preference=None if implicit else preference,
                mode=request.mode,
                demand=demand,
            )
            for address in reached.addresses
        ]
    if hops:
        return msgspec.structs.replace(route, hops=tuple(hops), notes=tuple(notes))
    outcome, why = next((one for one in worst if one[0] is Delivered.DEFERRED), worst[0])
    reply = b"550 5.4.4 no mail host of the domain has an address" if outcome is Delivered.REFUSED else b""
    return msgspec.structs.replace(route, outcome=outcome, why=why, reply=reply, notes=tuple(notes))


def _left_out(
    host: str, reached: _Reached, policy: _Policy, secure: DaneHost | None, *, implicit: bool
) -> tuple[Delivered, str] | None:
    """Why a host is not tried, and what that makes of the delivery where no other is."""
    forbidden = _forbidden(host, policy, secure)
    if forbidden is not None or reached.addresses:
        return forbidden
    if reached.private:
        listed = ", ".join(reached.private)
        return Delivered.FAILED, f"no stranger can reach {listed} (--allow-private connects all the same)"
    if reached.unknown is not None:
        return Delivered.DEFERRED, reached.unknown
    if reached.narrowed:
        why = f"{host} has no address of the family that is used (-4, -6 or --source-address leaves the other out)"
        return Delivered.FAILED, why
    if implicit:
        return Delivered.REFUSED, f"{host} has neither MX nor address: it takes no mail"
    return Delivered.REFUSED, reached.absent or f"{host} has no address"


def _forbidden(host: str, policy: _Policy, secure: DaneHost | None) -> tuple[Delivered, str] | None:
    """What a policy has against the host itself."""
    covered = policy.said != "enforce" or policy.facts is None or policy.facts.covers(host)
    if not covered and (secure is None or not secure.protected):
        return Delivered.FAILED, "the MTA-STS policy is in enforce mode and does not cover it"
    if secure is not None and secure.addresses_secure == Found(True) and isinstance(secure.records, Unknown):
        return Delivered.DEFERRED, f"its TLSA records cannot be told (RFC 7672 §2.1.1): {secure.records.why}"
    return None


def _demand(
    request: SendRequest, host: str, policy: _Policy, secure: DaneHost | None, domain: str
) -> tuple[Demand, list[str]]:
    """What TLS with a host has to be; and what is to be said of a policy that was set aside."""
    demand = _typed(request)
    if secure is not None and secure.secure == Found(True) and secure.published:
        if secure.usable:
            demand = Demand(
                source="dane",
                tls=True,
                tlsa=tuple(_presented(record) for record in secure.usable),
                names=tuple(dict.fromkeys((host, domain, *secure.aliases))),
                words=f"DANE ({len(secure.usable)} TLSA record{'s' * (len(secure.usable) != 1)})",
            )
        elif not demand.verified:
            demand = Demand(source="dane", tls=True, words="DANE (no usable TLSA record: TLS, unauthenticated)")
    elif policy.said == "enforce":
        demand = Demand(source="mta-sts", tls=True, verified=True, words="MTA-STS enforce")
    if request.mode is Mode.NONE and demand.tls:
        return Demand(), [f"--tls none sets {demand.words} of {host} aside"]
    return demand, []


def _presented(record: Tlsa) -> str:
    """The whole record, where its own `text` cuts a certificate short."""
    return f"{record.usage} {record.selector} {record.matching} {record.data.hex()}"
