"""Facts of area `dnssec`: whether a domain is signed, and whether the chain holds (RFC 4033)."""

from __future__ import annotations

import msgspec

from deliverkit.facts.tree import Fact
from deliverkit.model import Absent, Answer, Found
from deliverkit.records.dnssec import Ds, Key


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """One RRSIG over one set of records. Times in seconds since the epoch."""

    name: str
    rdtype: str
    what: str
    """What the records are to mail: `MX`, `SPF`, `TLSA of mx.example.com` …"""
    algorithm: int
    key_tag: int
    signer: str
    inception: float
    expiration: float

    @property
    def validity(self) -> float:
        """Seconds from its first moment to its last."""
        return self.expiration - self.inception


class Bogus(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that fails validation: every validating resolver withholds it."""

    name: str
    rdtype: str
    what: str
    why: str
    extended: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    """The records that are withheld."""


class DnssecFacts(Fact, frozen=True, kw_only=True):
    """What a validating resolver says of a domain."""

    domain: str
    now: float
    zone: Answer[str]
    """The zone that the domain stands in: its own name, or one above."""
    status: Answer[str]
    """`secure`, `insecure` or `bogus`; Unknown: the resolver does not validate, or did not answer."""
    validating: bool | None = None
    ds: Answer[tuple[Ds, ...]] = Absent("not asked for")
    """Of the zone, as its parent holds them."""
    keys: Answer[tuple[Key, ...]] = Absent("not asked for")
    """Of the zone; those of a bogus zone as they come unchecked."""
    named: tuple[bool | None, ...] = ()
    """For each DS whether it names a key of the zone; None where that cannot be told."""
    signatures: tuple[Signed, ...] = ()
    """Over the records that mail rests on, and over the keys."""
    bogus: tuple[Bogus, ...] = ()
    iterations: Answer[int] = Absent("no NSEC3")
    """Additional iterations of NSEC3 (RFC 9276)."""

    @property
    def signed(self) -> bool:
        """Whether the zone holds keys."""
        return isinstance(self.keys, Found)

    @property
    def own_bogus(self) -> tuple[Bogus, ...]:
        """The bogus answers at and below the domain."""
        return tuple(b for b in self.bogus if b.name == self.domain or b.name.endswith(f".{self.domain}"))
