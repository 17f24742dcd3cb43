"""What the templates are given: the report turned into what is drawn, and no more."""

from __future__ import annotations

import collections
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from deliverkit.render import overview
from deliverkit.render.blocks import Text, advice
from deliverkit.render.formats import View
from deliverkit.render.tables import Chapter, chapters
from deliverkit.render.text.finding import lines_of
from deliverkit.render.text.gather import Group, place
from deliverkit.render.text.next import hint
from deliverkit.render.text.words import ROLE, SEVERITY, VERDICT, WHO, count, seconds
from deliverkit.report import FindingReport, Report, SuppressedReport, TargetReport
from deliverkit.report.document import ExhibitReport

_EXHIBITS: Final = 24
_LINES: Final = 400
_MARKS: Final = 60
_QUESTIONS: Final = 400
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9.-]+")
_TICKED: Final = re.compile(r"`([^`]+)`")
_SIGNS: Final = {"-": "gone", "+": "new"}


class Piece(msgspec.Struct, frozen=True):
    """A run of text; `mark` is the number of the note that belongs to it, 0 where none does."""

    text: str
    mark: int = 0


class Exhibit(msgspec.Struct, frozen=True):
    """Evidence: its lines in pieces, and the notes, numbered from 1, each with what it is about."""

    title: str
    lines: tuple[tuple[Piece, ...], ...]
    notes: tuple[tuple[str, str], ...]
    more: int


class DiffLine(msgspec.Struct, frozen=True):
    """A line of a diff: `gone`, `new` or `same`."""

    kind: str
    text: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A finding, or several told as one."""

    id: str
    rule: str
    severity: str
    label: str
    message: str
    who: str
    where: str
    position: str
    exhibits: tuple[Exhibit, ...]
    evidence_more: int
    words: tuple[Text, ...]
    alike: bool
    heading: str
    diff: tuple[DiffLine, ...]
    parts: tuple[tuple[str, str], ...]
    references: tuple[tuple[str, str | None], ...]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A target's section."""

    id: str
    heads: bool
    """Whether the page's own head tells its name and verdict."""
    file: bool
    """Whether it is a file of the user's."""
    title: str
    verdict: str
    label: str
    counts: tuple[str, ...]
    numbers: tuple[int, int, int, int, int]
    took: str
    role: str
    error: str
    findings: tuple[Finding, ...]
    unclear: tuple[tuple[list[str], tuple[str, ...]], ...]
    suppressed: tuple[tuple[SuppressedReport, str], ...]
    lead: Chapter | None
    """What the command is about: it stands before the findings."""
    chapters: tuple[Chapter, ...]
    passed: dict[str, list[str]]
    next: tuple[str, str] | None
    questions: tuple[Any, ...]
    questions_more: int


def run(report: Report, view: View) -> dict[str, Any]:
    """The whole page's content."""
    ids = _Ids()
    judged = overview.judged(report)
    single = len(judged) == 1
    targets = [
        _target(target, view, ids, asked=bool(report.vantage.resolvers), heads=single and target is judged[0])
        for target in report.targets
    ]
    return {
        "command": view.command,
        "tool": report.tool,
        "title": overview.title(judged[0]) if single else count(len(judged), "target"),
        "verdict": report.verdict,
        "label": VERDICT[report.verdict][0],
        "verdicts": overview.verdicts(report),
        "started": report.started_at,
        "took": seconds(report.duration_ms),
        "exit_code": report.exit_code,
        "resolvers": [overview.resolver(entry) for entry in report.vantage.resolvers],
        "families": _families(report),
        "counts": overview.counted(judged[0]) if single else [],
        "single": single,
        "targets": targets,
        "labels": {name: label for name, (label, _) in SEVERITY.items()},
    }


class _Ids:
    """Anchors, each given once."""

    def __init__(self) -> None:
        self._given: collections.Counter[str] = collections.Counter()

    def __call__(self, *words: str) -> str:
        made = "-".join(_UNSAFE.sub("-", word[:100]).strip("-.") or "x" for word in words)
        self._given[made] += 1
        return made if self._given[made] == 1 else f"{made}--{self._given[made]}"


def _families(report: Report) -> str:
    said = {True: "yes", False: "no", None: "not known"}
    return f"IPv4 {said[report.vantage.ipv4]}, IPv6 {said[report.vantage.ipv6]}"


