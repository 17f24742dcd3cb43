"""`--retry-for` and `--resume`: what is shown while a message waits, and how it is gone on with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served_lab import served

from deliverkit.cli.send_live import Spoken
from deliverkit.delivery.queue import Queue, QueueItem, Recipient
from deliverkit.lab import worlds_text
from deliverkit.runs import retry
from deliverkit.world import mailbox

ME = ("--from", "me@healthy.example", "--helo", "client.healthy.example")
GREY = ("--to", "greylist@healthy.example")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with served(worlds_text(), tmp_path_factory.mktemp("lab")) as found:
        yield found


@pytest.fixture(autouse=True)
def _soon(lab: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Greylisting that is over at once, and a schedule that does not wait."""
    for name, value in lab.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(mailbox, "GREYLISTED", 0.0001)

    def soon(tries: int, *, now: float, **_: Any) -> float | None:
        return now + 0.2 if tries < 5 else None

    monkeypatch.setattr(retry, "next_try", soon)


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the first wait."""

    def waiting(self: Spoken, told: Any) -> None:
        assert self.number == told.queue_id
        raise KeyboardInterrupt

    monkeypatch.setattr(Spoken, "waiting", waiting)


def sender(tmp_path: Path, name: str) -> tuple[str, ...]:
    """A sender that the lab has not greylisted yet."""
    return ("--from", f"{name}-{tmp_path.name}@healthy.example", "--helo", "client.healthy.example")


def test_what_was_greylisted_gets_through_and_the_delay_is_told(cli, tmp_path: Path):
    result = cli("send", *sender(tmp_path, "a"), *GREY, "--retry-for", "1h")
    assert result.code == 0
    assert "attempt 1" in result.out
    assert "\n◷ next attempt in " in result.out
    assert "Ctrl-C leaves it queued as 1)" in result.out
    assert "attempt 2" in result.out
    assert "✓ accepted   greylist@healthy.example · queued there as" in result.out
    assert "  Greylisting cost " in result.out
    assert result.out.count("route     ") == 1
    assert result.err == ""


def test_json_has_both_attempts_and_the_waits_are_on_stderr(cli, tmp_path: Path):
    result = cli("send", *sender(tmp_path, "b"), *GREY, "--retry-for", "1h", "--format", "json")
    document = json.loads(result.out)
    assert [attempt["outcome"] for attempt in document["attempts"]] == ["deferred", "accepted"]
    (recipient,) = document["recipients"]
    assert recipient["delayed_by"] == "greylisting"
    assert recipient["delayed_ms"] > 0
    assert result.err.startswith("deliverkit: greylist@healthy.example: deferred; next attempt in ")


@pytest.mark.usefixtures("interrupted")
def test_interrupted_it_says_how_to_go_on(cli, tmp_path: Path):
    result = cli("send", *sender(tmp_path, "c"), *GREY, "--retry-for", "1h")
    assert result.code == 130
    assert "deliverkit: still queued: deliverkit send --resume 1 goes on with it\n" in result.err


@pytest.mark.parametrize("words", [("--resume",), ("--resume", "1")])
def test_resumed_by_a_later_process(cli, tmp_path: Path, words: tuple[str, ...]):
    queued(tmp_path)
    result = cli("send", *words, "--format", "json")
    document = json.loads(result.out)
    assert (document["outcome"], result.code) == ("accepted", 0)
    assert cli("send", "--resume").err == "deliverkit: no message is queued\n"


def test_many_are_resumed_and_each_is_told_whole(cli, tmp_path: Path):
    for name in ("x", "y"):
        queued(tmp_path, name)
    result = cli("send", "--resume")
    assert result.code == 0
    assert "── message 1\n" in result.out
    assert "── message 2\n" in result.out
    assert result.out.count("✓ accepted   you@healthy.example") == 2
    blocks = result.out.split("── message ")[1:]
    assert all("=== Trying" in block and "QUIT" in block for block in blocks)


def test_many_are_an_array(cli, tmp_path: Path):
    for name in ("x", "y"):
        queued(tmp_path, name)
    assert [each["outcome"] for each in json.loads(cli("send", "--resume", "--format", "json").out)] == ["accepted"] * 2


def test_a_login_that_nobody_has_the_password_for_is_left(cli, tmp_path: Path):
    queued(tmp_path, options={"server": "mail.healthy.example", "user": "alice", "password_env": "NO_SUCH_VARIABLE"})
    result = cli("send", "--resume")
    assert (result.code, result.out) == (0, "")
    assert "message 1 is left as it is: --password-env: no environment variable of that name" in result.err
    result = cli("send", "--resume", "1")
    assert result.code == 2
    assert "no environment variable of that name" in result.err


def test_a_message_that_another_process_has(cli, tmp_path: Path):
    number = queued(tmp_path)
    with Queue.open(tmp_path / "state" / "deliverkit" / "queue.sqlite") as other:
        assert other.claim(number) is not None
        assert other.taken(number) is False


def test_a_queue_that_is_none(cli, tmp_path: Path):
    folder = tmp_path / "state" / "deliverkit"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "queue.sqlite").write_bytes(b"this is no database" * 100)
    result = cli("send", "--resume")
    assert result.code == 2
    assert result.err.count("\n") == 1


def queued(tmp_path: Path, name: str = "q", options: dict[str, Any] | None = None) -> int:
    """A message that a process left behind."""
    message = b"From: q@healthy.example\r\nMessage-ID: <q@healthy.example>\r\n\r\nhello\r\n"
    with Queue.open(tmp_path / "state" / "deliverkit" / "queue.sqlite") as queue:
        return queue.add(
            QueueItem(
                created_at=0.0,
                give_up_at=4_000_000_000.0,
                sender=f"{name}@healthy.example",
                message=message,
                recipients=(Recipient(address="you@healthy.example"),),
                options={"connect_to": os.environ["DELIVERKIT_CONNECT_TO"].split(), **(options or {})},
            )
        )
