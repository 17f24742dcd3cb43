"""Trying again from the queue: greylisting outlasted, blocks left alone, nothing sent twice, the notice at the end."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import Iterator
from pathlib import Path

import pytest

from deliverkit.delivery.queue import Queue, State
from deliverkit.delivery.request import options_of
from deliverkit.report.delivery import DeliveryReport
from deliverkit.runs import retry
from deliverkit.runs.options import RunError, RunOptions
from deliverkit.runs.send import Waiting, Watcher
from deliverkit.world import World
from tests.runs.sending import requested, two

OPTIONS = RunOptions(timeout=5)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with Queue(tmp_path / "queue.sqlite") as made:
        yield made


class Fast(Watcher):
    """Turns the clock of the world on while the run waits, and keeps what it was told."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waits: list[float] = []
        self.numbers: list[int] = []
        self._world = world
        self._clock = [1.7e9]
        monkeypatch.setattr(retry.time, "time", lambda: self._clock[0])

        async def sleep(seconds: float) -> None:
            self._clock[0] += seconds
            self._world.now += seconds

        monkeypatch.setattr(retry.asyncio, "sleep", sleep)

    def queued(self, queue_id: int) -> None:
        self.numbers.append(queue_id)

    def waiting(self, waiting: Waiting) -> None:
        self.waits.append(waiting.next_at - self._clock[0])


def persisted(
    text: str, queue: Queue, monkeypatch: pytest.MonkeyPatch, *to: str, seconds: float = 7200.0, **words: object
) -> tuple[DeliveryReport, Fast]:
    world = World(text)
    watcher = Fast(world, monkeypatch)
    request = requested(*to, retry_for=seconds, **words)
    report = asyncio.run(retry.persist(request, OPTIONS, None, queue, watcher=watcher, network=world))
    return report, watcher


