"""Workers to be killed: each line on stdin is a seed, for which one is forked and its number printed.

A worker adds messages, sends them to a server that is a line in a file, and reports what is over. The file says
what happened whatever the queue believes: A added, D delivered, R reported, F about to be finished.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

from deliverkit.delivery.queue import Queue, QueueItem, Recipient
from deliverkit.model.delivery import Delivered, Result, Stage

_OPEN_ITEMS = 8


def main(path: Path, book: Path) -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _work(path, os.open(book, os.O_WRONLY | os.O_APPEND), random.Random(int(line)))  # never returns
        _say(child)
        sys.stdin.readline()
        os.waitpid(child, 0)
        _say("gone")


def _say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _work(path: Path, book: int, dice: random.Random) -> None:
    queue = Queue.open(path)

    def note(*words: object) -> None:
        os.write(book, (" ".join(str(word) for word in words) + "\n").encode())

    while True:
        if len(queue.list()) < _OPEN_ITEMS:
            number = queue.add(_item(dice.randrange(2000)))
            note("A", number)
            queue.release(number)
        for number in queue.due(time.time() + 3600):
            item = queue.claim(number)
            if item is None:
                continue
            if item.over:
                for one in item.recipients:
                    note("R", number, one.address, one.state)
                note("F", number)
                queue.finish(number)
            else:
                _send(queue, item, dice, note)
                queue.release(number)


def _send(queue: Queue, item: QueueItem, dice: random.Random, note: object) -> None:
    at = time.time()
    accepted = [address for address in item.pending if dice.random() < 0.7]
    for address in item.pending:
        if address not in accepted:
            outcome = dice.choice((Delivered.DEFERRED, Delivered.DEFERRED, Delivered.REFUSED))
            queue.record(item.id, [Result(address=address, outcome=outcome, stage=Stage.RCPT)], at=at)
    answer = Delivered.ACCEPTED if dice.random() < 0.8 else Delivered.DEFERRED
    queue.mark_in_doubt(item.id, accepted, at=at)
    if answer is Delivered.ACCEPTED:
        for address in accepted:
            note("D", item.id, address)
    time.sleep(dice.random() / 500)
    results = [Result(address=address, outcome=answer, stage=Stage.EOD, reply=b"x") for address in accepted]
    queue.record(item.id, results, at=at, next_at=at + 1)


def _item(size: int) -> QueueItem:
    return QueueItem(
        created_at=time.time(),
        give_up_at=time.time() + 7200,
        sender="me@example.com",
        message=b"x" * size,
        recipients=tuple(Recipient(address=f"{name}@example.net") for name in "abc"),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
