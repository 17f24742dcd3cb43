"""A whole run as text: one target in full, many as a block each and a summary."""

from __future__ import annotations

import collections
from typing import Final

from deliverkit.model import shown
from deliverkit.render.text import areas
from deliverkit.render.text.finding import folded, write_finding, write_line
from deliverkit.render.text.questions import write_questions
from deliverkit.render.text.sheet import Look, Part, Sheet
from deliverkit.render.text.unclear import write_unclear
from deliverkit.render.text.words import ROLE, SEVERITY, VERDICT, count, seconds
from deliverkit.report import Report, TargetReport

_COMMONEST: Final = 8


def render(report: Report, look: Look, *, command: str = "check") -> str:
    """The report as `deliverkit COMMAND` prints it."""
    sheet = Sheet(look)
    many = len(report.targets) > 1
    for target in report.targets:
        if look.quiet and target.verdict == "pass" and target.error is None:
            continue
        if not many:
            _write_target(sheet, target, command)
        elif command != "check" or look.verbose:
            _write_target(sheet, target, command)
            sheet.blank()
        else:
            _write_block(sheet, target)
    if many:
        _write_summary(sheet, report)
    elif not look.quiet and report.targets:
        sheet.blank()
        _write_next(sheet, report.targets[0], command, asked=bool(report.vantage.resolvers))
    return sheet.render()


def _write_target(sheet: Sheet, target: TargetReport, command: str) -> None:
    _write_verdict(sheet, target)
    if not sheet.look.quiet:
        area_lines = areas.lines(target.facts, command, ascii=sheet.look.ascii)
        if area_lines:
            sheet.blank()
            for line in area_lines:
                sheet.line(line, indent=2)
        _write_opinion(sheet, target)
    for finding, parts in folded(target.findings):
        sheet.blank()
        write_finding(sheet, finding, parts)
    if target.inconclusive:
        sheet.blank()
        write_unclear(sheet, target.inconclusive)
    if sheet.look.verbose and not sheet.look.quiet:
        _write_passed(sheet, target)
        write_questions(sheet, target.questions)


def _write_opinion(sheet: Sheet, target: TargetReport) -> None:
    opinion = target.facts.second_opinion
    if opinion is None:
        return
    sheet.blank()
    sheet.line((f"second opinion: {opinion.library} {opinion.version}", "dim"), indent=2)
    for area, verdict in (("SPF", opinion.spf), ("DMARC", opinion.dmarc)):
        if verdict is not None:
            said = "valid" if verdict.valid else f"not valid: {shown(verdict.error or 'it does not say why')}"
            sheet.prose(said, lead=f"{area.ljust(6)} ", indent=4, hang=11)
    for why in opinion.unknown:
        sheet.prose(shown(why), lead="? ", indent=4, hang=6)


def _write_block(sheet: Sheet, target: TargetReport) -> None:
    """A target among many: its verdict, and a line for each finding."""
    _write_verdict(sheet, target)
    for finding, _ in folded(target.findings):
        write_line(sheet, finding)
    whys = dict.fromkeys(entry.why for entry in target.inconclusive)
    for why in whys:
        rules = len({entry.rule for entry in target.inconclusive if entry.why == why})
        sheet.prose(f"{why} ({count(rules, 'rule')})", lead="? not determined  ", indent=2, hang=4)


def _write_verdict(sheet: Sheet, target: TargetReport) -> None:
    label, style = VERDICT[target.verdict]
    name = target.target if target.unicode == target.target else f"{target.unicode} ({target.target})"
    if target.error is not None:
        sheet.line((name, "bold"), "   ", ("✗ not judged", "bold red"))
        sheet.prose(f"A bug in deliverkit ended this target: {target.error}", indent=2)
        return
    words = " · ".join(_counts(target))
    time: Part = (seconds(target.duration_ms), "dim")
    head: tuple[Part, ...] = ((name, "bold"), "   ", (label, style))
    if sheet.cells((*head, "   ", words, "   ", time)) <= sheet.look.width:
        sheet.ends((*head, "   ", words), (time,))
    else:
        sheet.ends(head, (time,))
        sheet.prose(words, indent=2)
    if target.role in ROLE:
        sheet.line((ROLE[target.role], "dim"), indent=2)


