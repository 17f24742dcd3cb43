"""What a dialog may do, and what may become of it: the words that dialogs and their driver share."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final, TypeAlias

import msgspec

from deliverkit.model import Trouble

STEP: Final = 30.0
"""Seconds for a reply."""
CLOSING: Final = 421
READY: Final = 220


class BrokenError(Exception):
    """A step that ended without a reply."""

    def __init__(self, trouble: Trouble, why: str, seen: bytes = b"") -> None:
        super().__init__(why)
        self.trouble = trouble
        self.why = why
        self.seen = seen


class Listen(msgspec.Struct, frozen=True):
    """Wait for a reply that nothing was said for: a banner. `silence` bounds the wait for its first octet."""

    stage: str
    silence: float | None = None
    seconds: float | None = None


class Say(msgspec.Struct, frozen=True, kw_only=True):
    """Say a line (without its CRLF) and wait for the reply. `shown` stands in its place in every record."""

    stage: str
    line: bytes
    shown: bytes | None = None
    seconds: float = STEP
    ahead: bool = False
    """A banner may stand there already: once more, inside TLS."""
    commits: bool = False
    """It cannot be taken back, and its silence is no answer: not said to a peer that is seen to have gone."""
    name: str = ""
    """What the words for a timeout call it; "" is the line itself."""


class Burst(msgspec.Struct, frozen=True):
    """Say several lines at once and wait for as many replies, in their order (RFC 2920). The answer is a tuple.

    It is shorter than `says` only where a reply is a 421: the server closes, and the rest is never answered.
    """

    says: tuple[Say, ...]


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """Send octets that ask for no reply: a message, without the dot that ends it.

    The answer is None once all of it is on its way; a reply, where the server spoke before: then the rest stays
    unsent, and the connection is of no more use. `shown` stands in its place in every record.
    """

    stage: str
    octets: bytes
    shown: bytes | None = None


class StartTls(msgspec.Struct, frozen=True):
    """Go over to TLS; `name` is the server name sent, `version` the only one offered where one is named."""

    name: str
    version: str = ""


class Remark(msgspec.Struct, frozen=True):
    """Something to keep that no step shows."""

    key: str
    text: str


Act: TypeAlias = Listen | Say | Burst | Write | StartTls | Remark
Dialog: TypeAlias = Generator[Act, Any, None]
