"""Workers are killed at random moments: nothing is lost, nothing is sent twice, what is unknown is said to be so."""

from __future__ import annotations

import collections
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from deliverkit.delivery.queue import Queue, State

_KILLS = 40
"""Of each of two workers."""
_PROGRESS = 200
"""Octets that the book grows by at most before a kill: some ten things that happened, on a slow machine, too."""
_WORKER = Path(__file__).with_name("queue_worker.py")


def _grown(book: Path, octets: int) -> None:
    wanted = book.stat().st_size + octets
    until = time.monotonic() + 1.0
    while book.stat().st_size < wanted and time.monotonic() < until:
        time.sleep(0.0005)


def _ended(path: Path, book: Path) -> None:
    """Two workers at a time on one queue, each killed after a while, many times."""
    dice = random.Random(4)
    nurseries = [
        subprocess.Popen(
            [sys.executable, _WORKER, path, book], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        for turn in range(_KILLS):
            workers = []
            for place, nursery in enumerate(nurseries):
                print(turn * 2 + place, file=nursery.stdin, flush=True)
                workers.append(int(nursery.stdout.readline()))
            for worker in workers:
                _grown(book, dice.randrange(_PROGRESS))
                time.sleep(dice.random() * 0.004)
                os.kill(worker, signal.SIGKILL)
            for nursery in nurseries:
                print(file=nursery.stdin, flush=True)
                assert nursery.stdout.readline() == "gone\n"
    finally:
        for nursery in nurseries:
            nursery.stdin.close()
            nursery.stdout.close()
            nursery.wait(timeout=10)


def test_killed_at_any_moment(tmp_path: Path):
    path, book = tmp_path / "queue.sqlite", tmp_path / "book"
    book.touch()
    Queue.open(path).close()
    _ended(path, book)

    lines = [line.split() for line in book.read_text().splitlines()]
    added = {int(number) for kind, number, *_ in lines if kind == "A"}
    removed = {int(number) for kind, number, *_ in lines if kind == "F"}
    delivered = collections.Counter((int(line[1]), line[2]) for line in lines if line[0] == "D")
    states = {(int(line[1]), line[2]): State(line[3]) for line in lines if line[0] == "R"}

    with Queue.open(path) as queue:
        left = {item.id for item in queue.list()}
        items = [queue.claim(number) for number in left]
    assert None not in items, "the lock of a worker outlived it"
    for item in items:
        states.update({(item.id, one.address): one.state for one in item.recipients})

    assert added <= left | removed, "a message was lost"
    assert max(delivered.values()) == 1, "a message was sent twice"
    for key in delivered:
        assert states[key] in {State.ACCEPTED, State.UNKNOWN}, "what was delivered would be sent again"
    for key, state in states.items():
        assert state is not State.IN_DOUBT
        assert state is not State.ACCEPTED or delivered[key] == 1
    seen = collections.Counter(states.values())
    assert seen[State.UNKNOWN], "no kill fell between the final dot and its answer: this test tested nothing"
    assert seen[State.ACCEPTED]
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()
