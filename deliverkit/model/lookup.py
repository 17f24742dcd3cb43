"""One DNS question and what became of it: the unit of evidence.

Names are lower-case A-labels in presentation form without the trailing dot. A `Lookup` is the
*final* outcome, after retries, TCP fallback and the walk along CNAMEs.
"""

from __future__ import annotations

import enum
from typing import TypeAlias, TypeVar

import msgspec

from deliverkit.model.answer import Absent, Answer, Found, Unknown


class Txt(msgspec.Struct, frozen=True, tag="txt"):
    """A TXT record: its character-strings as published (RFC 1035 §3.3.14)."""

    strings: tuple[bytes, ...]

    @property
    def raw(self) -> bytes:
        """The strings joined without a space (RFC 7208 §3.3, RFC 6376 §3.6.2.2)."""
        return b"".join(self.strings)

    @property
    def text(self) -> str:
        r"""The joined strings as text; bytes that are not UTF-8 as `\xNN`."""
        return self.raw.decode("utf-8", "backslashreplace")


class Mx(msgspec.Struct, frozen=True, tag="mx"):
    """An MX record; `host` is "" for the root (null MX, RFC 7505)."""

    preference: int
    host: str


class Address(msgspec.Struct, frozen=True, tag="address"):
    """An A or AAAA record."""

    address: str


class Host(msgspec.Struct, frozen=True, tag="host"):
    """A CNAME, NS or PTR record."""

    name: str


class Soa(msgspec.Struct, frozen=True, tag="soa"):
    """An SOA record; `minimum` in seconds (RFC 2308)."""

    mname: str
    rname: str
    serial: int
    minimum: int


class Other(msgspec.Struct, frozen=True, tag="other"):
    """A record of any other type, in presentation form."""

    text: str


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """An RRSIG over the records of an answer (RFC 4034 §3), without the signature itself.

    `inception` and `expiration` are seconds since the epoch modulo 2**32, as they stand in the record (§3.1.5).
    """

    algorithm: int
    key_tag: int
    signer: str
    inception: int
    expiration: int


Rdata: TypeAlias = Txt | Mx | Address | Host | Soa | Other
R = TypeVar("R")


class Outcome(enum.StrEnum):
    """What became of a question."""

    FOUND = "found"
    NODATA = "nodata"
    NXDOMAIN = "nxdomain"
    INVALID = (
        "invalid"  # cannot be a DNS name (a label over 63, a name over 253 octets): nothing can be published there
    )
    UNKNOWN = "unknown"


class Note(enum.StrEnum):
    """What was odd on the way to an outcome, for the rules of area `dns`."""

    TCP_FALLBACK = "tcp-fallback"  # truncated over UDP, answered over TCP: ordinary
    TCP_ONLY = "tcp-only"  # silent over UDP, answered over TCP
    EDNS_REFUSED = "edns-refused"  # FORMERR, NOTIMP or BADVERS to EDNS, answered without (RFC 6891 §7)
    TTL_INVALID = "ttl-invalid"  # top bit set: taken for 0 (RFC 2181 §8)
    MALFORMED = "malformed"  # an answer came and could not be read
    BOGUS = "bogus"  # SERVFAIL, and an answer with CD: DNSSEC validation failed at the resolver
    CNAME_LOOP = "cname-loop"  # a CNAME chain that comes back, or is longer than 16
    SPOOFED = "spoofed"  # datagrams that did not match the question came before the answer
    RETRIED = "retried"  # the first datagram went unanswered
    FALLBACK = "fallback"  # an earlier resolver of the list failed


class Lookup(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question and its outcome.

    `rcode` is the mnemonic of the last reply ("" when none came), `server` whoever gave the
    outcome or was asked last (`127.0.0.1#5353`, a URL, or `zone FILE`), `aliases` the names
    that CNAMEs led through, in order, the last holding the records.
    """

    name: str
    rdtype: str
    outcome: Outcome
    records: tuple[Rdata, ...] = ()
    aliases: tuple[str, ...] = ()
    ttl: int | None = None
    authenticated: bool = False
    server: str = ""
    rcode: str = ""
    why: str = ""
    """One phrase in words that names the question and the server, for NODATA, NXDOMAIN, INVALID and UNKNOWN."""
    extended: tuple[str, ...] = ()
    """Extended DNS errors (RFC 8914), as `6 DNSSEC Bogus: text`."""
    signatures: tuple[Signature, ...] = ()
    """The RRSIGs that came with the records, at the name that holds them; those of a BOGUS answer too."""
    unchecked: tuple[Rdata, ...] = ()
    """What a BOGUS answer would have been: the records that came with CD, which nobody may believe."""
    notes: tuple[Note, ...] = ()
    attempts: int = 1
    elapsed_ms: float = 0.0

    def of(self, kind: type[R]) -> Answer[tuple[R, ...]]:
        """The records of one kind as an answer: `lookup.of(Txt)`."""
        match self.outcome:
            case Outcome.FOUND:
                return Found(tuple(record for record in self.records if isinstance(record, kind)))
            case Outcome.UNKNOWN:
                return Unknown(self.why)
            case Outcome.NXDOMAIN:
                return Absent(self.why, nxdomain=True)
            case _:
                return Absent(self.why)

    @property
    def exists(self) -> bool:
        """Whether the name is known to exist (RFC 8020: NXDOMAIN denies the whole subtree)."""
        return self.outcome in (Outcome.FOUND, Outcome.NODATA)
