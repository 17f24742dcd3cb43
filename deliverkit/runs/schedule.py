"""What a mail server with its documented defaults would do after a delivery of ours."""

from __future__ import annotations

import msgspec

from deliverkit.delivery.schedule import rows, simulate
from deliverkit.delivery.servers import NAMES
from deliverkit.report.delivery import DeliveryReport, ScheduleEvent, ScheduleReport, ScheduleRow


def with_schedule(report: DeliveryReport, server: str) -> DeliveryReport:
    """The report, with what `postfix`, `exim` or `exchange` would do about the reply that decided it."""
    worst = next((entry for entry in report.recipients if entry.outcome == report.outcome), None)
    reply = worst.reply if worst is not None else None
    permanence = _permanence(report.outcome, reply.class_ if reply is not None else None)
    made = simulate(
        next(name for name in NAMES if name == server),
        permanence,
        wait_s=reply.wait_s if reply is not None else None,
        stage=worst.stage if worst is not None else None,
        null_sender=not report.sender,
    )
    schedule = ScheduleReport(
        server=made.server,
        name=made.name,
        events=tuple(
            ScheduleEvent(at_s=round(event.after), kind=event.kind, number=event.number, words=event.words)
            for event in made.events
        ),
        rows=tuple(
            ScheduleRow(first_s=round(row.first), last_s=round(row.last), kind=row.kind, words=row.words)
            for row in rows(made)
        ),
        settings=dict(made.settings),
        notes=made.notes,
        references=made.sources,
    )
    return msgspec.structs.replace(report, schedule=schedule)


def _permanence(outcome: str | None, class_: str | None) -> str | None:
    """The class to go by: the outcome says it where there was no reply, or where the reply is not of it."""
    match outcome:
        case "accepted" | None:
            return "success"
        case "refused":
            return "permanent"
        case _:
            return class_ if class_ in ("permanent", "temporary") else None
