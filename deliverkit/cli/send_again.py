"""`send --resume`: the queued messages that are gone on with, each with its own password and its own voice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from deliverkit.cli.errors import UsageError
from deliverkit.cli.password import password
from deliverkit.cli.send_live import Kept
from deliverkit.cli.send_options import OneLogin
from deliverkit.cli.terminal import say
from deliverkit.delivery.queue import Queue, QueueError, QueueItem
from deliverkit.model import escaped
from deliverkit.report.delivery import DeliveryReport
from deliverkit.runs import retry
from deliverkit.runs.options import RunOptions
from deliverkit.smtp.secret import Secret


def again(
    number: int | None, login: OneLogin, options: RunOptions, watcher: Callable[[int], Kept], settled: list[int]
) -> tuple[DeliveryReport, ...]:
    """What came of one queued message, or of all. Raises `UsageError` and `RunError`.

    `watcher` makes the watcher of a message by its number. Of several, each waits for its own time. The numbers of
    those that are over are added to `settled`.
    """
    try:
        with Queue.open() as queue:
            chosen = _chosen(queue, number)
            ready = list(_with_passwords(chosen, login, alone=number is not None))
            return asyncio.run(_all(queue, ready, options, watcher, settled))
    except QueueError as error:
        raise UsageError(str(error)) from error


def _chosen(queue: Queue, number: int | None) -> tuple[QueueItem, ...]:
    if number is None:
        items = queue.list()
        if not items:
            say("deliverkit: no message is queued")
        return items
    item = queue.get(number)
    if item is None:
        known = ", ".join(str(one.id) for one in queue.list())
        raise UsageError(f"--resume {number}: no such message is queued{f'; there are {known}' if known else ''}")
    if queue.taken(number):
        raise UsageError(f"--resume {number}: another process has this message under way")
    return (item,)


def _with_passwords(items: Sequence[QueueItem], login: OneLogin, *, alone: bool) -> list[tuple[int, Secret | None]]:
    """Each message with the secret of its login, from where it was taken the first time unless another is given."""
    found: list[tuple[int, Secret | None]] = []
    for item in items:
        user = item.options.get("user")
        if user is None or item.over:
            found.append((item.id, None))
            continue
        file = login.password_file or _path(item.options.get("password_file"))
        env = login.password_env or (None if login.password_file is not None else item.options.get("password_env"))
        mine = OneLogin(user=user, password_env=env, password_file=None if env is not None else file)
        try:
            found.append((item.id, password(mine)))
        except UsageError as error:
            if alone:
                raise
            say(f"deliverkit: message {item.id} is left as it is: {escaped(str(error))}")
    return found


def _path(name: object) -> Path | None:
    return Path(name) if isinstance(name, str) else None


async def _all(
    queue: Queue,
    ready: Sequence[tuple[int, Secret | None]],
    options: RunOptions,
    watcher: Callable[[int], Kept],
    settled: list[int],
) -> tuple[DeliveryReport, ...]:
    reports = await asyncio.gather(
        *(
            retry.resume(number, options, secret, queue, watcher=watcher(number), settled=settled)
            for number, secret in ready
        )
    )
    return tuple(report for report in reports if report is not None)
