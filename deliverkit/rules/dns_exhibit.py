"""What the rules about odd DNS answers show of them."""

from __future__ import annotations

from collections.abc import Iterable

from deliverkit.facts.dns import DnsFacts, OddAnswer
from deliverkit.model import Exhibit, Note, Who


def noted(dns: DnsFacts, note: Note) -> list[list[OddAnswer]]:
    """The answers with a note, those about one name together."""
    by_name: dict[str, list[OddAnswer]] = {}
    for odd in dns.odd:
        if note in odd.notes:
            by_name.setdefault(odd.name, []).append(odd)
    return list(by_name.values())


def types_of(answers: Iterable[OddAnswer]) -> str:
    """The record types that were asked for."""
    return ", ".join(sorted({odd.rdtype for odd in answers}))


def exhibits_of(answers: Iterable[OddAnswer], what: str) -> tuple[Exhibit, ...]:
    """Each answer with its question and server; `what` where the answer says nothing itself."""
    return tuple(
        Exhibit(text=odd.why or f"{what}, from {odd.server}", title=f"{odd.name} {odd.rdtype}") for odd in answers
    )


def whose(odd: OddAnswer) -> str:
    """The name, and whether it is somebody else's."""
    return odd.name if odd.own else f"{odd.name} (not this domain's own name)"


def who_mends(odd: OddAnswer) -> Who:
    """Whoever publishes the name."""
    return Who.DNS_ADMIN if odd.own else Who.PROVIDER


def chain_exhibits(odd: OddAnswer) -> tuple[Exhibit, ...]:
    """The CNAME records of the chain, in order."""
    owners = (odd.name, *odd.aliases)
    return tuple(
        Exhibit(text=f"{owner}. CNAME {target}.", title=f"{owner} CNAME")
        for owner, target in zip(owners, odd.aliases, strict=False)
    )
