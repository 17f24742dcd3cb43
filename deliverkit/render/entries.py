"""A report as one list: every finding, everything undetermined, every bug, each with its target and its place.

The formats that have a line, a result or an annotation for each thing are drawn from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal, TypeAlias

import msgspec

from deliverkit.model import Severity, shown
from deliverkit.model.display import RECORDED
from deliverkit.render.formats import View
from deliverkit.render.markdown.marks import defused
from deliverkit.report.document import (
    FindingReport,
    InconclusiveReport,
    Location,
    Report,
    SuppressedReport,
    TargetReport,
)

Status: TypeAlias = Literal["fail", "inconclusive", "suppressed"]
BUG: Final = "deliverkit"
"""What stands in the place of a rule where a bug of ours ended a target."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a report says of a target. `finding` is None where something was undetermined.

    All texts are as the report has them: who writes them makes them safe for its format.
    """

    target: str
    status: Status
    severity: str
    rule: str
    area: str
    subject: str
    message: str
    place: Location | None
    finding: FindingReport | None = None


def entries(report: Report, view: View) -> Iterator[Entry]:
    """Everything that every target met, what was accepted included, in the report's order."""
    for target in report.targets:
        yield from of_target(target, view)


def of_target(target: TargetReport, view: View) -> Iterator[Entry]:
    """What one target met: findings, what was accepted, what is undetermined."""
    yield from found(target, target.findings, view)
    yield from found(target, target.suppressed, view)
    yield from _ended(target, view)
    for unclear in target.inconclusive:
        yield _unclear(target, unclear, view, unclear.why)


def gist(report: Report, view: View) -> Iterator[Entry]:
    """What a person is told: no finding that another explains, one entry for all the rules that one reason stops."""
    for target in report.targets:
        yield from found(target, told(target.findings), view)
        yield from _ended(target, view)
        reasons: dict[str, list[InconclusiveReport]] = {}
        for unclear in target.inconclusive:
            reasons.setdefault(unclear.why, []).append(unclear)
        for why, stopped in reasons.items():
            worst = min(stopped, key=lambda unclear: Severity(unclear.severity).rank)
            more = len({unclear.rule for unclear in stopped}) - 1
            yield _unclear(
                target, worst, view, f"{why} (and {more} more rule{'s' if more > 1 else ''})" if more else why
            )


def found(target: TargetReport, findings: Iterable[FindingReport], view: View) -> Iterator[Entry]:
    """These findings of a target."""
    for finding in findings:
        yield Entry(
            target=target.target,
            status="suppressed" if isinstance(finding, SuppressedReport) else "fail",
            severity=finding.severity,
            rule=finding.rule,
            area=finding.area,
            subject=finding.subject,
            message=finding.message,
            place=view.place(target.target, finding),
            finding=finding,
        )


def _ended(target: TargetReport, view: View) -> Iterator[Entry]:
    if target.error is not None:
        yield Entry(
            target=target.target,
            status="inconclusive",
            severity="error",
            rule=BUG,
            area=BUG,
            subject=target.target,
            message=f"not judged to its end, by a bug in deliverkit: {target.error}",
            place=view.place(target.target),
        )


def _unclear(target: TargetReport, unclear: InconclusiveReport, view: View, message: str) -> Entry:
    return Entry(
        target=target.target,
        status="inconclusive",
        severity=unclear.severity,
        rule=unclear.rule,
        area=unclear.area,
        subject=target.target,
        message=message,
        place=view.place(target.target),
    )


def told(findings: tuple[FindingReport, ...]) -> Iterator[FindingReport]:
    """The findings without those that another one, which is there, explains."""
    parents = {finding.rule: finding.part_of for finding in findings}
    for finding in findings:
        if finding.part_of not in parents or _circular(finding.rule, parents):
            yield finding


def _circular(rule: str, parents: dict[str, str | None]) -> bool:
    """Whether a rule is explained by itself in the end: then nobody else tells of it."""
    above, seen = parents.get(rule), {rule}
    while above in parents and above not in seen:
        seen.add(above)
        above = parents[above]
    return above == rule


def worst_first(listed: Iterable[Entry]) -> list[Entry]:
    """The entries by severity, else in their order."""
    return sorted(listed, key=lambda entry: Severity(entry.severity).rank)


def line(text: str, limit: int = RECORDED) -> str:
    """A peer's text on one line that neither a terminal nor a CI runner obeys."""
    return defused(shown(text, limit))