def test_greylisting_is_outlasted_and_its_cost_told(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    report, watcher = persisted(two(), queue, monkeypatch, "greylist@example.net")
    assert (report.outcome, report.exit_code) == ("accepted", 0)
    assert watcher.waits == [60.0]
    told = report.recipients[0]
    assert told.delayed_by == "greylisting"
    assert told.delayed_ms is not None
    assert queue.list() == ()


def test_waits_as_long_as_the_reply_asks(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    text = two("on RCPT 450 4.7.1 greylisted, come back in 300 seconds")
    report, watcher = persisted(text, queue, monkeypatch, seconds=400)
    assert watcher.waits[0] == 300.0
    assert report.outcome == "deferred"


def test_waits_grow_and_end(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    report, watcher = persisted(two("on RCPT 451 4.3.0 busy"), queue, monkeypatch)
    assert watcher.waits[:4] == [60.0, 300.0, 900.0, 1800.0]
    assert sum(watcher.waits) <= 7200.0
    assert (report.outcome, report.exit_code) == ("deferred", 3)
    assert report.retry is not None
    assert report.retry.why == "the time given for it is over"


def test_a_block_ends_it_at_once(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    text = two("on RCPT 451 4.7.1 Service unavailable; client host [192.0.2.1] blocked using zen.spamhaus.org")
    report, watcher = persisted(text, queue, monkeypatch)
    assert watcher.waits == []
    assert len(report.attempts) == 1
    assert report.retry is not None
    assert "blocklist" in (report.retry.why or "")


def test_a_block_at_one_domain_leaves_the_others_be(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    text = two("on RCPT 451 4.7.1 client host blocked using zen.spamhaus.org") + (
        "[zone]\nexample.org. A 192.0.2.99\n[smtp example.org:25]\ndomains example.org\n"
    )
    report, watcher = persisted(text, queue, monkeypatch, "you@example.net", "greylist@example.org")
    assert [one.outcome for one in report.recipients] == ["deferred", "accepted"]
    assert watcher.waits == [60.0]


def test_a_kill_between_the_reply_and_its_wait_forgets_neither(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(two("on RCPT 450 4.7.1 greylisted, come back in 300 seconds"))
    watcher = Fast(world, monkeypatch)
    request = requested("you@example.net", retry_for=7200.0)

    def killed(_number: int, _next_at: float) -> None:
        raise KeyboardInterrupt

    patch = pytest.MonkeyPatch()
    patch.setattr(queue, "postpone", killed)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(retry.persist(request, OPTIONS, None, queue, watcher=watcher, network=world))
    patch.undo()
    queue.release(watcher.numbers[0])
    again = Interrupted(world, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(retry.resume(watcher.numbers[0], OPTIONS, None, queue, watcher=again, network=world))
    kept = queue.get(watcher.numbers[0])
    assert kept is not None
    assert kept.attempts == 1
    assert kept.next_at - kept.created_at >= 300.0


def test_only_those_put_off_are_tried_again(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    to = ("you@example.net", "user-unknown@example.net", "greylist@example.net")
    report, _ = persisted(two(), queue, monkeypatch, *to)
    said = [[line.text for line in attempt.transcript if line.text.startswith("RCPT")] for attempt in report.attempts]
    assert len(said[0]) == 3
    assert said[1] == ["RCPT TO:<greylist@example.net>"]
    assert {one.address: one.outcome for one in report.recipients} == {
        "you@example.net": "accepted",
        "user-unknown@example.net": "refused",
        "greylist@example.net": "accepted",
    }


def test_the_notice_names_everybody_who_did_not_get_it(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    report, _ = persisted(two(), queue, monkeypatch, "you@example.net", "user-unknown@example.net")
    assert report.bounce is not None
    notice = email.message_from_string(report.bounce, policy=email.policy.default)
    assert notice.get_content_type() == "multipart/report"
    status = list(notice.iter_parts())[1].get_payload()
    assert [part["Final-Recipient"] for part in status[1:]] == ["rfc822; user-unknown@example.net"]
    assert status[1]["Status"] == "5.1.1"
    assert status[1]["Action"] == "failed"


def test_a_message_that_is_over_stays_until_its_report_was_shown(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    world, settled = World(two()), []
    Fast(world, monkeypatch)
    request = requested("user-unknown@example.net", retry_for=60.0)
    first = asyncio.run(retry.persist(request, OPTIONS, None, queue, network=world, settled=settled))
    again = asyncio.run(retry.resume(settled[0], OPTIONS, None, queue, network=world, settled=[]))
    assert again is not None
    assert (again.outcome, len(again.attempts)) == (first.outcome, 1)
    assert again.bounce is not None
    retry.forget(queue, settled)
    assert queue.list() == ()


def test_the_message_is_not_kept_again_with_each_attempt(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(two("on EOD 451 4.3.0 later"))
    watcher = Interrupted(world, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(
            retry.persist(
                requested("a@example.net", retry_for=7200.0), OPTIONS, None, queue, watcher=watcher, network=world
            )
        )
    (attempt,) = queue.get(watcher.numbers[0]).history
    assert [step.said for step in attempt.session.steps if step.stage == "body"] == [b""]


def test_silence_after_the_dot_is_unknown_and_not_tried_again(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    report, watcher = persisted(two("fault EOD close"), queue, monkeypatch)
    assert (report.outcome, report.exit_code) == ("unknown", 3)
    assert watcher.waits == []
    assert len(report.attempts) == 1


class Interrupted(Fast):
    """Ends the process where it would wait."""

    def waiting(self, waiting: Waiting) -> None:
        raise KeyboardInterrupt


def test_an_interrupted_delivery_stays_and_is_resumed(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(two())
    request = requested("greylist@example.net", retry_for=7200.0)
    watcher = Interrupted(world, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(retry.persist(request, OPTIONS, None, queue, watcher=watcher, network=world))
    number = watcher.numbers[0]
    queue.release(number)
    again = Fast(world, monkeypatch)
    report = asyncio.run(retry.resume(number, OPTIONS, None, queue, watcher=again, network=world))
    assert report is not None
    assert report.outcome == "accepted"
    assert len(report.attempts) == 2
    assert report.recipients[0].delayed_by == "greylisting"
    assert queue.list() == ()


def test_a_process_that_died_after_the_dot_leaves_an_unknown(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(two())
    request = requested("you@example.net", retry_for=7200.0)
    numbers: list[int] = []

    class Dying(Watcher):
        def queued(self, queue_id: int) -> None:
            numbers.append(queue_id)

        def said(self, event: object) -> None:
            if getattr(event, "stage", "") == "eod":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(retry.persist(request, OPTIONS, None, queue, watcher=Dying(), network=world))
    kept = queue.get(numbers[0])
    assert kept is not None
    assert [one.state for one in kept.recipients] == [State.IN_DOUBT]
    queue.release(numbers[0])
    report = asyncio.run(retry.resume(numbers[0], OPTIONS, None, queue, network=world))
    assert report is not None
    assert (report.outcome, report.stage, report.exit_code) == ("unknown", "eod", 3)
    assert report.attempts == ()


def test_what_is_not_there_is_not_resumed(queue: Queue) -> None:
    assert asyncio.run(retry.resume(99, OPTIONS, None, queue, network=World(two()))) is None


def test_what_cannot_be_read_is_one_line(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(two())
    request = requested("greylist@example.net", retry_for=7200.0)
    watcher = Interrupted(world, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(retry.persist(request, OPTIONS, None, queue, watcher=watcher, network=world))
    number = watcher.numbers[0]
    queue._database.execute("UPDATE item SET options = ?", (b'{"mode": "telepathy"}',))
    queue.release(number)
    with pytest.raises(RunError, match=f"message {number}"):
        asyncio.run(retry.resume(number, OPTIONS, None, queue, network=world))


def test_no_secret_is_kept_but_where_it_is_found() -> None:
    request = requested("you@example.net", retry_for=7200.0, user="me", password_env="MAIL_PASSWORD")
    kept = options_of(request)
    assert kept["password_env"] == "MAIL_PASSWORD"
    assert not {"password", "secret"} & set(kept)


def test_what_is_impossible_with_one_host_is_handed_to_the_next(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    report, watcher = persisted(two("banner HTTP/1.1 400 Bad Request"), queue, monkeypatch)
    assert [(one.host, one.outcome) for one in report.attempts] == [
        ("mx1.example.net", "failed"),
        ("mx2.example.net", "accepted"),
    ]
    assert (report.outcome, report.exit_code, watcher.waits) == ("accepted", 0, [])
    assert queue.list() == ()


def test_what_is_impossible_with_every_host_ends_it(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = "banner HTTP/1.1 400 Bad Request"
    report, watcher = persisted(two(talk, talk), queue, monkeypatch)
    assert (report.outcome, report.exit_code, watcher.waits) == ("failed", 1, [])
    assert report.bounce is not None
