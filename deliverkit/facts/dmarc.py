"""Facts of area `dmarc`: the tree walk, the record that applies, and where its reports go."""

from __future__ import annotations

import msgspec

from deliverkit.facts.tree import Fact
from deliverkit.model import Answer, Found, Unknown
from deliverkit.records.dmarc import DmarcRecord
from deliverkit.records.dmarc_uri import ReportUri


class WalkStep(msgspec.Struct, frozen=True, kw_only=True):
    """One question of the tree walk (RFC 9989 §4.10): `_dmarc.` before `domain`."""

    domain: str
    texts: Answer[tuple[str, ...]]
    """Every TXT record there, DMARC or not; Absent where there is none."""
    records: tuple[str, ...] = ()
    """Those that begin as DMARC records do; receivers discard all where there are several."""
    reached: bool = True
    """False: a receiver stops below, at `psd=y` or `psd=n`."""

    @property
    def name(self) -> str:
        """The name that was asked."""
        return f"_dmarc.{self.domain}"


class ReportTarget(Fact, frozen=True, kw_only=True):
    """One address that reports go to, and whether its domain agreed (RFC 9990 §3)."""

    tag: str
    uri: ReportUri
    policy_domain: str
    """The domain whose record names the address."""
    record: str
    mailbox: str | None
    """As `AppliedRecord.mailbox`."""
    asked: str | None = None
    """The name whose TXT record gives consent; None where none is needed, or not asked."""
    external: bool = False
    """Not known to be of the same organisation."""
    authorized: Answer[bool]
    """Found(False): asked, and not consented. Absent: no address, or one too many to ask for. Unknown also where
    there is no consent and nobody could tell whether any is needed."""
    exists: Answer[bool]
    """Whether the address's domain exists."""


class AppliedRecord(Fact, frozen=True, kw_only=True):
    """The record a receiver applies to the domain's own mail (RFC 9989 §4.10.1)."""

    target: str
    """The domain that was asked about."""
    domain: str
    """Whose record it is."""
    record: DmarcRecord
    parked: bool
    mailbox: str | None
    """The address to recommend where no report goes to anyone; None for a domain that sends no mail."""
    public_suffix: bool
    """The record's domain is a public suffix by the Public Suffix List."""
    policy: str | None
    """After `sp` where it is inherited, and after `t`; None where receivers do no DMARC with it."""
    reports: tuple[ReportTarget, ...] = ()

    @property
    def inherited(self) -> bool:
        """It stands at a parent and not at the domain itself."""
        return self.domain != self.target

    @property
    def found_at(self) -> str:
        """The name of the record."""
        return f"_dmarc.{self.domain}"


class BelowRecord(Fact, frozen=True, kw_only=True):
    """The record a receiver applies to names below the domain that publish none of their own.

    It is the organisational domain's: `sp` and `np` of any other record are read by nobody.
    """

    target: str
    domain: str
    record: DmarcRecord
    mailbox: str | None
    """As `AppliedRecord.mailbox`."""
    subdomain_policy: str | None
    nonexistent_policy: str | None


class OldReceiver(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver decides that still follows RFC 7489 and the Public Suffix List."""

    organizational_domain: str | None
    """None: the domain is itself a public suffix."""
    domain: str | None
    """Whose record it applies; None where it finds none."""
    policy: str | None


class DmarcFacts(Fact, frozen=True, kw_only=True):
    """What is known of the area."""

    domain: str
    expected: str | None
    parked: Answer[bool]
    walk: tuple[WalkStep, ...]
    """The domain first, then its parents."""
    applied: Answer[AppliedRecord]
    below: Answer[BelowRecord]
    organizational_domain: Answer[str]
    old: Answer[OldReceiver]
    """Absent where no record applies either way."""
    apex: Answer[tuple[str, ...]]
    """TXT records at the domain itself that read as DMARC records."""
    doubled: Answer[tuple[str, ...]]
    """The same at `_dmarc.DOMAIN.DOMAIN`; asked only where the domain has no record."""


def old_receivers_differ(facts: DmarcFacts) -> bool:
    """Whether a receiver on RFC 7489 takes another organisational domain, record or policy.

    False where either cannot be told, or neither finds a record.
    """
    if isinstance(facts.applied, Unknown) or not isinstance(facts.old, Found):
        return False
    if not isinstance(facts.organizational_domain, Found):
        return False
    old = facts.old.value
    applied = facts.applied.value if isinstance(facts.applied, Found) else None
    if applied is None and old.domain is None:
        return False
    return (old.domain, old.policy, old.organizational_domain) != (
        applied.domain if applied else None,
        applied.policy if applied else None,
        facts.organizational_domain.value,
    )
