"""What the queue keeps of a message: everything that a later process needs to go on with it, and no secret."""

from __future__ import annotations

import enum
from typing import Any, Final

import msgspec

from deliverkit.model.delivery import Attempt, Delivered, Stage


class State(enum.StrEnum):
    """Where a recipient stands."""

    QUEUED = "queued"
    """To be tried (again)."""
    IN_DOUBT = "in-doubt"
    """The final dot may be on its way. Only the process that sent it can end this state otherwise than as UNKNOWN."""
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """It may have been delivered: never tried again by itself (RFC 1047)."""
    FAILED = "failed"
    EXPIRED = "expired"
    """Deferred until the time ran out."""


OPEN: Final = frozenset({State.QUEUED, State.IN_DOUBT})

STATE_OF: Final = {
    Delivered.ACCEPTED: State.ACCEPTED,
    Delivered.DEFERRED: State.QUEUED,
    Delivered.UNKNOWN: State.UNKNOWN,
    Delivered.REFUSED: State.REFUSED,
    Delivered.FAILED: State.FAILED,
}
"""What a result makes of a recipient."""

SECRETS: Final = frozenset({"password", "secret", "token", "key", "dkim_key_pem"})
"""Names that no option of a queued message may have: what names a secret (`password_env`) is kept, no secret is."""


class Recipient(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One recipient, and the last word about it."""

    address: str
    state: State = State.QUEUED
    stage: Stage | None = None
    """Where the last word was said."""
    reply: bytes = b""
    """The reply that was the last word, as it came."""
    why: str = ""
    """One phrase where no reply was it."""
    at: float | None = None
    """When, in seconds since the epoch."""
    host: str = ""
    """The server that said it."""


class QueueItem(msgspec.Struct, frozen=True, kw_only=True):
    """A message under way. All times are seconds since the epoch."""

    created_at: float
    give_up_at: float
    sender: str
    """The reverse-path; "" is the null one."""
    message: bytes
    """As it goes over the wire, before dot-stuffing; empty in a listing."""
    recipients: tuple[Recipient, ...]
    """In the order of the request; each address once."""
    options: dict[str, Any] = {}
    """The rest of the request, as JSON has it: `server`, `user`, `password_env` …"""
    id: int = 0
    """Given by the queue, never twice."""
    next_at: float = 0.0
    """When to try next."""
    attempts: int = 0
    """Sessions so far."""
    rounds: int = 0
    """Tries so far, each of which may have taken several sessions: what the schedule counts."""
    first_deferred_at: float | None = None
    size: int = 0
    """Octets of the message."""
    history: tuple[Attempt, ...] = ()
    """The attempts, oldest first; empty in a listing."""

    @property
    def pending(self) -> tuple[str, ...]:
        """The addresses to be tried: none else is ever said in RCPT again."""
        return tuple(one.address for one in self.recipients if one.state is State.QUEUED)

    @property
    def round_open(self) -> bool:
        """A recipient was deferred since the next try was last set: who did that died before setting it anew.

        What is next is then to look at the replies (one may forbid a further try, one may ask for a wait) and to call
        postpone() or expire(): not to try at once.
        """
        return any(
            one.state is State.QUEUED and one.at is not None and one.at >= self.next_at for one in self.recipients
        )

    @property
    def over(self) -> bool:
        """Nothing is left to try: the outcome of every recipient stands."""
        return not any(one.state in OPEN for one in self.recipients)


def flaw(item: QueueItem) -> str | None:
    """Why an item cannot be queued, in one phrase."""
    addresses = [one.address for one in item.recipients]
    if not addresses:
        return "a message without recipients"
    if len(set(addresses)) != len(addresses):
        return "a recipient stands twice"
    named = SECRETS.intersection(name.lower() for name in item.options)
    if named:
        return f"a secret is never stored: {min(named)}"
    return None
