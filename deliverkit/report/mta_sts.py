"""What the report says of area `mta-sts`."""

from __future__ import annotations

import msgspec

from deliverkit.facts.mta_sts import FetchFacts, MtaStsFacts
from deliverkit.model import Found, Unknown, clipped
from deliverkit.model.display import RECORDED
from deliverkit.records.certificate import day

_MOST = 100


class PolicyCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """The policy host's certificate. `not_after` is a day."""

    subject: str
    names: tuple[str, ...]
    issuer: str
    not_after: str
    key: str
    trusted: bool | None
    trust_error: str | None
    name_matches: bool


class PolicyFetch(msgspec.Struct, frozen=True, kw_only=True):
    """What one address of the policy host answered. `outcome` as in the evidence; `status` null where none came."""

    url: str
    address: str
    outcome: str
    why: str
    status: int | None
    media_type: str | None
    location: str | None
    certificate: PolicyCertificate | None


class CoveredHost(msgspec.Struct, frozen=True, kw_only=True):
    """One mail host, and whether the policy covers it; null where there is no policy to tell."""

    host: str
    covered: bool | None


class MtaStsReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts as the contract names them."""

    id: str | None
    mode: str | None
    mx: tuple[str, ...]
    max_age: int | None
    """Seconds."""
    record: str | None
    """The record that senders use."""
    records: tuple[str, ...]
    """Every record that begins as one."""
    valid: bool | None
    """Whether senders can use record and policy both; null where that could not be told."""
    policy: str | None
    """The document as it came."""
    from_file: bool
    """The policy is the user's file."""
    fetches: tuple[PolicyFetch, ...]
    hosts: tuple[CoveredHost, ...]
    unknown: str | None
    """Why the record or the policy could not be told."""


def report(facts: MtaStsFacts) -> MtaStsReport:
    """The area's facts, flattened for readers."""
    policy = facts.policy.value if isinstance(facts.policy, Found) else None
    record = facts.record
    unknown = next((answer.why for answer in (facts.texts, facts.policy) if isinstance(answer, Unknown)), None)
    hosts = facts.hosts.value if isinstance(facts.hosts, Found) else ()
    return MtaStsReport(
        id=facts.records[0].id if len(facts.records) == 1 else None,
        mode=policy.mode if policy else None,
        mx=tuple(clipped(pattern, RECORDED) for pattern in policy.mx[:_MOST]) if policy else (),
        max_age=policy.max_age if policy else None,
        record=clipped(record.text, RECORDED) if record else None,
        records=tuple(clipped(each.text, RECORDED) for each in facts.records[:_MOST]),
        valid=None if unknown is not None else bool(record and policy and policy.valid),
        policy=clipped(policy.text, RECORDED) if policy else None,
        from_file=facts.from_file,
        fetches=tuple(_fetch(fetch) for fetch in facts.fetches),
        hosts=tuple(
            CoveredHost(host=host, covered=policy.covers(host) if policy and policy.valid else None) for host in hosts
        ),
        unknown=unknown,
    )


def _fetch(fetch: FetchFacts) -> PolicyFetch:
    certificate = fetch.certificate
    return PolicyFetch(
        url=fetch.url,
        address=fetch.address,
        outcome=fetch.outcome.value,
        why=clipped(fetch.why, RECORDED),
        status=fetch.status or None,
        media_type=clipped(fetch.media_type, RECORDED) or None,
        location=clipped(fetch.location, RECORDED) or None,
        certificate=PolicyCertificate(
            subject=clipped(certificate.subject, RECORDED),
            names=tuple(clipped(name, RECORDED) for name in certificate.names[:_MOST]),
            issuer=clipped(certificate.issuer, RECORDED),
            not_after=day(certificate.not_after),
            key=certificate.key,
            trusted=fetch.trusted,
            trust_error=fetch.trust_error,
            name_matches=fetch.name_matches,
        )
        if certificate
        else None,
    )
