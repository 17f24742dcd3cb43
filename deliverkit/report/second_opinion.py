"""What the report says of the second opinion."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from deliverkit.facts.second_opinion import (
    DmarcOpinion,
    MtaStsOpinion,
    PolicyOpinion,
    SecondOpinionFacts,
    SpfOpinion,
    TlsRptOpinion,
)
from deliverkit.model import Answer, Found, Unknown, clipped
from deliverkit.model.display import RECORDED

T = TypeVar("T")
_MOST = 100


class SpfOpinionReport(msgspec.Struct, frozen=True, kw_only=True):
    """Its verdict on SPF. `error` is its own word for what it minds; null where it minds nothing."""

    valid: bool
    error: str | None
    lookups: int | None
    void_lookups: int | None


class DmarcOpinionReport(msgspec.Struct, frozen=True, kw_only=True):
    """Its verdict on DMARC. `found_at` is the domain whose record it took."""

    valid: bool
    error: str | None
    found_at: str | None
    policy: str | None


class MtaStsOpinionReport(msgspec.Struct, frozen=True, kw_only=True):
    """Its verdict on the MTA-STS record."""

    valid: bool
    error: str | None
    id: str | None


class PolicyOpinionReport(msgspec.Struct, frozen=True, kw_only=True):
    """Its verdict on the MTA-STS policy. `max_age` in seconds."""

    valid: bool
    error: str | None
    mode: str | None
    mx: tuple[str, ...]
    max_age: int | None


class TlsRptOpinionReport(msgspec.Struct, frozen=True, kw_only=True):
    """Its verdict on the TLS-RPT record."""

    valid: bool
    error: str | None
    rua: tuple[str, ...]


class SecondOpinionReport(msgspec.Struct, frozen=True, kw_only=True):
    """Another program's verdict on the same answers; null for an area not asked for or not to be told."""

    library: str
    version: str
    spf: SpfOpinionReport | None
    dmarc: DmarcOpinionReport | None
    mta_sts: MtaStsOpinionReport | None = None
    mta_sts_policy: PolicyOpinionReport | None = None
    tls_rpt: TlsRptOpinionReport | None = None
    unknown: tuple[str, ...] = ()


def report(facts: SecondOpinionFacts) -> SecondOpinionReport:
    """The verdicts, flattened for readers."""
    spf: SpfOpinion | None = _value(facts.spf)
    dmarc: DmarcOpinion | None = _value(facts.dmarc)
    sts: MtaStsOpinion | None = _value(facts.mta_sts)
    policy: PolicyOpinion | None = _value(facts.mta_sts_policy)
    rpt: TlsRptOpinion | None = _value(facts.tls_rpt)
    answers = (facts.spf, facts.dmarc, facts.mta_sts, facts.mta_sts_policy, facts.tls_rpt)
    return SecondOpinionReport(
        library=facts.library,
        version=facts.version,
        spf=SpfOpinionReport(valid=spf.valid, error=_said(spf), lookups=spf.lookups, void_lookups=spf.void_lookups)
        if spf
        else None,
        dmarc=DmarcOpinionReport(valid=dmarc.valid, error=_said(dmarc), found_at=dmarc.location, policy=dmarc.policy)
        if dmarc
        else None,
        mta_sts=MtaStsOpinionReport(valid=sts.valid, error=_said(sts), id=sts.id) if sts else None,
        mta_sts_policy=PolicyOpinionReport(
            valid=policy.valid,
            error=_said(policy),
            mode=policy.mode,
            mx=tuple(clipped(pattern, RECORDED) for pattern in policy.mx[:_MOST]),
            max_age=policy.max_age,
        )
        if policy
        else None,
        tls_rpt=TlsRptOpinionReport(
            valid=rpt.valid, error=_said(rpt), rua=tuple(clipped(uri, RECORDED) for uri in rpt.rua[:_MOST])
        )
        if rpt
        else None,
        unknown=tuple(dict.fromkeys(answer.why for answer in answers if isinstance(answer, Unknown))),
    )


def _said(opinion: SpfOpinion | DmarcOpinion | MtaStsOpinion | PolicyOpinion | TlsRptOpinion) -> str | None:
    if opinion.error is None:
        return None
    return clipped(f"{opinion.error}: {opinion.words}" if opinion.words else opinion.error, RECORDED)


def _value(answer: Answer[T]) -> T | None:
    return answer.value if isinstance(answer, Found) else None
