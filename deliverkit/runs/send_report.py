"""From a delivery as it was run to the document: its course folded, and the schedule of a mail server beside it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from deliverkit import __version__
from deliverkit.delivery.message import Message
from deliverkit.delivery.route import Route
from deliverkit.delivery.schedule import rows, simulate
from deliverkit.delivery.servers import Name
from deliverkit.model import Attempt, Envelope, Result
from deliverkit.report.delivery import (
    Course,
    DeliveryReport,
    MessageReport,
    RouteReport,
    ScheduleEvent,
    ScheduleReport,
    ScheduleRow,
    SignatureReport,
    message_text,
    route_report,
)


def message_report(message: Message, *, whole: bool = False) -> MessageReport:
    """What is told of a message. `whole`: with its header and the beginning of its body, for a dry run."""
    header, body = message_text(message.octets) if whole else (None, None)
    return MessageReport(
        id=message.message_id,
        size=len(message.octets),
        from_address=message.from_address,
        from_domain=message.from_domain,
        signed_by=tuple(SignatureReport(domain=domain, selector=selector) for domain, selector in message.signed_by),
        eight_bit=message.eight_bit,
        utf8=message.utf8,
        notes=message.notes,
        header=header,
        body=body,
    )


def route_of(route: Route) -> RouteReport:
    """A route, flattened for readers."""
    by_mx = route.by in ("mx", "implicit-mx")
    return route_report(
        domain=route.domain,
        recipients=route.recipients,
        via=route.by,
        hops=route.hops,
        mta_sts=route.mta_sts if by_mx and route.hops else None,
        dane=route.dane if by_mx and route.hops else None,
        why=route.why or None,
        notes=route.notes,
    )


def outside(results: Sequence[Result], attempts: Sequence[Attempt]) -> tuple[Result, ...]:
    """The results that no session decided."""
    last = {result.address: result for attempt in attempts for result in attempt.results}
    return tuple(result for result in results if last.get(result.address) != result)


def with_schedule(report: DeliveryReport, server: Name) -> DeliveryReport:
    """The report, with what a mail server would do about the reply that decided it."""
    worst = next((entry for entry in report.recipients if entry.outcome == report.outcome), None)
    reply = worst.reply if worst is not None else None
    made = simulate(
        server,
        reply.class_ if reply is not None else None if worst is not None else "success",
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


def course_of(  # noqa: PLR0913 - a course is made of these
    *,
    envelope: Envelope,
    message: Message,
    routes: Sequence[Route],
    attempts: Sequence[Attempt],
    results: Sequence[Result],
    began: float,
    duration_ms: float,
    deferred_at: float | None = None,
    dry_run: bool = False,
) -> Course:
    """What is folded; the queue's and the judge's parts are added by who has them."""
    return Course(
        version=__version__,
        started_at=began,
        duration_ms=duration_ms,
        envelope=envelope,
        message=message_report(message, whole=dry_run),
        route=tuple(route_of(route) for route in routes),
        attempts=tuple(attempts),
        decided=outside(results, attempts),
        deferred_at=deferred_at,
        dry_run=dry_run,
    )
