"""DNS messages on the wire (RFC 1035 §4): a query written, a response read.

Everything read is hostile. A message is at most 65,535 octets, a compression pointer may only point
backwards, each name is decoded once for the place it stands at, and whatever does not fit is
`MalformedError`: never half an answer. RRSIG, NSEC and NSEC3, which DO brings along, are not decoded
unless they were asked for; of an RRSIG over the records asked for the dates and the key are kept.
"""

from __future__ import annotations

import secrets
import struct
from typing import Final, NamedTuple

import dns.edns
import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from deliverkit.dns.port import normal_name
from deliverkit.dns.wire import rdata_of
from deliverkit.model import Address, Host, Mx, Other, Rdata, Signature, Soa, Txt

PAYLOAD: Final = 1232
"""The UDP size offered: what passes unfragmented everywhere (DNS flag day 2020)."""
_HEADER: Final = 12
_QR, _AA, _TC, _RD, _AD, _CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0020, 0x0010
_IN: Final = 1
_A, _NS, _CNAME, _SOA, _PTR, _MX, _TXT, _AAAA, _OPT, _SPF = 1, 2, 5, 6, 12, 15, 16, 28, 41, 99
_SIGNATURE: Final = struct.Struct("!HBBIIIH")
"""An RRSIG up to its signer's name (RFC 4034 §3.1): type covered, algorithm, labels, TTL, the dates, key tag."""
_PROOFS: Final = frozenset({46, 47, 50})  # RRSIG, NSEC, NSEC3
_RRSIG: Final = 46
_MAX_SIGNATURES: Final = 16
_EDE: Final = 15
_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*")
_MAX_WIRE_NAME: Final = 255
_MAX_EDE: Final = 8
_V4: Final = 4
_INFO: Final = 2
_TLSA_HEAD: Final = 3
_POINTER: Final = 0xC0
_EDE_WORDS: Final = {
    code: " ".join(word if word in {"DNSSEC", "DNSKEY", "RRSIGS", "NSEC"} else word.capitalize() for word in words)
    for code, words in ((int(code), code.name.split("_")) for code in dns.edns.EDECode)
}


class MalformedError(ValueError):
    """Octets that are not a DNS message."""


class Query(NamedTuple):
    """A question ready to send. `question` is the question section: what a response has to repeat."""

    id: int
    wire: bytes
    question: bytes
    rdtype: int


class Record(NamedTuple):
    """One resource record; `rdata` None where it was not decoded; `ttl` None where its top bit was set."""

    owner: str
    rdtype: int
    ttl: int | None
    rdata: Rdata | None


class Reply(NamedTuple):
    """A response, read to its end."""

    rcode: int
    authoritative: bool
    truncated: bool
    authenticated: bool
    edns: bool
    answer: list[Record]
    authority: list[Record]
    additional: list[Record]
    extended: tuple[str, ...]
    size: int
    signatures: tuple[tuple[str, Signature], ...] = ()
    """RRSIGs in the answer section over the type asked for, each with its owner."""

    @property
    def rcode_text(self) -> str:
        """The mnemonic: `SERVFAIL`, or `RCODE15` where there is none."""
        text = str(dns.rcode.to_text(dns.rcode.Rcode(self.rcode)))
        return f"RCODE{text}" if text.isdigit() else text


def wire_name(name: str) -> bytes:
    r"""A name in wire form, octets beyond ASCII as UTF-8, `\DDD` and `\X` taken as escapes. Raises ValueError."""
    if not name:
        return b"\0"
    raw = name.encode("utf-8", "surrogateescape")
    if b"\\" in raw:
        try:
            return bytes(dns.name.from_text(raw.decode("latin-1").encode("ascii", "strict") + b".").to_wire() or b"")
        except (dns.exception.DNSException, UnicodeError) as error:
            raise ValueError(str(error)) from error
    out = bytearray()
    for label in raw.split(b"."):
        out.append(len(label))
        out += label
    out.append(0)
    return bytes(out)


