"""The live port against a server that misbehaves: three answers, never two."""

from __future__ import annotations

import asyncio
import time

import pytest
from faulty import DATA, Server, good, serving

from deliverkit.dns import live as live_module
from deliverkit.dns.cache import Cache
from deliverkit.dns.deadline import Bounded
from deliverkit.dns.exchange import Plain
from deliverkit.dns.live import Live
from deliverkit.model import Absent, Address, Lookup, LookupOutcome, Note, Txt, Unknown

TYPES = tuple(DATA)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "BUDGET", 1.2)


def ask(*questions: tuple[str, str]) -> tuple[list[Lookup], Server]:
    async def run() -> tuple[list[Lookup], Server]:
        async with serving() as server:
            live = Live([Plain("127.0.0.1", server.port)])
            return await asyncio.gather(*(live.lookup(*question) for question in questions)), server

    return asyncio.run(run())


def one(name: str, rdtype: str = "TXT") -> Lookup:
    return ask((name, rdtype))[0][0]


@pytest.mark.parametrize(
    "fault",
    ["servfail", "refused", "silent", "tcpclosed", "notimp", "notauth", "yxdomain", "rcode11", "rcode15", "formerr"],
)
def test_no_fault_is_ever_absence(fault: str) -> None:
    name = f"{fault}.example.com"
    lookups, server = ask(*((name, rdtype) for rdtype in TYPES))
    for rdtype, lookup in zip(TYPES, lookups, strict=True):
        assert lookup.outcome is LookupOutcome.UNKNOWN
        assert isinstance(lookup.of(Txt), Unknown)
        assert not isinstance(lookup.of(Txt), Absent)
        assert f"127.0.0.1#{server.port} for {name} {rdtype}" in lookup.why
        assert not lookup.records


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("servfail", "SERVFAIL from"),
        ("refused", "REFUSED from"),
        ("notimp", "NOTIMP from"),
        ("rcode15", "RCODE15 from"),
        ("silent", "no answer from"),
        ("tcpclosed", "and TCP failed: the connection was closed"),
        ("tcpshort", "and TCP failed: the connection was closed"),
        ("malformed", "a malformed answer from"),
        ("trailing", "a malformed answer from"),
        ("referral", "a referral instead of an answer from"),
    ],
)
def test_the_why_says_what_happened(fault: str, words: str) -> None:
    lookup = one(f"{fault}.example.com")
    assert lookup.outcome is LookupOutcome.UNKNOWN
    assert words in lookup.why


def test_records_of_another_type_are_no_relevant_answer() -> None:
    # RFC 2308 §2.2: NODATA is NOERROR with no relevant answers.
    assert one("other.example.com").outcome is LookupOutcome.NODATA


@pytest.mark.parametrize(("word", "outcome"), [("nxdomain", LookupOutcome.NXDOMAIN), ("nodata", LookupOutcome.NODATA)])
def test_absence_is_final_and_asked_once(word: str, outcome: LookupOutcome) -> None:
    (lookup,), server = ask((f"{word}.example.com", "MX"))
    assert lookup.outcome is outcome
    assert sum(server.asked.values()) == 1


@pytest.mark.parametrize("rdtype", TYPES)
def test_every_type_is_read(rdtype: str) -> None:
    lookup = one("plain.example.com", rdtype)
    assert lookup.outcome is LookupOutcome.FOUND
    assert len(lookup.records) == 1
    assert lookup.ttl == 300


@pytest.mark.parametrize(
    ("word", "note"),
    [
        ("lossy", Note.RETRIED),
        ("udpsilent", Note.TCP_ONLY),
        ("tcpgood", Note.TCP_FALLBACK),
        ("forged", Note.SPOOFED),
        ("forgedtc", Note.SPOOFED),
        ("garbage", Note.SPOOFED),
        ("noedns", Note.EDNS_REFUSED),
        ("oldttl", Note.TTL_INVALID),
        ("passing", Note.RETRIED),
    ],
)
def test_what_was_odd_is_noted(word: str, note: Note) -> None:
    lookup = one(f"{word}.example.com")
    assert lookup.outcome is LookupOutcome.FOUND, lookup.why
    assert note in lookup.notes


def test_the_truncated_half_is_never_used() -> None:
    lookup = one("tcpgood.example.com")
    assert sorted(record.raw for record in lookup.records if isinstance(record, Txt)) == [b"a", b"b"]


def test_a_ttl_with_its_top_bit_set_is_zero() -> None:
    assert one("oldttl.example.com").ttl == 0


def test_an_answer_only_unchecked_is_bogus() -> None:
    lookup = one("bogus.example.com")
    assert lookup.outcome is LookupOutcome.UNKNOWN
    assert Note.BOGUS in lookup.notes
    assert "DNSSEC validation failed" in lookup.why


@pytest.mark.parametrize("word", ["self", "ping", "chain0"])
def test_alias_loops_end(word: str) -> None:
    lookup = one(f"{word}.example.com")
    assert lookup.outcome is LookupOutcome.UNKNOWN
    assert Note.CNAME_LOOP in lookup.notes
    assert len(lookup.aliases) <= 16


def test_an_alias_without_its_target_is_followed() -> None:
    lookup = one("alias.example.com", "A")
    assert lookup.records == (Address("192.0.2.1"),)
    assert lookup.name == "alias.example.com"
    assert lookup.aliases == ("target.example.com",)


@pytest.mark.parametrize("name", ["a" * 64 + ".example", ".".join(["a" * 60] * 5), "a..example"])
def test_what_is_no_name_is_not_asked(name: str) -> None:
    (lookup,), server = ask((name, "A"))
    assert lookup.outcome is LookupOutcome.INVALID
    assert not server.asked


