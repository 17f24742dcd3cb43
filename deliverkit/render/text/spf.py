"""The include tree as a person reads it: each term, what it costs, the running total of ten."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator
from typing import Final

import msgspec

from deliverkit.model import shown
from deliverkit.report.spf import EvaluationReport, NodeReport, SpfReport, TermReport

_LIMIT: Final = 10
_LINES: Final = 400
_TERM_WIDTH: Final = 52
_WIDTH: Final = 78
"""Columns of a line: the page, of 80, indents it by two."""
_NOTES: Final = {
    "ignored": "never evaluated",
    "invalid": "not valid",
    "loop": "leads back here: a loop",
    "beyond": "not followed: over 50 lookups",
    "void": "no such record: void",
    "repeated": "as above, and counted again",
    "dynamic": "depends on the message",
    "unknown": "not determined",
}


class _Glyphs(msgspec.Struct, frozen=True):
    tee: str
    elbow: str
    bar: str
    full: str
    empty: str
    more: str


_UNICODE: Final = _Glyphs("├ ", "└ ", "│ ", "█", "░", "…")
_ASCII: Final = _Glyphs("|-", "`-", "| ", "#", ".", "...")


def lines(facts: SpfReport, ascii: bool) -> Iterator[str]:  # noqa: A002 - as every area's view
    """The budget, the tree, and the verdict for each address that was asked about."""
    glyphs = _ASCII if ascii else _UNICODE
    if facts.tree is not None:
        yield _budget(facts, glyphs)
        for drawn, line in enumerate(_tree(facts.tree, glyphs)):
            if drawn == _LINES:
                yield "(the rest of the tree is in the JSON report)"
                break
            yield line
    for evaluation in facts.evaluations:
        yield from _verdict(evaluation)


def _budget(facts: SpfReport, glyphs: _Glyphs) -> str:
    spent = min(facts.lookups, _LIMIT)
    said = "more than 50" if facts.lookups > 50 else str(facts.lookups)  # noqa: PLR2004 - the cap of the tree
    bar = glyphs.full * spent + glyphs.empty * (_LIMIT - spent)
    least = "at least " if facts.unknown else ""
    return f"lookups  {bar}  {least}{said} of {_LIMIT}, {facts.void_lookups} void of 2"


def _tree(root: NodeReport, glyphs: _Glyphs) -> Iterator[str]:
    """The tree beside its costs; read downwards, `total` counts as a receiver does."""
    rows = list(itertools.islice(_below(root, "", glyphs), _LINES + 1))
    width = min(max([len(head) for head, term in rows if term is not None], default=0), _TERM_WIDTH)
    yield f"{_cut(shown(root.domain, 100), _WIDTH - 13, glyphs).ljust(width)}  total  cost"
    for head, term in rows:
        if term is None:
            yield _cut(head, _WIDTH, glyphs)
        else:
            yield from _row(head.ljust(width), term, glyphs)


def _below(node: NodeReport, indent: str, glyphs: _Glyphs) -> Iterator[tuple[str, TermReport | None]]:
    if node.record is None:
        yield f"{indent}{glyphs.elbow}{shown(node.why or 'no SPF record', 160)}", None
        return
    for n, term in enumerate(node.terms):
        last = n == len(node.terms) - 1
        yield f"{indent}{glyphs.elbow if last else glyphs.tee}{shown(term.term, 120)}", term
        if term.child is not None:
            yield from _below(term.child, f"{indent}{'  ' if last else glyphs.bar}", glyphs)


def _row(head: str, term: TermReport, glyphs: _Glyphs) -> Iterator[str]:
    """A term, its cost and what is said of it; that on a line of its own where there is no room beside."""
    reached = term.total - term.lookups + 1 if term.lookups else 0
    cost = f"{reached:>5} {term.lookups:>5}" if reached else " " * 11
    note = _NOTES.get(term.note or "", "") if term.note else _authorizes(term)
    if reached > _LIMIT and not note:
        note = "over the limit"
    line = f"{head}  {cost}  {note}".rstrip()
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{_cut(head, _WIDTH - 13, glyphs)}  {cost}".rstrip()
    yield from _wrapped(note, indent=8)


def _cut(text: str, width: int, glyphs: _Glyphs) -> str:
    return text if len(text) <= width else f"{text[: width - len(glyphs.more)]}{glyphs.more}"


def _authorizes(term: TermReport) -> str:
    if not term.authorizes or term.term.lstrip("+-~?").lower().startswith(("ip4:", "ip6:")):
        return ""
    first = ", ".join(shown(address, 50) for address in term.authorizes[:2])
    more = term.authorized_count - 2
    return f"{first} and {more} more" if more > 0 else first


def _verdict(evaluation: EvaluationReport) -> Iterator[str]:
    by = f" by {shown(evaluation.mechanism, 120)}" if evaluation.mechanism else ""
    counted = f" ({evaluation.lookups} lookups, {evaluation.void_lookups} void)" if evaluation.lookups else ""
    yield f"{shown(evaluation.ip)} as {shown(evaluation.sender, 120)}: {evaluation.result}{by}{counted}"
    if evaluation.problem:
        yield from _wrapped(shown(evaluation.problem, 200))
    if evaluation.explanation:
        yield from _wrapped(f"the domain explains: {shown(evaluation.explanation, 200)}")


def _wrapped(text: str, indent: int = 2) -> list[str]:
    first, then = " " * indent, " " * (indent + 2)
    return textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=then, break_on_hyphens=False)
