"""The commands that help most after a delivery."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from deliverkit.model import shown
from deliverkit.render.text.sheet import Sheet
from deliverkit.report.delivery import DeliveryReport, RecipientReport

_INDENT: Final = 6

Hint = tuple[str, str]
"""What to type, and what for."""


def write_next(sheet: Sheet, report: DeliveryReport) -> None:
    """At most two hints."""
    hints = list(dict.fromkeys(_hints(report)))[:2]
    if hints:
        sheet.blank()
    wide = max((len(typed) for typed, _ in hints), default=0)
    beside = all(sheet.cells((why,)) + wide + _INDENT + 3 <= sheet.look.width for _, why in hints)
    for place, (typed, why) in enumerate(hints):
        lead = ("Next  " if place == 0 else " " * _INDENT, "bold")
        if beside:
            sheet.line(lead, typed.ljust(wide), "   ", (why, "dim"))
        else:
            sheet.line(lead, typed)
            sheet.line((why, "dim"), indent=_INDENT)


def _hints(report: DeliveryReport) -> Iterator[Hint]:
    if report.retry is not None and report.retry.id is not None and report.retry.next_at is not None:
        yield f"deliverkit send --resume {shown(report.retry.id)}", "goes on with it when it is due"
        return
    if report.dry_run:
        return
    worst = next((entry for entry in report.recipients if entry.outcome == report.outcome), None)
    if worst is None:
        return
    yield from _by_cause(report, worst)
    if report.outcome == "accepted" and report.message.from_domain is not None:
        yield (
            f"deliverkit check {_typed(report.message.from_domain)}",
            "accepted is not yet the inbox: what receivers check",
        )


def _by_cause(report: DeliveryReport, entry: RecipientReport) -> Iterator[Hint]:
    """By what the reply said, else by where it ended."""
    sender = _typed(report.message.from_domain or report.sender.rpartition("@")[2])
    category = entry.reply.category if entry.reply is not None else None
    attempt = next((one for one in report.attempts if one.number == entry.attempt), None)
    ours = attempt.from_address if attempt is not None else None
    if category in ("auth-spf", "auth-any") and sender:
        yield (
            f"deliverkit spf {sender} --ip {_typed(_seen(entry) or ours or 'ADDRESS')}",
            "may this address send for the domain?",
        )
    if category in ("auth-dkim", "auth-any") and sender:
        selector = next((f" --selector {_typed(one.selector)}" for one in report.message.signed_by), "")
        yield f"deliverkit dkim {sender}{selector}", "is the key of the signature published?"
    if category == "auth-dmarc" and sender:
        yield f"deliverkit dmarc {sender}", "the policy that this receiver applied"
    if category == "sender-domain" and sender:
        yield f"deliverkit mx {sender}", "does the sender's domain take mail?"
    if category == "recipient-domain" or (entry.stage == "route" and entry.outcome != "accepted"):
        yield f"deliverkit mx {_typed(entry.address.rpartition('@')[2])}", "where the recipient's mail goes"
    if attempt is None:
        return
    server = _typed(f"[{attempt.host}]:{attempt.port}" if ":" in attempt.host else f"{attempt.host}:{attempt.port}")
    if category == "smtp-auth" or entry.stage == "auth":
        yield f"deliverkit smtp {server} --user NAME", "which logins does the server take?"
    elif category == "tls" or entry.stage in ("connect", "banner", "ehlo", "starttls"):
        yield f"deliverkit smtp {server}", "the session, port by port, and its TLS"


def _seen(entry: RecipientReport) -> str | None:
    """The address of ours that the reply names."""
    return entry.reply.scope.ip if entry.reply is not None else None


def _typed(text: str) -> str:
    """A word as a shell takes it."""
    return shlex.quote(shown(text))
