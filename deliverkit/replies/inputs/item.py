"""What is found in an input: a reply, and what stood around it."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

MAX_LINE: Final = 16_384
"""Octets of one line that are read; the rest of a longer line is left out."""
MAX_MESSAGE: Final = 4 * 1024 * 1024
"""Octets of one message that are read: a notice stands before the message it returns."""
MAX_TEXT: Final = 16_384
"""Characters of one reply that are kept."""
MAX_LINES: Final = 512
"""Lines of one reply."""


class Kind(enum.StrEnum):
    """What an item was read from."""

    REPLY = "reply"
    TRANSCRIPT = "transcript"
    POSTFIX = "postfix"
    EXIM = "exim"
    SENDMAIL = "sendmail"
    OPENSMTPD = "opensmtpd"
    QMAIL = "qmail"
    DSN = "dsn"
    PROSE = "prose"
    """A sentence with a reply in it, as bounces for people and programs' errors have it."""
    TEXT = "text"
    """Words without a code, taken for a reply because nothing else was given."""


class Outcome(enum.StrEnum):
    """What became of a recipient, as the log or the notice says."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    REJECTED = "rejected"
    """Refused by the server that wrote the log."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    r"""One reply found. `text` is what `decode` takes; `given` the input it stood in, as it came.

    `line` counts from 1. `host` is the server that replied, `peer` the address at the other end. `time` is the log's
    own spelling. Octets that are not UTF-8 are `\xNN` in every text.
    """

    text: str
    given: str
    line: int
    kind: Kind
    stage: str | None = None
    host: str | None = None
    peer: str | None = None
    recipient: str | None = None
    queue_id: str | None = None
    time: str | None = None
    outcome: Outcome | None = None
