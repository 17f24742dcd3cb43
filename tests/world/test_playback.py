"""A session that was saved, played back to the same dialog: it goes as it went."""

from __future__ import annotations

import asyncio
import time

import pytest

from deliverkit.model import Call, Session
from deliverkit.model.delivery import Envelope
from deliverkit.smtp.driver import converse
from deliverkit.smtp.line import Limit
from deliverkit.smtp.script import read, write
from deliverkit.smtp.secret import Secret
from deliverkit.smtp.transaction import Handover, transaction
from deliverkit.world import World
from deliverkit.world.playback import Playback

HOST = "mx.example.com"
BODY = b"Subject: hello\r\n\r\n..dot\r\n" + b"\xc3\xa4\xff\\x\r\n" * 20_000


def calling(port: int) -> Call:
    user = "alice" if port == 465 else None
    return Call(host=HOST, address="192.0.2.25", port=port, dial_port=port, helo="client.example.org", user=user)


def delivery(*, pipelining: bool = True) -> Handover:
    to = ("anna@example.com", "user-unknown@example.com", "bert@example.com")
    return Handover(envelope=Envelope(sender="me@example.org", recipients=to), body=BODY, pipelining=pipelining)


def first(lines: str, port: int, made: Handover) -> Session:
    world = World(f"{HOST}. A 192.0.2.25\n[smtp {HOST}:{port}]\ncertificate key=rsa-2048\n{lines}\n")
    call, secret = calling(port), Secret("secret")
    return asyncio.run(world.session(call, lambda hello: transaction(call, hello, made, secret)))


def again(session: Session, made: Handover) -> Session:
    (script,) = read(write([session]))
    call, secret = calling(session.call.port), Secret("another")

    async def main() -> Session:
        limit = Limit(time.monotonic() + 5, "before the end")
        call_ = call if call.user is None else Call(**{**_fields(call), "insecure_auth": True})
        return await converse(call_, transaction(call_, "a.test", made, secret), Playback(script), limit, secret=secret)

    return asyncio.run(main())


def _fields(call: Call) -> dict[str, object]:
    return {name: getattr(call, name) for name in call.__struct_fields__}


def told(session: Session) -> list[tuple[str, bytes, bytes, str | None, bool]]:
    return [
        (step.stage, step.said if step.stage not in ("ehlo", "ehlo-tls") else b"", step.reply, step.trouble, step.tls)
        for step in session.steps
    ]


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("lines", "port"),
    [
        ("", 25),
        ("mode clear", 25),
        ("", 465),
        ("on RCPT 550 5.1.1 no", 25),
        (r"banner 220-\xff\n220 b", 25),
        ("fault RCPT close", 25),
        ("fault RCPT timeout", 25),
        ("fault DATA reset", 25),
        ("fault BODY close", 25),
        ("on BODY 552 5.3.4 too big", 25),
        ("fault EOD close", 25),
        ("fault EOD timeout", 25),
        ("fault EOD garbage", 25),
        ("on EOD 421 4.3.2 bye", 25),
        (r"on EOD 250 a\n250 b", 25),
        ("fault QUIT timeout", 25),
        ("fault TLS close", 25),
        ("banner 421 4.3.2 bye", 25),
    ],
)
def test_it_goes_as_it_went(lines, port, pipelining):
    made = delivery(pipelining=pipelining)
    session = first(lines, port, made)
    replayed = again(session, made)
    assert told(replayed) == told(session)
    assert replayed.remarks == session.remarks


def test_another_message_is_taken_as_well():
    session = first("", 25, delivery())
    other = Handover(envelope=delivery().envelope, body=b"Subject: other\r\n\r\n")
    replayed = again(session, other)
    assert [step.reply for step in replayed.steps] == [step.reply for step in session.steps]


def test_what_was_said_in_one_go_has_one_time_in_a_world():
    steps = first("mode clear", 25, delivery()).steps
    times = {step.stage: step.at_ms for step in steps}
    assert {step.at_ms for step in steps if step.stage in ("mail", "rcpt")} == {times["mail"]}
    assert [step.replied_ms for step in steps] == sorted({step.replied_ms or 0.0 for step in steps})
    assert times["data"] > times["mail"]
