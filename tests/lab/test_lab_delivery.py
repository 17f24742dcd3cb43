"""The lab takes messages on sockets as a world does in memory."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from deliverkit.delivery.outcome import attempt_of
from deliverkit.lab import Serving, serving
from deliverkit.model import Call, Session
from deliverkit.model.delivery import Attempt, Envelope, Hop
from deliverkit.smtp.live import Live
from deliverkit.smtp.secret import Secret
from deliverkit.smtp.transaction import Handover, transaction
from deliverkit.tls.verify import Anchors
from deliverkit.world import World

HOST = "mx.example.com"
BODY = b"Subject: hello\r\n\r\n" + b"..dot and some more\r\n" * 20_000
TO = ("anna@example.com", "user-unknown@example.com", "greylist@example.com", "mailbox-full@example.com")
SECRET = Secret("secret")


def place(lab: Serving) -> int:
    return int(lab.connect_to[0].rpartition(":")[2])


def delivery(*to: str) -> Handover:
    return Handover(envelope=Envelope(sender="me@example.org", recipients=to or TO, size=len(BODY)), body=BODY)


def called(port: int, **words: Any) -> Call:
    said = {"host": HOST, "address": "192.0.2.25", "port": port, "dial_port": port, "helo": "client.example.org"}
    return Call(**{**said, "user": "alice" if port == 465 else None, **words})


def attempt(session: Session, handover: Handover) -> Attempt:
    return attempt_of(1, 0.0, Hop(host=HOST, address="192.0.2.25"), handover.envelope, session)


def on_sockets(text: str, port: int, folder: Path, handover: Handover) -> Attempt:
    async def go() -> Session:
        async with serving(text) as lab:
            authority = folder / "ca.pem"
            authority.write_bytes(lab.ca)
            live = Live(
                Anchors(authority, system=False), deadline=time.monotonic() + 20, words="in time", secret=SECRET
            )
            call = called(port, address="127.0.0.1", dial_port=place(lab))
            return await live.session(call, lambda hello: transaction(call, hello, handover, SECRET))

    return attempt(asyncio.run(go()), handover)


def in_memory(text: str, port: int, handover: Handover) -> Attempt:
    call = called(port)
    session = asyncio.run(World(text).session(call, lambda hello: transaction(call, hello, handover, SECRET)))
    return attempt(session, handover)


@pytest.mark.parametrize("port", [25, 465])
@pytest.mark.parametrize(
    "lines",
    [
        "",
        "on MAIL 451 4.7.1 later",
        "on DATA 250 ok",
        "on BODY 552 5.3.4 too big",
        "fault BODY close",
        "fault EOD close",
        "on EOD 550 5.7.1 spam",
        r"on EOD 250 2.0.0 a\n250 2.0.0 b",
        "fault QUIT reset",
        "offer-tls SIZE 100",
    ],
)
def test_sockets_come_to_what_memory_does(tmp_path, lines, port):
    text = f"{HOST}. A 192.0.2.25\n[smtp {HOST}:{port}]\n{lines}\n"
    seen, told = on_sockets(text, port, tmp_path, delivery()), in_memory(text, port, delivery())
    assert seen.results == told.results
    assert (seen.outcome, seen.stage, seen.queue_id) == (told.outcome, told.stage, told.queue_id)
    assert (seen.notes, seen.try_next) == (told.notes, told.try_next)
    assert [step.stage for step in seen.session.steps] == [step.stage for step in told.session.steps]