def _counts(target: TargetReport) -> list[str]:
    standing = collections.Counter(finding.severity for finding, _ in folded(target.findings))
    words = [count(standing[severity], severity) for severity in SEVERITY if standing[severity]]
    if target.suppressed:
        words.append(f"{len(target.suppressed)} ignored")
    if target.counts.passed or not words:
        words.append(f"{target.counts.passed} passed")
    unclear = len({entry.rule for entry in target.inconclusive})
    if unclear:
        words.append(f"{unclear} not determined")
    return words


def _write_passed(sheet: Sheet, target: TargetReport) -> None:
    if not target.passed:
        return
    sheet.blank()
    sheet.line(("✓ passed", "bold green"))
    by_area: dict[str, list[str]] = {}
    for rule in target.passed:
        area = next((area for area in ("tls-rpt", "mta-sts") if rule.startswith(area)), rule.partition("-")[0])
        by_area.setdefault(area, []).append(rule)
    for rules in by_area.values():
        sheet.prose(" ".join(rules), indent=2)


def _write_summary(sheet: Sheet, report: Report) -> None:
    verdicts = collections.Counter(target.verdict for target in report.targets)
    sheet.blank()
    words = [
        f"{verdicts['fail']} fail",
        f"{verdicts['inconclusive']} inconclusive",
        f"{verdicts['pass']} pass",
    ]
    sheet.ends(
        ((f"{len(report.targets)} targets", "bold"), "   ", " · ".join(words)),
        ((seconds(report.duration_ms), "dim"),),
    )
    commonest = collections.Counter(
        (finding.severity, finding.rule)
        for target in report.targets
        for finding in {finding.rule: finding for finding, _ in folded(target.findings)}.values()
    )
    ranked = sorted(commonest.items(), key=lambda item: (list(SEVERITY).index(item[0][0]), -item[1], item[0][1]))
    for (severity, rule), number in ranked[:_COMMONEST]:
        label, style = SEVERITY[severity]
        sheet.line((label.ljust(9), style), f" {rule}", (f"   {count(number, 'target')}", "dim"), indent=2)
    if len(ranked) > _COMMONEST:
        sheet.line((f"… and {len(ranked) - _COMMONEST} rules more", "dim"), indent=2)
    if not sheet.look.quiet and report.targets and verdicts["pass"] < len(report.targets):
        worst = next(target.target for target in report.targets if target.verdict != "pass")
        sheet.blank()
        sheet.line(("Next  ", "bold"), f"deliverkit check {worst}", ("   the evidence and the fixes", "dim"))


def _write_next(sheet: Sheet, target: TargetReport, command: str, *, asked: bool) -> None:
    found = _next(target, command, asked=asked) if target.role != "nonexistent" and target.error is None else None
    if found is None:
        return
    typed, why = found
    if sheet.cells((typed, why)) + 10 <= sheet.look.width:
        sheet.line(("Next  ", "bold"), typed, "   ", (why, "dim"))
    else:
        sheet.line(("Next  ", "bold"), typed)
        sheet.line((why, "dim"), indent=6)


def _next(target: TargetReport, command: str, *, asked: bool) -> tuple[str, str] | None:
    """The command that helps most from here, and what for."""
    name = target.target
    rules = {finding.rule for finding in target.findings}
    wrong = {finding.area for finding in target.findings if finding.severity != "notice"}
    if asked and target.inconclusive and target.verdict != "fail":
        return "deliverkit doctor", "is it this machine's resolver that cannot tell?"
    if "spf" in wrong and command == "check":
        return f"deliverkit spf {name}", "the include tree, with what each term costs"
    if "dmarc" in wrong and command == "check":
        return f"deliverkit dmarc {name}", "the policy that receivers apply, and where it was found"
    if "dkim-selector-unknown" in rules:
        return f"deliverkit dkim {name} --selector NAME", "NAME stands in a sent message's DKIM-Signature, as s="
    if command != "mx" and target.role == "mail":
        return f"deliverkit spf {name} --ip ADDRESS", "may this server send for the domain?"
    return None
