"""Findings that a comment in the file accepts: `; deliverkit: ignore[RULE] until=2027-01-31 reason`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from deliverkit.model.gate import Gate
from deliverkit.model.source import InlineIgnore
from deliverkit.report.document import FindingReport, SuppressedReport, TargetReport
from deliverkit.report.fold import verdict_of


def accepted(
    report: TargetReport, ignores: Sequence[InlineIgnore], gate: Gate, today: dt.date | None = None
) -> TargetReport:
    """The report with what valid ignores cover among what is suppressed, and the verdict without it."""
    day = today or dt.datetime.now(dt.UTC).date()
    valid = [ignore for ignore in ignores if ignore.reason and ignore.problem is None and not _over(ignore, day)]
    if not valid:
        return report
    covered = [finding for finding in report.findings if any(covers(ignore, finding) for ignore in valid)]
    if not covered:
        return report
    left = tuple(finding for finding in report.findings if finding not in covered)
    rules = {finding.rule for finding in report.findings} - {finding.rule for finding in left}
    return msgspec.structs.replace(
        report,
        findings=left,
        suppressed=(
            *report.suppressed,
            *(SuppressedReport(**msgspec.structs.asdict(finding), by="ignore") for finding in covered),
        ),
        verdict=verdict_of(gate, left, report.inconclusive),
        counts=msgspec.structs.replace(report.counts, fail=max(0, report.counts.fail - len(rules))),
    )


def covers(ignore: InlineIgnore, finding: FindingReport) -> bool:
    """Whether the comment stands at the finding's line and names its rule or area."""
    where = finding.location
    return (
        where is not None
        and where.path == ignore.place.path
        and ignore.first <= where.line <= ignore.last
        and ignore.rule in (finding.rule, finding.area)
    )


def _over(ignore: InlineIgnore, day: dt.date) -> bool:
    return ignore.expires is not None and ignore.expires < day
