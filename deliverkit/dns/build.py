"""One constructor for whoever runs something: options to an open port."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from deliverkit.dns.authoritative import Authoritative
from deliverkit.dns.cache import Cache
from deliverkit.dns.exchange import Exchange, Plain
from deliverkit.dns.live import Live
from deliverkit.dns.options import (
    PUBLIC,
    PUBLIC_HOSTS,
    AuthoritativeSpec,
    DnsOptions,
    DnsOptionsError,
    HttpsSpec,
    PlainSpec,
    Spec,
    TlsSpec,
    connected,
    parse_connect_to,
    parse_resolver,
    system_resolvers,
)
from deliverkit.dns.port import Port
from deliverkit.dns.secure import Https, Tls, tls_context
from deliverkit.dns.trace import Sink, trace_line
from deliverkit.dns.vantage import Vantage
from deliverkit.model import Address, LookupOutcome


class Opened:
    """An open port, shared by all targets of a run: what one of them asked the others know."""

    def __init__(self, port: Port, cache: Cache, live: Live | None, vantage: Vantage) -> None:
        self.port = port
        self.cache = cache
        self._live = live
        self._vantage = vantage

    @property
    def server(self) -> str:
        """The first resolver, for the words of a deadline."""
        return next(iter(self._vantage.resolvers), "no resolver")

    def vantage(self) -> Vantage:
        """What is known of the resolvers by now."""
        seen = self._live is not None and self._live.authenticated
        return msgspec.structs.replace(self._vantage, validating=True if seen else self._vantage.validating)

    async def validating(self) -> bool | None:
        """Whether the resolver validates, by asking it for the signed root; None where that cannot be told."""
        if not self.vantage().validating:
            lookup = await self.cache.lookup("", "SOA")
            known = None if lookup.outcome is LookupOutcome.UNKNOWN else lookup.authenticated
            self._vantage = msgspec.structs.replace(self._vantage, validating=known)
        return self.vantage().validating


@asynccontextmanager
async def open_port(options: DnsOptions, *, trace: Sink | None = None) -> AsyncIterator[Opened]:
    """The cached port of a run; `trace` gets a line for each query. Raises `DnsOptionsError`."""
    overlaid = _overlay(options)
    if options.offline:
        from deliverkit.dns.overlay import Offline  # noqa: PLC0415 - most runs have no zone: its reader takes its time

        offline = Cache(Offline())
        yield Opened(overlaid(offline), offline, None, _vantage(options, ()))
        return
    specs = _specs(options)
    asked = tuple(spec for spec in specs if not isinstance(spec, AuthoritativeSpec))
    exchanges = await _exchanges(asked or _system(options), options)
    tracer: Callable[[str, str, str, str, float, str], None] | None = None
    if trace is not None:
        sink = trace
        tracer = lambda *words: sink(trace_line(*words))  # noqa: E731 - a sink bound to its words
    live = Live(exchanges, trace=tracer, allow_private=options.allow_private)
    cache = Cache(live)
    behind: Port = cache
    if len(asked) < len(specs):
        behind = Authoritative(cache, ipv4=not options.ipv6_only, ipv6=not options.ipv4_only)
    try:
        yield Opened(overlaid(behind), cache, live, _vantage(options, specs))
    finally:
        await cache.close()
        await live.close()


def _overlay(options: DnsOptions) -> Callable[[Port], Port]:
    """What puts the user's zones before a port. Raises `DnsOptionsError`."""
    if not options.zones:
        return lambda behind: behind
    from deliverkit.dns.overlay import Overlay, read_zones  # noqa: PLC0415 - as above
    from deliverkit.dns.zonetext import ZoneError  # noqa: PLC0415 - as above

    try:
        zones = read_zones(options.zones)
    except ZoneError as error:
        raise DnsOptionsError(str(error)) from error
    return lambda behind: Overlay(zones, behind, partial=options.zone_partial) if zones.apexes else behind


def _specs(options: DnsOptions) -> tuple[Spec, ...]:
    return tuple(dict.fromkeys(parse_resolver(text) for text in options.resolvers)) or _system(options)


def _system(options: DnsOptions) -> tuple[PlainSpec, ...]:
    """The system's resolvers of the family asked for."""
    found = system_resolvers(options.system)
    family = 6 if options.ipv6_only else 4 if options.ipv4_only else None
    usable = tuple(spec for spec in found if family in (None, ipaddress.ip_address(spec.address).version))
    if not usable:
        raise DnsOptionsError(f"no resolver: {options.system} names none with an IPv{family} address")
    return usable


async def _exchanges(specs: tuple[Spec, ...], options: DnsOptions) -> list[Exchange]:
    table = parse_connect_to(options.connect_to)
    context: ssl.SSLContext | None = None
    exchanges: list[Exchange] = []
    for spec in specs:
        match spec:
            case PlainSpec(address, port):
                exchanges.append(Plain(address, port))
            case TlsSpec(address, port, name):
                context = context or tls_context(options.ca_file)
                exchanges.append(Tls(_server(spec), connected(table, address, port), name, context))
            case HttpsSpec(url, host, port):
                context = context or tls_context(options.ca_file)
                at, number = connected(table, host, port)
                exchanges.append(Https(url, (await _address(at, url, specs, options), number), context))
    return exchanges


async def _address(host: str, url: str, specs: tuple[Spec, ...], options: DnsOptions) -> str:
    """Where a DoH server's host is: an address, else asked of the plain resolvers of the list, else of the system's."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    plain = tuple(spec for spec in specs if isinstance(spec, PlainSpec)) or _system(options)
    live = Live([Plain(spec.address, spec.port) for spec in plain])
    why = ""
    for rdtype in ("AAAA",) if options.ipv6_only else ("A",) if options.ipv4_only else ("A", "AAAA"):
        lookup = await live.lookup(host, rdtype)
        for record in lookup.records:
            if isinstance(record, Address):
                return record.address
        why = why or lookup.why
    raise DnsOptionsError(f"--resolver {url}: {host} has no address: {why}")


def _server(spec: TlsSpec) -> str:
    port = "" if spec.port == 853 else f"#{spec.port}"  # noqa: PLR2004 - the port of RFC 7858
    name = "" if spec.name == spec.address else f"/{spec.name}"
    return f"tls://{spec.address}{port}{name}"


def _vantage(options: DnsOptions, specs: tuple[Spec, ...]) -> Vantage:
    return Vantage(
        resolvers=tuple(_named(spec) for spec in specs),
        public=bool(specs) and _public(specs[0]),
        ipv4=not options.ipv6_only,
        ipv6=not options.ipv4_only,
    )


def _named(spec: Spec) -> str:
    match spec:
        case PlainSpec(address, port):
            return Plain(address, port).server
        case TlsSpec():
            return _server(spec)
        case HttpsSpec(url):
            return url
    return "authoritative"


def _public(spec: Spec) -> bool:
    match spec:
        case PlainSpec(address) | TlsSpec(address):
            return address in PUBLIC
        case HttpsSpec(_, host):
            return host in PUBLIC or any(host == name or host.endswith(f".{name}") for name in PUBLIC_HOSTS)
    return False
