"""A reply as a document: what `decode` says of it, and where in the input it stood."""

from __future__ import annotations

from typing import Final

import msgspec

from deliverkit.replies.decoded import Class, Decoded, Scope, Who
from deliverkit.replies.inputs import Item

SCHEMA: Final = "deliverkit/reply/1"
_RECORDED: Final = 4096
"""Characters of one text of a peer's that the document holds."""


class ReplyReport(msgspec.Struct, frozen=True, kw_only=True):
    """One reply explained. From `reply` on: what the input told beside it; null where it told nothing."""

    schema: str = SCHEMA
    input: str
    """The line, or the lines, as they came."""
    code: int | None
    enhanced: str | None
    class_: Class = msgspec.field(name="class")
    stage: str | None
    provider: str | None
    provider_name: str | None
    category: str
    detail: str | None
    meaning: str
    cause: str
    action: str
    who: Who
    retry: bool
    wait_s: int | None
    scope: Scope
    list: str | None
    ticket_url: str | None
    references: tuple[str, ...]
    registered: bool
    disagreement: str | None
    reply: str
    """The reply alone."""
    line: int
    """Where in the input it begins, from 1."""
    source: str
    """What it was read from: reply, transcript, postfix, exim, sendmail, opensmtpd, qmail, dsn, prose, text."""
    outcome: str | None
    """What became of the recipient, where a log or a notice says: delivered, deferred, bounced, rejected."""
    host: str | None
    address: str | None
    recipient: str | None
    queue_id: str | None
    logged_at: str | None
    """The time as the log has it."""


_SHARED: Final = tuple(name for name in Decoded.__struct_fields__ if name != "input")


def told(item: Item, decoded: Decoded) -> ReplyReport:
    """The document for a reply that was found in an input."""
    return ReplyReport(
        input=item.given[:_RECORDED],
        **{name: getattr(decoded, name) for name in _SHARED},
        reply=item.text[:_RECORDED],
        line=item.line,
        source=item.kind.value,
        outcome=item.outcome.value if item.outcome else None,
        host=item.host,
        address=item.peer,
        recipient=item.recipient,
        queue_id=item.queue_id,
        logged_at=item.time,
    )
