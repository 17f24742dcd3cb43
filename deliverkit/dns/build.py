"""One constructor for whoever runs something: options to an open port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from deliverkit.dns.cache import Cache
from deliverkit.dns.exchange import Exchange, Plain
from deliverkit.dns.live import Live, Trace
from deliverkit.dns.options import (
    PUBLIC,
    DnsOptions,
    DnsOptionsError,
    PlainSpec,
    Spec,
    parse_resolver,
    system_resolvers,
)


class Vantage(msgspec.Struct, frozen=True, kw_only=True):
    """From where the DNS was seen."""

    resolvers: tuple[str, ...] = ()
    """`127.0.0.1#5353`, a URL, or `authoritative`, in the order of preference; empty with --offline."""
    public: bool = False
    """Whether the first resolver is a well-known public one."""
    validating: bool | None = None
    """True once an answer came as validated; None: not known."""
    ipv4: bool = True
    ipv6: bool = True


class Opened:
    """An open port, shared by all targets of a run."""

    def __init__(self, port: Cache, live: Live, vantage: Vantage) -> None:
        self.port = port
        self._live = live
        self._vantage = vantage

    def vantage(self) -> Vantage:
        """What is known of the resolvers by now."""
        return msgspec.structs.replace(self._vantage, validating=True if self._live.authenticated else None)


@asynccontextmanager
async def open_port(options: DnsOptions, *, trace: Trace | None = None) -> AsyncIterator[Opened]:
    """The cached port of a run. Raises `DnsOptionsError`."""
    specs: tuple[Spec, ...] = tuple(parse_resolver(text) for text in options.resolvers)
    specs = specs or system_resolvers(options.system)
    exchanges = [_exchange(spec) for spec in specs]
    live = Live(exchanges, trace=trace)
    cache = Cache(live)
    vantage = Vantage(
        resolvers=tuple(exchange.server for exchange in exchanges),
        public=isinstance(specs[0], PlainSpec) and specs[0].address in PUBLIC,
        ipv4=not options.ipv6_only,
        ipv6=not options.ipv4_only,
    )
    try:
        yield Opened(cache, live, vantage)
    finally:
        await cache.close()
        await live.close()


def _exchange(spec: Spec) -> Exchange:
    match spec:
        case PlainSpec(address, port):
            return Plain(address, port)
        case _:
            raise DnsOptionsError("only resolvers over UDP and TCP are built so far")
