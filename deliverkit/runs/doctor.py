"""What this machine can see: its resolvers, whether they validate, and its way out.

Nothing is asked but the root zone, which every resolver knows.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import platform
import socket
import time
from typing import Final

import msgspec

from deliverkit import __version__
from deliverkit.dns.build import open_port
from deliverkit.dns.deadline import Bounded
from deliverkit.dns.options import DnsOptions, DnsOptionsError, PlainSpec, parse_resolver, system_resolvers
from deliverkit.model import LookupOutcome, Note
from deliverkit.runs.options import RunError

_LIBRARIES: Final = (
    "typer", "rich", "dnspython", "pyspf", "dkimpy", "checkdmarc", "httpx", "cryptography", "msgspec",
)  # fmt: skip
# Addresses of the documentation nets: connecting a datagram socket sends nothing, it only asks for a route.
_FAR: Final = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


class ResolverHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One resolver. `validating`, `edns`, `tcp`: null where it could not be told."""

    address: str
    answers: bool
    elapsed_ms: float
    validating: bool | None
    edns: bool | None
    large_answers: bool | None
    problem: str | None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The machine."""

    version: str
    python: str
    libraries: dict[str, str]
    ipv4_route: bool
    ipv6_route: bool
    resolvers: tuple[ResolverHealth, ...]

    @property
    def exit_code(self) -> int:
        """0 where a resolver answers, else 3: nothing can be told from here."""
        return 0 if any(resolver.answers for resolver in self.resolvers) else 3


async def examine(options: DnsOptions, timeout: float) -> Health:  # noqa: ASYNC109 - seconds for each resolver
    """The state of this machine and of its resolvers. Raises `RunError`."""
    try:
        named = options.resolvers or tuple(_plain(spec) for spec in system_resolvers(options.system))
        for text in named:
            parse_resolver(text)
        resolvers = await asyncio.gather(*(_resolver(text, options, timeout) for text in dict.fromkeys(named)))
    except DnsOptionsError as error:
        raise RunError(str(error)) from error
    return Health(
        version=__version__,
        python=platform.python_version(),
        libraries={name: _version(name) for name in _LIBRARIES},
        ipv4_route=_route(socket.AF_INET),
        ipv6_route=_route(socket.AF_INET6),
        resolvers=tuple(resolvers),
    )


def _plain(spec: PlainSpec) -> str:
    return f"{spec.address}#{spec.port}"


async def _resolver(text: str, options: DnsOptions, seconds: float) -> ResolverHealth:
    chosen = msgspec.structs.replace(options, resolvers=(text,), zones=(), offline=False)
    async with open_port(chosen) as opened:
        began = time.monotonic()
        port = Bounded(opened.port, began + seconds, seconds, server=opened.server)
        soa = await port.lookup(".", "SOA")
        elapsed = round((time.monotonic() - began) * 1000, 1)
        answers = soa.outcome in (LookupOutcome.FOUND, LookupOutcome.NODATA)
        # The root's keys with their signatures fill more than a datagram of 512 octets.
        keys = await port.lookup(".", "DNSKEY") if answers else None
        return ResolverHealth(
            address=opened.server,
            answers=answers,
            elapsed_ms=elapsed,
            validating=soa.authenticated if answers else None,
            edns=Note.EDNS_REFUSED not in soa.notes if answers else None,
            large_answers=keys.outcome is not LookupOutcome.UNKNOWN if keys is not None else None,
            problem=None if answers else soa.why or soa.outcome.value,
        )


def _route(family: socket.AddressFamily) -> bool:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((_FAR[family], 53))
    except OSError:
        return False
    return True


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