def _target(target: TargetReport, view: View, ids: _Ids, *, asked: bool, heads: bool) -> Target:
    found = overview.standing(target)
    known = chapters(target.facts)
    lead = known.pop(view.command, None)
    questions = () if target.questions is msgspec.UNSET else target.questions
    asking = target.role != "nonexistent" and target.error is None and not target.about
    onward = hint(target, view.command, asked=asked) if asking else None
    return Target(
        id=ids("target", target.target),
        heads=heads,
        file=bool(target.about),
        title=overview.title(target),
        verdict=target.verdict if target.error is None else "fail",
        label=VERDICT[target.verdict][0] if target.error is None else "✗ not judged",
        counts=tuple(overview.counted(target)),
        numbers=(
            *(found[severity] for severity in SEVERITY),
            len({entry.rule for entry in target.inconclusive}),
            target.counts.passed,
        ),  # type: ignore[arg-type]
        took=seconds(target.duration_ms),
        role=ROLE.get(target.role or "", ""),
        error=target.error or "",
        findings=tuple(_finding(group, target.target, view, ids) for group in overview.heads(target)),
        unclear=tuple(overview.unclear(target.inconclusive)),
        suppressed=tuple((one, overview.accepted(one)) for one in target.suppressed),
        lead=lead,
        chapters=tuple(known.values()),
        passed=overview.by_area(target.passed),
        next=onward,
        questions=questions[:_QUESTIONS],
        questions_more=max(len(questions) - _QUESTIONS, 0),
    )


def _finding(group: Group, target: str, view: View, ids: _Ids) -> Finding:
    head = group.head
    told = advice(head)
    position = view.place(target, head)
    return Finding(
        id=ids(target, head.rule),
        rule=head.rule,
        severity=head.severity,
        label=SEVERITY[head.severity][0],
        message=overview.sentence(head.message),
        who=WHO.get(head.who, head.who),
        where=place(group, target) or ("" if head.subject in ("", target) else head.subject),
        position=overview.position(position) if position is not None else "",
        exhibits=tuple(_exhibit(exhibit) for exhibit in group.exhibits[:_EXHIBITS]),
        evidence_more=max(len(group.exhibits) - _EXHIBITS, 0),
        words=told.words,
        alike=group.alike,
        heading=told.heading,
        diff=tuple(DiffLine(_SIGNS.get(line[:1], "same"), line[2:]) for line in told.diff),
        parts=tuple((part.rule, overview.sentence(part.message)) for part in group.parts),
        references=_references(head),
    )


def _references(finding: FindingReport) -> tuple[tuple[str, str | None], ...]:
    return tuple((reference, overview.page_of(reference)) for reference in finding.references)


def _exhibit(exhibit: ExhibitReport) -> Exhibit:
    notes: list[tuple[str, str]] = []
    lines = list(lines_of(exhibit))
    drawn = tuple(tuple(_pieces(line, notes)) for line in lines[:_LINES])
    return Exhibit(exhibit.title, drawn, tuple(notes), max(len(lines) - _LINES, 0))


def _pieces(line: ExhibitReport, notes: list[tuple[str, str]]) -> Iterator[Piece]:
    """The line cut at its marks; where two overlap, the later begins where the first ends."""
    at = 0
    for mark in sorted(line.marks, key=lambda mark: (mark.start, mark.end)):
        start = min(max(mark.start, at), len(line.text))
        end = min(max(mark.end, start), len(line.text))
        if len(notes) == _MARKS:
            break
        if start > at:
            yield Piece(line.text[at:start])
        notes.append((line.text[max(mark.start, 0) : max(mark.end, 0)], mark.note))
        yield Piece(line.text[start:end], len(notes))
        at = end
    if at < len(line.text):
        yield Piece(line.text[at:])


def ticked(text: str) -> Sequence[tuple[bool, str]]:
    """A sentence of ours in runs: whether it stands in backticks, and the words."""
    runs: list[tuple[bool, str]] = []
    end = 0
    for quoted in _TICKED.finditer(text):
        runs += [(False, text[end : quoted.start()]), (True, quoted[1])]
        end = quoted.end()
    return [run for run in [*runs, (False, text[end:])] if run[1]]
