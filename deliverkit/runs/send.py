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
    attempts: tuple[Attempt, ...] = ()
    decided: tuple[Result, ...] = ()
    """What no session decided: no way there, given up."""
    waiting: Waiting | None = None
    """Set where the message stays in the queue."""


class _Run:
    """What all tries of one delivery share."""

    def __init__(
        self, request: SendRequest, options: RunOptions, secret: Secret | None, watcher: Watcher, port: Port
    ) -> None:
        self.request = request
        self.options = options
        self.secret = secret
        self.watcher = watcher
        self.port = port
        self.attempts: list[Attempt] = []
        self.decided: dict[str, Result] = {}
        try:
            self.anchors = Anchors(options.dns.ca_file)
        except TrustError as error:
            raise RunError(f"--ca-file: {error}") from error
        self.outside = Outside(options)
        self.body = stuffed(request.message.octets)
        self.commit: Callable[[tuple[str, ...]], None] | None = None

    async def find(self) -> tuple[Route, ...]:
        """The ways to every recipient, as they are now."""
        now = time.time()
        deadline = time.monotonic() + LOOKING
        recorder = Recorder(Bounded(self.port, deadline, LOOKING), self.outside.fetcher(deadline))
        found = await routes(self.request, recorder, now)
        self.watcher.routed(found)
        return found

    async def once(self, found: tuple[Route, ...], pending: Sequence[str]) -> dict[str, Result]:
        """One try for these recipients; what became of each."""
        limits = Limits()
        results: dict[str, Result] = {}
        for route in found:
            recipients = tuple(address for address in route.recipients if address in pending)
            if recipients:
                results |= await self._along(route, recipients, limits)
        return results

    async def _along(self, route: Route, recipients: tuple[str, ...], limits: Limits) -> dict[str, Result]:
        if route.outcome is not None:
            results = {
                address: Result(
                    address=address, outcome=route.outcome, stage=Stage.ROUTE, reply=route.reply, why=route.why
                )
                for address in recipients
            }
            self.decided |= results
            return results
        results: dict[str, Result] = {}
        hops = list(route.hops[:MOST_HOPS])
        while hops:
            hop = hops.pop(0)
            attempt = await self._attempt(hop, recipients, limits)
            for result in attempt.results:
                results[result.address] = result
                self.decided.pop(result.address, None)
            if _in_clear(attempt):
                hops.insert(0, msgspec.structs.replace(hop, mode=Mode.NONE))
            elif not attempt.try_next:
                break
        return results

    async def _attempt(self, hop: Hop, recipients: tuple[str, ...], limits: Limits) -> Attempt:
        request = self.request
        number = len(self.attempts) + 1
        self.watcher.dialling(number, hop)
        envelope = _envelope(request, recipients)
        at = time.time()
        deadline = time.monotonic() + self.options.timeout
        live = Live(
            self.anchors,
            deadline=deadline,
            words=f"within the {self.options.timeout:g} s given for a session",
            limits=limits,
            secret=self.secret,
        )
        call = Call(
            host=hop.host,
            address=hop.address,
            port=hop.port,
            dial_port=hop.dial_port,
            mode=hop.mode,
            helo=request.helo,
            user=request.user,
            mechanism=request.mechanism,
            insecure_auth=request.insecure_auth,
            source_address=request.source_address,
        )
        handover = Handover(
            envelope=envelope,
            body=self.body,
            allow=guard_of(hop, at),
            pipelining=request.pipelining,
            stop_after=request.stop_after,
            committing=self.commit,
        )
        session = await live.session(
            call, lambda hello: transaction(call, hello, handover, self.secret), tell=self.watcher.said
        )
        attempt = attempt_of(number, at, hop, envelope, session)
        self.attempts.append(attempt)
        self.watcher.attempted(attempt)
        return attempt


def _in_clear(attempt: Attempt) -> bool:
    """Whether to come again without TLS: the handshake failed, and nobody demands one (RFC 7435 §3)."""
    handshake = attempt.session.handshake
    return (
        attempt.hop.mode is Mode.AUTO
        and attempt.hop.port != SMTPS
        and not attempt.hop.demand.tls
        and attempt.session.call.user is None
        and handshake is not None
        and not handshake.ok
    )


def _envelope(request: SendRequest, recipients: tuple[str, ...]) -> Envelope:
    message = request.message
    named = {mailbox.address: mailbox for mailbox in request.recipients}
    sender = request.sender
    return Envelope(
        sender=sender.address if sender is not None else "",
        recipients=recipients,
        size=len(message.octets),
        eight_bit=message.eight_bit,
        utf8=message.utf8
        or (sender is not None and sender.utf8)
        or any(named[address].utf8 for address in recipients if address in named),
        dsn=request.dsn,
        envelope_id=message.message_id.strip("<>") if request.dsn else "",
        require_tls=request.require_tls,
    )


async def send(
    request: SendRequest,
    options: RunOptions,
    secret: Secret | None = None,
    *,
    watcher: Watcher | None = None,
    queue: Queue | None = None,
    port: Port | None = None,
) -> Delivery:
    """Delivers, or tries to. What servers do is never an exception. Raises `RunError` for what cannot be asked.

    With `request.retry_for` the message stands in `queue` before it is tried.
    """
    watcher = watcher or Watcher()
    began, clock = time.time(), time.monotonic()
    async with _asking(options, port) as asked:
        run = _Run(request, options, secret, watcher, asked)
        found = await run.find()
        waiting: Waiting | None = None
        if not request.dry_run:
            if queue is not None and request.retry_for is not None:
                waiting = await _persistently(run, found, queue)
            else:
                await run.once(found, _everyone(request))
    return Delivery(
        request=request,
        began=began,
        duration_ms=round((time.monotonic() - clock) * 1000, 1),
        routes=found,
        attempts=tuple(run.attempts),
        decided=tuple(run.decided.values()),
        waiting=waiting,
    )


def _everyone(request: SendRequest) -> tuple[str, ...]:
    return tuple(mailbox.address for mailbox in request.recipients)


@asynccontextmanager
async def _asking(options: RunOptions, port: Port | None) -> AsyncIterator[Port]:
    if port is not None:
        yield port
        return
    try:
        async with open_port(options.dns, trace=options.trace) as opened:
            yield opened.port
    except DnsOptionsError as error:
        raise RunError(str(error)) from error
