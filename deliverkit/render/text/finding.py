"""A finding as a person reads it: what is wrong, the evidence with its place marked, the fix to copy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from deliverkit.model import shown
from deliverkit.model.display import RECORDED
from deliverkit.render.text.gather import Group, place, write_where
from deliverkit.render.text.sheet import Part, Sheet, width_of
from deliverkit.render.text.words import SEVERITY, WHO
from deliverkit.report import FindingReport
from deliverkit.report.document import ExhibitReport, MarkReport
from deliverkit.report.fold import change_lines

_WHOLE: Final = RECORDED + 64
"""Characters of a record that are shown: all that the report holds."""
_EXHIBITS: Final = 6
_MARKS: Final = 8
_QUOTED: Final = 60
_RECORD: Final = re.compile(r" [A-Z][A-Z0-9]*\Z")
"""A title that ends in the type of a record."""


def write_finding(sheet: Sheet, group: Group, target: str) -> None:
    """The finding, where it is, and beneath it those it explains."""
    finding = group.head
    label, style = SEVERITY[finding.severity]
    sheet.ends(((label.ljust(9), style), " ", (finding.rule, "bold")), ((WHO[finding.who], "dim"),))
    sheet.prose(_sentence(shown(finding.message, _WHOLE)), indent=2)
    write_where(sheet, group, target)
    _write_file(sheet, finding)
    write_exhibits(sheet, group.exhibits)
    _write_fix(sheet, finding, alike=group.alike)
    for part in group.parts:
        sheet.prose(_sentence(shown(part.message, _WHOLE)), lead=f"Also  {part.rule}: ", indent=2, hang=8)
    _write_sources(sheet, finding)


def write_line(sheet: Sheet, group: Group, target: str) -> None:
    """The finding on one line."""
    finding = group.head
    label, style = SEVERITY[finding.severity]
    head = f"{finding.rule}  "
    room = sheet.look.width - 12 - width_of(head)
    at = place(group, target)
    message = " ".join(f"{at}{': ' if at else ''}{shown(finding.message)}".split())
    if sheet.look.wrap and width_of(message) > room:
        message = message[: max(room - 1, 10)].rstrip() + "…"
    sheet.line((label.ljust(9), style), " ", head, (message, "dim"), indent=2)


def _sentence(text: str) -> str:
    """A message as a sentence; one that begins with a name or a record stays as it is."""
    first, _, _ = text.partition(" ")
    text = text[:1].upper() + text[1:] if first.isalpha() and first.islower() and first.isascii() else text
    return text if text.endswith((".", "!", "?", ":")) else f"{text}."


def write_exhibits(sheet: Sheet, exhibits: Sequence[ExhibitReport]) -> None:
    """Each piece of evidence under its title, whole; marks beneath it."""
    title = None
    for exhibit in exhibits[:_EXHIBITS]:
        if exhibit.title and exhibit.title != title:
            sheet.line((shown(exhibit.title), "dim"), indent=4)
        title = exhibit.title
        for line in lines_of(exhibit):
            record = shown(line.text, _WHOLE)
            sheet.line(record, indent=6)
            if line.marks:
                _write_marks(sheet, line, width_of(sheet.look.plain(record)))
    if len(exhibits) > _EXHIBITS:
        sheet.line((f"… and {len(exhibits) - _EXHIBITS} more (all of them with --format json)", "dim"), indent=4)


def lines_of(exhibit: ExhibitReport) -> Iterator[ExhibitReport]:
    """A document's lines, each with its marks; a record is one line, whatever is in it, where something is marked."""
    if exhibit.marks and _RECORD.search(exhibit.title):
        yield exhibit
        return
    start = 0
    lines = exhibit.text.removesuffix("\n").split("\n")
    for number, text in enumerate(lines):
        end = start + len(text) if number < len(lines) - 1 else len(exhibit.text)
        marks = tuple(
            MarkReport(start=mark.start - start, end=min(mark.end, start + len(text)) - start, note=mark.note)
            for mark in exhibit.marks
            if start <= mark.start <= end
        )
        yield ExhibitReport(title=exhibit.title, text=text, marks=marks)
        start = end + 1


def _write_marks(sheet: Sheet, exhibit: ExhibitReport, cells: int) -> None:
    marks = [
        mark for mark in sorted(exhibit.marks, key=lambda mark: mark.start) if 0 <= mark.start <= len(exhibit.text)
    ]
    fits = cells + 6 <= sheet.look.width
    # Carets on one line, notes beneath, the last first: each note has its column to itself.
    if fits and sum(mark.end > mark.start for mark in marks):
        _write_carets(sheet, exhibit.text, marks[:_MARKS])
    else:
        for mark in marks[:_MARKS]:
            quoted = " ".join(shown(exhibit.text[mark.start : mark.end], _QUOTED).split())
            at = f"character {mark.start + 1}"
            where = f"{quoted}  ({at})" if quoted else at
            note = f": {mark.note}" if mark.note else ""
            sheet.prose(f"{where}{shown(note)}", lead=("└ ", "yellow"), indent=6, hang=8, style="yellow")
    if len(marks) > _MARKS:
        sheet.line((f"… and {len(marks) - _MARKS} more places", "dim"), indent=6)