def make_query(
    name: str,
    rdtype: int,
    *,
    recurse: bool = True,
    edns: bool = True,
    unchecked: bool = False,
    ident: int | None = None,
) -> Query:
    """A query with EDNS and DO, or without; `unchecked` sets CD (RFC 4035 §3.2.2). Raises ValueError.

    AD in a query asks for AD in the answer (RFC 6840 §5.7).
    """
    ident = secrets.randbits(16) if ident is None else ident
    flags = (_RD if recurse else 0) | _AD | (_CD if unchecked else 0)
    question = wire_name(name) + struct.pack("!HH", rdtype, _IN)
    opt = struct.pack("!BHHBBHH", 0, _OPT, PAYLOAD, 0, 0, 0x8000, 0) if edns else b""
    wire = struct.pack("!HHHHHH", ident, flags, 1, 0, 0, 1 if edns else 0) + question + opt
    return Query(ident, wire, question, rdtype)


def belongs(wire: bytes, query: Query) -> bool:
    """Whether a datagram answers this very query: a response with its id and its question.

    A server that could not read the question may leave it out of an error (RFC 9619 §2).
    """
    if len(wire) < _HEADER:
        return False
    ident, flags, questions = struct.unpack_from("!HHH", wire)
    if ident != query.id or not flags & _QR:
        return False
    if questions == 0:
        return bool(flags & 15)
    return wire[_HEADER : _HEADER + len(query.question)].lower() == query.question.lower()


def read_reply(wire: bytes, query: Query) -> Reply:
    """The response in `wire`, which `belongs` to the query. Raises `MalformedError`."""
    try:
        return _Reader(wire).reply(query.rdtype)
    except (struct.error, IndexError, ValueError, dns.exception.DNSException) as error:
        raise MalformedError(str(error) or type(error).__name__) from error


