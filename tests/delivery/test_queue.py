"""The queue: what it keeps, who may send an item, and what it refuses."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deliverkit.delivery.queue import Queue, QueueError, QueueItem, Recipient, State
from deliverkit.model.delivery import Attempt, Delivered, Envelope, Hop, Result, Stage
from deliverkit.model.transport import Call, Session
from deliverkit.model.transport import State as Reach

A, B, C = "a@example.net", "b@example.net", "c@example.net"


def an_item(*addresses: str, **more: Any) -> QueueItem:
    return QueueItem(
        created_at=more.pop("created_at", 1000.0),
        give_up_at=8200.0,
        sender="me@example.com",
        message=b"Subject: test\r\n\r\nbody \xff\0\r\n",
        recipients=tuple(Recipient(address=address) for address in addresses or (A, B, C)),
        **more,
    )


def a_result(address: str, outcome: Delivered, reply: bytes = b"", stage: Stage = Stage.EOD) -> Result:
    return Result(address=address, outcome=outcome, stage=stage, reply=reply)


def an_attempt(number: int) -> Attempt:
    hop = Hop(host="mx.example.net", address="192.0.2.25")
    return Attempt(
        number=number,
        at=1000.0 + number,
        hop=hop,
        envelope=Envelope(sender="me@example.com", recipients=(A,)),
        session=Session(call=Call(host=hop.host, address=hop.address, port=25, dial_port=25), state=Reach.OPEN),
        results=(a_result(A, Delivered.DEFERRED, b"450 4.2.0 Greylisted\xff\r\n", Stage.RCPT),),
        outcome=Delivered.DEFERRED,
        stage=Stage.RCPT,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "queue.sqlite"


def states(queue: Queue, number: int) -> dict[str, State]:
    item = queue.get(number)
    assert item is not None
    return {one.address: one.state for one in item.recipients}


def test_what_goes_in_comes_out(path: Path):
    options = {"server": "mx.example.net:2525", "password_env": "PW", "ipv4": True, "retry_for": 7200.0}
    with Queue.open(path) as queue:
        number = queue.add(an_item(A, B, options=options))
    with Queue.open(path) as queue:
        item = queue.get(number)
    assert item is not None
    assert (item.message, item.size) == (an_item().message, len(an_item().message))
    assert (item.sender, item.options, item.pending) == ("me@example.com", options, (A, B))
    assert (item.created_at, item.give_up_at, item.next_at) == (1000.0, 8200.0, 1000.0)
    assert not item.over


def test_the_null_sender_and_unicode_survive(path: Path):
    with Queue.open(path) as queue:
        bounce = QueueItem(
            created_at=1.0, give_up_at=2.0, sender="", message=b"", recipients=(Recipient(address="jörg@example.net"),)
        )
        item = queue.get(queue.add(bounce))
    assert item is not None
    assert (item.sender, item.pending, item.message) == ("", ("jörg@example.net",), b"")


def test_each_recipient_has_its_own_fate(path: Path):
    with Queue.open(path) as queue:
        number = queue.add(an_item())
        queue.mark_in_doubt(number, [A], at=1001.0, host="mx.example.net")
        assert states(queue, number) == {A: State.IN_DOUBT, B: State.QUEUED, C: State.QUEUED}
        results = [
            a_result(A, Delivered.ACCEPTED, b"250 2.0.0 queued as 4F1\r\n"),
            a_result(B, Delivered.DEFERRED, b"450 4.2.0 later\r\n", Stage.RCPT),
            a_result(C, Delivered.REFUSED, b"550 5.1.1 unknown\r\n", Stage.RCPT),
        ]
        queue.record(number, results, at=1002.0, next_at=1062.0, host="mx.example.net")
        item = queue.get(number)
        assert item is not None
        assert states(queue, number) == {A: State.ACCEPTED, B: State.QUEUED, C: State.REFUSED}
        assert (item.first_deferred_at, item.next_at, item.rounds, item.pending) == (1002.0, 1062.0, 1, (B,))
        assert item.recipients[1] == Recipient(
            address=B, reply=b"450 4.2.0 later\r\n", stage=Stage.RCPT, at=1002.0, host="mx.example.net"
        )
        queue.record(number, [a_result(B, Delivered.DEFERRED)], at=1062.0, next_at=1362.0)
        item = queue.get(number)
        assert item is not None
        assert (item.first_deferred_at, item.next_at, item.rounds) == (1002.0, 1362.0, 2)


@pytest.mark.parametrize("outcome", list(Delivered))
def test_what_is_settled_stays(path: Path, outcome: Delivered):
    with Queue.open(path) as queue:
        number = queue.add(an_item(A))
        queue.mark_in_doubt(number, [A])
        queue.record(number, [a_result(A, Delivered.UNKNOWN)], at=1.0)
        queue.record(number, [a_result(A, outcome)], at=2.0)
        assert states(queue, number) == {A: State.UNKNOWN}


def test_nobody_is_sent_to_twice(path: Path):
    with Queue.open(path) as queue:
        number = queue.add(an_item(A, B))
        queue.mark_in_doubt(number, [A])
        for addresses in ([A], [B, A], ["stranger@example.net"]):
            with pytest.raises(QueueError, match="is not to be sent"):
                queue.mark_in_doubt(number, addresses)
            assert states(queue, number) == {A: State.IN_DOUBT, B: State.QUEUED}, "half a note stayed"


def test_who_dies_after_the_dot_leaves_an_unknown(path: Path):
    with Queue.open(path) as queue:
        number = queue.add(an_item(A, B))
        queue.mark_in_doubt(number, [A], at=1001.0, host="mx.example.net")
    with Queue.open(path) as queue:
        assert queue.due(0.0) == (number,), "what is in doubt waits for no time to come"
        item = queue.claim(number)
        assert item is not None
        first = item.recipients[0]
        assert (first.state, first.stage, first.at, first.host) == (State.UNKNOWN, Stage.EOD, 1001.0, "mx.example.net")
        assert "before the answer came" in first.why
        assert item.pending == (B,)
        queue.mark_in_doubt(number, [B])
        again = queue.claim(number)
        assert again is not None
        assert again.recipients[1].state is State.IN_DOUBT, "its own doubt is not yet over"


def test_one_process_at_a_time(path: Path):
    with Queue.open(path) as first, Queue.open(path) as second:
        number = first.add(an_item(A))
        assert second.claim(number) is None
        assert second.taken(number)
        assert not first.taken(number)
        assert first.due(2000.0) == ()
        with pytest.raises(QueueError, match="not claimed"):
            second.mark_in_doubt(number, [A])
        with pytest.raises(QueueError, match="not claimed"):
            second.finish(number)
        first.mark_in_doubt(number, [A])
        assert second.claim(number) is None
        assert states(second, number) == {A: State.IN_DOUBT}, "somebody is still sending it"
        first.release(number)
        assert second.claim(number) is not None
        assert first.claim(number) is None


def test_what_is_gone_cannot_be_claimed(path: Path):
    with Queue.open(path) as first, Queue.open(path) as second:
        number = first.add(an_item(A))
        first.record(number, [a_result(A, Delivered.ACCEPTED)], at=1.0)
        first.finish(number)
        assert second.claim(number) is None
        assert second.get(number) is None
        assert first.add(an_item(A)) > number, "a number is never given twice"
        assert [lock.name for lock in path.with_name("queue.sqlite.locks").iterdir()] == [str(number + 1)]


@pytest.mark.parametrize("number", [0, -1, 7, 2**63, 10**40])
def test_no_such_item(path: Path, number: int):
    with Queue.open(path) as queue:
        assert queue.claim(number) is None
        assert queue.get(number) is None
        assert not queue.taken(number)


def test_due_is_what_is_to_be_tried_or_told(path: Path):
    with Queue.open(path) as queue:
        late = queue.add(an_item(A, next_at=5000.0))
        early = queue.add(an_item(A, next_at=4000.0))
        over = queue.add(an_item(A, next_at=9000.0))
        queue.record(over, [a_result(A, Delivered.REFUSED)], at=1.0)
        for number in (late, early, over):
            queue.release(number)
        assert queue.due(3999.0) == (over,)
        assert queue.due(4000.0) == (early, over)
        assert queue.due(5000.0) == (early, late, over)
        assert [item.id for item in queue.list()] == [early, late, over]
        assert {item.message for item in queue.list()} == {b""}
        assert {item.size for item in queue.list()} == {len(an_item().message)}


def test_only_what_is_over_is_removed(path: Path):
    with Queue.open(path) as queue:
        number = queue.add(an_item(A, B))
        queue.record(number, [a_result(B, Delivered.FAILED)], at=1.0)
        with pytest.raises(QueueError, match="1 of its recipients"):
            queue.finish(number)
        queue.expire(number, at=9000.0)
        assert states(queue, number) == {A: State.EXPIRED, B: State.FAILED}
        queue.finish(number)
        assert queue.list() == ()


def test_an_expired_recipient_keeps_its_last_reply(path: Path):
    with Queue.open(path) as queue:
        number = queue.add(an_item(A))
        queue.record(number, [a_result(A, Delivered.DEFERRED, b"450 4.2.0 no\r\n", Stage.RCPT)], at=1.0, next_at=2.0)
        queue.expire(number, at=3.0)
        item = queue.get(number)
    assert item is not None
    assert item.over
    assert (item.recipients[0].reply, item.recipients[0].at) == (b"450 4.2.0 no\r\n", 1.0)


def test_a_round_that_nobody_ended(path: Path):
    later = a_result(A, Delivered.DEFERRED, b"450 4.2.0 Greylisted, 300 seconds\r\n", Stage.RCPT)
    with Queue.open(path) as queue:
        number = queue.add(an_item(A, B))
        rounds_open = []
        for at in (1001.0, 1301.0):
            queue.record(number, [a_result(B, Delivered.REFUSED)], at=at)
            rounds_open.append(queue.claim(number).round_open)
            queue.record(number, [later], at=at)
            rounds_open.append(queue.claim(number).round_open)
            queue.postpone(number, at + 300.0)
            rounds_open.append(queue.claim(number).round_open)
    assert rounds_open == [False, True, False, False, True, False]


def test_attempts_are_read_back(path: Path):
    with Queue.open(path) as queue:
        number = queue.add(an_item(A))
        for turn in (1, 2):
            attempt = an_attempt(turn)
            queue.record(number, attempt.results, at=attempt.at, next_at=5000.0, attempt=attempt)
        item = queue.get(number)
    assert item is not None
    assert item.history == (an_attempt(1), an_attempt(2))
    assert (item.attempts, item.rounds, item.recipients[0].host) == (2, 2, "mx.example.net")


def test_a_result_of_nobody_is_told_and_the_others_kept(path: Path):
    with Queue.open(path) as queue:
        number = queue.add(an_item(A))
        with pytest.raises(QueueError, match="no recipient x@example"):
            queue.record(number, [a_result("x@example", Delivered.ACCEPTED), a_result(A, Delivered.ACCEPTED)], at=1.0)
        assert states(queue, number) == {A: State.ACCEPTED}


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (an_item(A, B, A), "a recipient stands twice"),
        (QueueItem(created_at=1.0, give_up_at=2.0, sender="", message=b"", recipients=()), "without recipients"),
        (an_item(options={"Password": "hunter2"}), "a secret is never stored: password"),
        (an_item("\ud800@example.net"), "no Unicode text"),
        (an_item(options={"server": "\ud800"}), "no Unicode text"),
        (an_item(created_at=float("nan")), "NOT NULL"),
    ],
)
def test_what_cannot_be_queued(path: Path, item: QueueItem, words: str):
    with Queue.open(path) as queue:
        with pytest.raises(QueueError, match=words) as caught:
            queue.add(item)
        assert "hunter2" not in str(caught.value)
        assert queue.list() == ()
        locks = path.with_name("queue.sqlite.locks")
        assert not locks.exists() or not list(locks.iterdir())


def test_nobody_else_may_read_it(path: Path):
    with Queue.open(path) as queue:
        queue.add(an_item(A))
        locks = path.with_name("queue.sqlite.locks")
        modes = {place: stat.S_IMODE(place.stat().st_mode) for place in (path.parent, path, locks, locks / "1")}
    assert modes == {path.parent: 0o700, path: 0o600, locks: 0o700, locks / "1": 0o600}


def test_a_removed_message_leaves_no_trace(path: Path):
    with Queue.open(path) as queue:
        number = queue.add(an_item("findme@example.net"))
        assert b"findme@example.net" in path.read_bytes()
        queue.expire(number, at=1.0)
        queue.finish(number)
    assert b"findme@example.net" not in path.read_bytes()


def test_a_full_disk_is_told_and_nothing_is_half_done(path: Path):
    with Queue.open(path) as queue:
        number = queue.add(an_item(A))
        queue._database.execute("PRAGMA max_page_count=20")
        big = an_item(B)
        with pytest.raises(QueueError, match="no room left on the disk"):
            queue.add(msgspec.structs.replace(big, message=b"x" * 10**6))
        assert [item.id for item in queue.list()] == [number]
        queue.mark_in_doubt(number, [A])


def test_an_interruption_leaves_nothing_half_done(path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with Queue.open(path) as queue, Queue.open(path) as other:
        with monkeypatch.context() as patch:
            patch.setattr(Queue, "_claim_new", interrupted)
            with pytest.raises(KeyboardInterrupt):
                queue.add(an_item(A))
        assert other.list() == ()
        number = other.add(an_item(A))
        other.release(number)
        with monkeypatch.context() as patch:
            patch.setattr(Queue, "get", interrupted)
            with pytest.raises(KeyboardInterrupt):
                queue.claim(number)
        assert other.claim(number) is not None, "the lock stayed with who never got the item"