def _write_carets(sheet: Sheet, text: str, marks: Sequence[MarkReport]) -> None:
    def column(at: int) -> int:
        return width_of(sheet.look.plain(shown(text[:at], _WHOLE))) if at else 0

    spans = [(column(mark.start), max(column(mark.end), column(mark.start) + 1)) for mark in marks]
    row = [" "] * max(end for _, end in spans)
    for start, end in spans:
        row[start:end] = "^" * (end - start)
    named = [mark for mark in marks if mark.note]
    noted = [(start, mark.note) for (start, _), mark in zip(spans, marks, strict=True) if mark.note]
    if len(noted) == 1:
        # One note stands beside its carets where it fits, else beneath them.
        (start, note) = noted[0]
        beside = "".join(row).rstrip()
        if len(beside) + 1 + width_of(shown(note)) + 6 <= sheet.look.width:
            sheet.line((f"{beside} {shown(note)}", "yellow"), indent=6)
            return
    sheet.line(("".join(row).rstrip(), "yellow"), indent=6)
    for index in range(len(noted) - 1, -1, -1):
        start, note = noted[index]
        bars = [" "] * start
        for before, _ in noted[:index]:
            if before < start:
                bars[before] = "│"
        size = width_of(shown(note))
        if 6 + start + 2 + size <= sheet.look.width or not sheet.look.wrap:
            sheet.line(("".join(bars) + "└ " + shown(note), "yellow"), indent=6)
        else:
            quoted = " ".join(shown(text[named[index].start : named[index].end], _QUOTED).split())
            sheet.prose(shown(note), lead=(f"└ {quoted}: ", "yellow"), indent=6, hang=8, style="yellow")


def _write_file(sheet: Sheet, finding: FindingReport) -> None:
    """The place in a file, as editors and terminals follow it, where no exhibit is named by it."""
    at = finding.location
    if at is None or any(exhibit.title == f"{at.path}:{at.line}" for exhibit in finding.evidence):
        return
    column = "" if at.column is None else f":{at.column}"
    sheet.line(("In    ", "bold"), shown(f"{at.path}:{at.line}{column}"), indent=2)


def _write_fix(sheet: Sheet, finding: FindingReport, *, alike: bool) -> None:
    words = finding.fix if alike else f"{_sentence(finding.fix)} For the others the same."
    diff: list[str] = []
    if finding.change is not None:
        diff = change_lines(finding.change)
        words = words.removesuffix("\n".join(diff)).rstrip("\n")
    lead: Part = ("Fix   ", "bold green")
    write_markdown(sheet, words if "\n" in words else _sentence(words), lead=lead, indent=2, hang=8)
    if not diff:
        return
    sheet.line((shown(diff[0]), "dim"), indent=4)
    for line in diff[1:]:
        style = {"-": "red", "+": "green"}.get(line[:1], "")
        sheet.line((shown(line, _WHOLE), style), indent=6)


def write_markdown(sheet: Sheet, text: str, *, lead: Part = "", indent: int = 0, hang: int | None = None) -> None:
    """Paragraphs and lists wrapped, indented and fenced blocks as they stand."""
    hang = indent if hang is None else hang
    fenced = False
    paragraph: list[str] = []
    bullet: Part = ""

    def flush() -> None:
        nonlocal lead, bullet
        if not paragraph:
            return
        if lead:
            sheet.prose(" ".join(paragraph), lead=lead, indent=indent, hang=hang)
        else:
            deeper = hang + (2 if bullet else 0)
            sheet.prose(" ".join(paragraph), lead=bullet, indent=hang, hang=deeper)
        lead, bullet = "", ""
        paragraph.clear()

    for line in (shown(line, _WHOLE) for line in text.split("\n")):
        if line.lstrip().startswith("```"):
            flush()
            fenced = not fenced
        elif fenced or (line.startswith("    ") and not paragraph):
            sheet.line(line.removeprefix("    ") if not fenced else line, indent=hang + 2)
        elif not line.strip():
            had = bool(paragraph)
            flush()
            if had:
                sheet.blank()
        elif line.lstrip().startswith(("- ", "* ")):
            flush()
            bullet = "• "
            paragraph.append(line.lstrip()[2:])
        else:
            paragraph.append(line.strip())
    flush()


def _write_sources(sheet: Sheet, finding: FindingReport) -> None:
    sources = ", ".join(finding.references)
    command = f"deliverkit explain {finding.rule}"
    if sources and sheet.cells((sources, command)) + 5 <= sheet.look.width:
        sheet.line((sources, "dim"), "   ", (command, "dim"), indent=2)
        return
    if sources:
        sheet.prose(sources, indent=2, style="dim")
    sheet.line((command, "dim"), indent=2)
