"""One line for each finding, as linters write them: `path:line:column: severity rule message [subject]`.

Where a finding stands in no file the domain takes the place's place. What could not be determined is a line too.
"""

from __future__ import annotations

from deliverkit.render.entries import Entry, gist, line
from deliverkit.render.formats import View
from deliverkit.report.document import Report


def render(report: Report, view: View) -> str:
    """The lines; nothing where there is nothing to say."""
    return "".join(f"{compact(entry)}\n" for entry in gist(report, view))


def compact(entry: Entry) -> str:
    """An entry's line, without its end."""
    at = entry.finding.location if entry.finding is not None else None
    where = entry.target if at is None else f"{at.path}:{at.line}:{at.column or 1}"
    what = entry.severity if entry.status == "fail" else entry.status
    subject = f" [{entry.subject}]" if entry.subject != entry.target or at is not None else ""
    return line(f"{where}: {what} {entry.rule} {entry.message}{subject}", 8192)
