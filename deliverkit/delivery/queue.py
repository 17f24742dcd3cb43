"""The queue of messages that wait for their next try, made so that no crash loses one or has one sent twice.

A message is added, and locked, before its first attempt. Right before the final dot its recipients are noted as in
doubt, durably: from that moment on only a recorded answer frees them. Whoever claims a message whose sender died
between the two finds them UNKNOWN, which is never tried again. Before that moment nothing was handed over, and the
message is simply tried again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from deliverkit.delivery.queue_file import QueueError, default_path, opened, told, writing
from deliverkit.delivery.queue_item import STATE_OF, QueueItem, Recipient, State, flaw
from deliverkit.delivery.queue_lock import Locks
from deliverkit.model.delivery import Attempt, Delivered, Result

__all__ = ["Queue", "QueueError", "QueueItem", "Recipient", "State"]

KEPT_ATTEMPTS: Final = 50
"""Attempts of an item that are read back: the last ones."""

_LARGEST: Final = 2**63 - 1
"""SQLite's numbers end there."""
_CUT_OFF: Final = "the program ended after the message was sent and before the answer came"
_COLUMNS: Final = (
    "id, created_at, give_up_at, next_at, first_deferred_at, attempts, rounds, sender, options, length(message)"
)
_DUE: Final = """
SELECT id FROM item WHERE
    EXISTS (SELECT 1 FROM recipient WHERE item = item.id AND state = 'in-doubt')
    OR NOT EXISTS (SELECT 1 FROM recipient WHERE item = item.id AND state = 'queued')
    OR next_at <= ?
ORDER BY next_at, id
"""