def test_tcp_refused_after_truncation_is_unknown() -> None:
    async def run() -> Lookup:
        async with serving(tcp=False) as server:
            return await Live([Plain("127.0.0.1", server.port)]).lookup("tcpgood.example.com", "TXT")

    lookup = asyncio.run(run())
    assert lookup.outcome is LookupOutcome.UNKNOWN
    assert "a truncated answer" in lookup.why
    assert "TCP failed" in lookup.why


@pytest.mark.parametrize("word", ["silent", "servfail", "refused"])
def test_the_next_resolver_is_asked(word: str) -> None:
    async def run() -> tuple[Lookup, int]:
        async with serving() as first, serving() as second:
            second.odd[word] = lambda query, over: [good(query).to_wire()]
            live = Live([Plain("127.0.0.1", first.port), Plain("127.0.0.1", second.port)])
            return await live.lookup(f"{word}.example.com", "TXT"), second.port

    lookup, port = asyncio.run(run())
    assert lookup.outcome is LookupOutcome.FOUND
    assert lookup.server == f"127.0.0.1#{port}"
    assert Note.FALLBACK in lookup.notes


def test_a_dead_first_resolver_costs_its_time_once() -> None:
    async def run() -> float:
        async with serving() as first, serving() as second:
            first.odd = {word: lambda query, over: [] for word in ("a", "b", "c", "d")}
            live = Live([Plain("127.0.0.1", first.port), Plain("127.0.0.1", second.port)])
            await live.lookup("a.example.com", "TXT")
            await asyncio.sleep(0.7)
            started = time.monotonic()
            for word in "bcd":
                assert (await live.lookup(f"{word}.example.com", "TXT")).outcome is LookupOutcome.FOUND
            return time.monotonic() - started

    assert asyncio.run(run()) < 1.0


def test_a_validation_failure_is_not_asked_of_another_resolver() -> None:
    async def run() -> tuple[Lookup, int]:
        async with serving() as first, serving() as second:
            live = Live([Plain("127.0.0.1", first.port), Plain("127.0.0.1", second.port)])
            return await live.lookup("bogus.example.com", "TXT"), sum(second.asked.values())

    lookup, asked = asyncio.run(run())
    assert Note.BOGUS in lookup.notes
    assert asked == 0


def test_no_server_at_all() -> None:
    async def run() -> Lookup:
        async with serving(tcp=False) as server:
            port = server.port
        return await Live([Plain("127.0.0.1", port)]).lookup("example.com", "MX")

    lookup = asyncio.run(run())
    assert lookup.outcome is LookupOutcome.UNKNOWN
    assert "example.com MX" in lookup.why


def test_an_address_the_dns_named_has_to_be_public() -> None:
    async def run() -> tuple[Lookup, Lookup, Lookup]:
        async with serving() as server:
            where = f"127.0.0.1#{server.port}"
            strict, open_ = Live([Plain("127.0.0.1")]), Live([Plain("127.0.0.1")], allow_private=True)
            return (
                await strict.lookup("example.com", "TXT", server=where),
                await open_.lookup("example.com", "TXT", server=where),
                await open_.lookup("example.com", "TXT", server="nonsense#x"),
            )

    strict, allowed, nonsense = asyncio.run(run())
    assert strict.outcome is LookupOutcome.UNKNOWN
    assert "--allow-private" in strict.why
    assert allowed.outcome is LookupOutcome.FOUND
    assert nonsense.outcome is LookupOutcome.UNKNOWN


def test_one_question_for_many_who_ask() -> None:
    async def run() -> tuple[int, int]:
        async with serving() as server:
            cache = Cache(Live([Plain("127.0.0.1", server.port)]))
            await asyncio.gather(*(cache.lookup(name, "TXT") for name in ["x.example.com", "X.example.com."] * 20))
            await cache.lookup("x.example.com", "TXT")
            await cache.close()
            return sum(server.asked.values()), cache.asked

    assert asyncio.run(run()) == (1, 1)


def test_one_deadline_cancels_nobody_elses_answer() -> None:
    async def run() -> tuple[Lookup, Lookup, float]:
        async with serving() as server:
            server.odd["slow"] = lambda query, over: [0.4, good(query).to_wire()]
            cache = Cache(Live([Plain("127.0.0.1", server.port)]))
            started = time.monotonic()
            hurried = Bounded(cache, started + 0.1, 0.1, server="127.0.0.1")
            patient = Bounded(cache, started + 5, 5)
            first, second = await asyncio.gather(
                hurried.lookup("slow.example.com", "TXT"), patient.lookup("slow.example.com", "TXT")
            )
            later = time.monotonic()
            assert (await hurried.lookup("new.example.com", "A")).outcome is LookupOutcome.UNKNOWN
            return first, second, time.monotonic() - later

    first, second, later = asyncio.run(run())
    assert first.outcome is LookupOutcome.UNKNOWN
    assert first.why == ("not answered within the 0.1 s given for this target: slow.example.com TXT asked of 127.0.0.1")
    assert second.outcome is LookupOutcome.FOUND
    assert later < 0.05


def test_many_questions_at_once_all_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "BUDGET", 30.0)  # the server answers in this process, one at a time
    lookups, server = ask(*((f"n{number}.example.com", "A") for number in range(200)))
    assert all(lookup.outcome is LookupOutcome.FOUND for lookup in lookups)
    assert max(server.asked.values()) == 1
