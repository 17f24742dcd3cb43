"""Trying again as a mail server does: the message stands in a queue on disk before the first octet is sent.

Every change of a recipient's state is durable there before it counts, so that a process may be killed at any moment:
whoever resumes finds each recipient queued, settled, or in doubt, which is never tried again. A reply that speaks of a
block or of reputation ends the retrying at once, for every further try makes that worse.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from deliverkit.delivery.bounce import bounce
from deliverkit.delivery.queue import Queue, QueueError, QueueItem, Recipient, State
from deliverkit.delivery.request import SendRequest, options_of, request_of
from deliverkit.delivery.schedule import may_retry, next_try
from deliverkit.model import Attempt, Delivered, Result, Stage
from deliverkit.replies import Decoded, decode
from deliverkit.report.delivery import DeliveryReport, RetryReport, document
from deliverkit.report.fold import rfc3339
from deliverkit.runs.options import RunError, RunOptions
from deliverkit.runs.send import Network, Run, Waiting, Watcher, asking
from deliverkit.smtp.reply import decoded
from deliverkit.smtp.secret import Secret

_OUTCOMES: Final = {
    State.QUEUED: Delivered.DEFERRED,
    State.IN_DOUBT: Delivered.UNKNOWN,
    State.ACCEPTED: Delivered.ACCEPTED,
    State.REFUSED: Delivered.REFUSED,
    State.UNKNOWN: Delivered.UNKNOWN,
    State.FAILED: Delivered.FAILED,
    State.EXPIRED: Delivered.DEFERRED,
}


async def persist(
    request: SendRequest,
    options: RunOptions,
    secret: Secret | None,
    queue: Queue,
    *,
    watcher: Watcher | None = None,
    network: Network | None = None,
    settled: list[int] | None = None,
) -> DeliveryReport:
    """Queues the message, and tries until every recipient is settled or `request.retry_for` is over.

    Raises `RunError`. Interrupted at any moment, it leaves the message in the queue. With `settled` it stays there when
    it is over, too, its number added to the list: whoever has shown the report calls `forget`.
    """
    now = time.time()
    sender = request.sender
    with _told():
        number = queue.add(
            QueueItem(
                created_at=now,
                give_up_at=now + (request.retry_for or 0.0),
                sender=sender.address if sender is not None else "",
                message=request.message.octets,
                recipients=tuple(Recipient(address=address) for address in dict.fromkeys(request.everyone)),
                options=options_of(request),
            )
        )
    watcher = watcher or Watcher()
    watcher.queued(number)
    report = await _through(queue, number, request, options, secret, watcher, network)
    _over(queue, number, settled)
    return report


async def resume(
    number: int,
    options: RunOptions,
    secret: Secret | None,
    queue: Queue,
    *,
    watcher: Watcher | None = None,
    network: Network | None = None,
    settled: list[int] | None = None,
) -> DeliveryReport | None:
    """Goes on with a queued message; None where there is none, or another process has it. Raises `RunError`.

    `settled` as in `persist`.
    """
    with _told():
        item = queue.claim(number)
    if item is None:
        return None
    try:
        request = request_of(item)
    except ValueError as error:
        raise RunError(str(error)) from error
    report = await _through(queue, number, request, options, secret, watcher or Watcher(), network)
    _over(queue, number, settled)
    return report


def forget(queue: Queue, numbers: Iterable[int]) -> None:
    """Takes messages out of the queue whose reports were shown. Raises `QueueError`."""
    for number in numbers:
        item = queue.claim(number)
        if item is not None and item.over:
            queue.finish(number)


def _over(queue: Queue, number: int, settled: list[int] | None) -> None:
    if settled is not None:
        settled.append(number)
        return
    with _told():
        queue.finish(number)


async def _through(
    queue: Queue,
    number: int,
    request: SendRequest,
    options: RunOptions,
    secret: Secret | None,
    watcher: Watcher,
    network: Network | None,
) -> DeliveryReport:
    clock = time.monotonic()
    async with asking(options, network) as asked:
        run = Run(request, options, secret, watcher, asked, network)
        run.commit = lambda recipients: queue.mark_in_doubt(number, recipients, at=time.time())

        def keep(results: Iterable[Result], attempt: Attempt | None) -> None:
            queue.record(number, tuple(results), at=time.time(), attempt=attempt)

        run.keep = keep
        with _told():
            item = _item(queue, number)
            run.attempts += item.history
            stopped = await _rounds(queue, number, run)
            return await _settled(queue, number, run, stopped, clock)


async def _rounds(queue: Queue, number: int, run: Run) -> str | None:
    """Tries until nobody is left; why it gave up on somebody, where it did."""
    stopped: str | None = None
    while (item := _item(queue, number)).pending:
        if not item.round_open:  # else whoever held it died between the replies and what they come to
            await _waited(item, run)
            await run.once(await run.find(), item.pending)
            item = _item(queue, number)
        told = {one.address: _explained(one) for one in item.recipients if one.state is State.QUEUED}
        final = {address: reply for address, reply in told.items() if reply is not None and not may_retry(reply)}
        if final:
            queue.expire(number, at=time.time(), recipients=final)
            kinds = " and ".join(sorted({reply.category for reply in final.values()}))
            stopped = f"the reply speaks of {kinds}: trying again makes that worse"
        left = [reply for address, reply in told.items() if address not in final]
        if not left:
            continue
        now = time.time()
        due = next_try(
            item.rounds + 1,
            started_at=item.created_at,
            now=now,
            give_up_at=item.give_up_at,
            wait_s=max((float(reply.wait_s) for reply in left if reply is not None and reply.wait_s), default=None),
        )
        if due is None:
            queue.expire(number, at=now)
            return "the time given for it is over"
        queue.postpone(number, due)
    return stopped


async def _waited(item: QueueItem, run: Run) -> None:
    """Until it is time for the next try."""
    left = item.next_at - time.time()
    if left <= 0:
        return
    run.watcher.waiting(
        Waiting(
            next_at=item.next_at,
            give_up_at=item.give_up_at,
            tries=item.rounds,
            recipients=item.pending,
            queue_id=item.id,
        )
    )
    await asyncio.sleep(left)


def _item(queue: Queue, number: int) -> QueueItem:
    item = queue.get(number)
    if item is None:
        raise QueueError(f"message {number} is gone from the queue")
    return item


def _explained(recipient: Recipient) -> Decoded | None:
    if not recipient.reply:
        return None
    stage = recipient.stage.value if recipient.stage is not None else None
    return decode(decoded(recipient.reply), stage=stage, host=recipient.host or None)


async def _settled(queue: Queue, number: int, run: Run, stopped: str | None, clock: float) -> DeliveryReport:
    """The report of a delivery that is over, with the notice that a server would send."""
    item = _item(queue, number)
    course = await run.course(item.created_at, clock)
    return document(
        msgspec.structs.replace(
            course,
            decided=tuple(_result(one) for one in item.recipients if _outside(one, run)),
            deferred_at=item.first_deferred_at,
            retry=RetryReport(id=None, next_at=None, give_up_at=rfc3339(item.give_up_at), why=stopped)
            if stopped is not None
            else None,
            bounce=_bounce(item, run),
        )
    )


def _outside(recipient: Recipient, run: Run) -> bool:
    """Whether no session's record holds the last word: the way there, or a process that died after the final dot."""
    if recipient.stage is Stage.ROUTE:
        return True
    last = next(
        (
            result
            for attempt in reversed(run.attempts)
            for result in attempt.results
            if result.address == recipient.address
        ),
        None,
    )
    return last is None or last.outcome is not _OUTCOMES[recipient.state]


