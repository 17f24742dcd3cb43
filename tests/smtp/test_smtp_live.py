"""The mail socket: connecting, TLS of every kind, limits, and an end to everything."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import sys
import time
from typing import Any

import pytest
from issued import GOOD, MIDDLE, NAMES, ROOT, make
from scripted import stages
from server import Peer, Server, pause, serving

from deliverkit.model import Call, Mode, Purpose, Session, State, Trouble
from deliverkit.smtp.live import Limits, Live
from deliverkit.smtp.secret import Secret
from deliverkit.tls.verify import Anchors

ANCHORS = Anchors(extra=(ROOT.der,), system=False)
WEAK = make("mail.example.com", issuer=MIDDLE, names=NAMES, kind="rsa-1024")
RSA = make("mail.example.com", issuer=MIDDLE, names=NAMES, kind="rsa-2048")


def to(server: Server, **changes: Any) -> Call:
    given = {"host": "mail.example.com", "address": server.host, "port": 25, "dial_port": server.port}
    return Call(**{**given, **changes})


def dial(
    *calls: Call, seconds: float = 10.0, limits: Limits | None = None, secret: Secret | None = None
) -> list[Session]:
    async def main() -> list[Session]:
        live = Live(ANCHORS, deadline=time.monotonic() + seconds, words="before the end", limits=limits, secret=secret)
        return await asyncio.gather(*(live.session(call) for call in calls))

    return asyncio.run(main())


def implicit(peer: Peer) -> None:
    peer.wrap()
    peer.talk(tls=False)


def test_a_session_by_starttls():
    with serving(Peer.talk) as server:
        [session] = dial(to(server))
    assert stages(session) == ["banner:220", "ehlo:250", "starttls:220", "tls", "ehlo-tls:250", "quit:221"]
    handshake = session.handshake
    assert handshake is not None
    assert (handshake.version, handshake.name, handshake.error) == ("TLSv1.3", "mail.example.com", None)
    assert handshake.chain == (GOOD.der, MIDDLE.der)
    assert (handshake.trusted, handshake.trust_error, handshake.asks_client) == (True, None, False)
    assert session.ours == "127.0.0.1"
    assert server.heard[0].strip() == b"EHLO [127.0.0.1]"
    assert session.connect_ms is not None
    times = [step.at_ms for step in session.steps]
    assert times == sorted(times)


def test_tls_at_once_and_a_login():
    with serving(implicit) as server:
        [session] = dial(to(server, port=465, user="alice"), secret=Secret("Kanarivogel"))
    assert stages(session)[:3] == ["tls", "banner:220", "ehlo-tls:250"]
    assert session.steps[3].said == b"AUTH PLAIN <redacted>"
    assert any(b"AUTH PLAIN" in line for line in server.heard)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_ipv6():
    with serving(Peer.talk, host="::1") as server:
        [session] = dial(to(server, host="::1"))
    assert session.state is State.OPEN
    assert server.heard[0].strip() == b"EHLO [IPv6:::1]"
    assert session.handshake is not None
    assert session.handshake.name == ""


def test_the_source_address():
    with serving(Peer.talk) as server:
        [session] = dial(to(server, source_address="127.0.0.9"))
        assert session.ours == "127.0.0.9"
        [session] = dial(to(server, source_address="192.0.2.1"))
        assert session.state is State.UNREACHABLE
        [session] = dial(to(server, source_address="::1"))
        assert session.state is not State.OPEN
        assert session.why


def test_refused():
    with serving(Peer.talk) as server:
        closed = to(server)
    [session] = dial(closed)
    assert (session.state, session.steps) == (State.REFUSED, ())
    assert session.why == f"no connection to 127.0.0.1 port {closed.dial_port}: connection refused"


def test_a_port_that_swallows_what_comes():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        wanted = Call(host="x.example", address="127.0.0.1", port=25, dial_port=full.getsockname()[1])
        [session] = dial(wanted, seconds=0.4)
        for filler in fillers:
            filler.close()
    assert (session.state, session.why) == (
        State.TIMEOUT,
        f"no connection to 127.0.0.1 port {wanted.dial_port} before the end",
    )


VERSIONS = [
    ("TLSv1", ssl.TLSVersion.TLSv1), ("TLSv1.1", ssl.TLSVersion.TLSv1_1), ("TLSv1.2", ssl.TLSVersion.TLSv1_2),
    ("TLSv1.3", ssl.TLSVersion.TLSv1_3),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize(("name", "version"), VERSIONS)
def test_every_version_is_negotiated_and_told(name, version):
    with serving(Peer.talk, lowest=version, highest=version) as server:
        limits = Limits()
        [session] = dial(to(server))
        assert session.handshake is not None
        assert session.handshake.version == name
        found = dial(*(to(server, purpose=Purpose.SCAN, version=each) for each, _ in VERSIONS), limits=limits)
    agreed = [each.handshake.version for each in found if each.handshake is not None and each.handshake.ok]
    assert agreed == [name]
    assert all(each.handshake is not None and each.handshake.error for each in found if each.call.version != name)


@pytest.mark.parametrize(
    ("made", "options", "cipher"),
    [
        (WEAK, {}, "TLS_AES_256_GCM_SHA384"),
        (RSA, {"highest": ssl.TLSVersion.TLSv1_2, "ciphers": "eNULL"}, "NULL"),
        (RSA, {"highest": ssl.TLSVersion.TLSv1_2, "ciphers": "AES128-SHA"}, "AES128-SHA"),
        (RSA, {"highest": ssl.TLSVersion.TLSv1_2, "ciphers": "aNULL:HIGH"}, "ECDHE-RSA"),
    ],
    ids=["rsa-1024", "null", "rsa-key-exchange", "anonymous-preferred"],
)
def test_what_the_local_defaults_would_hide(made, options, cipher):
    with serving(Peer.talk, made=made, **options) as server:
        [session] = dial(to(server))
    assert session.handshake is not None
    assert session.handshake.error is None
    assert cipher in session.handshake.cipher
    assert session.handshake.chain[0] == made.der


def test_an_untrusted_chain_is_kept_whole():
    expired = make("mail.example.com", issuer=MIDDLE, names=NAMES, days=(-90, -1))
    with serving(Peer.talk, made=expired) as server:
        [session] = dial(to(server))
    assert session.handshake is not None
    assert (session.handshake.trusted, session.handshake.trust_error, session.handshake.trust_code) == (
        False,
        "expired",
        10,
    )
    assert session.handshake.chain == expired.chain
    assert stages(session)[-1] == "quit:221"


@pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_is_demanded(highest):
    with serving(Peer.talk, clients=True, highest=highest) as server:
        [session] = dial(to(server))
    assert session.handshake is not None
    assert session.handshake.asks_client
    last = session.steps[-1]
    assert last.trouble is Trouble.TLS
    if highest is ssl.TLSVersion.TLSv1_3:
        assert (last.stage, session.handshake.ok) == ("ehlo-tls", True)
        assert last.why == "the server demands a client certificate (alert certificate_required)"
        assert session.handshake.chain == GOOD.chain
    else:
        assert last.stage == "tls"


def test_clear_text_where_tls_ought_to_be():
    with serving(Peer.talk) as server:
        [session] = dial(to(server, port=465))
    assert session.handshake is not None
    assert session.handshake.plaintext.startswith(b"220 mail.example.com ESMTP\r\n")
    assert session.handshake.error == "what the server sent is no TLS"
    assert (stages(session), session.injected) == (["tls!tls"], b"")


def test_tls_where_clear_text_ought_to_be(monkeypatch):
    monkeypatch.setattr("deliverkit.smtp.dialog.SILENCE", 0.2)
    with serving(implicit) as server:
        [silent] = dial(to(server, port=587))
        [again] = dial(to(server, port=587, mode=Mode.IMPLICIT))
    assert stages(silent) == ["banner!timeout"]
    assert stages(again)[:2] == ["tls", "banner:220"]


def test_clear_text_goes_on_after_starttls():
    def handler(peer: Peer) -> None:
        peer.say(b"220 x\r\n")
        peer.hear()
        peer.say(b"250 STARTTLS\r\n".replace(b"250 ", b"250-x\r\n250 "))
        peer.hear()
        peer.say(b"220 go\r\n")
        peer.socket.recv(4096)
        peer.say(b"500 what?\r\n")

    with serving(handler) as server:
        [session] = dial(to(server))
    assert session.handshake is not None
    assert session.handshake.plaintext == b"500 what?\r\n"


def test_what_was_said_before_hanging_up_is_heard():
    def handler(peer: Peer) -> None:
        peer.say(b"220 x\r\n")
        peer.hear()
        peer.say(b"250 x\r\n421 4.3.2 shutting down\r\n")

    with serving(handler) as server:
        [session] = dial(to(server))
    assert stages(session) == ["banner:220", "ehlo:250", "quit:421"]
    assert session.remarks["ended"] == "quit"


def test_a_reset():
    def handler(peer: Peer) -> None:
        peer.hear()
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def greeting(peer: Peer) -> None:
        peer.say(b"220 x\r\n")
        handler(peer)

    with serving(greeting) as server:
        [session] = dial(to(server))
    assert stages(session) == ["banner:220", "ehlo!reset"]


def test_two_at_a_time_one_to_a_port_and_four_in_all():
    def slow(peer: Peer) -> None:
        pause(0.05)
        peer.talk(tls=False)

    with serving(slow) as one, serving(slow) as two, serving(slow) as three:
        found = dial(*(to(server) for server in (one, two, three) for _ in range(5)))
    assert [server.most for server in (one, two, three)] == [1, 1, 1]
    assert [server.count for server in (one, two, three)] == [4, 4, 4]
    refused = [session for session in found if session.state is State.ERROR]
    assert len(refused) == 3
    assert {session.why for session in refused} == {"not connected to again: 4 connections to a port are the most"}


def test_two_at_a_time_whatever_the_address():
    seen: list[int] = []

    def slow(peer: Peer) -> None:
        seen.append(sum(server.now for server in servers))
        pause(0.1)
        peer.talk(tls=False)

    servers = [Server(slow), Server(slow, host="127.0.0.2"), Server(slow, host="127.0.0.3")]
    try:
        dial(*(to(server) for server in servers))
    finally:
        for server in servers:
            server.close()
    assert max(seen) <= 2


def test_none_after_a_421():
    with serving(lambda peer: peer.say(b"421 4.7.0 too many\r\n")) as server:
        limits = Limits()
        [first, second] = dial(to(server), to(server, purpose=Purpose.NO_NAME), limits=limits)
    assert stages(first) == ["banner:421"]
    assert (second.state, second.why) == (State.ERROR, "not connected to again: it said 421 4.7.0 too many")
    assert server.count == 1


def test_a_silent_port_does_not_hold_up_the_others():
    with serving(lambda peer: peer.until_gone() or None) as silent, serving(Peer.talk) as good:
        began = time.monotonic()
        found = dial(to(silent), *(to(good, port=port) for port in (465, 587)), seconds=0.8)
        assert time.monotonic() - began < 0.8 + 2
    assert stages(found[0]) == ["banner!timeout"]
    assert found[0].steps[0].why == "no banner before the end"


def test_the_deadline_ends_a_handshake_and_the_wait_for_a_turn():
    with serving(lambda peer: peer.until_gone() or None) as silent:
        began = time.monotonic()
        first, second = dial(to(silent, port=465), to(silent, port=465), seconds=0.5)
        assert time.monotonic() - began < 0.5 + 2
    assert stages(first) == ["tls!timeout"]
    assert second.state is State.TIMEOUT
    assert "did not get its turn before the end" in second.why


def test_an_interruption_closes_the_socket():
    gone: list[bool] = []
    with serving(lambda peer: gone.append(peer.until_gone())) as server:

        async def main() -> None:
            live = Live(ANCHORS, deadline=time.monotonic() + 30, words="")
            task = asyncio.create_task(live.session(to(server)))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(main())
        assert server.gone.wait(5)
    assert gone == [True]


def test_the_watcher_is_told():
    told: list[str] = []
    with serving(Peer.talk) as server:

        async def main() -> None:
            await Live(ANCHORS, deadline=time.monotonic() + 9, words="", watch=told.append).session(to(server))

        asyncio.run(main())
    assert told[:2] == ["mail.example.com port 25: connect", "mail.example.com port 25: banner"]


def test_a_flood_inside_tls_ends():
    def flood(peer: Peer) -> None:
        peer.wrap()
        while True:
            peer.say(b"220-x\r\n" * 1000)

    with serving(flood) as server:
        [session] = dial(to(server, port=465))
    assert stages(session)[-1] == "banner!too-long"


def test_start_up_stays_lean():
    code = (
        "import sys, deliverkit.smtp.dialog, deliverkit.smtp.sasl\n"
        "print([m for m in ('asyncio', 'ssl', 'socket', 'cryptography', 'OpenSSL', 'scramp') if m in sys.modules])\n"
        "import deliverkit.smtp.live\n"
        "print([m for m in ('cryptography', 'OpenSSL', 'scramp', 'idna') if m in sys.modules])\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert found.stdout == "[]\n[]\n"
