"""A difference as text: what follows from it first, then the findings that come and go."""

from __future__ import annotations

from deliverkit.model import shown
from deliverkit.render.text.finding import write_finding, write_line
from deliverkit.render.text.gather import gathered
from deliverkit.render.text.sheet import Look, Sheet
from deliverkit.render.text.words import SEVERITY, VERDICT, count, seconds
from deliverkit.report.diff import DiffFinding, DiffReport

_WHOLE = 4200
"""Characters of a record that are shown: all that the report holds."""


def render(report: DiffReport, look: Look) -> str:
    """The difference as `deliverkit diff` prints it."""
    sheet = Sheet(look)
    if not look.quiet:
        sheet.line(("before  ", "dim"), report.before)
        sheet.line(("after   ", "dim"), report.after)
        sheet.blank()
    for target in report.targets:
        _write_target(sheet, report, target)
    label, style = VERDICT[report.verdict]
    new, gone = report.findings.new, report.findings.gone
    words = f"{count(len(new), 'new finding')} · {len(gone)} gone · {report.findings.same} as before"
    sheet.blank()
    sheet.ends(((label, style), "   ", words), ((seconds(report.duration_ms), "dim"),))
    return sheet.render()


def _write_target(sheet: Sheet, report: DiffReport, target: str) -> None:
    changes = [change for change in report.changes if change.target == target]
    new = [finding for finding in report.findings.new if finding.target == target]
    gone = [finding for finding in report.findings.gone if finding.target == target]
    unclear = [finding for finding in report.findings.unclear if finding.target == target]
    untold = [entry for entry in report.inconclusive if entry.target == target]
    if sheet.look.quiet and not (new or untold or any(change.severity != "notice" for change in changes)):
        return
    sheet.line((target, "bold"), "" if changes else "   nothing changes for mail")
    if target in report.errors:
        sheet.line(("✗ not judged to its end", "bold red"), indent=2)
    told: set[tuple[str | None, str | None]] = set()
    for change in changes:
        label, style = SEVERITY[change.severity]
        head = f"{change.area.ljust(8)} "
        sheet.prose(shown(change.consequence, _WHOLE), lead=(f"{label.ljust(9)} {head}", style), indent=2, hang=21)
        if not sheet.look.quiet and change.before != change.after and (change.before, change.after) not in told:
            told.add((change.before, change.after))
            for mark, value in (("-", change.before), ("+", change.after)):
                if value is not None:
                    sheet.line((f"{mark} {shown(value, _WHOLE)}", "red" if mark == "-" else "green"), indent=21)
    _write_findings(sheet, "new findings", new, target, whole=True)
    _write_findings(sheet, "there after, and nobody could tell whether before", unclear, target)
    if not sheet.look.quiet:
        _write_findings(sheet, "findings that go", gone, target)
    for why in dict.fromkeys(entry.why for entry in untold):
        rules = {entry.rule for entry in untold if entry.why == why}
        sheet.prose(f"{shown(why)} ({count(len(rules), 'rule')})", lead="? not determined  ", indent=2, hang=4)
    sheet.blank()


def _write_findings(sheet: Sheet, head: str, findings: list[DiffFinding], target: str, *, whole: bool = False) -> None:
    if not findings:
        return
    sheet.blank()
    sheet.line((head, "bold"), indent=2)
    for group in gathered(tuple(findings)):
        if whole and not sheet.look.quiet:
            write_finding(sheet, group, target)
        else:
            write_line(sheet, group, target)