def _result(recipient: Recipient) -> Result:
    return Result(
        address=recipient.address,
        outcome=_OUTCOMES[recipient.state],
        stage=recipient.stage or Stage.ROUTE,
        reply=recipient.reply,
        why=recipient.why,
    )


def _bounce(item: QueueItem, run: Run) -> bytes | None:
    """The notice about everybody who did not get the message; None where there is nobody to tell, or nothing."""
    lost = [one for one in item.recipients if one.state in (State.REFUSED, State.FAILED, State.EXPIRED)]
    if not lost or not item.sender:
        return None
    request = run.request
    return bounce(
        reporting_mta=request.helo or _home(item),
        sender=item.sender,
        original=item.message,
        results=[(_result(one), one.host, one.at or item.created_at) for one in lost],
        arrived_at=item.created_at,
        now=time.time(),
        envelope_id=request.message.message_id.strip("<>") if request.dsn else "",
    )


def _home(item: QueueItem) -> str:
    """The name the notice is sent under, where EHLO said none: the sender's domain."""
    return item.sender.rpartition("@")[2] or "localhost"


@contextmanager
def _told() -> Iterator[None]:
    """Faults of the queue's file end the run with one line."""
    try:
        yield
    except QueueError as error:
        raise RunError(str(error)) from error