class _Reader:
    def __init__(self, wire: bytes) -> None:
        self.wire = wire
        self.at = _HEADER
        self.names: dict[int, tuple[str, int]] = {}
        self.signatures: list[tuple[str, Signature]] = []

    def reply(self, asked: int) -> Reply:
        _, flags, questions, answers, authorities, additionals = struct.unpack_from("!HHHHHH", self.wire)
        for _ in range(questions):
            self._name()
            self.at += 4
        answer = self._section(answers, asked)
        signatures = tuple(self.signatures)
        authority = self._section(authorities, asked)
        rcode, edns = flags & 15, False
        extended: tuple[str, ...] = ()
        additional: list[Record] = []
        for _ in range(additionals):
            owner, rdtype, rdclass, ttl, length = self._fixed()
            if rdtype == _OPT:
                edns = True
                rcode |= ttl >> 24 << 4
                extended = _extended(self.wire[self.at : self.at + length])
                self.at += length
            else:
                additional += self._record(owner, rdtype, rdclass, ttl, length, asked)
        if self.at != len(self.wire):
            raise MalformedError("octets follow the last record")
        return Reply(
            rcode,
            bool(flags & _AA),
            bool(flags & _TC),
            bool(flags & _AD),
            edns,
            answer,
            authority,
            additional,
            extended,
            len(self.wire),
            signatures,
        )

    def _fixed(self) -> tuple[str, int, int, int, int]:
        owner = self._name()
        rdtype, rdclass, ttl, length = struct.unpack_from("!HHIH", self.wire, self.at)
        self.at += 10
        if self.at + length > len(self.wire):
            raise MalformedError("a record is longer than the message")
        return owner, rdtype, rdclass, ttl, length

    def _section(self, count: int, asked: int) -> list[Record]:
        records: list[Record] = []
        for _ in range(count):
            owner, rdtype, rdclass, ttl, length = self._fixed()
            records += self._record(owner, rdtype, rdclass, ttl, length, asked)
        return records

    def _record(self, owner: str, rdtype: int, rdclass: int, ttl: int, length: int, asked: int) -> list[Record]:
        end = self.at + length
        rdata = None
        if rdclass == _IN and (rdtype not in _PROOFS or rdtype == asked):
            rdata = self._rdata(rdtype, end)
        elif rdtype == _RRSIG and rdclass == _IN and length > _SIGNATURE.size:
            self._signature(owner, asked)
        self.at = end
        if rdclass != _IN:
            return []
        # RFC 2181 §8: a TTL with the top bit set is taken for zero.
        return [Record(owner, rdtype, None if ttl >> 31 else ttl, rdata)]

    def _rdata(self, rdtype: int, end: int) -> Rdata:
        start = self.at
        match rdtype:
            case 16 | 99:
                return Txt(self._strings(end))
            case 1 if end - start == _V4:
                return Address(".".join(map(str, self.wire[start:end])))
            case 2 | 5 | 12:
                found: Rdata = Host(self._name())
            case 15:
                self.at += 2
                found = Mx(struct.unpack_from("!H", self.wire, start)[0], self._name())
            case 6:
                mname, rname = self._name(), self._name()
                serial, _, _, _, minimum = struct.unpack_from("!IIIII", self.wire, self.at)
                self.at += 20
                found = Soa(mname, rname, serial, minimum)
            case 52 if end - start >= _TLSA_HEAD:
                # By hand: a digest of the wrong length spoils its record (RFC 6698 §4.1), not the whole answer.
                usage, selector, matching = self.wire[start : start + _TLSA_HEAD]
                return Other(f"{usage} {selector} {matching} {self.wire[start + _TLSA_HEAD : end].hex()}".rstrip())
            case _:
                return rdata_of(
                    dns.rdata.from_wire(
                        dns.rdataclass.IN, dns.rdatatype.RdataType.make(rdtype), self.wire, start, end - start
                    )
                )
        if self.at != end:
            raise MalformedError("a record's length is not that of its data")
        return found

    def _signature(self, owner: str, asked: int) -> None:
        covered, algorithm, _, _, expiration, inception, tag = _SIGNATURE.unpack_from(self.wire, self.at)
        if covered == asked and len(self.signatures) < _MAX_SIGNATURES:
            self.at += _SIGNATURE.size
            signature = Signature(
                algorithm=algorithm, key_tag=tag, signer=self._name(), inception=inception, expiration=expiration
            )
            self.signatures.append((owner, signature))

    def _strings(self, end: int) -> tuple[bytes, ...]:
        strings: list[bytes] = []
        at = self.at
        if at == end:
            raise MalformedError("a TXT record without a string")
        while at < end:
            stop = at + 1 + self.wire[at]
            if stop > end:
                raise MalformedError("a string is longer than its record")
            strings.append(self.wire[at + 1 : stop])
            at = stop
        return tuple(strings)

    def _name(self) -> str:
        """The name at `at`, which moves behind it."""
        start = self.at
        if held := self.names.get(start):
            self.at = held[1]
            return held[0]
        labels: list[bytes] = []
        at, bound, behind, size = start, start, 0, 1
        wire = self.wire
        while length := wire[at]:
            if length & _POINTER == _POINTER:
                target = (length & 0x3F) << 8 | wire[at + 1]
                if target >= bound:
                    raise MalformedError("a compression pointer that does not point backwards")
                behind = behind or at + 2
                at = bound = target
                continue
            if length & _POINTER:
                raise MalformedError("an unknown kind of label")
            size += length + 1
            if size > _MAX_WIRE_NAME or at + 1 + length > len(wire):
                raise MalformedError("a name that is too long")
            labels.append(wire[at + 1 : at + 1 + length])
            at += length + 1
        self.at = behind or at + 1
        name = _text(labels)
        self.names[start] = (name, self.at)
        return name


def _text(labels: list[bytes]) -> str:
    if all(_PLAIN.issuperset(label) for label in labels):
        return b".".join(labels).decode("ascii").lower()
    return normal_name(dns.name.Name((*labels, b"")).to_text())


def _extended(options: bytes) -> tuple[str, ...]:
    """The extended errors among EDNS options (RFC 8914 §2)."""
    found: list[str] = []
    at = 0
    while at < len(options):
        code, length = struct.unpack_from("!HH", options, at)
        value = options[at + 4 : at + 4 + length]
        if len(value) != length:
            raise MalformedError("an EDNS option is longer than its record")
        at += 4 + length
        if code == _EDE and length >= _INFO and len(found) < _MAX_EDE:
            info = int.from_bytes(value[:_INFO], "big")
            text = value[_INFO:].rstrip(b"\0").decode("utf-8", "backslashreplace")
            words = f"{info} {_EDE_WORDS.get(info, '')}".rstrip()
            found.append(f"{words}: {text}" if text else words)
    return tuple(found)
