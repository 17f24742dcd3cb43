"""A difference as Markdown, for the comment on a change: what follows from it, then the findings that come and go."""

from __future__ import annotations

from collections.abc import Iterable

from deliverkit.model import shown
from deliverkit.render.markdown.marks import block, code, prose
from deliverkit.report.diff import DiffFinding, DiffReport

_VERDICT = {
    "pass": "nothing new fails",
    "fail": "new findings fail",
    "inconclusive": "it could not be told whether anything new fails",
}
_MOST = 200
"""Changes and findings that are listed; the JSON has all."""


def render(report: DiffReport) -> str:
    """The difference, safe to put on a forge."""
    found = report.findings
    counts = f"{len(found.new)} new, {len(found.gone)} gone, {found.same} as before"
    lines = [
        "## What changes for mail",
        "",
        f"**{_VERDICT[report.verdict]}**: {counts}.",
        "",
        f"Before: {prose(report.before)}  ",
        f"After: {prose(report.after)}",
        "",
    ]
    for target in report.targets:
        lines += _target(report, target)
    return "\n".join(lines).rstrip("\n") + "\n"


def _target(report: DiffReport, target: str) -> list[str]:
    changes = [change for change in report.changes if change.target == target]
    lines = [f"### {code(target)}", ""]
    if target in report.errors:
        lines += ["A bug in deliverkit ended this target.", ""]
    if not changes:
        lines += ["Nothing changes for mail.", ""]
    for change in changes[:_MOST]:
        lines.append(f"- **{change.severity}** {code(change.area)} {prose(change.consequence)}")
    if changes:
        lines.append("")
    records = dict.fromkeys((change.before, change.after) for change in changes if change.before != change.after)
    for before, after in [*records][:_MOST]:
        shown_lines = [f"- {shown(before, 4200)}"] if before is not None else []
        shown_lines += [f"+ {shown(after, 4200)}"] if after is not None else []
        lines += [block("\n".join(shown_lines)).rstrip("\n").replace("text\n", "diff\n", 1), ""]
    lines += _findings("New findings", (f for f in report.findings.new if f.target == target))
    lines += _findings("Not known whether new", (f for f in report.findings.unclear if f.target == target))
    lines += _findings("Findings that go", (f for f in report.findings.gone if f.target == target))
    untold = dict.fromkeys(entry.why for entry in report.inconclusive if entry.target == target)
    if untold:
        lines += ["Not determined:", "", *(f"- {prose(why)}" for why in [*untold][:_MOST]), ""]
    return lines


def _findings(head: str, findings: Iterable[DiffFinding]) -> list[str]:
    rows = [f"- **{each.severity}** {code(each.rule)} {prose(each.message)}" for each in findings][:_MOST]
    return [f"{head}:", "", *rows, ""] if rows else []
