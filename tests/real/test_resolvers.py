"""Real servers: NSD behind a validating Unbound, over UDP, TCP, TLS and HTTPS."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace
from places import Real

from deliverkit.dns.build import open_port
from deliverkit.dns.options import DnsOptions
from deliverkit.model import Lookup, LookupOutcome, Note

pytestmark = pytest.mark.real
QUESTIONS = (
    ("example.com", "MX"), ("example.com", "TXT"), ("example.com", "SOA"), ("example.com", "NS"),
    ("mail.example.com", "A"), ("mail.example.com", "AAAA"), ("alias.example.com", "A"), ("big.example.com", "TXT"),
    ("x.wild.example.com", "TXT"), ("none.example.com", "TXT"), ("example.com", "AAAA"),
    ("_25._tcp.alias.example.com", "TLSA"),
    ("unsigned.example", "TXT"), ("bogus.example", "TXT"), ("bogus.example", "MX"),
)  # fmt: skip


def ask(real: Real, *resolvers: str, questions: tuple[tuple[str, str], ...] = QUESTIONS) -> list[Lookup]:
    async def run() -> list[Lookup]:
        options = DnsOptions(resolvers=resolvers, ca_file=real.ca_file)
        async with open_port(options) as opened:
            return await asyncio.gather(*(opened.port.lookup(*question) for question in questions))

    return asyncio.run(run())


def alike(lookups: list[Lookup], server: str) -> list[Lookup]:
    """Without what may differ: server, transport, time, the order of records and a TTL that runs down."""
    return [
        replace(
            lookup,
            server="",
            why=lookup.why.replace(server, "SERVER"),
            notes=tuple(note for note in lookup.notes if note is not Note.TCP_FALLBACK),
            records=tuple(sorted(lookup.records, key=str)),
            ttl=None,
            attempts=1,
            elapsed_ms=0.0,
        )
        for lookup in lookups
    ]


def test_every_transport_gives_the_same(real: Real) -> None:
    plain = ask(real, real.udp)
    expected = alike(plain, real.udp)
    for server in (real.tls, real.https):
        assert alike(ask(real, server), server) == expected
    found = [lookup.outcome for lookup in plain]
    assert found == [LookupOutcome.FOUND] * 9 + [
        LookupOutcome.NXDOMAIN, LookupOutcome.NODATA, LookupOutcome.NXDOMAIN,
        LookupOutcome.FOUND, LookupOutcome.UNKNOWN, LookupOutcome.FOUND,
    ]  # fmt: skip


def test_validated_unsigned_and_bogus(real: Real) -> None:
    lookups = {(lookup.name, lookup.rdtype): lookup for lookup in ask(real, real.udp)}
    assert lookups["example.com", "MX"].authenticated
    assert lookups["none.example.com", "TXT"].authenticated
    assert not lookups["unsigned.example", "TXT"].authenticated
    bogus = lookups["bogus.example", "TXT"]
    assert Note.BOGUS in bogus.notes
    assert "DNSSEC validation failed" in bogus.why


def test_a_large_answer_comes_over_tcp(real: Real) -> None:
    (lookup,) = ask(real, real.udp, questions=(("big.example.com", "TXT"),))
    assert len(lookup.records) == 20
    assert Note.TCP_FALLBACK in lookup.notes


def test_a_dead_first_resolver(real: Real) -> None:
    (lookup,) = ask(real, "127.0.0.1#9", real.udp, questions=(("example.com", "MX"),))
    assert lookup.outcome is LookupOutcome.FOUND
    assert Note.FALLBACK in lookup.notes


def test_an_untrusted_certificate_is_unknown(real: Real) -> None:
    for server in (real.tls, real.https):
        (lookup,) = ask(real._replace(ca_file=None), server, questions=(("example.com", "MX"),))
        assert lookup.outcome is LookupOutcome.UNKNOWN
        assert "certificate" in lookup.why.lower()


def test_the_authoritative_server_asked_directly(real: Real) -> None:
    async def run() -> Lookup:
        async with open_port(DnsOptions(resolvers=(real.udp,), allow_private=True)) as opened:
            return await opened.port.lookup("example.com", "TXT", server=real.nsd)

    lookup = asyncio.run(run())
    assert lookup.outcome is LookupOutcome.FOUND
    assert lookup.server == real.nsd
