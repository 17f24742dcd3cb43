"""Messages on the wire, read beside dnspython's reader."""

from __future__ import annotations

import contextlib

import dns.message
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.dns.message import MalformedError, belongs, make_query, read_reply, wire_name
from deliverkit.dns.wire import rdata_of

RECORDS = {
    "A": ["192.0.2.1", "192.0.2.2"],
    "AAAA": ["2001:db8::1"],
    "MX": ["10 mail.example.com.", "0 ."],
    "TXT": ['"a" "b\\"c\\000\\255"', '""'],
    "CNAME": ["a\\.b.Example.COM."],
    "SOA": ["ns.example.com. h.example.com. 1 2 3 4 5"],
    "TLSA": ["3 1 1 " + "ab" * 32],
    "CAA": ['0 issue "ca.example"'],
}


def response(rdtype: str) -> tuple[bytes, dns.message.Message, bytes]:
    ours = make_query("example.com", int(dns.rdatatype.from_text(rdtype)), ident=7)
    theirs = dns.message.make_response(dns.message.from_wire(ours.wire))
    theirs.answer.append(dns.rrset.from_text("Example.com.", 60, "IN", rdtype, *RECORDS[rdtype]))
    return theirs.to_wire(), theirs, ours.wire


@pytest.mark.parametrize("rdtype", RECORDS)
def test_records_are_read_as_dnspython_reads_them(rdtype: str) -> None:
    wire, _, _ = response(rdtype)
    query = make_query("example.com", int(dns.rdatatype.from_text(rdtype)), ident=7)
    assert belongs(wire, query)
    reply = read_reply(wire, query)
    expected = dns.message.from_wire(wire).answer[0]
    assert [record.rdata for record in reply.answer] == [rdata_of(rdata) for rdata in expected]
    assert {record.owner for record in reply.answer} == {"example.com"}
    assert {record.ttl for record in reply.answer} == {60}


def test_the_query_is_one() -> None:
    query = dns.message.from_wire(make_query("_dmarc.example.com", 16).wire)
    assert query.question[0].to_text() == "_dmarc.example.com. IN TXT"
    assert query.payload == 1232
    assert query.ednsflags == 0x8000
    assert make_query("", 6).question == b"\0\0\6\0\1"
    assert wire_name(r"a\.b.example") == b"\3a.b\7example\0"


def test_extended_errors_are_read() -> None:
    query = make_query("example.com", 1, ident=7)
    theirs = dns.message.make_response(dns.message.from_wire(query.wire))
    theirs.use_edns(options=[dns.edns.EDEOption(6, "no luck"), dns.edns.EDEOption(4000)])
    assert read_reply(theirs.to_wire(), query).extended == ("6 DNSSEC Bogus: no luck", "4000")


@pytest.mark.parametrize("rdtype", RECORDS)
def test_every_cut_is_malformed(rdtype: str) -> None:
    wire, _, _ = response(rdtype)
    query = make_query("example.com", int(dns.rdatatype.from_text(rdtype)), ident=7)
    for length in range(len(wire)):
        assert not belongs(wire[:length], query) or length >= 12
        with pytest.raises(MalformedError):
            read_reply(wire[:length], query)


@given(st.data())
def test_damage_never_surprises(data: st.DataObject) -> None:
    rdtype = data.draw(st.sampled_from(sorted(RECORDS)))
    wire = bytearray(response(rdtype)[0])
    query = make_query("example.com", int(dns.rdatatype.from_text(rdtype)), ident=7)
    for _ in range(data.draw(st.integers(1, 6))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    belongs(bytes(wire), query)
    with contextlib.suppress(MalformedError):
        read_reply(bytes(wire), query)


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_malformed(octets: bytes) -> None:
    with contextlib.suppress(MalformedError):
        read_reply(octets, make_query("example.com", 16))
