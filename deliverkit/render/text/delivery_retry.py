"""What comes of a deferral: when it is tried again, here or by a mail server with its defaults."""

from __future__ import annotations

from typing import Final

from deliverkit.model import shown
from deliverkit.model.display import RECORDED
from deliverkit.records.duration import duration_words
from deliverkit.render.text.sheet import Sheet
from deliverkit.report.delivery import DeliveryReport, ScheduleReport, ScheduleRow

_USUAL: Final = 300
"""Seconds until a mail server's first retry, where the reply names none: minutes (RFC 5321 §4.5.4.1)."""
_STYLE: Final = {"try": "", "warn": "yellow", "give-up": "red"}


def write_retry(sheet: Sheet, report: DeliveryReport) -> None:
    """When it is tried again: by the queue, or by nobody here."""
    retry = report.retry
    if retry is not None and retry.id is not None and retry.next_at is not None:
        end = f", until {retry.give_up_at}" if retry.give_up_at is not None else ""
        sheet.prose(f"Queued as {shown(retry.id)}: to be tried again at {retry.next_at}{end}.", indent=2)
        return
    if retry is not None and retry.why is not None:
        sheet.prose(f"Not tried again: {shown(retry.why, RECORDED)}.", indent=2)
        return
    if report.outcome != "deferred" or retry is not None:
        return
    put_off = next((entry for entry in report.recipients if entry.outcome == "deferred"), None)
    asked = put_off.reply.wait_s if put_off is not None and put_off.reply is not None else None
    sheet.prose(
        f"A mail server would retry in {duration_words(asked or _USUAL)} (--retry-for 1h does).",
        lead=("Then  ", "bold"),
        indent=2,
        hang=8,
    )


def write_schedule(sheet: Sheet, schedule: ScheduleReport) -> None:
    """A table of moments since the first try."""
    sheet.line((f"{shown(schedule.name)} would, by its documented defaults", "bold"), indent=2)
    rows = [(when(row), row) for row in schedule.rows]
    wide = max((len(at) for at, _ in rows), default=0)
    for at, row in rows:
        style = _STYLE.get(row.kind, "")
        sheet.prose(shown(row.words, RECORDED), lead=f"{at.ljust(wide)}  ", indent=4, hang=6 + wide, style=style)
    for note in schedule.notes:
        sheet.prose(_sentence(shown(note, RECORDED)), indent=4, style="dim")
    if sheet.look.verbose:
        sheet.prose(", ".join(f"{name} {value}" for name, value in schedule.settings.items()), indent=4, style="dim")
    if schedule.references:
        sheet.prose("; ".join(schedule.references), indent=4, style="dim")


def when(row: ScheduleRow) -> str:
    """`+5 min`, or from when to when."""
    first = f"+{duration_words(row.first_s)}" if row.first_s else "now"
    return first if row.first_s == row.last_s else f"{first} to +{duration_words(row.last_s)}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
