"""The run of a delivery: by the route, hop after hop, and again after a while where that was asked for.

Every recipient has an outcome of its own. Only those that were put off are tried again; silence after the final dot is
`unknown`, and nobody is sent to twice for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

import msgspec

from deliverkit import __version__
from deliverkit.delivery.guard import guard_of
from deliverkit.delivery.message import Message, stuffed
from deliverkit.delivery.outcome import attempt_of
from deliverkit.delivery.request import SendRequest
from deliverkit.delivery.route import MX_PORT, SMTPS, Route, routes
from deliverkit.dns.build import open_port
from deliverkit.dns.deadline import Bounded
from deliverkit.dns.options import DnsOptionsError
from deliverkit.dns.port import Port
from deliverkit.evidence.recorder import Recorder
from deliverkit.model import Attempt, Call, Delivered, Envelope, Fetch, Hop, Mode, Request, Result, Session, Stage
from deliverkit.report import TargetReport
from deliverkit.report.delivery import (
    Course,
    DeliveryReport,
    MessageReport,
    RouteReport,
    SignatureReport,
    document,
    message_text,
    route_report,
)
from deliverkit.runs.judgement import inputs_of, judged, seen_as, without_accepted
from deliverkit.runs.options import RunError, RunOptions
from deliverkit.runs.outside import Outside
from deliverkit.smtp.acts import Dialog
from deliverkit.smtp.driver import Event, Tell
from deliverkit.smtp.live import Limits, Live
from deliverkit.smtp.secret import Secret
from deliverkit.smtp.transaction import Handover, transaction
from deliverkit.tls.verify import Anchors, TrustError

TIMEOUT: Final = 300.0
"""Seconds for one session: RFC 5321 §4.5.3.2 gives each step up to ten minutes, capped."""
LOOKING: Final = 30.0
"""Seconds for the route."""
JUDGING: Final = 10.0
"""Seconds for what the receiver will make of the sender."""
_OPEN: Final = (Delivered.DEFERRED, Delivered.FAILED)
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

    def routed(self, routes: tuple[RouteReport, ...]) -> None:
        """The ways are known."""

    def dialling(self, number: int, hop: Hop) -> None:
        """A session is about to begin."""

    def said(self, event: Event) -> None:
        """A line was said or heard."""

    def attempted(self, attempt: Attempt) -> None:
        """A session is over."""

    def judged(self, report: TargetReport) -> None:
        """What the receiver will make of the sender is known: as a rule before the message is on its way."""

    def queued(self, queue_id: int) -> None:
        """The message stands in the queue."""

    def waiting(self, waiting: Waiting) -> None:
        """The next try comes later."""


class Network(Port, Protocol):
    """DNS, HTTPS and SMTP at once, in place of those that the options name: a world in memory."""

    async def fetch(self, request: Request) -> Fetch:
        """The outcome of one request."""
        ...

    async def session(
        self, call: Call, script: Callable[[str], Dialog] | None = None, tell: Tell | None = None
    ) -> Session:
        """One conversation as it went."""
        ...


class Run:
    """One delivery under way: what all its tries share, and what became of them."""

    def __init__(
        self,
        request: SendRequest,
        options: RunOptions,
        secret: Secret | None,
        watcher: Watcher,
        port: Port,
        network: Network | None = None,
    ) -> None:
        self.request = request
        self.options = options
        self.secret = secret
        self.watcher = watcher
        self.port = port
        self.network = network
        self.routes: tuple[Route, ...] = ()
        self._judging: asyncio.Task[TargetReport | None] | None = None
        self._judged_as: tuple[str, ...] = ()
        self.attempts: list[Attempt] = []
        self.decided: dict[str, Result] = {}
        """What no session decided."""
        try:
            self.anchors = Anchors(options.dns.ca_file)
        except TrustError as error:
            raise RunError(f"--ca-file: {error}") from error
        self.outside = Outside(options, network)
        self.body = stuffed(request.message.octets)
        self.commit: Callable[[tuple[str, ...]], None] | None = None
        """Called with the recipients right before the final dot."""
        self.keep: Callable[[Sequence[Result], Attempt | None], None] = lambda _results, _attempt: None
        """Called with what became of recipients, as soon as it did."""

    async def find(self) -> tuple[Route, ...]:
        """The ways to every recipient, as they are now."""
        now = time.time()
        deadline = time.monotonic() + LOOKING
        recorder = Recorder(Bounded(self.port, deadline, LOOKING), self.outside.fetcher(deadline))
        found = await routes(self.request, recorder, now)
        self.routes = found
        if self._judging is None:
            self._judging = asyncio.create_task(self._judge(self._sources(found)))
        self.watcher.routed(tuple(routed(route) for route in found))
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
            ended = {
                address: Result(
                    address=address, outcome=route.outcome, stage=Stage.ROUTE, reply=route.reply, why=route.why
                )
                for address in recipients
            }
            self.decided |= ended
            self.keep(tuple(ended.values()), None)
            return ended
        results: dict[str, Result] = {}
        hops = list(route.hops[:MOST_HOPS])
        while hops and recipients:
            hop = hops.pop(0)
            attempt = await self._attempt(hop, recipients, limits, last=not hops)
            for result in attempt.results:
                results[result.address] = result
                self.decided.pop(result.address, None)
            if _in_clear(attempt):
                hops.insert(0, msgspec.structs.replace(hop, mode=Mode.NONE))
            elif not attempt.try_next:
                break
            # Whoever was refused for good, or may have got it, is not asked about elsewhere.
            recipients = tuple(one.address for one in attempt.results if one.outcome in _OPEN)
        return results

    async def _attempt(self, hop: Hop, recipients: tuple[str, ...], limits: Limits, *, last: bool) -> Attempt:
        request = self.request
        number = len(self.attempts) + 1
        self.watcher.dialling(number, hop)
        envelope = _envelope(request, recipients)
        at = time.time()
        dialler = self.network or Live(
            self.anchors,
            deadline=time.monotonic() + self.options.timeout,
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
        session = await dialler.session(
            call, lambda hello: transaction(call, hello, handover, self.secret), tell=self.watcher.said
        )
        attempt = attempt_of(number, at, hop, envelope, session)
        self.attempts.append(attempt)
        self.keep(attempt.results if last or not attempt.try_next else _so_far(attempt.results), attempt)
        self.watcher.attempted(attempt)
        return attempt

    def _sources(self, found: tuple[Route, ...]) -> tuple[str, ...]:
        """The address that sessions will come from, as far as this machine can tell."""
        if self.request.source_address is not None:
            return (self.request.source_address,)
        hop = next((hop for route in found for hop in route.hops), None)
        ours = None if hop is None or self.network is not None else local_address(hop.address)
        return () if ours is None else (ours,)

    async def _judge(self, sources: tuple[str, ...]) -> TargetReport | None:
        """What the receiver will make of the sender; None where a bug of ours is in the way of telling."""
        self._judged_as = sources
        deadline = time.monotonic() + JUDGING
        recorder = Recorder(Bounded(self.port, deadline, JUDGING))
        try:
            inputs = await inputs_of(self.request, sources, recorder)
            now = time.time()
            report = without_accepted(await judged(inputs, recorder, now, self.options.gate), self.options, now)
        except Exception as error:  # noqa: BLE001 - the delivery goes on, whatever is thought of it
            if self.options.failed is not None:
                self.options.failed("the judgement of the sender", error)
            return None
        self.watcher.judged(report)
        return report

    async def judgement(self) -> TargetReport | None:
        """The last word on the sender: by the address that a server saw, where one told another than was expected."""
        seen = next((seen_as(attempt.session) for attempt in reversed(self.attempts)), ())
        report = None if self._judging is None else await self._judging
        if seen and seen != self._judged_as:
            report = await self._judge(seen)
        return report

    async def course(self, began: float, clock: float) -> Course:
        """How it went, so far. `clock`: when it began, as `time.monotonic` has it."""
        request = self.request
        seconds = time.monotonic() - clock
        report = await self.judgement()
        return Course(
            version=__version__,
            started_at=began,
            duration_ms=seconds * 1000,
            envelope=_envelope(request, request.everyone),
            message=message_report(request.message, whole=request.dry_run),
            route=tuple(routed(route) for route in self.routes),
            attempts=tuple(self.attempts),
            decided=tuple(self.decided.values()),
            findings=report.findings if report is not None else (),
            inconclusive=report.inconclusive if report is not None else (),
            dry_run=request.dry_run,
            exit_zero=self.options.gate.exit_zero,
        )


def local_address(peer: str) -> str | None:
    """The address of ours that leads to a peer; None where none does. Nothing is sent for it."""
    family = socket.AF_INET6 if ipaddress.ip_address(peer).version == 6 else socket.AF_INET  # noqa: PLR2004
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.connect((peer, MX_PORT))
        return str(asking.getsockname()[0])
    return None


def routed(route: Route) -> RouteReport:
    """A route, as the document has it."""
    return route_report(
        domain=route.domain,
        recipients=route.recipients,
        via=route.by,
        hops=route.hops,
        mta_sts=route.mta_sts if route.by in ("mx", "implicit-mx") else None,
        dane=route.dane if route.by in ("mx", "implicit-mx") else None,
        why=route.why or None,
        notes=route.notes,
    )


def message_report(message: Message, *, whole: bool) -> MessageReport:
    """A message, as the document has it; `whole`: with its header and the beginning of its body."""
    header, body = message_text(message.octets) if whole else (None, None)
    return MessageReport(
        id=message.message_id,
        size=len(message.octets),
        from_address=message.from_address,
        from_domain=message.from_domain,
        signed_by=tuple(SignatureReport(domain=domain, selector=selector) for domain, selector in message.signed_by),
        eight_bit=message.eight_bit,
        utf8=message.utf8,
        notes=message.notes,
        header=header,
        body=body,
    )


def _so_far(results: Iterable[Result]) -> tuple[Result, ...]:
    """Results of a hop behind which another follows: what was impossible there may be possible there."""
    return tuple(
        msgspec.structs.replace(result, outcome=Delivered.DEFERRED) if result.outcome is Delivered.FAILED else result
        for result in results
    )


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
    network: Network | None = None,
) -> DeliveryReport:
    """Delivers, or tries to, once. What servers do is never an exception. Raises `RunError` for what cannot be asked.

    `options.timeout` in seconds is for each session. `network` stands in place of what the options name.
    """
    clock, began = time.monotonic(), time.time()
    async with asking(options, network) as asked:
        run = Run(request, options, secret, watcher or Watcher(), asked, network)
        found = await run.find()
        if not request.dry_run:
            await run.once(found, request.everyone)
        return document(await run.course(began, clock))


@asynccontextmanager
async def asking(options: RunOptions, port: Port | None) -> AsyncIterator[Port]:
    """The DNS port of a delivery. Raises `RunError`."""
    if port is not None:
        yield port
        return
    try:
        async with open_port(options.dns, trace=options.trace) as opened:
            yield opened.port
    except DnsOptionsError as error:
        raise RunError(str(error)) from error
