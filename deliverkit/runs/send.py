"""The run of a delivery: by the route, hop after hop, and again after a while where that was asked for.

Every recipient has an outcome of its own. Only those that were put off are tried again; silence after the final dot is
`unknown`, and nobody is sent to twice for it. With `--retry-for` the message stands in a queue on disk before the first
octet is sent, and every change of a recipient's state is durable there before it counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from deliverkit.delivery.guard import guard_of
from deliverkit.delivery.message import stuffed
from deliverkit.delivery.outcome import attempt_of
from deliverkit.delivery.request import SendRequest
from deliverkit.delivery.route import Route, routes
from deliverkit.delivery.schedule import may_retry, next_wait
from deliverkit.dns.build import Opened, open_port
from deliverkit.dns.deadline import Bounded
from deliverkit.dns.options import DnsOptionsError
from deliverkit.dns.port import Port
from deliverkit.evidence.recorder import Recorder
from deliverkit.model import WORST, Attempt, Call, Delivered, Envelope, Hop, Mode, Purpose, Result, Stage, Trouble
from deliverkit.replies import Decoded, decode
from deliverkit.runs.options import RunError, RunOptions
from deliverkit.runs.outside import Outside
from deliverkit.smtp.driver import Event
from deliverkit.smtp.live import Limits, Live
from deliverkit.smtp.reply import decoded
from deliverkit.smtp.secret import Secret
from deliverkit.smtp.transaction import Handover, transaction
from deliverkit.tls.verify import Anchors, TrustError

TIMEOUT: Final = 300.0
"""Seconds for one session: RFC 5321 §4.5.3.2 gives each step up to ten minutes, capped."""
LOOKING: Final = 30.0
"""Seconds for the route."""
MOST_HOPS: Final = 10
"""Connections of one try."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Between two tries. Times in seconds since the epoch."""

    next_at: float
    give_up_at: float
    tries: int
    recipients: tuple[str, ...]
    queue_id: int | None = None


class Watcher:
    """Told what happens as it happens; whoever shows it overrides what he wants to know."""

    def routed(self, routes: tuple[Route, ...]) -> None:
        """The ways are known."""

    def dialling(self, number: int, hop: Hop) -> None:
        """A session is about to begin."""

    def said(self, event: Event) -> None:
        """A line was said or heard."""

    def attempted(self, attempt: Attempt) -> None:
        """A session is over."""

    def queued(self, queue_id: int) -> None:
        """The message stands in the queue."""

    def waiting(self, waiting: Waiting) -> None:
        """The next try comes later."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """All that came of it: what the report is folded from."""

    request: SendRequest
    began: float
    duration_ms: float
    routes: tuple[Route, ...]
    attempts: tuple[Attempt, ...]
    results: tuple[Result, ...]
    """The last of each recipient, in the order they were named."""
    queue_id: int | None = None
    waiting: Waiting | None = None
    """Set where the message stays in the queue."""
    deferred_at: float | None = None
    """When it was first put off; with an acceptance later: what greylisting cost."""


def exit_code(results: Sequence[Result]) -> int:
    """0 all accepted, 1 any refused or failed, else 3; of several recipients the worst counts, 1 over 3 over 0."""
    outcomes = {result.outcome for result in results}
    if outcomes & {Delivered.REFUSED, Delivered.FAILED}:
        return 1
    return 3 if outcomes & {Delivered.DEFERRED, Delivered.UNKNOWN} else 0
