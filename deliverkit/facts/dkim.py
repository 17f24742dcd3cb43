"""Facts of area `dkim`: what stands at each selector, and what stands around them."""

from __future__ import annotations

import msgspec

from deliverkit.facts.tree import Fact
from deliverkit.model import Absent, Answer, Found, Lookup, Txt, Unknown
from deliverkit.records.dkim import KeyRecord, looks_like_key
from deliverkit.records.dkim_damage import Diagnosis
from deliverkit.records.dkim_key import Key


class ServerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What one authoritative server says of a selector; `answer` None: it did not tell."""

    host: str
    address: str
    ttl: int | None
    answer: tuple[str, ...] | None
    why: str = ""


class SelectorFacts(Fact, frozen=True, kw_only=True):
    """One selector: named by the user, or guessed and found."""

    domain: str
    selector: str
    guessed: bool
    lookup: Lookup
    provider: str | None = None
    wildcard: Answer[bool] = Found(value=False)
    """Whether what stands here is the answer of `*._domainkey`, or of a wildcard above it."""
    record: KeyRecord | None = None
    """The record that is meant as the key."""
    diagnosis: Diagnosis | None = None
    refused: str | None = None
    """Why dkimpy refuses the key, None where it takes it or has not seen it."""
    doubled: tuple[str, ...] = ()
    """Names with the domain's name repeated, where the record was found instead."""
    doubled_texts: tuple[str, ...] = ()
    """The key record at each of those names."""
    expected_cname: str | None = None
    given: Key | None = None
    """The key it should hold (`--key`)."""
    nameservers: tuple[ServerAnswer, ...] = ()

    @property
    def name(self) -> str:
        """Where the record stands."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def texts(self) -> Answer[tuple[str, ...]]:
        """The TXT records; absent where only a wildcard without a key answers (RFC 6376 §3.6.1)."""
        match self.lookup.of(Txt):
            case Found(records):
                match self.denied:
                    case Found(value=True):
                        return Absent(f"only the wildcard *._domainkey.{self.domain} answers, and it holds no key")
                    case Unknown() as untold:
                        return untold
                    case _:
                        pass
                texts = tuple(record.text for record in records)
                return Found(texts) if texts else Absent(f"no TXT record at {self.name}")
            case Absent() | Unknown() as other:
                return other

    @property
    def foreign(self) -> bool:
        """What stands here was never meant as a DKIM key."""
        return self.record is not None and not looks_like_key(self.record.text)

    @property
    def denied(self) -> Answer[bool]:
        """Whether only a wildcard answers, and with no key."""
        if self.record is None or not (self.record.revoked or self.foreign):
            return Found(value=False)
        return self.wildcard

    @property
    def cname(self) -> str | None:
        """The first CNAME's target."""
        return self.lookup.aliases[0] if self.lookup.aliases else None


class DkimFacts(Fact, frozen=True, kw_only=True):
    """What is known of the area."""

    domain: str
    named: bool
    """Whether anybody named a selector."""
    base: Lookup
    """`_domainkey.DOMAIN`: NXDOMAIN denies every selector (RFC 8020)."""
    wildcard: Lookup
    """A selector that nobody has: what answers it is a wildcard."""
    sends: Answer[bool]
    """False: a parked domain (no MX or a null MX, and a bare `v=spf1 -all`), or one that is meant not to send."""
    selectors: tuple[SelectorFacts, ...] = ()
    tried: tuple[str, ...] = ()
    """Selectors that were guessed."""
    absent: tuple[str, ...] = ()
    """Those of them that are known not to be there."""
    untold: tuple[str, ...] = ()
    """Those of them of which it could not be told: they say nothing."""
