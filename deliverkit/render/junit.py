"""JUnit XML as Jenkins and GitLab read it: a suite for each target, a case for each rule.

A finding is a `<failure>`, what could not be determined an `<error>`; a rule that does not apply, or whose findings
were accepted, is `<skipped>`. A case holds one of them, since readers take the first: of several findings it tells all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from deliverkit.model import Severity, area_of
from deliverkit.render.compact import compact
from deliverkit.render.entries import BUG, Entry, line, of_target
from deliverkit.render.formats import View
from deliverkit.report.document import Report, TargetReport

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (§2.2) cannot hold, not even as a reference."""
_MESSAGE: Final = 1024
_KINDS: Final = {"fail": "failure", "inconclusive": "error"}


def render(report: Report, view: View) -> str:
    """The document."""
    suites = [_suite(report, target, view) for target in report.targets]
    root = Element("testsuites", {"name": f"deliverkit {view.command}", "time": _seconds(report.duration_ms)})
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    root.extend(suites)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def clean(text: str) -> str:
    """A text without what XML cannot hold."""
    return _FORBIDDEN.sub("�", text)


def _suite(report: Report, target: TargetReport, view: View) -> Element:
    cases = _cases(target, view)
    kinds = Counter(child.tag for case in cases for child in case)
    suite = Element(
        "testsuite",
        {
            "name": clean(line(target.target)),
            "tests": str(len(cases)),
            "failures": str(kinds["failure"]),
            "errors": str(kinds["error"]),
            "skipped": str(kinds["skipped"]),
            "time": _seconds(target.duration_ms),
            "timestamp": report.started_at.removesuffix("Z"),
        },
    )
    suite.extend(cases)
    return suite


def _cases(target: TargetReport, view: View) -> list[Element]:
    """A case for each rule, by id."""
    met: dict[str, list[Entry]] = {}
    for entry in of_target(target, view):
        met.setdefault(entry.rule, []).append(entry)
    rules = sorted({*met, *target.passed, *target.not_applicable})
    return [_case(target, rule, met.get(rule, ())) for rule in rules]


def _case(target: TargetReport, rule: str, met: Iterable[Entry]) -> Element:
    area = BUG if rule == BUG else area_of(rule)
    name = clean(line(target.target))
    case = Element("testcase", {"classname": f"{name}.{area}", "name": rule, "time": "0"})
    by_status: dict[str, list[Entry]] = {}
    for entry in met:
        by_status.setdefault(entry.status, []).append(entry)
    for status, kind in _KINDS.items():
        told = sorted(by_status.get(status, ()), key=lambda entry: Severity(entry.severity).rank)
        if told:
            place = told[0].place
            if place is not None:
                case.set("file", clean(line(place.path)))
                case.set("line", str(place.line))
            _tell(case, kind, told)
            return case
    accepted = by_status.get("suppressed", [])
    if accepted:
        by = sorted({getattr(entry.finding, "by", "ignore") for entry in accepted})
        SubElement(case, "skipped", {"message": f"accepted by {' and '.join(by)}"})
    elif rule in target.not_applicable:
        SubElement(case, "skipped", {"message": "not applicable"})
    return case


def _tell(case: Element, kind: str, told: list[Entry]) -> None:
    """The child that says what was met; its text has everything, for a reader of the log."""
    first = told[0]
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    said = first.message if first.subject == first.target else f"{first.subject}: {first.message}"
    child = SubElement(case, kind, {"message": clean(line(said, _MESSAGE) + more), "type": first.severity})
    lines: list[str] = []
    for entry in told:
        lines.append(compact(entry))
        if entry.finding is not None:
            lines += [f"  {line(text)}" for text in entry.finding.evidence]
            fix = [line(text) for text in entry.finding.fix.split("\n") if text.strip()]
            lines += [f"  {'     ' if number else 'fix: '}{text}" for number, text in enumerate(fix)]
            lines.append(f"  {', '.join(entry.finding.references)}")
    child.text = clean("\n".join(lines))


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.3f}"
