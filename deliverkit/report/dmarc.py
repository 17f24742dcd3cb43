"""What the report says of area `dmarc`."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from deliverkit.facts.dmarc import AppliedRecord, BelowRecord, DmarcFacts, ReportTarget, WalkStep, old_receivers_differ
from deliverkit.model import Answer, Found, Unknown, clipped
from deliverkit.model.display import RECORDED

T = TypeVar("T")


class AlignmentReport(msgspec.Struct, frozen=True, kw_only=True):
    """How close SPF's and DKIM's domains must be to that of From: `relaxed` or `strict`."""

    spf: str
    dkim: str


class WalkReport(msgspec.Struct, frozen=True, kw_only=True):
    """One name of the tree walk. `state`: record, multiple, none, other (TXT, but no DMARC record), unknown."""

    name: str
    state: str
    records: tuple[str, ...]
    reached: bool
    why: str | None


class PublishedReport(msgspec.Struct, frozen=True, kw_only=True):
    """The record's tags as written, each once; null where a tag is missing or has no valid value."""

    p: str | None
    sp: str | None
    np: str | None
    psd: str
    t: str
    fo: tuple[str, ...]
    tags: dict[str, str]
    usable: bool


class ReportAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An address for reports. `authorized` null: not needed for this URI, not asked, or nobody could tell."""

    tag: str
    uri: str
    external: bool
    asked: str | None
    authorized: bool | None
    problem: str | None


class OldReceiverReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver on RFC 7489 and the Public Suffix List decides."""

    organizational_domain: str | None
    policy: str | None


class DmarcReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts as the contract names them.

    `policy` and its kin are what a receiver applies (RFC 9989), `record` is what is published.
    """

    record: str | None
    found_at: str | None
    policy: str | None
    subdomain_policy: str | None
    nonexistent_policy: str | None
    organizational_domain: str | None
    alignment: AlignmentReport | None
    inherited: bool
    testing: bool
    published: PublishedReport | None
    walk: tuple[WalkReport, ...]
    reports: tuple[ReportAddress, ...]
    rfc7489: OldReceiverReport | None
    """Only where it differs."""
    unknown: str | None
    """Why the record could not be told."""


def report(facts: DmarcFacts) -> DmarcReport:
    """The area's facts, flattened for readers."""
    applied = _value(facts.applied)
    below: BelowRecord | None = _value(facts.below)
    record = applied.record if applied else None
    return DmarcReport(
        record=_text(record.text) if record else None,
        found_at=applied.found_at if applied else None,
        policy=applied.policy if applied else None,
        subdomain_policy=below.subdomain_policy if below else None,
        nonexistent_policy=below.nonexistent_policy if below else None,
        organizational_domain=_value(facts.organizational_domain),
        alignment=AlignmentReport(spf=record.aspf, dkim=record.adkim) if record else None,
        inherited=applied.inherited if applied else False,
        testing=record.testing if record else False,
        published=_published(applied) if applied else None,
        walk=tuple(_walk(step) for step in facts.walk),
        reports=tuple(_address(target) for target in applied.reports) if applied else (),
        rfc7489=_old(facts),
        unknown=facts.applied.why if isinstance(facts.applied, Unknown) else None,
    )


def _old(facts: DmarcFacts) -> OldReceiverReport | None:
    old = _value(facts.old)
    if old is None or not old_receivers_differ(facts):
        return None
    return OldReceiverReport(organizational_domain=old.organizational_domain, policy=old.policy)


def _published(applied: AppliedRecord) -> PublishedReport:
    record = applied.record
    return PublishedReport(
        p=record.p,
        sp=record.sp,
        np=record.np,
        psd=record.psd,
        t="y" if record.testing else "n",
        fo=record.fo,
        tags={_text(tag.name): _text(tag.value) for tag in reversed(record.tags)},
        usable=record.usable,
    )


def _walk(step: WalkStep) -> WalkReport:
    reason: str | None
    match step.texts:
        case Unknown(why):
            state, reason = "unknown", why
        case Found():
            state = ("other", "record", "multiple")[min(len(step.records), 2)]
            reason = None
        case absent:
            state, reason = "none", absent.why
    return WalkReport(
        name=step.name,
        state=state,
        records=tuple(_text(text) for text in step.records[:16]),
        reached=step.reached,
        why=reason,
    )


def _address(target: ReportTarget) -> ReportAddress:
    return ReportAddress(
        tag=target.tag,
        uri=_text(target.uri.text),
        external=target.external,
        asked=target.asked,
        authorized=_value(target.authorized),
        problem=target.uri.problem,
    )


def _text(text: str) -> str:
    return clipped(text, RECORDED)


def _value(answer: Answer[T]) -> T | None:
    return answer.value if isinstance(answer, Found) else None
