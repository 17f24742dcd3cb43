"""A delivery as Markdown: what a postmaster needs who was not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from deliverkit.records.duration import duration_words
from deliverkit.render.markdown.marks import block, code, prose
from deliverkit.render.text.delivery import OUTCOME, alike, without
from deliverkit.render.text.delivery_dialog import in_short, write_attempt
from deliverkit.render.text.delivery_retry import when
from deliverkit.render.text.sheet import Look, Sheet
from deliverkit.render.text.words import SEVERITY, count, seconds
from deliverkit.replies import Decoded
from deliverkit.report import FindingReport
from deliverkit.report.delivery import DeliveryReport, RecipientReport, RouteReport

_LOOK: Final = Look(width=100, wrap=False)


def render(reports: Sequence[DeliveryReport]) -> str:
    """The whole, ending in a newline."""
    return "\n".join("\n\n".join(part.rstrip("\n") for part in _parts(report)) + "\n" for report in reports)


def _parts(report: DeliveryReport) -> Iterator[str]:
    yield f"## {_head(report)}"
    yield "\n".join(f"- {line}" for line in _facts(report))
    for entries in alike(report.recipients):
        yield from _explained(report, entries)
    if report.schedule is not None:
        yield f"### {prose(report.schedule.name)} would, by its documented defaults"
        yield "\n".join(f"- {when(row)}: {prose(row.words)}" for row in report.schedule.rows)
        yield from (prose(note) for note in report.schedule.notes)
    if report.findings:
        yield "### Findings"
        yield "\n".join(_finding(finding) for finding in report.findings)
    for attempt in report.attempts:
        sheet = Sheet(_LOOK)
        write_attempt(sheet, attempt)
        yield f"### Attempt {attempt.number}: {code(attempt.host)}, {attempt.at}"
        yield block(sheet.render())
    if report.message.header is not None:
        yield "### The message"
        yield block(_safe(f"{report.message.header}\n\n{report.message.body or ''}"))
    if report.bounce is not None:
        yield "### The bounce that a mail server would now send"
        yield block(_safe(report.bounce.replace("\r\n", "\n")))


def _head(report: DeliveryReport) -> str:
    if report.outcome is None:
        return prose(without(report))
    at = "" if report.outcome == "accepted" else f" at {report.stage.upper()}"
    whom = code(report.recipients[0].address) if len(report.recipients) == 1 else _taken(report)
    return f"{OUTCOME[report.outcome][0]}{at}: {whom}"


def _taken(report: DeliveryReport) -> str:
    taken = sum(entry.outcome == "accepted" for entry in report.recipients)
    return f"{taken} of {count(len(report.recipients), 'recipient')} accepted"


def _facts(report: DeliveryReport) -> Iterator[str]:
    message = report.message
    signed = ", ".join(f"{code(one.domain)} ({code(one.selector)})" for one in message.signed_by)
    yield (
        f"Message {code(message.id) or 'without a Message-ID'}, {message.size} octets, "
        f"MAIL FROM {code(report.sender or '<>')}, From {code(message.from_address or '') or 'none'}, "
        f"{f'DKIM by {signed}' if signed else 'not signed'}"
    )
    yield from (prose(note) for note in message.notes)
    yield from (_route(route) for route in report.route)
    yield f"{report.started_at}, {seconds(report.duration_ms)}, {report.tool.name} {report.tool.version}"
    for entry in report.recipients if len(report.recipients) > 1 else ():
        yield f"{OUTCOME[entry.outcome][0]} at {entry.stage.upper()}: {code(entry.address)}"
    for entry in report.recipients:
        if entry.queue_id is not None:
            yield f"{code(entry.address)} is queued at {code(entry.host or '')} as {code(entry.queue_id)}"
        if entry.delayed_ms is not None:
            by = f" ({entry.delayed_by})" if entry.delayed_by else ""
            yield f"{code(entry.address)} was delayed by {duration_words(entry.delayed_ms / 1000)}{by}"
    retry = report.retry
    if retry is not None and retry.id is not None and retry.next_at is not None:
        yield f"Queued here as {code(retry.id)}: to be tried again at {retry.next_at}"
    if retry is not None and retry.why is not None:
        yield f"Not tried again: {prose(retry.why)}"


def _route(route: RouteReport) -> str:
    if not route.hops:
        return f"Route {code(route.domain)}: {prose(route.why or 'there is no way there')}"
    hops = ", ".join(f"{code(hop.host)} {code(f'[{hop.address}]:{hop.port}')}" for hop in route.hops)
    policies = "".join(
        f", {name} {prose(said)}"
        for name, said in (("MTA-STS", route.mta_sts), ("DANE", route.dane))
        if said is not None
    )
    return f"Route {code(route.domain)}: {hops}{policies}"


def _explained(report: DeliveryReport, entries: Sequence[RecipientReport]) -> Iterator[str]:
    first = entries[0]
    yield f"### {', '.join(code(entry.address) for entry in entries)}"
    if first.reply is not None:
        yield from _reply(first.reply)
    if first.why is not None:
        yield prose(first.why)
    if first.outcome == "unknown":
        yield (
            "**The message may have been delivered: do not send it again without looking.** "
            f"Search the log of {code(first.host or 'the server')} for {code(report.message.id) or 'the message'}."
        )


def _reply(reply: Decoded) -> Iterator[str]:
    yield block(_safe(reply.input))
    yield f"**{prose(in_short(reply))}**"
    yield prose(reply.meaning)
    if reply.disagreement:
        yield prose(reply.disagreement)
    yield f"**Why** {prose(reply.cause)}"
    yield f"**Do** {prose(reply.action)}"
    for name, words in (("List", reply.list), ("Link", reply.ticket_url)):
        if words:
            yield f"**{name}** {code(words)}"


def _finding(finding: FindingReport) -> str:
    label = SEVERITY[finding.severity][0]
    fix = prose(finding.fix.split("\n", 1)[0])
    return f"- {label} {code(finding.rule)}: {prose(finding.message)} **Fix** {fix}"


def _safe(text: str) -> str:
    """Lines made safe one by one."""
    sheet = Sheet(_LOOK)
    for line in text.split("\n"):
        sheet.line(line or " ")
    return sheet.render()
