"""What rules of area `delivery` show: verdicts of SPF and DKIM as evidence, and the records that mend them."""

from __future__ import annotations

from typing import Final

from deliverkit.facts.delivery import (
    DeliveryFacts,
    DkimSignature,
    Policy,
    Source,
    either,
    fails_dmarc,
    passes_dmarc,
    sent,
    signed,
)
from deliverkit.model import Absent, Exhibit, Found, Mark, NotApplicable, Unknown, need
from deliverkit.records.spf import is_spf

ALIGNMENT: Final = "delivery-alignment-fails"
UNAUTHENTICATED: Final = "delivery-unauthenticated"
NONEXISTENT: Final = "delivery-from-nonexistent"
_TOO_LONG: Final = 2048


def explained(facts: DeliveryFacts) -> str | None:
    """The rule whose finding says what this one leads to."""
    if fails_dmarc(facts):
        return ALIGNMENT
    return UNAUTHENTICATED if unauthenticated(facts) else None


def unauthenticated(facts: DeliveryFacts) -> bool:
    """Whether it is certain that neither SPF nor any signature passes, and there is no DMARC to say so."""
    if not isinstance(passes_dmarc(facts), Absent) or isinstance(facts.from_exists, Absent):
        return False
    return either(signed(facts, aligned=False), sent(facts, aligned=False)) == Found(value=False)


def verdicts(facts: DeliveryFacts) -> tuple[tuple[Source, str], ...]:
    """The addresses for which SPF could be evaluated, each with its result."""
    sources = need(facts.sources)
    return tuple((one, one.spf.value.result) for one in sources if isinstance(one.spf, Found))


def untold(facts: DeliveryFacts) -> str | None:
    """Why SPF could not be told for one of the addresses; None where it could for all."""
    sources = facts.sources.value if isinstance(facts.sources, Found) else ()
    return next((one.spf.why for one in sources if isinstance(one.spf, Unknown)), None)


def spf_exhibit(source: Source, *, helo: bool = False) -> Exhibit:
    """The verdict of SPF for one address, of the reverse-path or of HELO."""
    answer = source.helo_spf if helo else source.spf
    if not isinstance(answer, Found):
        return Exhibit(answer.why, title=f"SPF for {source.address}")
    verdict = answer.value
    words = (verdict.result, verdict.mechanism and f"by {verdict.mechanism}", verdict.explanation, verdict.problem)
    title = f"check_host({source.address}, {verdict.domain}, {verdict.sender})"
    return Exhibit(" ".join(filter(None, words)), title=title)


def record_exhibit(facts: DeliveryFacts) -> tuple[Exhibit, ...]:
    """The SPF record that was evaluated, where there is one."""
    if not isinstance(facts.spf_record, Found):
        return ()
    return (Exhibit(facts.spf_record.value, title=f"{facts.spf_domain} TXT"),)


def signature_exhibit(signature: DkimSignature) -> Exhibit:
    """What becomes of one signature."""
    match signature.texts:
        case Absent(why) | Unknown(why):
            words = why
        case Found() if signature.unusable is not None:
            words = signature.unusable
        case Found() if signature.matches == Found(value=False):
            words = "another key is published than the one that signs"
        case Found() if signature.broken:
            words = "it does not verify with the key that is published"
        case _:
            words = "it verifies" if signature.verifies == Found(value=True) else "its key is published"
    aligned = " and the domain is not aligned with From" if signature.aligned == Found(value=False) else ""
    return Exhibit(f"{words}{aligned}", title=f"DKIM signature of {signature.domain}, selector {signature.selector}")


def policy_exhibit(policy: Policy) -> Exhibit:
    """The DMARC record, with its policy marked."""
    start = policy.text.find("p=")
    end = policy.text.find(";", start)
    marks = (Mark(start, end if end > 0 else len(policy.text), "the policy"),) if start >= 0 else ()
    return Exhibit(policy.text, title=f"{policy.name} TXT", marks=marks)


def authorised(facts: DeliveryFacts, addresses: tuple[str, ...]) -> tuple[str | None, str] | None:
    """The SPF record before and after these addresses are added; None where it is not one record to add to.

    They come first: there they count whatever stands behind them, and cost no lookup.
    """
    terms = " ".join(f"{'ip6' if ':' in address else 'ip4'}:{address}" for address in addresses)
    match facts.spf_record:
        case Found(text) if is_spf(text) and len(text) < _TOO_LONG:
            rest = text[len("v=spf1") :].strip()
            return text, f"v=spf1 {terms} {rest}".rstrip()
        case Absent() if not any(result == "permerror" for _, result in verdicts(facts)):
            return None, f"v=spf1 {terms} ~all"
        case _:
            return None


def heard(facts: DeliveryFacts) -> str:
    """The domain that From names; stops a rule where there is none, or it does not exist."""
    if facts.from_domain is None:
        raise NotApplicable("the message has no From domain")
    return need(facts.from_exists)
