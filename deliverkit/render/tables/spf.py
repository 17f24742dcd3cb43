"""The include tree with what each term costs, and the verdict for each address that was asked about."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from deliverkit.render.tables.shape import MOST, Cell, Chapter, Row, Table, code, filled, listed, named, table
from deliverkit.report.spf import EvaluationReport, NodeReport, SpfReport, TermReport

_LIMIT: Final = 10
_VOID: Final = 2
_CAP: Final = 50
_NOTES: Final = {
    "ignored": "never evaluated",
    "invalid": "✗ not valid",
    "loop": "✗ leads back here: a loop",
    "beyond": "not followed: over 50 lookups",
    "void": "✗ no such record: void",
    "repeated": "as above, and counted again",
    "dynamic": "depends on the message",
    "unknown": "? not determined",
}


def chapter(facts: SpfReport) -> Chapter:
    """The record, its budget, its tree, and the evaluations."""
    records = facts.records or ((facts.record,) if facts.record else ())
    summary = named(
        "SPF",
        [
            *(("record", code(record)) for record in records[:_LIMIT]),
            ("lookups", _budget(facts) if facts.record is not None else None),
            ("ends in", code(f"{facts.all}all") if facts.all else None),
        ],
    )
    evaluations = table(
        "SPF verdicts (check_host)",
        ("address", "sender", "HELO", "result", "by", "lookups"),
        [_evaluation(entry) for entry in facts.evaluations],
    )
    tree = (_tree(facts.tree),) if facts.tree is not None else ()
    absent = () if facts.record or facts.records or facts.unknown or facts.evaluations else ("No SPF record.",)
    unknown = tuple(f"Not determined: {why}" for why in facts.unknown[:_LIMIT])
    return Chapter(title="SPF", items=filled(summary, *tree, evaluations), notes=(*absent, *unknown))


def _budget(facts: SpfReport) -> str:
    said = "more than 50" if facts.lookups > _CAP else str(facts.lookups)
    over = "✗ " if facts.lookups > _LIMIT or facts.void_lookups > _VOID else ""
    return f"{over}{'at least ' if facts.unknown else ''}{said} of {_LIMIT}, {facts.void_lookups} void of {_VOID}"


def _tree(root: NodeReport) -> Table:
    rows = list(itertools.islice(_below(root, 0), MOST + 1))
    cut = len(rows) > MOST
    caption = (
        f"SPF include tree of {root.domain}{' (its beginning: the rest stands in the JSON report)' if cut else ''}"
    )
    return Table(caption=caption, head=("term", "costs", "total", "what it allows"), rows=tuple(rows[:MOST]))


def _below(node: NodeReport, depth: int) -> Iterator[Row]:
    if node.record is None:
        yield Cell(node.why or "no SPF record", depth=depth), Cell(""), Cell(""), Cell("")
        return
    for term in node.terms:
        reached = term.total - term.lookups + 1 if term.lookups else 0
        yield (
            Cell(term.term, code=True, depth=depth),
            Cell(str(term.lookups) if term.lookups else ""),
            Cell(f"{reached}{' ✗ over 10' if reached > _LIMIT else ''}" if reached else ""),
            _allows(term),
        )
        if term.child is not None:
            yield from _below(term.child, depth + 1)


def _allows(term: TermReport) -> Cell:
    if term.note and term.note in _NOTES:
        return Cell(f"{_NOTES[term.note]}{f': {term.why}' if term.why else ''}")
    if not term.authorizes or term.term.lstrip("+-~?").lower().startswith(("ip4:", "ip6:")):
        return Cell("")
    more = term.authorized_count - 3
    return code(listed(term.authorizes[:3]) + (f" and {more} more" if more > 0 else ""))


def _evaluation(entry: EvaluationReport) -> Row:
    said = " ".join([entry.result, *(f"({words})" for words in (entry.problem, entry.explanation) if words)])
    by = code(entry.mechanism) if entry.mechanism else Cell("–")
    lookups = Cell(f"{entry.lookups}, {entry.void_lookups} void")
    return code(entry.ip), code(entry.sender), code(entry.helo), Cell(said), by, lookups
