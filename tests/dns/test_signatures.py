"""RRSIGs on the wire and in zone text: their dates and keys are kept, and nothing else is."""

from __future__ import annotations

import asyncio

import dns.message
import dns.rrset
import pytest

from deliverkit.dns.message import make_query, read_reply
from deliverkit.model import LookupOutcome, Other, Signature
from deliverkit.world import World

RRSIG = "MX 13 2 3600 20270127120000 20270113120000 18372 Example.COM. AAAA"
KEPT = Signature(algorithm=13, key_tag=18372, signer="example.com", inception=1799841600, expiration=1801051200)


def replied(*records: tuple[str, str], rdtype: int = 15):
    query = make_query("example.com", rdtype, ident=7)
    response = dns.message.make_response(dns.message.from_wire(query.wire))
    for kind, text in records:
        response.answer.append(dns.rrset.from_text("example.com.", 300, "IN", kind, text))
    return read_reply(response.to_wire(), query)


def test_of_the_type_asked_for() -> None:
    reply = replied(("MX", "10 mail.example.com."), ("RRSIG", RRSIG))
    assert reply.signatures == (("example.com", KEPT),)


def test_of_no_other() -> None:
    assert replied(("MX", "10 mail.example.com."), ("RRSIG", RRSIG.replace("MX", "TXT"))).signatures == ()


def test_a_bounded_number() -> None:
    response = dns.message.make_response(dns.message.from_wire(make_query("example.com", 15, ident=7).wire))
    texts = [RRSIG.replace("18372", str(n)) for n in range(60)]
    response.answer.append(dns.rrset.from_text("example.com.", 300, "IN", "RRSIG", *texts))
    assert len(read_reply(response.to_wire(max_size=65535), make_query("example.com", 15, ident=7)).signatures) == 16


@pytest.mark.parametrize("length", [0, 1, 17, 18])
def test_a_short_one_spoils_nothing(length: int) -> None:
    query = make_query("example.com", 15, ident=7)
    response = bytearray(dns.message.make_response(dns.message.from_wire(query.wire)).to_wire())
    opt = response[-11:]
    body = response[:-11]
    body[7] = 1
    wire = bytes(body + b"\xc0\x0c\x00\x2e\x00\x01" + bytes(4) + length.to_bytes(2, "big") + b"\0\x0f" * 9)[
        : len(body) + 12 + length
    ]
    assert read_reply(wire + bytes(opt), query).signatures == ()


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x03\x01\x01" + b"\xab" * 31, "3 1 1 " + "ab" * 31),
        (b"\xff\xff\xffx", "255 255 255 78"),
        (b"\x03\x01\x01", "3 1 1"),
    ],
)
def test_a_tlsa_record_that_does_not_fit_spoils_no_answer(octets: bytes, text: str) -> None:
    """RFC 6698 §4.1: it is unusable, and the others are not."""
    query = make_query("example.com", 52, ident=7)
    response = bytearray(dns.message.make_response(dns.message.from_wire(query.wire)).to_wire())
    body, opt = response[:-11], response[-11:]
    body[7] = 1
    record = b"\xc0\x0c\x00\x34\x00\x01" + bytes(4) + len(octets).to_bytes(2, "big") + octets
    (found,) = read_reply(bytes(body + record + opt), query).answer
    assert found.rdata == Other(text)


def asked(text: str, name: str = "example.com", rdtype: str = "MX"):
    return asyncio.run(World(text).lookup(name, rdtype))


def test_zone_text_has_them_too() -> None:
    found = asked(f"AD\nexample.com. MX 10 mail.example.com.\nexample.com. RRSIG {RRSIG}\n")
    assert found.signatures == (KEPT,)
    assert found.authenticated


def test_a_bogus_answer_shows_what_it_hides() -> None:
    found = asked(f"example.com. MX BOGUS\nexample.com. MX 10 mail.example.com.\nexample.com. RRSIG {RRSIG}\n")
    assert found.outcome is LookupOutcome.UNKNOWN
    assert not found.records
    assert len(found.unchecked) == 1
    assert found.signatures == (KEPT,)


@pytest.mark.parametrize(
    ("name", "rdtype", "secure"),
    [
        ("example.com", "MX", False),
        ("mail.example.com", "A", False),
        ("none.example.com", "A", False),
        ("example.com", "DS", True),
        ("example.net", "MX", True),
        ("", "SOA", True),
    ],
)
def test_a_zone_that_is_not_signed_among_those_that_are(name: str, rdtype: str, secure: bool) -> None:
    text = "AD\nexample.com. INSECURE\nexample.com. MX 10 mail.example.com.\nexample.net. MX 0 .\n"
    assert asked(text, name, rdtype).authenticated is secure
