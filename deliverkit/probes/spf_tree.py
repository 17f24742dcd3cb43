"""The include tree from what was harvested: costs, running total, voids and loops (RFC 7208 §4.6.4).

The whole tree as published is counted, whatever an evaluation would stop at. A domain that stands
twice costs twice and is drawn once.
"""

from __future__ import annotations

import msgspec

from deliverkit.facts.spf import CAP, SpfNode, SpfTermFacts
from deliverkit.model import Absent, Answer, Found, Lookup, LookupOutcome, Mx, Unknown
from deliverkit.probes.spf_harvest import Harvest, resolved, select, strings_of, target_of
from deliverkit.records.names import is_subdomain
from deliverkit.records.spf import SpfTerm


class Tree(msgspec.Struct, frozen=True):
    """A tree, and the questions in it that nobody answered."""

    node: SpfNode
    unknown: tuple[str, ...]


class _Growth:
    """The walk's state: what was spent, drawn and left unanswered."""

    def __init__(self, harvested: Harvest) -> None:
        self.harvested = harvested
        self.total = 0
        self.voids = 0
        self.drawn: set[str] = set()
        self.unknown: dict[str, None] = {}


def plant(domain: str, harvested: Harvest) -> Tree:
    """The tree under `domain`, whose TXT records were answered."""
    growth = _Growth(harvested)
    return Tree(_node(domain, "root", growth, ()), tuple(growth.unknown))


def _node(domain: str, via: str, growth: _Growth, path: tuple[str, ...]) -> SpfNode:
    selected = select(growth.harvested.texts[domain])
    growth.drawn.add(domain)
    if isinstance(selected.texts, Unknown):
        growth.unknown[selected.texts.why] = None
    before, voids = growth.total, growth.voids
    terms: list[SpfTermFacts] = []
    if isinstance(selected.record, Found):
        evaluated = {term.start for term in selected.record.value.evaluated}
        for term in selected.record.value.terms:
            if term.start in evaluated:
                terms.append(_term(term, domain, growth, (*path, domain)))
            else:
                passed = not term.modifier or term.name == "redirect"
                terms.append(SpfTermFacts(term=term, where=domain, ignored=passed, total=growth.total))
    return SpfNode(
        domain=domain,
        own=is_subdomain(domain, path[0] if path else domain),
        via=via,
        texts=selected.texts,
        record=selected.record,
        strings=strings_of(growth.harvested.texts[domain], selected.record),
        terms=tuple(terms),
        lookups=growth.total - before,
        void_lookups=growth.voids - voids,
        near=selected.near,
    )


def _term(term: SpfTerm, where: str, growth: _Growth, path: tuple[str, ...]) -> SpfTermFacts:
    facts = SpfTermFacts(term=term, where=where, total=growth.total)
    if not term.lookup:
        return facts
    before = growth.total
    growth.total += 1
    target = target_of(term, where)
    dynamic = term.domain is not None and term.domain.macro
    facts = msgspec.structs.replace(facts, target=target, dynamic=dynamic)
    if target is not None and growth.total <= CAP:
        facts = _followed(facts, target, growth, path)
    elif target is not None:
        facts = msgspec.structs.replace(facts, beyond=True)
    return msgspec.structs.replace(facts, lookups=growth.total - before, total=growth.total)


def _followed(facts: SpfTermFacts, target: str, growth: _Growth, path: tuple[str, ...]) -> SpfTermFacts:
    name = facts.term.name
    if name in ("include", "redirect"):
        return _branch(facts, target, growth, path)
    if name == "mx":
        return _exchange(facts, target, growth)
    pair = growth.harvested.addresses.get(target)
    if pair is None:
        return msgspec.structs.replace(facts, beyond=True)
    # §5.7: exists asks for A alone, whatever the connection is.
    return _resolved(facts, resolved(pair[:1] if name == "exists" else pair), growth)


def _resolved(facts: SpfTermFacts, addresses: Answer[tuple[str, ...]], growth: _Growth) -> SpfTermFacts:
    void = isinstance(addresses, Absent)
    growth.voids += void
    if isinstance(addresses, Unknown):
        growth.unknown[addresses.why] = None
    return msgspec.structs.replace(facts, addresses=addresses, void=void)


def _exchange(facts: SpfTermFacts, target: str, growth: _Growth) -> SpfTermFacts:
    lookup = growth.harvested.exchanges.get(target)
    if lookup is None:
        return msgspec.structs.replace(facts, beyond=True)
    records = lookup.of(Mx)
    if not isinstance(records, Found):
        return _resolved(facts, records, growth)
    names = sorted({record.host for record in records.value if record.host})
    answers = [resolved(pair) for host in names if (pair := growth.harvested.addresses.get(host))]
    known = tuple(dict.fromkeys(address for answer in answers if isinstance(answer, Found) for address in answer.value))
    unclear = next((answer for answer in answers if isinstance(answer, Unknown)), None)
    if unclear is not None:
        growth.unknown[unclear.why] = None
    return msgspec.structs.replace(
        facts, addresses=unclear if unclear and not known else Found(known), mx_hosts=len(records.value)
    )


def _branch(facts: SpfTermFacts, target: str, growth: _Growth, path: tuple[str, ...]) -> SpfTermFacts:
    if target in path:
        return msgspec.structs.replace(facts, loop=True)
    lookup = growth.harvested.texts.get(target)
    if lookup is None:
        return msgspec.structs.replace(facts, beyond=True)
    void = _void(lookup)
    growth.voids += void
    repeated = target in growth.drawn
    child = _node(target, facts.term.name, growth, path)
    return msgspec.structs.replace(
        facts,
        void=void,
        repeated=repeated,
        child=None if repeated else child,
        registered=growth.harvested.parents.get(target),
    )


def _void(lookup: Lookup) -> bool:
    """An answer without records; a failure is none (RFC 7208 §4.6.4)."""
    return lookup.outcome in (LookupOutcome.NXDOMAIN, LookupOutcome.NODATA, LookupOutcome.INVALID)
