"""Facts of area `delivery`: what the receiver of a message will find about its sender.

One fact holds it all, for whether DMARC passes hangs on every part: a pass of SPF or a signature that verifies, of a
domain that is aligned with that of From (RFC 9989 §4.4).
"""

from __future__ import annotations

import msgspec

from deliverkit.facts.tree import Fact
from deliverkit.model import Absent, Answer, Found, Unknown
from deliverkit.records.dkim import KeyRecord
from deliverkit.records.dkim_key import Key


class SpfVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """check_host() as the receiver will run it; `result` is never temperror: that is an `Unknown`."""

    domain: str
    sender: str
    result: str
    mechanism: str | None = None
    explanation: str | None = None
    problem: str | None = None


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One address that is connected from."""

    address: str
    hidden: str | None = None
    """What kind of address it is where no stranger can see it: behind it stands another, which is not known."""
    spf: Answer[SpfVerdict]
    """For the reverse-path; for HELO where that is null (RFC 7208 §2.4). Unknown where the address is hidden."""
    helo_spf: Answer[SpfVerdict]
    """For HELO (RFC 7208 §2.3); Absent where HELO is no name, or `spf` is that already."""
    names: Answer[tuple[str, ...]]
    """What its PTR records say."""
    confirmed: Answer[tuple[str, ...]]
    """Those of the names that lead back to the address."""


class DkimSignature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature and what is published for it."""

    domain: str
    selector: str
    texts: Answer[tuple[str, ...]]
    """The TXT records at its selector."""
    record: KeyRecord | None = None
    """The record that is meant as the key."""
    unusable: str | None = None
    """Why no verifier takes what is published."""
    made_with: Key | None = None
    """The key that makes the signature; None: not at hand."""
    verified: bool | None = None
    """Whether it verified against what is published, the message as it is sent; None: it was not tried."""
    aligned: Answer[bool]
    """With From; Absent where there is no From domain."""

    @property
    def name(self) -> str:
        """Where its key is looked for."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def matches(self) -> Answer[bool]:
        """Whether the key that is published is the one that signs; Absent where there is nothing to compare."""
        if isinstance(self.texts, Unknown):
            return self.texts
        if self.made_with is None or self.record is None or self.record.key is None:
            return Absent("there are no two keys to compare")
        return Found(self.made_with.identity == self.record.key.identity)

    @property
    def verifies(self) -> Answer[bool]:
        """Whether it will verify where the message arrives as it was sent."""
        if isinstance(self.texts, Unknown):
            return self.texts
        if not isinstance(self.texts, Found) or self.unusable is not None or self.broken:
            return Found(value=False)
        if self.verified or self.made_with is not None:
            return Found(value=True)
        return Unknown(f"whether the signature by {self.domain} verifies: neither its key nor the message is at hand")

    @property
    def broken(self) -> bool:
        """What is published is a key, and it does not fit the signature."""
        if not isinstance(self.texts, Found) or self.unusable is not None:
            return False
        return self.matches == Found(value=False) or self.verified is False


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The DMARC record that the receiver applies to the From domain."""

    domain: str
    """Whose record it is."""
    text: str
    policy: str | None
    """What it comes to for this From; None: receivers do no DMARC with it."""
    strict_spf: bool
    strict_dkim: bool

    @property
    def name(self) -> str:
        """Where it stands."""
        return f"_dmarc.{self.domain}"

    @property
    def enforcing(self) -> bool:
        """Whether mail that fails is put aside or refused."""
        return self.policy in ("quarantine", "reject")


class Helo(msgspec.Struct, frozen=True, kw_only=True):
    """The name that EHLO says."""

    name: str
    literal: bool = False
    """An address in brackets (RFC 5321 §4.1.3)."""
    qualified: bool = False
    """A name of more than one label that means something to strangers."""
    addresses: Answer[tuple[str, ...]]
    """Absent too where it is not looked up."""


