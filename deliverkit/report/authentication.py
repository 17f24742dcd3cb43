"""What the report says of area `delivery`: what a receiver makes of the sender (as RFC 8601 names the results)."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from deliverkit.facts.delivery import DeliveryFacts, DkimSignature, Source, passes_dmarc
from deliverkit.model import Absent, Answer, Found, Unknown, clipped
from deliverkit.model.display import RECORDED

Passes: TypeAlias = Literal["pass", "fail", "none", "unknown"]


class SpfResultReport(msgspec.Struct, frozen=True, kw_only=True):
    """SPF for one address. `result` as RFC 7208 §2.6 has it, or `unknown`; `aligned` null: not known, or no From."""

    address: str
    domain: str | None
    result: str
    aligned: bool | None
    ptr: tuple[str, ...]
    """The names of the address that lead back to it."""


class DkimResultReport(msgspec.Struct, frozen=True, kw_only=True):
    """One signature."""

    domain: str
    selector: str
    result: Passes
    aligned: bool | None


class DmarcResultReport(msgspec.Struct, frozen=True, kw_only=True):
    """DMARC. `result` is `none` where the From domain has no record; `domain` is whose record applies."""

    from_domain: str | None
    domain: str | None
    policy: str | None
    result: Passes


class AuthenticationReport(msgspec.Struct, frozen=True, kw_only=True):
    """The whole. `spf` is empty where the receiver sees another server's address, which `submitted` then names."""

    helo: str | None
    submitted: str | None
    spf: tuple[SpfResultReport, ...]
    dkim: tuple[DkimResultReport, ...]
    dmarc: DmarcResultReport


def report(facts: DeliveryFacts) -> AuthenticationReport:
    """The area's facts, flattened for readers."""
    policy = facts.dmarc.value if isinstance(facts.dmarc, Found) else None
    return AuthenticationReport(
        helo=clipped(facts.helo.value.name, RECORDED) if isinstance(facts.helo, Found) else None,
        submitted=clipped(facts.submitted, RECORDED) if facts.submitted is not None else None,
        spf=tuple(_spf(facts, one) for one in facts.sources.value) if isinstance(facts.sources, Found) else (),
        dkim=tuple(_dkim(one) for one in facts.signatures),
        dmarc=DmarcResultReport(
            from_domain=facts.from_domain,
            domain=policy.domain if policy is not None else None,
            policy=policy.policy if policy is not None else None,
            result=_passes(passes_dmarc(facts)),
        ),
    )


def _spf(facts: DeliveryFacts, source: Source) -> SpfResultReport:
    match source.spf:
        case Found(verdict):
            result = verdict.result
        case Absent():
            result = "none"
        case _:
            result = "unknown"
    return SpfResultReport(
        address=source.address,
        domain=facts.spf_domain,
        result=result,
        aligned=_holds(facts.spf_aligned),
        ptr=tuple(clipped(name, RECORDED) for name in source.confirmed.value)
        if isinstance(source.confirmed, Found)
        else (),
    )


def _dkim(signature: DkimSignature) -> DkimResultReport:
    return DkimResultReport(
        domain=clipped(signature.domain, RECORDED),
        selector=clipped(signature.selector, RECORDED),
        result=_passes(signature.verifies),
        aligned=_holds(signature.aligned),
    )


def _passes(answer: Answer[bool]) -> Passes:
    match answer:
        case Found(value):
            return "pass" if value else "fail"
        case Unknown():
            return "unknown"
        case _:
            return "none"


def _holds(answer: Answer[bool]) -> bool | None:
    return answer.value if isinstance(answer, Found) else None
