"""Asks everything that an SPF tree names, level by level, each question once and within a cap.

What is asked depends on the records alone, never on which answer came first, so that saved evidence
gives the same tree again.
"""

from __future__ import annotations

import asyncio

import msgspec

from deliverkit.dns import Port
from deliverkit.dns.port import name_error
from deliverkit.facts.spf import CAP, MX_LIMIT
from deliverkit.model import Absent, Address, Answer, Found, Lookup, LookupOutcome, Mx, Txt, Unknown
from deliverkit.records.spf import SpfRecord, SpfTerm, is_spf, parse_spf
from deliverkit.records.spf_hint import NearMiss, near_miss

_TXT_SEEN = 400
"""TXT records looked at of one name."""


class Selected(msgspec.Struct, frozen=True, kw_only=True):
    """What the TXT records of a name come to (RFC 7208 §4.5)."""

    texts: Answer[tuple[str, ...]]
    record: Answer[SpfRecord]
    near: tuple[NearMiss, ...] = ()


class Harvest(msgspec.Struct, frozen=True):
    """Answers by name: TXT of records, A and AAAA of hosts, MX; `parents` of included names that do not exist."""

    texts: dict[str, Lookup]
    addresses: dict[str, tuple[Lookup, Lookup]]
    exchanges: dict[str, Lookup]
    parents: dict[str, Answer[str]]


def select(lookup: Lookup) -> Selected:
    """Of all TXT records those that are SPF; exactly one of them is *the* record."""
    answer = lookup.of(Txt)
    if not isinstance(answer, Found):
        return Selected(texts=answer, record=answer)
    texts = [txt.text for txt in answer.value[:_TXT_SEEN]]
    records = tuple(text for text in texts if is_spf(text))
    near = tuple(miss for text in texts if not is_spf(text) and (miss := near_miss(text)))
    if not records:
        gone = Absent(f"{lookup.name} has TXT records, and none of them is SPF")
        return Selected(texts=gone, record=gone, near=near)
    if len(records) > 1:
        return Selected(texts=Found(records), record=Absent(f"{lookup.name} has {len(records)} SPF records"), near=near)
    return Selected(texts=Found(records), record=Found(parse_spf(records[0])), near=near)


def strings_of(lookup: Lookup, record: Answer[SpfRecord]) -> tuple[int, ...]:
    """Octets of each character-string of the record."""
    if not isinstance(record, Found):
        return ()
    return next(
        (
            tuple(map(len, txt.strings))
            for txt in lookup.records
            if isinstance(txt, Txt) and txt.text == record.value.text
        ),
        (),
    )


def target_of(term: SpfTerm, domain: str) -> str | None:
    """The name a term asks for; None where it asks nothing or its name depends on the message."""
    if not term.valid or not term.lookup or term.name == "ptr":
        return None
    if term.domain is None:
        return domain if term.name in ("a", "mx") else None
    return term.domain.name


async def harvest(domain: str, port: Port) -> Harvest:
    """Everything the tree under `domain` names: at most `CAP` records, and as many hosts."""
    got = Harvest({}, {}, {}, {})
    level = [domain]
    hosts: list[asyncio.Task[None]] = []
    asked: set[tuple[str, str]] = set()
    while level:
        answers = await asyncio.gather(*(port.lookup(name, "TXT") for name in level))
        got.texts.update(zip(level, answers, strict=True))
        following: dict[str, None] = {}
        for name in level:
            record = select(got.texts[name]).record
            if not isinstance(record, Found):
                continue
            for term in record.value.evaluated:
                target = target_of(term, name)
                if target is None:
                    continue
                if term.name in ("include", "redirect"):
                    if target not in got.texts:
                        following[target] = None
                elif (term.name, target) not in asked and len(asked) < CAP:
                    asked.add((term.name, target))
                    hosts.append(asyncio.create_task(_host(term.name, target, port, got)))
        level = list(following)[: max(0, CAP + 1 - len(got.texts))]
    await asyncio.gather(*hosts, _parents(got, domain, port))
    return got


async def _host(kind: str, name: str, port: Port, got: Harvest) -> None:
    if kind != "mx":
        got.addresses[name] = await _both(name, port)
        return
    exchange = await port.lookup(name, "MX")
    got.exchanges[name] = exchange
    records = exchange.of(Mx)
    if isinstance(records, Found):
        names = sorted({record.host for record in records.value if record.host})[:MX_LIMIT]
        for host, pair in zip(names, await asyncio.gather(*(_both(host, port) for host in names)), strict=True):
            got.addresses[host] = pair


async def _both(name: str, port: Port) -> tuple[Lookup, Lookup]:
    a, aaaa = await asyncio.gather(port.lookup(name, "A"), port.lookup(name, "AAAA"))
    return a, aaaa


async def _parents(got: Harvest, domain: str, port: Port) -> None:
    """Whether the domain of each included name that does not exist could be registered by anybody."""
    gone = [
        name
        for name, lookup in got.texts.items()
        if lookup.outcome is LookupOutcome.NXDOMAIN and name != domain and name_error(name) is None
    ]
    for name, answer in zip(gone, await asyncio.gather(*(_registered(name, port) for name in gone)), strict=True):
        got.parents[name] = answer


async def _registered(name: str, port: Port) -> Answer[str]:
    """Found: a domain above the name, or it itself, exists. Absent: the registrable domain itself does not."""
    from deliverkit.records.dmarc_psl import registrable_domain  # noqa: PLC0415 - loads the list

    registrable = registrable_domain(name) or name
    if registrable == name:
        return Absent(f"{name} does not exist", nxdomain=True)
    lookup = await port.lookup(registrable, "NS")
    match lookup.outcome:
        case LookupOutcome.UNKNOWN:
            return Unknown(lookup.why)
        case LookupOutcome.NXDOMAIN:
            return Absent(f"{registrable} does not exist", nxdomain=True)
        case _:
            return Found(registrable)


def resolved(pair: tuple[Lookup, ...]) -> Answer[tuple[str, ...]]:
    """The addresses of a name, IPv4 first; unknown only where neither family is known to have one."""
    answers = [lookup.of(Address) for lookup in pair]
    known = tuple(record.address for answer in answers if isinstance(answer, Found) for record in answer.value)
    unclear = next((answer for answer in answers if isinstance(answer, Unknown)), None)
    if unclear is not None and not known:
        return unclear
    return Found(known) if known else Absent(f"{pair[0].name} has no address")
