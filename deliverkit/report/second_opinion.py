"""What the report says of the second opinion."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from deliverkit.facts.second_opinion import DmarcOpinion, SecondOpinionFacts, SpfOpinion
from deliverkit.model import Answer, Found, Unknown, clipped
from deliverkit.model.display import RECORDED

T = TypeVar("T")


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


class SecondOpinionReport(msgspec.Struct, frozen=True, kw_only=True):
    """Another program's verdict on the same answers; null for an area not asked for or not to be told."""

    library: str
    version: str
    spf: SpfOpinionReport | None
    dmarc: DmarcOpinionReport | None
    unknown: tuple[str, ...]


def report(facts: SecondOpinionFacts) -> SecondOpinionReport:
    """The verdicts, flattened for readers."""
    spf: SpfOpinion | None = _value(facts.spf)
    dmarc: DmarcOpinion | None = _value(facts.dmarc)
    return SecondOpinionReport(
        library=facts.library,
        version=facts.version,
        spf=SpfOpinionReport(valid=spf.valid, error=_said(spf), lookups=spf.lookups, void_lookups=spf.void_lookups)
        if spf
        else None,
        dmarc=DmarcOpinionReport(valid=dmarc.valid, error=_said(dmarc), found_at=dmarc.location, policy=dmarc.policy)
        if dmarc
        else None,
        unknown=tuple(answer.why for answer in (facts.spf, facts.dmarc) if isinstance(answer, Unknown)),
    )


def _said(opinion: SpfOpinion | DmarcOpinion) -> str | None:
    if opinion.error is None:
        return None
    return clipped(f"{opinion.error}: {opinion.words}" if opinion.words else opinion.error, RECORDED)


def _value(answer: Answer[T]) -> T | None:
    return answer.value if isinstance(answer, Found) else None
