"""The fields of a delivery status notification (RFC 3464 §2): one group a recipient."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from deliverkit.replies.inputs import postfix
from deliverkit.replies.inputs.item import MAX_TEXT, Item, Kind, Outcome
from deliverkit.replies.inputs.phase import stage_of_words
from deliverkit.replies.inputs.reply import begins, inside, with_status

FIELDS: Final = frozenset({
    "original-envelope-id", "reporting-mta", "dsn-gateway", "received-from-mta", "arrival-date", "original-recipient",
    "final-recipient", "action", "status", "remote-mta", "diagnostic-code", "last-attempt-date", "final-log-id",
    "will-retry-until", "x-postfix-queue-id", "x-postfix-sender", "x-display-name", "x-actual-recipient",
    "x-supplementary-info", "x-original-message-id", "localized-reason",
})  # fmt: skip
FIELD: Final = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,40}):[ \t]*(.*)\Z", re.DOTALL)
_TYPE: Final = re.compile(r"\s*[A-Za-z0-9][A-Za-z0-9-]{0,30}\s*;\s*")
_STATUS: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})", re.ASCII)
_ADDRESS: Final = re.compile(r"\[?(?:IPv6:)?([0-9A-Fa-f:.]{3,45})\]?\Z")
_CODES: Final = re.compile(r"\s*([2-5]\d\d[ -])", re.ASCII)
_ACTIONS: Final = {
    "failed": Outcome.BOUNCED,
    "delayed": Outcome.DEFERRED,
    "delivered": Outcome.DELIVERED,
    "relayed": Outcome.DELIVERED,
    "expanded": Outcome.DELIVERED,
}


def unfolded(value: str) -> str:
    """A field's value on one line (RFC 5322 §2.2.3); lines that are lines of a reply stay lines."""
    lines = value.splitlines() or [""]
    text = lines[0].strip()
    for line in lines[1:]:
        text += f"{chr(10) if _CODES.match(line) else ' '}{line.strip()}"
    return text


def recipient(fields: Mapping[str, str], *, reporter: str | None = None, given: str = "", line: int = 1) -> Item | None:
    """The reply for one recipient, from fields by lower-case name; None where they tell none.

    `reporter` is the Reporting-MTA of the whole notice: it is who spoke, where no remote one is named.
    """
    diagnostic = _TYPE.sub("", unfolded(fields.get("diagnostic-code", "")[:MAX_TEXT]), count=1)
    found = _STATUS.match(fields.get("status", ""))
    status = found[1] if found else None
    if not diagnostic and status is None:
        return None
    host, peer, stage, text = postfix.said(diagnostic)
    if not begins(text):
        said = inside(text)
        if said is not None:
            text = said
            stage = stage or stage_of_said(diagnostic)
    text = with_status(text, status) if text else status or ""
    name = host or named(fields.get("remote-mta", "")) or named(reporter or fields.get("reporting-mta", ""))
    if name is not None and _ADDRESS.match(name):
        peer, name = peer or name.strip("[]"), None
    return Item(
        text=text[:MAX_TEXT],
        given=given or diagnostic or text,
        line=line,
        kind=Kind.DSN,
        stage=stage,
        host=name,
        peer=peer,
        recipient=named(fields.get("final-recipient", "")) or named(fields.get("original-recipient", "")),
        outcome=_ACTIONS.get(fields.get("action", "").split(" ")[0].strip().lower()),
    )


def stage_of_said(text: str) -> str | None:
    """The stage that a sentence names: `in reply to RCPT TO`, `after end of data`."""
    match = re.search(r"(?:in reply to|in response to|after)(?: the)? ([A-Za-z][A-Za-z :-]{2,30})", text)
    return stage_of_words(match[1]) if match else None


def named(value: str) -> str | None:
    """What stands after the type of a field: `dns; mx.example.com` is `mx.example.com`."""
    words = _TYPE.sub("", value, count=1).strip()[:400].split()
    return words[0].strip("<>,;()").rstrip(".") or None if words else None
