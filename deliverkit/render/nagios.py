"""A monitoring plugin's answer (Nagios, Icinga, Naemon, Checkmk): one line, performance data, its own exit codes.

An error that reaches `--fail-on` is CRITICAL, a warning WARNING, whatever else reaches it WARNING; what could not be
determined, and would have counted, is UNKNOWN. No other format changes the exit code.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from deliverkit.model import Severity
from deliverkit.render.entries import Entry, gist, line, worst_first
from deliverkit.render.formats import View
from deliverkit.render.text.words import count
from deliverkit.report.document import Report

OK, WARNING, CRITICAL, UNKNOWN = range(4)
_WORDS: Final = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
_TOLD: Final = 3
"""Findings that the line tells."""
_LONGEST: Final = 200
_ACTING: Final = re.compile(r"[|<>`$&\\]")
"""`|` parts text from data; the others act where a page or a shell gets the text."""


def render(report: Report, view: View) -> str:
    """The line."""
    state = exit_code(report, view)
    return f"DELIVERKIT {_WORDS[state]} - {_text(report, view, state)} | {_data(report)}\n"


def unknown(message: str) -> str:
    """The line of a check that could not be made."""
    return f"DELIVERKIT UNKNOWN - {_plain(message)}\n"


def exit_code(report: Report, view: View) -> int:
    """The plugin's state: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."""
    if any(target.error is not None for target in report.targets):
        return UNKNOWN
    severities = {finding.severity for target in report.targets for finding in target.findings}
    if view.fail_on == "never":
        return OK
    if "error" in severities:
        return CRITICAL
    reached = any(Severity(severity).rank <= Severity(view.fail_on).rank for severity in severities)
    if report.verdict == "fail" and not reached:  # --inconclusive fail
        return CRITICAL
    if report.verdict == "inconclusive":
        return UNKNOWN
    return WARNING if reached or "warning" in severities else OK


def _text(report: Report, view: View, state: int) -> str:
    listed = worst_first(gist(report, view))
    if state == UNKNOWN:
        listed.sort(key=lambda entry: entry.status != "inconclusive")
    elif state != OK:
        listed.sort(key=lambda entry: entry.status == "inconclusive")
    targets = ", ".join(_plain(target.target) for target in report.targets[:_TOLD])
    more = len(report.targets) - _TOLD
    if state == OK or not listed:
        passed = sum(target.counts.passed for target in report.targets)
        return f"{targets}{f' and {more} more' if more > 0 else ''}: {count(passed, 'rule')} passed"
    told = "; ".join(_told(entry) for entry in listed[:_TOLD])
    left = len(listed) - _TOLD
    return f"{told}{f' (and {left} more)' if left > 0 else ''}"


def _told(entry: Entry) -> str:
    what = entry.rule if entry.status == "fail" else f"{entry.rule} not determined"
    return f"{_plain(entry.target)}: {what}: {_plain(entry.message)}"


def _plain(text: str) -> str:
    """A text that ends neither the line nor the text of the plugin."""
    return _ACTING.sub(lambda match: f"\\x{ord(match[0]):02x}", line(text, _LONGEST).replace("\\", "/"))


def _data(report: Report) -> str:
    """`label=value;warn;crit;min`: each label once, values without thresholds of ours but the states'."""
    of = Counter(finding.severity for target in report.targets for finding in target.findings)
    unclear = sum(target.counts.inconclusive for target in report.targets)
    passed = sum(target.counts.passed for target in report.targets)
    return (
        f"errors={of['error']};;0;0 warnings={of['warning']};0;;0 notices={of['notice']};;;0 "
        f"inconclusive={unclear};;;0 passed={passed};;;0 time={report.duration_ms / 1000:.3f}s;;;0"
    )
