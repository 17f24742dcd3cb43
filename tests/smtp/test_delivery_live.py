"""Messages over real sockets: large ones, servers that refuse in the middle, reset, or read no more."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from issued import ROOT
from mailer import BODY, attempt, fates, handover
from server import Peer, serving

from deliverkit.model import Call
from deliverkit.model.delivery import Attempt, Delivered
from deliverkit.smtp.driver import Event
from deliverkit.smtp.live import Live
from deliverkit.smtp.secret import Secret
from deliverkit.smtp.transaction import Handover, transaction
from deliverkit.tls.verify import Anchors

ANCHORS = Anchors(extra=(ROOT.der,), system=False)
LARGE = b"Subject: large\r\n\r\n" + (b"x" * 70 + b"\r\n") * 70_000
Then = Callable[[Peer], None]


def taking(then: Then, *, tls: bool, auth: bool = False) -> Then:
    """A server that does `then` after its 354."""

    def talk(peer: Peer) -> None:
        peer.say(b"220 mail.example.com ESMTP\r\n")
        inside = False
        while line := peer.hear():
            verb = line.split()[0].upper()
            if verb == b"EHLO":
                offer = b"STARTTLS" if tls and not inside else b"AUTH PLAIN" if auth else b"SIZE"
                peer.say(b"250-mail.example.com\r\n250-PIPELINING\r\n250 " + offer + b"\r\n")
            elif verb == b"STARTTLS":
                peer.say(b"220 go\r\n")
                peer.wrap()
                inside = True
            elif verb == b"AUTH":
                peer.say(b"235 welcome\r\n")
            elif verb == b"DATA":
                peer.say(b"354 go on\r\n")
                then(peer)
            elif verb == b"QUIT":
                peer.say(b"221 bye\r\n")
                return
            else:
                peer.say(b"250 ok\r\n")

    return talk


def send(
    handler: Then, delivery: Handover | None = None, *, seconds: float = 10.0, tell: Any = None, **words: Any
) -> Attempt:
    delivery = delivery or handover(body=LARGE)

    async def main(call: Call) -> Any:
        secret = Secret("Kanarivogel") if call.user else None
        live = Live(ANCHORS, deadline=time.monotonic() + seconds, words="before the end", secret=secret)
        return await live.session(call, lambda hello: transaction(call, hello, delivery, secret), tell)

    with serving(handler) as server:
        call = Call(host="mail.example.com", address=server.host, port=25, dial_port=server.port, **words)
        return attempt(asyncio.run(main(call)), delivery)


def message_line(peer: Peer) -> bytes:
    """The next one, which may be empty; a dot where the client is gone."""
    before = len(peer.server.heard)
    peer.hear()
    return peer.server.heard[-1].removesuffix(b"\r") if len(peer.server.heard) > before else b"."


def whole(taken: list[bytes]) -> Then:
    def then(peer: Peer) -> None:
        while (line := message_line(peer)) != b".":
            taken.append(line)
        peer.say(b"250 2.0.0 Ok: queued as ABCDEF\r\n")

    return then


@pytest.mark.parametrize("tls", [False, True])
def test_a_large_message_arrives_whole(tls):
    taken: list[bytes] = []
    made = send(taking(whole(taken), tls=tls))
    assert fates(made) == ["accepted@eod"] * 3
    assert made.queue_id == "ABCDEF"
    assert b"".join(line + b"\r\n" for line in taken) == LARGE


def refuse(peer: Peer) -> None:
    """Reads a little, says why not, and hangs up on what comes: the kernel answers that with a reset."""
    peer.socket.recv(1024)
    peer.say(b"552 5.3.4 too big for us\r\n")
    peer.socket.close()


def crash(peer: Peer) -> None:
    peer.socket.recv(1024)
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.socket.close()


def close(peer: Peer) -> None:
    peer.socket.recv(1024)
    peer.socket.close()


def refuse_and_stay(peer: Peer) -> None:
    peer.socket.recv(1024)
    peer.say(b"552 5.3.4 too big for us\r\n")
    time.sleep(5)


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("then", [refuse, refuse_and_stay])
def test_a_refusal_in_the_middle_is_heard(then, tls):
    began = time.monotonic()
    made = send(taking(then, tls=tls))
    assert fates(made) == ["refused@data"] * 3
    assert made.results[0].reply == b"552 5.3.4 too big for us\r\n"
    assert made.session.steps[-1].stage == "body"
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("then", [crash, close])
def test_a_connection_lost_in_the_middle_hands_nothing_over(then, tls):
    made = send(taking(then, tls=tls))
    assert fates(made) == ["deferred@data"] * 3
    assert made.results[0].why.endswith("not accepted")
    assert made.try_next
    assert not any(step.stage == "eod" for step in made.session.steps)


def at_once(peer: Peer) -> None:
    """Its 250 is on its way before the message can be."""
    time.sleep(0.003)
    peer.say(b"250 2.0.0 queued before you spoke\r\n")
    peer.until_gone()


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    ("then", "fate", "why"),
    [(at_once, "failed@data", "said 250 before the message"), (close, "deferred@data", "not accepted")],
)
def test_what_comes_too_early_is_no_answer_to_the_dot(then, fate, why, tls):
    for _ in range(3):
        made = send(taking(then, tls=tls), handover())
        assert fates(made) == [fate] * 3
        assert why in made.results[0].why
        assert made.session.steps[-1].stage == "body"


@pytest.mark.parametrize("tls", [False, True])
def test_who_takes_nothing_more_is_left(tls):
    def then(peer: Peer) -> None:
        time.sleep(3)

    began = time.monotonic()
    made = send(taking(then, tls=tls), seconds=1.0)
    assert fates(made) == ["deferred@data"] * 3
    assert made.results[0].why == "no more of the message was taken before the end: not accepted"
    assert time.monotonic() - began < 2.5


def test_a_block_has_a_deadline_of_its_own(monkeypatch):
    monkeypatch.setattr("deliverkit.smtp.driver.BLOCK", 0.3)
    made = send(taking(lambda _: time.sleep(2), tls=False))
    assert made.results[0].why == "no more of the message was taken within 0.3 s: not accepted"


def test_silence_after_the_dot_is_unknown():
    def then(peer: Peer) -> None:
        while message_line(peer) != b".":
            pass
        time.sleep(2)

    made = send(taking(then, tls=False), handover(), seconds=0.5)
    assert fates(made) == ["unknown@eod"] * 3
    assert made.results[0].why.startswith("no answer to the final dot before the end")


def test_every_line_is_told_as_it_goes():
    told: list[Event] = []
    taken: list[bytes] = []
    made = send(taking(whole(taken), tls=True, auth=True), handover(), tell=told.append, user="alice")
    assert made.outcome is Delivered.ACCEPTED
    assert [(each.direction, each.stage) for each in told] == [
        ("note", "connect"), ("server", "banner"), ("client", "ehlo"), ("server", "ehlo"), ("client", "starttls"),
        ("server", "starttls"), ("note", "tls"), ("client", "ehlo-tls"), ("server", "ehlo-tls"), ("client", "auth"),
        ("server", "auth"), ("client", "mail"), ("client", "rcpt"), ("client", "rcpt"), ("client", "rcpt"),
        ("server", "mail"), ("server", "rcpt"), ("server", "rcpt"), ("server", "rcpt"), ("client", "data"),
        ("server", "data"), ("client", "body"), ("client", "eod"), ("server", "eod"), ("client", "quit"),
        ("server", "quit"),
    ]  # fmt: skip
    assert [each.at_ms for each in told] == sorted(each.at_ms for each in told)
    assert [each.tls for each in told] == [False] * 6 + [True] * 20
    assert told[0].text.startswith(b"connected to mail.example.com (127.0.0.1) port ")
    assert told[9].text == b"AUTH PLAIN <redacted>"
    assert told[21].text == BODY


def test_a_secret_in_the_message_is_not_told():
    body = b"Subject: x\r\n\r\nmy password is Kanarivogel\r\n"
    told: list[Event] = []
    taken: list[bytes] = []
    made = send(taking(whole(taken), tls=True, auth=True), handover(body=body), tell=told.append, user="alice")
    assert taken[-1] == b"my password is Kanarivogel"
    assert not any(b"Kanarivogel" in each.text for each in told)
    assert not any(b"Kanarivogel" in step.said for step in made.session.steps)


def test_no_connection_is_told():
    told: list[Event] = []
    with serving(lambda _: None) as server:
        call = Call(host="mail.example.com", address=server.host, port=25, dial_port=server.port)
    delivery = handover()

    async def main() -> Any:
        live = Live(ANCHORS, deadline=time.monotonic() + 5, words="before the end")
        return await live.session(call, lambda hello: transaction(call, hello, delivery, None), told.append)

    made = attempt(asyncio.run(main()), delivery)
    assert fates(made) == ["deferred@connect"] * 3
    assert [each.text.decode() for each in told] == [made.session.why]
