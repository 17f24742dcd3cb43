"""DNS responses from zone text: octets in, octets out, no socket.

What a world says in words of fault is put on the wire as such a server would: SERVFAIL, REFUSED, silence,
octets that are no message, TC with a TCP that refuses. Sizes follow EDNS (RFC 6891 §6.2.3), CNAMEs are
given with what they lead to, and a denial carries the SOA (RFC 2308 §3) where the world has one.
"""

from __future__ import annotations

import collections
import itertools
import struct
from typing import Any, Final

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from deliverkit.dns.zone import Beyond, Zones
from deliverkit.model import Address, Host, Lookup, LookupOutcome, Mx, Note, Other, Rdata, Soa, Txt

CLASSIC: Final = 512
"""What fits into a datagram without EDNS (RFC 1035 §4.2.1)."""
LARGEST: Final = 1232
_HEADER: Final = 12
_HELD: Final = 8192
_IN = dns.rdataclass.IN


class Answerer:
    """The responses of one world.

    Each is built once and kept by the octets of its question. `asked`, where given, counts every question
    by name and type. Raises `deliverkit.dns.zonetext.ZoneError` where the text is no world.
    """

    def __init__(self, text: str, *, asked: collections.Counter[tuple[str, str]] | None = None) -> None:
        self._zones = Zones()
        self._zones.read(text, source="world", apex="")
        self._held: dict[tuple[bytes, bool], tuple[str, str, bytes | None]] = {}
        self.asked = asked

    def answer(self, wire: bytes, *, datagram: bool) -> bytes | None:
        """The response to `wire`; None: silence."""
        if len(wire) < _HEADER or wire[2] & 0x80:
            return None
        key = (wire[2:], datagram)
        held = self._held.get(key)
        if held is None:
            held = self._built(wire, datagram=datagram)
            if len(self._held) >= _HELD:
                self._held.clear()
            self._held[key] = held
        name, rdtype, response = held
        if self.asked is not None and name:
            self.asked[name, rdtype] += 1
        return None if response is None else wire[:2] + response[2:]

    def _built(self, wire: bytes, *, datagram: bool) -> tuple[str, str, bytes | None]:
        try:
            query = dns.message.from_wire(wire)
        except (dns.exception.DNSException, struct.error, ValueError):
            return "", "", struct.pack("!HHHHHH", 0, 0x8000 | int(dns.rcode.FORMERR), 0, 0, 0, 0)
        if len(query.question) != 1 or query.opcode() != 0:
            return "", "", _bare(query, dns.rcode.NOTIMP)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower().removeprefix("@")
        name = "" if question.name == dns.name.root else name
        rdtype = dns.rdatatype.to_text(question.rdtype)
        lookup = self._zones.resolve(name, rdtype)
        if isinstance(lookup, Beyond):
            return name, rdtype, _bare(query, dns.rcode.REFUSED)
        return name, rdtype, self._response(query, lookup, datagram=datagram)

    def _response(self, query: dns.message.Message, lookup: Lookup, *, datagram: bool) -> bytes | None:
        if datagram and Note.TCP_ONLY in lookup.notes:
            return None
        if Note.EDNS_REFUSED in lookup.notes and query.edns >= 0:
            return _bare(query, dns.rcode.FORMERR)  # RFC 6891 §7
        if lookup.outcome is LookupOutcome.UNKNOWN and Note.CNAME_LOOP not in lookup.notes:
            return _fault(query, lookup, datagram=datagram)
        response = dns.message.make_response(query, our_payload=LARGEST, recursion_available=True)
        if lookup.outcome in (LookupOutcome.NXDOMAIN, LookupOutcome.INVALID):
            response.set_rcode(dns.rcode.NXDOMAIN)
        if lookup.authenticated and (query.flags & dns.flags.AD or query.ednsflags & dns.flags.DO):
            response.flags |= dns.flags.AD  # RFC 6840 §5.8
        self._fill(response, lookup)
        if not datagram:
            return bytes(response.to_wire(max_size=65535))
        room = min(query.payload, LARGEST) if query.edns >= 0 else CLASSIC
        return bytes(response.to_wire(max_size=max(room, CLASSIC), prefer_truncation=True))

    def _fill(self, response: dns.message.Message, lookup: Lookup) -> None:
        chain = [lookup.name, *lookup.aliases]
        for owner, target in itertools.pairwise(chain):
            response.answer.append(_rrset(owner, 3600, "CNAME", (Host(target),)))
        if Note.CNAME_LOOP in lookup.notes:
            last = self._zones.resolve(chain[-1], "CNAME")
            if isinstance(last, Lookup) and last.records:
                response.answer.append(_rrset(chain[-1], 3600, "CNAME", last.records))
        elif lookup.records:
            response.answer.append(_rrset(chain[-1], lookup.ttl or 0, lookup.rdtype, lookup.records))
        else:
            self._deny(response, chain[-1])

    def _deny(self, response: dns.message.Message, owner: str) -> None:
        at: str | None = owner
        while at is not None:
            soa = self._zones.resolve(at, "SOA")
            if isinstance(soa, Lookup) and soa.records and not soa.aliases:
                response.authority.append(_rrset(at, soa.ttl or 0, "SOA", soa.records))
                return
            at = at.partition(".")[2] if at else None


