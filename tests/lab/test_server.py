from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable

import dns.asyncquery
import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.dns.build import open_port
from deliverkit.dns.options import DnsOptions
from deliverkit.dns.zonetext import ZoneError
from deliverkit.lab import Serving, names, serving, world, worlds_text
from deliverkit.lab.answerer import Answerer
from deliverkit.model import LookupOutcome, Note
from deliverkit.world import World

WORLD = """
$ORIGIN example.com.
@       SOA   ns hostmaster 1 7200 3600 1209600 300
@       TXT   "v=spf1 -all"
@       MX    10 mx
@       CAA   0 issue "ca.example.net"
mx      A     192.0.2.1
mx      AAAA  2001:db8::1
alias   CNAME mx
loop    CNAME pool
pool    CNAME loop
null    MX    0 .
fail    SERVFAIL
refuse  TXT REFUSED
silent  TIMEOUT
cut     TRUNCATED
odd     MALFORMED
forged  BOGUS
old     TXT   "plain"
old     TXT   NOEDNS
stream  TXT   "tcp"
stream  TXT   TCPONLY
""" + "".join(f'big TXT "{n:02}{"x" * 200}"\n' for n in range(12))


def asked(text: str, ask: Callable[[Serving], Awaitable[None]]) -> Serving:
    async def go() -> Serving:
        async with serving(text) as lab:
            await ask(lab)
            return lab

    return asyncio.run(go())


def query(name: str, rdtype: str, *, edns: bool = True) -> dns.message.Message:
    message = dns.message.make_query(name, rdtype, use_edns=0 if edns else -1, payload=1232)
    message.flags |= dns.flags.AD
    return message


def told(name: str, rdtype: str, *, edns: bool = True, datagram: bool = True, text: str = WORLD) -> dns.message.Message:
    wire = Answerer(text).answer(query(name, rdtype, edns=edns).to_wire(), datagram=datagram)
    assert wire is not None
    return dns.message.from_wire(wire)


@pytest.mark.parametrize(
    ("name", "rdtype", "expected"),
    [
        ("example.com", "TXT", '"v=spf1 -all"'),
        ("EXAMPLE.com", "MX", "10 mx.example.com."),
        ("mx.example.com", "A", "192.0.2.1"),
        ("mx.example.com", "AAAA", "2001:db8::1"),
        ("null.example.com", "MX", "0 ."),
        ("example.com", "CAA", '0 issue "ca.example.net"'),
        ("example.com", "SOA", "ns.example.com. hostmaster.example.com. 1 7200 3600 1209600 300"),
    ],
)
def test_data_is_answered(name: str, rdtype: str, expected: str):
    response = told(name, rdtype)
    assert [record.to_text().replace("EXAMPLE", "example") for rrset in response.answer for record in rrset] == [
        expected
    ]
    assert response.question[0].name.to_text() == f"{name}."


def test_aliases_come_with_what_they_lead_to():
    response = told("alias.example.com", "A")
    assert [rrset.to_text() for rrset in response.answer] == [
        "alias.example.com. 3600 IN CNAME mx.example.com.",
        "mx.example.com. 3600 IN A 192.0.2.1",
    ]


@pytest.mark.parametrize(("name", "rcode"), [("no.example.com", "NXDOMAIN"), ("mx.example.com", "NOERROR")])
def test_denials_carry_the_soa(name: str, rcode: str):
    response = told(name, "TXT")
    assert dns.rcode.to_text(response.rcode()) == rcode
    assert not response.answer
    assert [rrset.name.to_text() for rrset in response.authority] == ["example.com."]


@pytest.mark.parametrize(("edns", "limit"), [(True, 1232), (False, 512)])
def test_what_does_not_fit_is_cut_over_udp_and_whole_over_tcp(edns: bool, limit: int):
    datagram = Answerer(WORLD).answer(query("big.example.com", "TXT", edns=edns).to_wire(), datagram=True)
    assert datagram is not None
    assert len(datagram) <= limit
    assert dns.message.from_wire(datagram).flags & dns.flags.TC
    assert len(told("big.example.com", "TXT", edns=edns, datagram=False).answer[0]) == 12


