"""What changes between two reports on the same targets, as a document (`deliverkit/diff/1`): consequences, not lines.

Findings are told apart by their fingerprints. A finding whose rule could not be determined before is not called new.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from deliverkit.model import Severity
from deliverkit.model.gate import Gate
from deliverkit.report.diff_areas import changes_of
from deliverkit.report.diff_change import Change
from deliverkit.report.diff_spf import Passing
from deliverkit.report.dkim import DkimReport
from deliverkit.report.document import FindingReport, Report, TargetReport, Tool, Verdict

SCHEMA: Final = "deliverkit/diff/1"


class ChangeReport(msgspec.Struct, frozen=True, kw_only=True):
    """One consequence. `before` and `after` are what it follows from, null where there is nothing."""

    target: str
    area: str
    before: str | None
    after: str | None
    consequence: str
    severity: str


class DiffFinding(FindingReport, frozen=True, kw_only=True):
    """A finding, and whose."""

    target: str


class UnclearReport(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that could not be determined on one side (`before` or `after`), so that nothing is known of its change."""

    target: str
    rule: str
    severity: str
    side: Literal["before", "after"]
    why: str


class FindingsReport(msgspec.Struct, frozen=True, kw_only=True):
    """Findings by what became of them; `unclear` are there after, and nobody could tell whether they were before."""

    new: tuple[DiffFinding, ...]
    gone: tuple[DiffFinding, ...]
    same: int
    unclear: tuple[DiffFinding, ...]


class DiffReport(msgspec.Struct, frozen=True, kw_only=True):
    """What is different. `before` and `after` say in words what was compared."""

    schema: Literal["deliverkit/diff/1"]
    tool: Tool
    started_at: str
    duration_ms: float
    verdict: Verdict
    exit_code: int
    before: str
    after: str
    targets: tuple[str, ...]
    changes: tuple[ChangeReport, ...]
    findings: FindingsReport
    inconclusive: tuple[UnclearReport, ...]
    errors: tuple[str, ...] = ()
    """Targets that a bug of ours ended."""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One side of the comparison beside its report: what was asked on purpose, of both sides alike."""

    report: Report
    words: str
    passing: Mapping[str, Passing]
    """By target: which of the addresses in question pass SPF."""
    keys: Mapping[str, DkimReport]
    """By target: what stands at the selectors of either side."""


def compared(before: Side, after: Side, gate: Gate, *, duration_ms: float) -> DiffReport:
    """The difference of two reports on the same targets."""
    earlier = {target.target: target for target in before.report.targets}
    changes: list[ChangeReport] = []
    new: list[DiffFinding] = []
    gone: list[DiffFinding] = []
    unclear: list[DiffFinding] = []
    inconclusive: list[UnclearReport] = []
    same = 0
    for target in after.report.targets:
        name = target.target
        old = earlier[name]
        found = changes_of(
            old,
            target,
            passing=(before.passing.get(name, {}), after.passing.get(name, {})),
            keys=(before.keys.get(name), after.keys.get(name)),
        )
        changes += (_change(name, change) for change in sorted(found, key=_rank))
        was = {finding.fingerprint: finding for finding in old.findings}
        untold = {entry.rule for entry in old.inconclusive}
        for finding in target.findings:
            held = was.get(finding.fingerprint)
            if held is not None and Severity(held.severity).rank <= Severity(finding.severity).rank:
                same += 1
            elif held is None and finding.rule in untold:
                unclear.append(_owned(name, finding))
            else:
                new.append(_owned(name, finding))
        still = {finding.fingerprint for finding in target.findings}
        hidden = {entry.rule for entry in target.inconclusive}
        gone += (_owned(name, f) for f in old.findings if f.fingerprint not in still and f.rule not in hidden)
        inconclusive += _unclear(old, target)
    verdict = _verdict(gate, new, inconclusive)
    errors = tuple(
        dict.fromkeys(t.target for side in (before, after) for t in side.report.targets if t.error is not None)
    )
    code = 0 if gate.exit_zero else {"fail": 1, "inconclusive": 3, "pass": 0}[verdict]
    return DiffReport(
        schema=SCHEMA,
        tool=after.report.tool,
        started_at=after.report.started_at,
        duration_ms=duration_ms,
        verdict=verdict,
        exit_code=4 if errors else code,
        before=before.words,
        after=after.words,
        targets=tuple(target.target for target in after.report.targets),
        changes=tuple(changes),
        findings=FindingsReport(new=tuple(new), gone=tuple(gone), same=same, unclear=tuple(unclear)),
        inconclusive=tuple(inconclusive),
        errors=errors,
    )


def _rank(change: Change) -> int:
    return Severity(change.severity).rank


def _change(target: str, change: Change) -> ChangeReport:
    return ChangeReport(target=target, **msgspec.structs.asdict(change))


def _owned(target: str, finding: FindingReport) -> DiffFinding:
    return DiffFinding(target=target, **{name: getattr(finding, name) for name in finding.__struct_fields__})


def _unclear(before: TargetReport, after: TargetReport) -> list[UnclearReport]:
    """What stands in the way of a verdict: a rule untold after, or one that fails after and was untold before."""
    failing = {finding.rule for finding in after.findings}
    known = {finding.fingerprint for finding in before.findings}
    fresh = {finding.rule for finding in after.findings if finding.fingerprint not in known}
    entries = [(entry, "after") for entry in after.inconclusive if entry.rule not in failing]
    entries += [(entry, "before") for entry in before.inconclusive if entry.rule in fresh]
    return [
        UnclearReport(
            target=after.target,
            rule=entry.rule,
            severity=entry.severity,
            side="after" if side == "after" else "before",
            why=entry.why,
        )
        for entry, side in entries
    ]


def _verdict(gate: Gate, new: Iterable[FindingReport], unclear: Iterable[UnclearReport]) -> Verdict:
    if any(gate.reached_by(finding.severity) for finding in new):
        return "fail"
    words: set[str] = set()
    for entry in unclear:
        if gate.reached_by(entry.severity):
            words.add(gate.inconclusive)
    return "fail" if "fail" in words else "inconclusive" if "report" in words else "pass"