class DeliveryFacts(Fact, frozen=True, kw_only=True):
    """What is known of one delivery's sender."""

    sender: str
    sender_domain: str | None
    from_domain: str | None
    from_exists: Answer[str]
    """Absent: NXDOMAIN, or there is no From domain."""
    mailable: Answer[tuple[str, ...]]
    """The hosts that take mail for the reverse-path's domain; Absent where nothing does, or it has none."""
    spf_record: Answer[str]
    """The one SPF record of the domain that SPF is checked for; Absent where there is none, or several."""
    spf_domain: str | None
    """That domain: of the reverse-path, else HELO's; None: there is none to check."""
    spf_aligned: Answer[bool]
    """Whether that domain is aligned with From; Absent where one of them is missing."""
    dmarc: Answer[Policy]
    helo: Answer[Helo]
    """Absent where the receiver does not hear it."""
    sources: Answer[tuple[Source, ...]]
    """Absent where the receiver sees another server's address, Unknown where ours is not known."""
    signatures: tuple[DkimSignature, ...] = ()
    submitted: str | None = None
    """The server that a login submits it to: it sends in our place, and may sign."""


def both(some: Answer[bool], other: Answer[bool]) -> Answer[bool]:
    """Whether both hold: no as soon as one is known not to."""
    for answer in (some, other):
        if answer == Found(value=False) or isinstance(answer, Absent):
            return Found(value=False)
    return next((answer for answer in (some, other) if isinstance(answer, Unknown)), Found(value=True))


def passes_spf(source: Source) -> Answer[bool]:
    """Whether SPF passes for one address."""
    match source.spf:
        case Found(verdict):
            return Found(verdict.result == "pass")
        case Absent():
            return Found(value=False)
        case unknown:
            return unknown


def signed(facts: DeliveryFacts, *, aligned: bool) -> Answer[bool]:
    """Whether any signature verifies, of those that are aligned where that is asked."""
    answers = [both(one.verifies, one.aligned) if aligned else one.verifies for one in facts.signatures]
    if Found(value=True) in answers:
        return Found(value=True)
    unknown = next((answer for answer in answers if isinstance(answer, Unknown)), None)
    if unknown is None and facts.submitted is not None:
        unknown = Unknown(
            f"submitted to {facts.submitted} with a login: the receiver sees that server's address, and it may sign"
        )
    return unknown or Found(value=False)


def sent(facts: DeliveryFacts, *, aligned: bool) -> Answer[bool]:
    """Whether SPF passes from every address, for an aligned domain where that is asked."""
    match facts.sources:
        case Unknown():
            return facts.sources
        case Absent(why):
            return Unknown(why)
        case Found(sources):
            answers = [both(facts.spf_aligned, passes_spf(one)) if aligned else passes_spf(one) for one in sources]
    if Found(value=False) in answers:
        return Found(value=False)
    return next((answer for answer in answers if isinstance(answer, Unknown)), Found(value=True))


def either(some: Answer[bool], other: Answer[bool]) -> Answer[bool]:
    """Whether one of both holds."""
    if Found(value=True) in (some, other):
        return Found(value=True)
    return next((answer for answer in (some, other) if isinstance(answer, Unknown)), Found(value=False))


def passes_dmarc(facts: DeliveryFacts) -> Answer[bool]:
    """Whether DMARC passes at the receiver; Absent where it does none with this From."""
    match facts.dmarc:
        case Found(policy):
            if policy.policy is None:
                return Absent(f"receivers do no DMARC with the record of {policy.domain}")
        case other:
            return other
    return either(signed(facts, aligned=True), sent(facts, aligned=True))


def fails_dmarc(facts: DeliveryFacts) -> bool:
    """Whether it is certain that DMARC fails: what else is wrong is then part of that."""
    return passes_dmarc(facts) == Found(value=False) and not isinstance(facts.from_exists, Absent)
