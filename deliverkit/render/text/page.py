"""A whole run as text: one target in full, many as a block each and a summary."""

from __future__ import annotations

import collections
from typing import Final

from deliverkit.model import area_of, shown
from deliverkit.render.text import areas
from deliverkit.render.text.accepted import accepted_words, write_file, write_suppressed
from deliverkit.render.text.finding import write_finding, write_line
from deliverkit.render.text.gather import gathered
from deliverkit.render.text.next import write_next
from deliverkit.render.text.outside import write_outside
from deliverkit.render.text.questions import write_questions
from deliverkit.render.text.sheet import Look, Part, Sheet
from deliverkit.render.text.smtp_detail import write_details
from deliverkit.render.text.unclear import write_unclear
from deliverkit.render.text.words import ROLE, SEVERITY, VERDICT, count, seconds
from deliverkit.report import Report, TargetReport

_COMMONEST: Final = 8


def render(report: Report, look: Look, *, command: str = "check") -> str:
    """The report as `deliverkit COMMAND` prints it."""
    sheet = Sheet(look)
    many = sum(not target.about for target in report.targets) > 1
    for target in report.targets:
        if look.quiet and target.verdict == "pass" and target.error is None:
            continue
        if target.about:
            sheet.blank()
            write_file(sheet, target)
            continue
        if not many:
            _write_target(sheet, target, command)
        elif command != "check" or look.verbose:
            _write_target(sheet, target, command)
            sheet.blank()
        else:
            _write_block(sheet, target)
    if many:
        _write_summary(sheet, report, command)
    elif not look.quiet and report.targets:
        sheet.blank()
        write_next(sheet, report.targets[0], command, asked=bool(report.vantage.resolvers))
    return sheet.render()


def _write_target(sheet: Sheet, target: TargetReport, command: str) -> None:
    # What takes no mail, and why, the sessions say themselves.
    told = command == "smtp" and target.facts.smtp is not None and bool(target.facts.smtp.absent)
    _write_verdict(sheet, target, role=not told or sheet.look.quiet)
    if not sheet.look.quiet:
        areas.write(sheet, target.facts, command)
        _write_opinion(sheet, target)
    for group in gathered(target.findings):
        sheet.blank()
        write_finding(sheet, group, target.target)
    if target.inconclusive:
        sheet.blank()
        write_unclear(sheet, target.inconclusive)
    if not sheet.look.quiet:
        write_outside(sheet, target.outside)
    if sheet.look.verbose and not sheet.look.quiet:
        if target.facts.smtp is not None:
            write_details(sheet, target.facts.smtp)
        _write_passed(sheet, target)
        write_suppressed(sheet, target)
        write_questions(sheet, target.questions)


def _write_opinion(sheet: Sheet, target: TargetReport) -> None:
    opinion = target.facts.second_opinion
    if opinion is None:
        return
    sheet.blank()
    sheet.line((f"second opinion: {opinion.library} {opinion.version}", "dim"), indent=2)
    verdicts = (
        ("SPF", opinion.spf),
        ("DMARC", opinion.dmarc),
        ("MTA-STS record", opinion.mta_sts),
        ("MTA-STS policy", opinion.mta_sts_policy),
        ("TLS-RPT", opinion.tls_rpt),
    )
    wide = max((len(area) for area, verdict in verdicts if verdict is not None), default=0)
    for area, verdict in verdicts:
        if verdict is not None:
            said = "valid" if verdict.valid else f"not valid: {shown(verdict.error or 'it does not say why')}"
            sheet.prose(said, lead=f"{area.ljust(wide)}  ", indent=4, hang=6 + wide)
    for why in opinion.unknown:
        sheet.prose(shown(why), lead="? ", indent=4, hang=6)


def _write_block(sheet: Sheet, target: TargetReport) -> None:
    """A target among many: its verdict, and a line for each finding."""
    _write_verdict(sheet, target)
    for group in gathered(target.findings):
        write_line(sheet, group, target.target)
    whys = dict.fromkeys(entry.why for entry in target.inconclusive)
    for why in whys:
        rules = len({entry.rule for entry in target.inconclusive if entry.why == why})
        sheet.prose(f"{why} ({count(rules, 'rule')})", lead="? not determined  ", indent=2, hang=4)


def _write_verdict(sheet: Sheet, target: TargetReport, *, role: bool = True) -> None:
    label, style = VERDICT[target.verdict]
    name = target.target if target.unicode == target.target else f"{target.unicode} ({target.target})"
    name = f"[{name}]" if ":" in name else name  # an IPv6 address; a line may not begin with `::`
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
    if role and target.role in ROLE:
        sheet.line((ROLE[target.role], "dim"), indent=2)


def _counts(target: TargetReport) -> list[str]:
    standing = collections.Counter(group.head.severity for group in gathered(target.findings))
    words = [count(standing[severity], severity) for severity in SEVERITY if standing[severity]]
    words += accepted_words(target)
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
        by_area.setdefault(area_of(rule), []).append(rule)
    for rules in by_area.values():
        sheet.prose(" ".join(rules), indent=2)


def _write_summary(sheet: Sheet, report: Report, command: str) -> None:
    domains = [target for target in report.targets if not target.about]
    verdicts = collections.Counter(target.verdict for target in domains)
    sheet.blank()
    words = [
        f"{verdicts['fail']} fail",
        f"{verdicts['inconclusive']} inconclusive",
        f"{verdicts['pass']} pass",
    ]
    sheet.ends(
        ((f"{len(domains)} targets", "bold"), "   ", " · ".join(words)),
        ((seconds(report.duration_ms), "dim"),),
    )
    commonest = collections.Counter(
        (finding.severity, finding.rule)
        for target in domains
        for finding in {group.head.rule: group.head for group in gathered(target.findings)}.values()
    )
    ranked = sorted(commonest.items(), key=lambda item: (list(SEVERITY).index(item[0][0]), -item[1], item[0][1]))
    for (severity, rule), number in ranked[:_COMMONEST]:
        label, style = SEVERITY[severity]
        sheet.line((label.ljust(9), style), f" {rule}", (f"   {count(number, 'target')}", "dim"), indent=2)
    if len(ranked) > _COMMONEST:
        sheet.line((f"… and {len(ranked) - _COMMONEST} rules more", "dim"), indent=2)
    told = command != "check" or sheet.look.verbose
    if not told and not sheet.look.quiet and domains and verdicts["pass"] < len(domains):
        worst = next(target.target for target in domains if target.verdict != "pass")
        sheet.blank()
        sheet.line(("Next  ", "bold"), f"deliverkit check {worst}", ("   the evidence and the fixes", "dim"))
