"""What the report says of area `spf`."""

from __future__ import annotations

import msgspec

from deliverkit.facts.spf import SpfEvaluation, SpfFacts, SpfNode, SpfTermFacts
from deliverkit.model import Found, Unknown, clipped
from deliverkit.model.display import RECORDED

AUTHORIZED_SHOWN = 64
"""Networks listed of one term; `authorized_count` says how many there are."""


class EvaluationReport(msgspec.Struct, frozen=True, kw_only=True):
    """check_host() for one address (RFC 7208 §4)."""

    ip: str
    sender: str
    helo: str
    result: str
    mechanism: str | None
    explanation: str | None
    problem: str | None
    lookups: int
    void_lookups: int


class TermReport(msgspec.Struct, frozen=True, kw_only=True):
    """One term: characters `start` to `end` of its record.

    `lookups` is what it costs with all below it, `total` the sum up to and with it. `authorizes` lists
    networks and addresses. `note` is what is odd: loop, void, repeated, ignored, dynamic, beyond, unknown.
    """

    term: str
    start: int
    end: int
    lookups: int
    total: int
    void: bool
    authorizes: tuple[str, ...]
    authorized_count: int
    note: str | None
    why: str | None
    child: NodeReport | None


class NodeReport(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the include tree. `record` null: none, several, or nobody could tell (`why`)."""

    domain: str
    via: str
    record: str | None
    why: str | None
    lookups: int
    void_lookups: int
    terms: tuple[TermReport, ...]


class SpfReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts as the contract names them.

    `lookups` counts the whole tree as published, 51 where it is more than 50; `all` is the qualifier of
    `all`, null where there is none. `records` are all SPF records found at the name.
    """

    record: str | None
    records: tuple[str, ...]
    lookups: int
    void_lookups: int
    all: str | None
    tree: NodeReport | None
    evaluation: EvaluationReport | None
    evaluations: tuple[EvaluationReport, ...]
    unknown: tuple[str, ...]


def report(facts: SpfFacts) -> SpfReport:
    """The area's facts, flattened for readers."""
    record = facts.record.value if isinstance(facts.record, Found) else None
    evaluations = tuple(map(_evaluation, facts.evaluations))
    final = record.all if record else None
    untold = (facts.texts.why,) if isinstance(facts.texts, Unknown) else ()
    return SpfReport(
        record=clipped(record.text, RECORDED) if record else None,
        records=tuple(clipped(text, RECORDED) for text in facts.texts.value[:20])
        if isinstance(facts.texts, Found)
        else (),
        lookups=facts.lookups,
        void_lookups=facts.void_lookups,
        all=final.qualifier if final else None,
        tree=_node(facts.tree.value) if isinstance(facts.tree, Found) else None,
        evaluation=evaluations[0] if evaluations else None,
        evaluations=evaluations,
        unknown=tuple(clipped(why, RECORDED) for why in dict.fromkeys((*untold, *facts.unknown))),
    )


def _evaluation(facts: SpfEvaluation) -> EvaluationReport:
    return EvaluationReport(
        ip=facts.ip,
        sender=facts.sender,
        helo=facts.helo,
        result=facts.result,
        mechanism=_cut(facts.mechanism),
        explanation=_cut(facts.explanation),
        problem=_cut(facts.problem),
        lookups=facts.lookups,
        void_lookups=facts.void_lookups,
    )


def _cut(text: str | None) -> str | None:
    return None if text is None else clipped(text, RECORDED)


def _node(node: SpfNode) -> NodeReport:
    return NodeReport(
        domain=clipped(node.domain, RECORDED),
        via=node.via,
        record=clipped(node.record.value.text, RECORDED) if isinstance(node.record, Found) else None,
        why=None if isinstance(node.record, Found) else node.record.why,
        lookups=node.lookups,
        void_lookups=node.void_lookups,
        terms=tuple(map(_term, node.terms)),
    )


def _term(facts: SpfTermFacts) -> TermReport:
    addresses = facts.addresses.value if isinstance(facts.addresses, Found) else ()
    authorizes = (facts.term.network,) if facts.term.network else addresses if facts.term.name in ("a", "mx") else ()
    unknown = facts.addresses if isinstance(facts.addresses, Unknown) else None
    if facts.child is not None and isinstance(facts.child.texts, Unknown):
        unknown = facts.child.texts
    return TermReport(
        term=clipped(facts.term.text, RECORDED),
        start=facts.term.start,
        end=facts.term.end,
        lookups=facts.lookups,
        total=facts.total,
        void=facts.void,
        authorizes=authorizes[:AUTHORIZED_SHOWN],
        authorized_count=len(authorizes),
        note="unknown" if unknown else _note(facts),
        why=unknown.why if unknown else None,
        child=_node(facts.child) if facts.child else None,
    )


def _note(facts: SpfTermFacts) -> str | None:
    notes = (
        (facts.ignored, "ignored"),
        (not facts.term.valid, "invalid"),
        (facts.loop, "loop"),
        (facts.beyond, "beyond"),
        (facts.void, "void"),
        (facts.repeated, "repeated"),
        (facts.dynamic, "dynamic"),
    )
    return next((name for true, name in notes if true), None)