class Queue:
    """A queue file, and the items of it that this process has claimed.

    Every method raises QueueError, with one line, when the file cannot be used; a method that changes an item raises
    it, too, when the item was not claimed. Not for several threads at once.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Opens the queue, and makes it where there is none; without a path, the user's own."""
        self.path = path or default_path()
        self._database = opened(self.path)
        self._locks = Locks(self.path.with_name(self.path.name + ".locks"))

    @classmethod
    def open(cls, path: Path | None = None) -> Self:
        """The queue at `path`, or the user's own."""
        return cls(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of every item that was claimed, as it stands."""
        self._locks.close()
        self._database.close()

    def add(self, item: QueueItem) -> int:
        """Queues a message, durably, and claims it: nobody else can have sent it before this returns its number."""
        wrong = flaw(item)
        if wrong:
            raise QueueError(f"not queued: {wrong}")
        number = 0
        try:
            with writing(self._database, self.path):
                number = self._insert(item)
                self._claim_new(number)
        except BaseException:
            self._locks.free(number, gone=True)
            raise
        return number

    def due(self, now: float) -> tuple[int, ...]:
        """What is to be claimed now, the longest due first: to be tried, or ended and not yet reported.

        Items that this process has claimed are left out; those of other processes are in it, and claim() says so.
        """
        with told(self.path):
            rows = self._database.execute(_DUE, (now,)).fetchall()
        return tuple(number for (number,) in rows if number not in self._locks)

    def claim(self, number: int) -> QueueItem | None:
        """Takes an item for this process, until release(), finish() or its end; None if there is none to be had.

        A recipient that is in doubt though nobody sends the item any more becomes UNKNOWN here.
        """
        ours = number in self._locks
        if not 0 < number <= _LARGEST or not self._take(number):
            return None
        try:
            with writing(self._database, self.path):
                if not ours:
                    self._database.execute(
                        "UPDATE recipient SET state = 'unknown', stage = 'eod', why = ?"
                        " WHERE item = ? AND state = 'in-doubt'",
                        (_CUT_OFF, number),
                    )
            item = self.get(number)
        except BaseException:
            if not ours:
                self._locks.free(number)
            raise
        if item is None:
            self._locks.free(number, gone=True)
        return item

    def release(self, number: int) -> None:
        """Lets another process have the item, as it stands."""
        self._locks.free(number)

    def taken(self, number: int) -> bool:
        """Whether another process has the item right now."""
        try:
            return self._locks.taken(number)
        except OSError as error:
            raise QueueError(f"the queue {self.path}: {error.strerror or error}") from error

    def mark_in_doubt(self, number: int, recipients: Iterable[str], *, at: float | None = None, host: str = "") -> None:
        """Notes, durably, that the final dot for these recipients is about to be sent.

        Raises QueueError if one of them is not queued: then the dot must not be sent.
        """
        addresses = tuple(dict.fromkeys(recipients))
        with self._change(number):
            for address in addresses:
                changed = self._database.execute(
                    "UPDATE recipient SET state = 'in-doubt', at = coalesce(?, at), host = ?, stage = 'eod',"
                    " reply = x'', why = '' WHERE item = ? AND address = ? AND state = 'queued'",
                    (at, host, number, address),
                ).rowcount
                if changed != 1:
                    raise QueueError(f"message {number} is not to be sent to {address}: it is not queued for it")

    def record(
        self,
        number: int,
        results: Sequence[Result],
        *,
        at: float,
        next_at: float | None = None,
        host: str = "",
        attempt: Attempt | None = None,
    ) -> None:
        """Notes, durably, what became of recipients; what was settled before stays as it is.

        `next_at` ends a round: the time of the next try. `attempt` is kept for the report of a later process.
        Recipients in doubt of whom no result speaks stay so. A result for an address that the item has not got
        raises QueueError, after the others were noted.
        """
        known = self._addresses(number)
        with self._change(number):
            for result in results:
                self._database.execute(
                    "UPDATE recipient SET state = ?, stage = ?, reply = ?, why = ?, at = ?, host = ?"
                    " WHERE item = ? AND address = ? AND state IN ('queued', 'in-doubt')",
                    (
                        str(STATE_OF[result.outcome]),
                        str(result.stage),
                        result.reply,
                        result.why,
                        at,
                        host or (attempt.hop.host if attempt else ""),
                        number,
                        result.address,
                    ),
                )
            if any(result.outcome is Delivered.DEFERRED for result in results):
                self._database.execute(
                    "UPDATE item SET first_deferred_at = coalesce(first_deferred_at, ?) WHERE id = ?", (at, number)
                )
            if attempt is not None:
                body = msgspec.json.encode(_without_message(attempt))
                self._database.execute("INSERT INTO attempt (item, body) VALUES (?, ?)", (number, body))
                self._database.execute("UPDATE item SET attempts = attempts + 1 WHERE id = ?", (number,))
            if next_at is not None:
                self._postpone(number, next_at)
        strange = [result.address for result in results if result.address not in known]
        if strange:
            raise QueueError(f"message {number} has no recipient {strange[0]}")

    def postpone(self, number: int, next_at: float) -> None:
        """Ends a round: when the item is to be tried next."""
        with self._change(number):
            self._postpone(number, next_at)

    def expire(self, number: int, *, at: float, recipients: Iterable[str] | None = None) -> None:
        """Gives up on the recipients that are still queued, or on those of them named; the last word on each stays."""
        chosen = self._addresses(number) if recipients is None else frozenset(recipients)
        with self._change(number):
            self._database.executemany(
                "UPDATE recipient SET state = 'expired', at = coalesce(at, ?)"
                " WHERE item = ? AND state = 'queued' AND address = ?",
                [(at, number, address) for address in sorted(chosen)],
            )

    def finish(self, number: int) -> None:
        """Removes an item that is over and was reported, its message with it. Raises QueueError if it is not over."""
        with self._change(number):
            left = self._database.execute(
                "SELECT count(*) FROM recipient WHERE item = ? AND state IN ('queued', 'in-doubt')", (number,)
            ).fetchone()[0]
            if left:
                raise QueueError(f"message {number} is not over: {left} of its recipients are still open")
            self._database.execute("DELETE FROM item WHERE id = ?", (number,))
        self._locks.free(number, gone=True)

    def get(self, number: int) -> QueueItem | None:
        """An item as it stands, whoever has it; None if there is none."""
        if not 0 < number <= _LARGEST:
            return None
        with told(self.path):
            row = self._database.execute(f"SELECT {_COLUMNS} FROM item WHERE id = ?", (number,)).fetchone()  # noqa: S608
            if row is None:
                return None
            message = self._database.execute("SELECT message FROM item WHERE id = ?", (number,)).fetchone()[0]
            bodies = self._database.execute(
                "SELECT body FROM (SELECT id, body FROM attempt WHERE item = ? ORDER BY id DESC LIMIT ?) ORDER BY id",
                (number, KEPT_ATTEMPTS),
            ).fetchall()
            return self._item(row, message, [body for (body,) in bodies])

    def list(self) -> tuple[QueueItem, ...]:
        """Every item, the next to be tried first, without messages and attempts."""
        with told(self.path):
            rows = self._database.execute(f"SELECT {_COLUMNS} FROM item ORDER BY next_at, id").fetchall()  # noqa: S608
            return tuple(self._item(row, b"", ()) for row in rows)

    def _insert(self, item: QueueItem) -> int:
        added = self._database.execute(
            "INSERT INTO item (created_at, give_up_at, next_at, sender, options, message) VALUES (?, ?, ?, ?, ?, ?)",
            (
                item.created_at,
                item.give_up_at,
                item.next_at or item.created_at,
                item.sender,
                msgspec.json.encode(item.options),
                item.message,
            ),
        )
        number = added.lastrowid or 0
        self._database.executemany(
            "INSERT INTO recipient (item, place, address, state) VALUES (?, ?, ?, ?)",
            [(number, place, one.address, str(one.state)) for place, one in enumerate(item.recipients)],
        )
        return number

    def _addresses(self, number: int) -> frozenset[str]:
        with told(self.path):
            rows = self._database.execute("SELECT address FROM recipient WHERE item = ?", (number,)).fetchall()
        return frozenset(address for (address,) in rows)

    def _postpone(self, number: int, next_at: float) -> None:
        self._database.execute("UPDATE item SET next_at = ?, rounds = rounds + 1 WHERE id = ?", (next_at, number))

    def _claim_new(self, number: int) -> None:
        if not self._take(number):
            raise QueueError(f"the queue {self.path}: the lock of a new message is held by another process")

    def _take(self, number: int) -> bool:
        try:
            return self._locks.take(number)
        except OSError as error:
            raise QueueError(f"the queue {self.path}: {error.strerror or error}") from error

    def _change(self, number: int) -> AbstractContextManager[None]:
        if number not in self._locks:
            raise QueueError(f"message {number} was not claimed by this process")
        return writing(self._database, self.path)

    def _item(self, row: Sequence[Any], message: bytes, bodies: Sequence[bytes]) -> QueueItem:
        recipients = self._database.execute(
            "SELECT address, state, stage, reply, why, at, host FROM recipient WHERE item = ? ORDER BY place", (row[0],)
        )
        names = ("address", "state", "stage", "reply", "why", "at", "host")
        fields = ("id", "created_at", "give_up_at", "next_at", "first_deferred_at", "attempts", "rounds", "sender")
        try:
            return msgspec.convert(
                {
                    **dict(zip(fields, row, strict=False)),
                    "options": msgspec.json.decode(row[8], type=dict[str, Any]),
                    "size": row[9],
                    "message": message,
                    "recipients": [dict(zip(names, one, strict=True)) for one in recipients],
                    "history": [msgspec.json.decode(body, type=Attempt) for body in bodies],
                },
                QueueItem,
            )
        except (msgspec.DecodeError, TypeError, sqlite3.Error) as error:
            raise QueueError(f"the queue {self.path}: message {row[0]} cannot be read back: {error}") from error


def _without_message(attempt: Attempt) -> Attempt:
    """An attempt as it is kept: the message stands in the queue once, and not again with each of them."""
    session = attempt.session
    steps = tuple(msgspec.structs.replace(step, said=b"") if step.stage == "body" else step for step in session.steps)
    return msgspec.structs.replace(attempt, session=msgspec.structs.replace(session, steps=steps))
