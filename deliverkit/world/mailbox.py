"""Mailboxes that react to their local part, and the messages that were accepted: what `send` is tried on."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

GREYLISTED: Final = 5.0
"""Seconds after which a greylisted recipient is accepted."""
SLOW: Final = 5.0
MOST: Final = 100
LARGEST: Final = 65_536
"""Octets that are kept of a message."""
_MOST_SEEN: Final = 1000
_SPREAD: Final = 2_654_435_761
"""Odd, so that the ids of a row of messages differ in every digit, and are the same in every run."""

_REPLIES: Final = {
    "user-unknown": b"550 5.1.1 no such user here",
    "unknown": b"550 5.1.1 no such user here",
    "mailbox-full": b"452 4.2.2 mailbox full, try again later",
    "over-quota": b"552 5.2.2 mailbox full",
    "disabled": b"550 5.2.1 mailbox disabled, not accepting messages",
    "rate-limit": b"451 4.7.1 too many messages from your address, slow down",
    "busy": b"450 4.2.1 mailbox busy, try again later",
    "blocked": b"554 5.7.1 your address is on a blocklist",
    "spam": b"550 5.7.1 message refused as spam",
    "policy": b"550 5.7.26 unauthenticated mail is not accepted",
    "moved": b"551 5.1.6 recipient has moved",
    "closing": b"421 4.3.2 service shutting down",
}
AT_DATA: Final = {
    "too-large": b"552 5.3.4 message too big",
    "content": b"554 5.6.0 message content rejected",
    "deferred": b"451 4.3.0 mail server temporarily rejected message",
}
"""Recipients whose message is refused only at its end."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted message: its envelope and its first octets. `user` is who had logged in."""

    sender: str
    recipients: tuple[str, ...]
    octets: bytes
    size: int
    user: str | None = None
    id: str = ""
    """What the reply to the final dot calls it."""


class Mailroom:
    """What the servers of one world remember; bounded."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._greylisted: dict[tuple[str, str], float] = {}
        self._taken = 0

    def recipient(self, sender: str, recipient: str, now: float) -> bytes | None:
        """The reply to RCPT for a mailbox that has a mood of its own; None: it is accepted."""
        local = recipient.rpartition("@")[0].partition("+")[0].lower()
        if local == "greylist":
            first = self._greylisted.setdefault((sender, recipient), now)
            while len(self._greylisted) > _MOST_SEEN:
                del self._greylisted[next(iter(self._greylisted))]
            return b"450 4.2.0 greylisted, try again later" if now - first < GREYLISTED else None
        return _REPLIES.get(local)

    def slow(self, recipient: str) -> bool:
        """Whether the reply lets one wait."""
        return recipient.lower().startswith("slow@")

    def take(self, message: Message) -> str:
        """Keeps a message, the oldest giving way. Returns its queue id: no two are the same."""
        self._taken += 1
        number = self._taken * _SPREAD % 2**40
        self.messages.append(replace(message, id=f"{number:010X}"))
        del self.messages[:-MOST]
        return self.messages[-1].id
