"""What the report says of area `dkim`."""

from __future__ import annotations

import msgspec

from deliverkit.facts.dkim import DkimFacts, SelectorFacts
from deliverkit.model import Absent, Found, LookupOutcome, Unknown


class NameserverReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one authoritative server says of a selector; `records` null: it did not tell, and `why` says so."""

    host: str
    address: str
    ttl: int | None
    records: tuple[str, ...] | None
    why: str


class SelectorReport(msgspec.Struct, frozen=True, kw_only=True):
    """One selector: named, or guessed and found.

    `record` is null where none is published or none could be told (`unknown` then says why). `flags` are those of t=,
    `damage` the kinds of damage found, `corrected` the record as it should stand where that can be told. `wildcard`
    is null where it could not be told whether a wildcard answers.
    """

    selector: str
    name: str
    record: str | None
    key_type: str | None
    key_bits: int | None
    cname: str | None
    guessed: bool
    provider: str | None
    aliases: tuple[str, ...]
    flags: tuple[str, ...]
    hashes: tuple[str, ...]
    services: tuple[str, ...]
    testing: bool
    revoked: bool
    wildcard: bool | None
    ttl: int | None
    damage: tuple[str, ...]
    corrected: str | None
    unknown: str | None
    nameservers: tuple[NameserverReport, ...]


class DkimReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts as the contract names them.

    `untold` are those of `tried` of which it could not be told. `none_published` is true where `_domainkey` does not
    exist; it and `wildcard` are null where that could not be told.
    """

    selectors: tuple[SelectorReport, ...]
    tried: tuple[str, ...]
    untold: tuple[str, ...]
    none_published: bool | None
    wildcard: bool | None


def report(facts: DkimFacts) -> DkimReport:
    """The area's facts, flattened for readers."""
    outcome = facts.base.outcome
    found = any(selector.lookup.outcome is LookupOutcome.FOUND for selector in facts.selectors)
    return DkimReport(
        selectors=tuple(_selector(selector) for selector in facts.selectors),
        tried=facts.tried,
        untold=facts.untold,
        none_published=None
        if outcome is LookupOutcome.UNKNOWN
        else outcome in (LookupOutcome.NXDOMAIN, LookupOutcome.INVALID) and not found,
        wildcard=None
        if facts.wildcard.outcome is LookupOutcome.UNKNOWN
        else facts.wildcard.outcome is LookupOutcome.FOUND,
    )


def _selector(selector: SelectorFacts) -> SelectorReport:
    record = None
    unknown = None
    match selector.texts:
        case Found():
            record = selector.record
        case Unknown(why):
            unknown = why
        case Absent():
            pass
    key = record.key if record else None
    diagnosis = selector.diagnosis if record else None
    return SelectorReport(
        selector=selector.selector,
        name=selector.name,
        record=record.text if record else None,
        key_type=None if record is None or record.p is None else record.key_type,
        key_bits=key.bits if key else None,
        cname=selector.cname,
        guessed=selector.guessed,
        provider=selector.provider,
        aliases=selector.lookup.aliases,
        flags=record.flags if record else (),
        hashes=(record.hashes or ()) if record else (),
        services=(record.services or ()) if record else (),
        testing=record.testing if record else False,
        revoked=record.revoked if record else False,
        wildcard=selector.wildcard.value if isinstance(selector.wildcard, Found) else None,
        ttl=selector.lookup.ttl,
        damage=tuple(damage.kind.value for damage in diagnosis.damages) if diagnosis else (),
        corrected=diagnosis.corrected if diagnosis else None,
        unknown=unknown,
        nameservers=tuple(
            NameserverReport(host=s.host, address=s.address, ttl=s.ttl, records=s.answer, why=s.why)
            for s in selector.nameservers
        ),
    )
