"""CSV (RFC 4180) that a spreadsheet can open: a header, a row for each finding and for what is undetermined.

A cell that a spreadsheet would take for a formula begins with an apostrophe.
"""

from __future__ import annotations

import csv
import functools
import io
from typing import Final

from deliverkit.render.entries import Entry, entries, line
from deliverkit.render.formats import View
from deliverkit.report.document import Report

HEADER: Final = (
    "target", "status", "severity", "rule", "area", "subject", "message", "path", "line", "column", "who", "fix",
    "evidence", "references", "fingerprint", "part_of", "suppressed_by",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_JOINED: Final = " | "


def render(report: Report, view: View) -> str:
    """The table, suppressed findings included; lines end in CRLF."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(HEADER)
    once = functools.cache(cell)  # rows repeat most of what they say
    for entry in entries(report, view):
        writer.writerow([once(text) for text in _row(entry)])
    return buffer.getvalue()


def cell(text: str) -> str:
    """A text as a cell that is nothing but text."""
    safe = _JOINED.join(line(part) for part in text.split("\n"))
    return f"'{safe}" if safe.lstrip().startswith(_FORMULA) else safe


def _row(entry: Entry) -> tuple[str, ...]:
    finding, place = entry.finding, entry.place
    return (
        entry.target,
        entry.status,
        entry.severity,
        entry.rule,
        entry.area,
        entry.subject,
        entry.message,
        place.path if place is not None else "",
        str(place.line) if place is not None else "",
        str(place.column or "") if place is not None else "",
        finding.who if finding is not None else "",
        finding.fix if finding is not None else "",
        "\n".join(finding.evidence) if finding is not None else "",
        "\n".join(finding.references) if finding is not None else "",
        finding.fingerprint if finding is not None else "",
        (finding.part_of or "") if finding is not None else "",
        getattr(finding, "by", ""),
    )
