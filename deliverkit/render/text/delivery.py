"""A delivery as text: the way, the conversation, then the verdict and what is to be done about it.

On a terminal the first two were written while they happened (`render/text/delivery_live.py`); then only the verdict is
left to write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from deliverkit.model import clipped, shown
from deliverkit.model.display import RECORDED
from deliverkit.records.duration import duration_words
from deliverkit.render.text.delivery_dialog import in_short, write_attempt, write_route
from deliverkit.render.text.delivery_next import write_next
from deliverkit.render.text.delivery_retry import write_retry, write_schedule
from deliverkit.render.text.finding import write_finding
from deliverkit.render.text.gather import gathered
from deliverkit.render.text.sheet import Look, Part, Sheet, width_of
from deliverkit.render.text.unclear import write_unclear
from deliverkit.render.text.words import count, seconds
from deliverkit.replies import Decoded
from deliverkit.report.delivery import DeliveryReport, MessageReport, RecipientReport

OUTCOME: Final = {
    "accepted": ("✓ accepted", "bold green"),
    "deferred": ("◷ deferred", "bold yellow"),
    "unknown": ("? unknown", "bold magenta"),
    "refused": ("✗ refused", "bold red"),
    "failed": ("✗ failed", "bold red"),
}
_LEAD: Final = 10
_MOST_SHOWN: Final = 12
_HANG: Final = 10


def render(reports: Sequence[DeliveryReport], look: Look, *, told: bool = False) -> str:
    """All of it. `told`: route and dialogue were written while they happened."""
    parts = []
    for report in reports:
        sheet = Sheet(look)
        if not told and not look.quiet:
            write_opening(sheet, report)
        write_verdict(sheet, report)
        parts.append(sheet.render())
    shown_so_far = "\n" if told and not look.quiet and parts else ""
    return shown_so_far + "\n".join(part for part in parts if part)


def write_opening(sheet: Sheet, report: DeliveryReport) -> None:
    """Route, message and every conversation."""
    for route in report.route:
        write_route(sheet, route)
    write_message(sheet, report.message, report.sender)
    for attempt in report.attempts:
        sheet.blank()
        write_attempt(sheet, attempt)
    sheet.blank()


def write_message(sheet: Sheet, message: MessageReport, sender: str) -> None:
    """`message   <…@example.com>   1.2 kB · from me@example.com · DKIM example.com (s1)`; in a dry run all of it."""
    size = f"{message.size} octets" if message.size < 10_000 else f"{message.size / 1000:.0f} kB"  # noqa: PLR2004 - in words
    words = [size, f"MAIL FROM {shown(sender) if sender else '<>'}"]
    if message.from_address is not None and message.from_address != sender:
        words.append(f"From {shown(message.from_address)}")
    signed = [f"{shown(one.domain)} ({shown(one.selector)})" for one in message.signed_by]
    words.append(f"DKIM {', '.join(signed)}" if signed else "not signed")
    lead: Part = ("message".ljust(_LEAD), "bold")
    name = shown(message.id) or "without a Message-ID"
    rest = " · ".join(words)
    if sheet.cells((name, rest)) + _LEAD + 3 <= sheet.look.width:
        sheet.line(lead, name, "   ", (rest, "dim"))
    else:
        sheet.line(lead, name)
        sheet.prose(rest, indent=_LEAD, style="dim")
    for note in message.notes:
        sheet.prose(shown(note, RECORDED), lead="! ", indent=_LEAD, hang=_LEAD + 2, style="dim")
    if message.header is not None:
        sheet.blank()
        for line in (*message.header.split("\n"), "", *(message.body or "").removesuffix("\n").split("\n")):
            sheet.line(clipped(line, RECORDED) or " ", indent=4) if line else sheet.line(" ")


def write_verdict(sheet: Sheet, report: DeliveryReport) -> None:
    """What it came to, whose move it is, what next."""
    _write_head(sheet, report)
    if sheet.look.quiet:
        return
    if report.outcome is not None:
        if len(report.recipients) > 1:
            _write_table(sheet, report.recipients)
        for entries in alike(report.recipients):
            _write_why(sheet, report, entries)
    for entry in report.recipients:
        _write_delay(sheet, entry, several=len(report.recipients) > 1)
    write_retry(sheet, report)
    if report.schedule is not None:
        sheet.blank()
        write_schedule(sheet, report.schedule)
    _write_bounce(sheet, report)
    for group in gathered(report.findings):
        sheet.blank()
        write_finding(sheet, group, report.message.from_domain or "")
    if report.inconclusive:
        sheet.blank()
        write_unclear(sheet, report.inconclusive)
    write_next(sheet, report)


def _write_head(sheet: Sheet, report: DeliveryReport) -> None:
    time: Part = (seconds(report.duration_ms), "dim")
    if report.outcome is None:
        sheet.ends(((without(report), "bold cyan"), "   ", _whom(report)), (time,))
        return
    label, style = OUTCOME[report.outcome]
    at = "" if report.outcome == "accepted" else f" at {report.stage.upper()}"
    parts: list[Part] = [(f"{label}{at}", style), "   ", _whom(report)]
    if sheet.look.quiet and len(report.recipients) == 1 and report.recipients[0].outcome != "accepted":
        short = _short(report.recipients[0])
        parts += [" · ", short] if short else []
    if report.outcome == "accepted" and report.queue_id is not None:
        parts += [" · ", f"queued there as {shown(report.queue_id)}"]
    sheet.ends(parts, (time,))


def without(report: DeliveryReport) -> str:
    """Where nothing was handed over because that was asked for."""
    if report.stopped_after is not None:
        return f"· stopped after {report.stopped_after.upper()}, as asked: nothing was handed over"
    return "· dry run: nothing was sent"


def _whom(report: DeliveryReport) -> str:
    if len(report.recipients) == 1:
        return shown(report.recipients[0].address)
    if not report.recipients:
        return ""
    taken = sum(entry.outcome == "accepted" for entry in report.recipients)
    return f"{taken} of {count(len(report.recipients), 'recipient')} accepted"


def _write_table(sheet: Sheet, recipients: Sequence[RecipientReport]) -> None:
    wide = min(max(width_of(sheet.look.plain(shown(entry.address))) for entry in recipients), 40)
    for entry in recipients:
        label, style = OUTCOME[entry.outcome]
        address = shown(entry.address)
        gap = " " * max(wide - sheet.cells((address,)), 0)
        sheet.line(
            (label.ljust(11), style), f" {entry.stage.upper().ljust(8)} ", address, gap, f"  {_short(entry)}", indent=2
        )


def _short(entry: RecipientReport) -> str:
    if entry.outcome == "accepted":
        return f"queued there as {shown(entry.queue_id)}" if entry.queue_id is not None else ""
    if entry.reply is not None:
        return f"{entry.reply.code or ''} {entry.reply.category}".strip()
    return shown(entry.why or "", 60)


def alike(recipients: Sequence[RecipientReport]) -> Iterator[list[RecipientReport]]:
    """Recipients that were not accepted, those with the same reply together, their own address aside."""
    groups: dict[tuple[object, ...], list[RecipientReport]] = {}
    for entry in recipients:
        if entry.outcome == "accepted":
            continue
        said = entry.reply.input.replace(entry.address, "") if entry.reply is not None else entry.why
        groups.setdefault((entry.outcome, entry.stage, said), []).append(entry)
    yield from groups.values()


def _write_why(sheet: Sheet, report: DeliveryReport, entries: Sequence[RecipientReport]) -> None:
    first = entries[0]
    if len(report.recipients) > 1:
        sheet.blank()
        sheet.prose(", ".join(shown(entry.address) for entry in entries), lead=("For   ", "bold"), indent=2, hang=8)
    said = first.host is not None
    if first.why is not None and first.outcome != "unknown":
        sheet.prose(_sentence(shown(first.why, RECORDED)), indent=2)
    if first.reply is not None:
        write_reply(sheet, first.reply, host=first.host, quoted=said)
    if first.outcome == "unknown":
        _write_unknown(sheet, report, first)


def _write_unknown(sheet: Sheet, report: DeliveryReport, entry: RecipientReport) -> None:
    """RFC 1047: the message may be there, and a second one would be one too many."""
    why = shown(entry.why or "the final dot was sent and never answered", RECORDED)
    sheet.prose(
        f"{_sentence(why)} The message may have been delivered: do not send it again without looking.", indent=2
    )
    at = f" at {shown(entry.host)}" if entry.host is not None else ""
    sheet.prose(
        f"Ask the recipient, or have the log{at} searched for {shown(report.message.id) or 'the message'}. Nothing is "
        "tried again by itself (RFC 1047).",
        lead=("Do    ", "bold green"),
        indent=2,
        hang=8,
    )


def write_reply(sheet: Sheet, reply: Decoded, *, host: str | None, quoted: bool = True) -> None:
    """A refusal in full: what was said (`quoted`: by a server, not by the rules), what it means, why, what to do."""
    lines = reply.input.split("\n") if quoted else []
    for line in lines[:_MOST_SHOWN]:
        sheet.line(shown(line, RECORDED), indent=4)
    if len(lines) > _MOST_SHOWN:
        sheet.line((f"… (+{len(lines) - _MOST_SHOWN} lines)", "dim"), indent=4)
    by = f"   from {shown(host)}" if host is not None else ""
    sheet.line((in_short(reply), "bold"), (by, "dim"), indent=2)
    sheet.prose(shown(reply.meaning, RECORDED), indent=2)
    if reply.disagreement:
        sheet.prose(shown(reply.disagreement, RECORDED), indent=2)
    sheet.prose(shown(reply.cause, RECORDED), lead=("Why   ", "bold"), indent=2, hang=8)
    sheet.prose(shown(reply.action, RECORDED), lead=("Do    ", "bold green"), indent=2, hang=8)
    for lead, words in (("List  ", reply.list), ("Link  ", reply.ticket_url)):
        if words:
            sheet.line((lead, "bold"), shown(words, RECORDED), indent=2)
    if reply.references:
        sheet.prose(", ".join(reply.references), indent=2, style="dim")


def _write_delay(sheet: Sheet, entry: RecipientReport, *, several: bool) -> None:
    if entry.delayed_ms is None:
        return
    whose = {"greylisting": "Greylisting", "rate-limit": "A rate limit"}.get(entry.delayed_by or "", "A deferral")
    whom = f" for {shown(entry.address)}" if several else ""
    sheet.prose(
        f"{whose} cost {duration_words(entry.delayed_ms / 1000)}{whom}: it was accepted at attempt {entry.attempt}.",
        indent=2,
    )


def _write_bounce(sheet: Sheet, report: DeliveryReport) -> None:
    if report.bounce is None:
        return
    sheet.blank()
    whom = shown(report.sender) if report.sender else "nobody"
    if not sheet.look.verbose:
        sheet.prose(f"A mail server would now send a bounce to {whom}; -v shows it.", indent=2)
        return
    sheet.prose(f"The bounce that a mail server would now send to {whom}:", indent=2)
    for line in report.bounce.replace("\r\n", "\n").removesuffix("\n").split("\n"):
        sheet.line(clipped(line, RECORDED) or " ", indent=4)


def _sentence(text: str) -> str:
    """With a capital, unless it begins with a name, and a stop."""
    first, _, _ = text.partition(" ")
    text = text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text
    return text if text.endswith((".", "!", "?")) else f"{text}."