def test_ad_is_set_where_the_world_says_so():
    assert told("example.com", "TXT", text=f"AD\n{WORLD}").flags & dns.flags.AD
    assert not told("example.com", "TXT").flags & dns.flags.AD


@pytest.mark.parametrize(
    ("name", "words", "note"),
    [
        ("fail", "SERVFAIL", None),
        ("refuse", "REFUSED", None),
        ("silent", "no answer", None),
        ("cut", "truncated", None),
        ("odd", "malformed", Note.MALFORMED),
        ("forged", "SERVFAIL", Note.BOGUS),
        ("loop", "CNAME", Note.CNAME_LOOP),
    ],
)
def test_faults_reach_the_port_as_the_world_tells_them(name: str, words: str, note: Note | None):
    async def ask(lab: Serving) -> None:
        async with open_port(DnsOptions(resolvers=(lab.resolver,))) as opened:
            lookup = await opened.port.lookup(f"{name}.example.com", "TXT")
        inside = await World(WORLD).lookup(f"{name}.example.com", "TXT")
        assert lookup.outcome is inside.outcome is LookupOutcome.UNKNOWN
        assert words in lookup.why
        assert note is None or note in lookup.notes

    asked(WORLD, ask)


@pytest.mark.parametrize(("name", "note"), [("old", Note.EDNS_REFUSED), ("stream", Note.TCP_ONLY)])
def test_oddities_are_seen_and_the_data_comes(name: str, note: Note):
    async def ask(lab: Serving) -> None:
        async with open_port(DnsOptions(resolvers=(lab.resolver,))) as opened:
            lookup = await opened.port.lookup(f"{name}.example.com", "TXT")
        assert lookup.outcome is LookupOutcome.FOUND
        assert note in lookup.notes

    asked(WORLD, ask)


def test_large_answers_come_over_tcp_and_questions_are_counted():
    async def ask(lab: Serving) -> None:
        async with open_port(DnsOptions(resolvers=(lab.resolver,))) as opened:
            lookup = await opened.port.lookup("big.example.com", "TXT")
        assert len(lookup.records) == 12

    lab = asked(WORLD, ask)
    assert lab.asked == {("big.example.com", "TXT"): 2}


def test_one_connection_takes_several_questions():
    async def ask(lab: Serving) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", lab.port)
        for _ in range(3):
            wire = query("example.com", "TXT").to_wire()
            writer.write(struct.pack("!H", len(wire)) + wire)
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            assert dns.message.from_wire(await reader.readexactly(length)).answer
        writer.close()

    asked(WORLD, ask)


def test_latency_stands_before_the_answer():
    async def go() -> float:
        async with serving(WORLD, latency=0.05) as lab:
            began = asyncio.get_running_loop().time()
            await dns.asyncquery.udp(query("example.com", "TXT"), "127.0.0.1", port=lab.port, timeout=5)
            return asyncio.get_running_loop().time() - began

    assert asyncio.run(go()) >= 0.05


def test_a_taken_port_is_said():
    async def ask(lab: Serving) -> None:
        with pytest.raises(OSError, match="in use"):
            async with serving(WORLD, port=lab.port):
                pass

    asked(WORLD, ask)


def test_what_is_no_world_is_said():
    with pytest.raises(ZoneError):
        Answerer("example.com. A not-an-address\n")


@given(st.binary(max_size=80))
def test_any_octets_are_answered_or_passed_over(octets: bytes):
    response = ANSWERER.answer(octets, datagram=True)
    assert response is None or (response[:2] == octets[:2] and response[2] & 0x80)


ANSWERER = Answerer(WORLD)


def test_a_response_is_never_answered():
    response = dns.message.make_response(query("example.com", "TXT")).to_wire()
    assert ANSWERER.answer(response, datagram=True) is None


def test_the_worlds_come_with_the_package():
    assert names() == ("broken", "healthy", "parked", "spoofable", "vendors")
    for name in names():
        World(world(name))
    World(worlds_text())