def _bare(query: dns.message.Message, rcode: dns.rcode.Rcode) -> bytes:
    """A response without EDNS that says no more than its code."""
    response = dns.message.make_response(query, recursion_available=True)
    response.use_edns(False)
    response.set_rcode(rcode)
    return bytes(response.to_wire())


def _fault(query: dns.message.Message, lookup: Lookup, *, datagram: bool) -> bytes | None:
    if Note.MALFORMED in lookup.notes:
        # A response to the question whose one answer ends in the middle of its record.
        whole = dns.message.make_response(query)
        whole.use_edns(False)
        octets = bytearray(whole.to_wire())
        octets[6:8] = b"\x00\x01"
        return bytes(octets) + b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x0e\x10\x00\xff\x04cut"
    if Note.BOGUS in lookup.notes and query.flags & dns.flags.CD:
        return _bare(query, dns.rcode.NOERROR)  # RFC 4035 §3.2.2: unchecked, it is given out
    if not lookup.rcode:
        if not lookup.why.startswith("a truncated answer") or not datagram:
            return None
        cut = dns.message.make_response(query)
        cut.flags |= dns.flags.TC
        return bytes(cut.to_wire())
    response = dns.message.make_response(query, our_payload=LARGEST, recursion_available=True)
    response.set_rcode(dns.rcode.from_text(lookup.rcode))
    if Note.BOGUS in lookup.notes and query.edns >= 0:
        response.use_edns(edns=0, payload=LARGEST, options=[dns.edns.EDEOption(dns.edns.EDECode.DNSSEC_BOGUS)])
    return bytes(response.to_wire())


def _rrset(owner: str, ttl: int, rdtype: str, records: tuple[Rdata, ...]) -> dns.rrset.RRset:
    found = dns.rrset.RRset(_name(owner), _IN, dns.rdatatype.from_text(rdtype))
    for record in records:
        found.add(_rdata(rdtype, record), ttl)
    return found


def _rdata(rdtype: str, record: Rdata) -> dns.rdata.Rdata:
    kind = dns.rdatatype.from_text(rdtype)
    # The classes take what their type has: dnspython declares only what all have.
    classes: Any = dns.rdata
    make: Any = classes.get_rdata_class(_IN, kind)
    match record:
        case Txt():
            return _made(make(_IN, kind, record.strings))
        case Mx():
            return _made(make(_IN, kind, record.preference, _name(record.host)))
        case Address():
            return _made(make(_IN, kind, record.address))
        case Host():
            return _made(make(_IN, kind, _name(record.name)))
        case Soa():
            names = _name(record.mname), _name(record.rname)
            return _made(make(_IN, kind, *names, record.serial, 7200, 3600, 1209600, record.minimum))
        case Other():
            return dns.rdata.from_text(_IN, kind, record.text)


def _made(rdata: Any) -> dns.rdata.Rdata:
    if not isinstance(rdata, dns.rdata.Rdata):
        raise TypeError(f"{type(rdata).__name__} is no record")
    return rdata


def _name(name: str) -> dns.name.Name:
    return dns.name.from_text(f"{name}.")
