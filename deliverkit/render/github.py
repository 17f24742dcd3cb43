"""GitHub Actions: workflow commands that annotate a run, and the Markdown of its summary.

GitHub shows ten annotations of a severity in a step; what is left over stands in the log as lines. What could not be
determined is a warning, never an error: nothing was found wrong.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from deliverkit.model import clipped
from deliverkit.render.compact import compact
from deliverkit.render.entries import Entry, gist, line, worst_first
from deliverkit.render.formats import View
from deliverkit.render.markdown.marks import code, prose
from deliverkit.render.text.words import count
from deliverkit.report.document import Report, TargetReport

_MOST: Final = 10
"""Annotations of one severity that GitHub keeps of a step."""
_SUMMARY: Final = 1024 * 1024 - 64 * 1024
"""Octets: GitHub takes 1 MiB of a step's summary, and other tools write there, too."""
_MOST_ROWS: Final = 1000
_CELL: Final = 300
_SYMBOL: Final = {"pass": "✅ pass", "fail": "❌ fail", "inconclusive": "⚠️ inconclusive"}


def render(report: Report, view: View) -> str:
    """The commands, the worst first, then what exceeds their number as plain lines."""
    commands: list[str] = []
    rest: list[str] = []
    written: Counter[str] = Counter()
    for entry in worst_first(gist(report, view)):
        level = entry.severity if entry.status == "fail" else "warning"
        written[level] += 1
        if written[level] <= _MOST:
            commands.append(_command(level, entry))
        else:
            rest.append(compact(entry))
    return "".join(f"{text}\n" for text in (*commands, *rest))


def _command(level: str, entry: Entry) -> str:
    properties: list[tuple[str, str]] = []
    if entry.place is not None:
        properties += [("file", entry.place.path), ("line", str(entry.place.line))]
        if entry.place.column is not None:
            properties.append(("col", str(entry.place.column)))
    title = entry.rule if entry.status == "fail" else f"{entry.rule} not determined"
    properties.append(("title", f"{title} ({entry.target})"))
    said = entry.message if entry.subject == entry.target else f"{entry.subject}: {entry.message}"
    lines = [line(said)]
    if entry.finding is not None and entry.finding.fix:
        lines += [line(part) for part in entry.finding.fix.split("\n")]
    shown = ",".join(f"{name}={_property(line(value))}" for name, value in properties)
    return f"::{level} {shown}::{_data(chr(10).join(lines))}"


def _data(text: str) -> str:
    """A command's message as the runner reads it back."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A command's property as the runner reads it back."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def summary(report: Report, view: View) -> str:
    """The step's summary in Markdown: the verdicts, and a table of what was found, under GitHub's limit of size."""
    heading = f"### deliverkit {view.command}: {_SYMBOL[report.verdict]}\n"
    parts = [heading, "\n| target | verdict | errors | warnings | notices |\n| --- | --- | --: | --: | --: |\n"]
    parts += [_verdict(target) for target in report.targets[:_MOST_ROWS]]
    left = len(report.targets) - _MOST_ROWS
    if left > 0:
        parts.append(f"\nand {count(left, 'more target')}\n")
    size = sum(len(part.encode()) for part in parts)
    listed = worst_first(gist(report, view))
    if listed:
        parts.append("\n| severity | rule | where | what |\n| --- | --- | --- | --- |\n")
    for number, entry in enumerate(listed):
        row = _row(entry)
        size += len(row.encode())
        if number == _MOST_ROWS or size > _SUMMARY:
            parts.append(f"\nand {len(listed) - number} more\n")
            break
        parts.append(row)
    return "".join(parts) + "\n"


def _verdict(target: TargetReport) -> str:
    of = Counter(finding.severity for finding in target.findings)
    numbers = " | ".join(str(of[severity]) for severity in ("error", "warning", "notice"))
    return f"| {_cell(target.target)} | {_SYMBOL[target.verdict]} | {numbers} |\n"


def _row(entry: Entry) -> str:
    place = entry.finding.location if entry.finding is not None else None
    where = entry.subject if place is None else f"{place.path}:{place.line}"
    severity = entry.severity if entry.status == "fail" else entry.status
    what = prose(clipped(entry.message, _CELL)).replace("|", r"\x7c")
    return f"| {severity} | {_cell(entry.rule)} | {_cell(where)} | {what} |\n"


def _cell(text: str) -> str:
    """A text as code in a table's cell."""
    return code(text.replace("|", r"\x7c"), _CELL) or "–"
