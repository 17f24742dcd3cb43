"""The lab's mail and web servers, dialled over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from deliverkit.lab import Serving, channel, house, serving
from deliverkit.lab.web import response
from deliverkit.model import Call, Mode, Purpose, Session, State, Trouble
from deliverkit.records.certificate import read_certificate
from deliverkit.smtp.live import Live
from deliverkit.smtp.secret import Secret
from deliverkit.tls.verify import Anchors
from deliverkit.world import World, mailbox, read_world

HOST = "mail.example.com"
ZONE = f"{HOST}. A 192.0.2.25\n"


def place(lab: Serving, port: int) -> int:
    """Where an endpoint is reached, by the words that the lab gives."""
    for word in lab.connect_to:
        _, number, address, dial = word.rsplit(":", 3)
        if number == str(port):
            assert address == "127.0.0.1"
            return int(dial)
    raise LookupError(port)


async def dialled(lab: Serving, folder: Path, port: int, *, password: str = "secret", **words: Any) -> Session:
    authority = folder / "ca.pem"
    authority.write_bytes(lab.ca)
    live = Live(
        Anchors(authority, system=False),
        deadline=time.monotonic() + 20,
        words="within 20 s",
        secret=Secret(password) if "user" in words else None,
    )
    call = {"host": HOST, "address": "127.0.0.1", "port": port, "dial_port": place(lab, port), **words}
    return await live.session(Call(**call))


def session(folder: Path, lines: str = "", port: int = 587, **words: Any) -> Session:
    async def go() -> Session:
        async with serving(f"{ZONE}[smtp {HOST}:{port}]\n{lines}\n") as lab:
            return await dialled(lab, folder, port, **words)

    return asyncio.run(go())


def in_memory(lines: str = "", port: int = 587, **words: Any) -> Session:
    call = Call(**{"host": HOST, "address": "192.0.2.25", "port": port, "dial_port": port, "helo": "a.test", **words})
    return asyncio.run(World(f"{ZONE}[smtp {HOST}:{port}]\n{lines}\n").session(call))


@pytest.mark.parametrize(
    ("lines", "port", "words"),
    [
        ("", 25, {"relay_to": "someone@example.org"}),
        ("", 465, {"user": "alice"}),
        ("", 587, {"user": "alice", "try_mail": True}),
        ("inject 250 injected", 587, {}),
        ("mode clear\noffer AUTH LOGIN", 587, {"user": "alice", "insecure_auth": True}),
        ("on EHLO 502 no\non-tls HELO 421 4.3.2 bye", 25, {}),
        (r"banner 220-\xff\n220 two", 25, {}),
        ("fault EHLO close", 25, {}),
        ("fault STARTTLS reset", 25, {}),
        ("fault TLS close", 25, {}),
        ("fault TLS reset", 465, {}),
        ("fault TLS garbage", 465, {}),
        ("fault BANNER garbage", 25, {}),
        ("certificate days=-3", 465, {}),
        ("certificate issuer=self key=rsa-2048", 465, {}),
        ("certificate send=leaf signature=sha1", 465, {}),
        ("certificate key=rsa-1024", 465, {}),
        ("versions TLSv1.2", 465, {}),
        ("versions TLSv1 TLSv1.1", 465, {}),
    ],
)
def test_a_socket_shows_what_memory_shows(tmp_path: Path, lines: str, port: int, words: dict[str, Any]):
    seen, told = session(tmp_path, lines, port, helo="a.test", **words), in_memory(lines, port, **words)
    assert seen.state is told.state is State.OPEN
    # What a reset takes along of the steps before it is up to the kernel.
    assert [(step.stage, step.said, step.reply, step.tls, step.trouble) for step in seen.steps] == [
        (step.stage, step.said, step.reply, step.tls, step.trouble) for step in told.steps
    ]
    assert (seen.injected, seen.remarks) == (told.injected, told.remarks)
    assert (seen.handshake is None) is (told.handshake is None)
    if seen.handshake is not None and told.handshake is not None:
        for field in ("name", "version", "trusted", "trust_error", "trust_code", "asks_client", "plaintext"):
            assert getattr(seen.handshake, field) == getattr(told.handshake, field), field
        assert len(seen.handshake.chain) == len(told.handshake.chain)
        assert (seen.handshake.error is None) is (told.handshake.error is None)


@pytest.mark.parametrize("mechanism", ["CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "XOAUTH2", "OAUTHBEARER"])
@pytest.mark.parametrize(("password", "login"), [("secret", "accepted"), ("wrong", "refused")])
def test_logins(tmp_path: Path, mechanism: str, password: str, login: str):
    seen = session(tmp_path, f"offer-tls AUTH {mechanism}", user="alice", mechanism=mechanism, password=password)
    assert (seen.remarks["login"], seen.remarks["mechanism"]) == (login, mechanism)


@pytest.mark.parametrize("port", [465, 587])
def test_another_certificate_for_who_names_nobody(tmp_path: Path, port: int):
    names = {}
    for purpose in (Purpose.PROBE, Purpose.NO_NAME):
        made = session(tmp_path, "unnamed names=other.example", port, purpose=purpose).handshake
        assert made is not None
        names[purpose] = read_certificate(made.chain[0]).names
    assert names == {Purpose.PROBE: (HOST,), Purpose.NO_NAME: ("other.example",)}


def test_versions_apart(tmp_path: Path):
    async def go() -> dict[str, bool]:
        found = {}
        async with serving(f"{ZONE}[smtp {HOST}:465]\nversions TLSv1 TLSv1.2\n") as lab:
            for version in ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"):
                made = (await dialled(lab, tmp_path, 465, purpose=Purpose.SCAN, version=version)).handshake
                assert made is not None
                found[version] = made.ok
        return found

    assert asyncio.run(go()) == {"TLSv1": True, "TLSv1.1": False, "TLSv1.2": True, "TLSv1.3": False}


def test_a_client_certificate_is_asked_for(tmp_path: Path):
    made = session(tmp_path, "asks-client\nversions TLSv1.2", 465).handshake
    assert made is not None
    assert (made.ok, made.asks_client) == (True, True)


@pytest.mark.parametrize("kind", ["refused", "unreachable"])
def test_nobody_listens_there(tmp_path: Path, kind: str):
    assert session(tmp_path, f"fault CONNECT {kind}").state is State.REFUSED


def test_everything_else_leads_to_a_closed_port(tmp_path: Path):
    async def go() -> None:
        async with serving(f"{ZONE}[smtp {HOST}:25]\n") as lab:
            assert lab.connect_to[-1].startswith("::127.0.0.1:")
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", int(lab.connect_to[-1].rpartition(":")[2]))

    asyncio.run(go())


def test_a_world_of_names_alone_has_no_servers():
    async def go() -> None:
        async with serving(ZONE) as lab:
            assert (lab.connect_to, lab.ca) == ((), b"")

    asyncio.run(go())


class Client:
    """Lines out, replies in: as simple as can be."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def reply(self) -> str:
        async with asyncio.timeout(10):
            while True:
                line = (await self.reader.readline()).decode()
                if line[3:4] != "-":
                    return line.rstrip("\r\n")

    async def say(self, line: str) -> str:
        self.writer.write(line.encode() + b"\r\n")
        await self.writer.drain()
        return await self.reply()


@contextlib.asynccontextmanager
async def client(lines: str = "", port: int = 25) -> AsyncIterator[tuple[Client, Serving]]:
    async with serving(f"{ZONE}[smtp {HOST}:{port}]\n{lines}\n") as lab:
        reader, writer = await asyncio.open_connection("127.0.0.1", place(lab, port))
        try:
            made = Client(reader, writer)
            assert (await made.reply()).startswith("220")
            yield made, lab
        finally:
            writer.close()


def talk(conversation: Callable[[Client, Serving], Awaitable[None]], lines: str = "") -> None:
    async def go() -> None:
        async with client(lines) as (made, lab):
            await conversation(made, lab)

    asyncio.run(go())


def test_a_message_is_taken_and_kept():
    async def conversation(made: Client, lab: Serving) -> None:
        await made.say("EHLO a.test")
        assert (await made.say("MAIL FROM:<b@c.test> SIZE=10")).startswith("250")
        assert (await made.say("RCPT TO:<anybody@example.com>")).startswith("250")
        assert (await made.say("DATA")).startswith("354")
        assert (await made.say("Subject: x\r\n\r\n..dot\r\nend\r\n.")).startswith("250")
        (message,) = lab.room.messages
        assert (message.sender, message.recipients) == ("b@c.test", ("anybody@example.com",))
        assert message.octets == b"Subject: x\r\n\r\n.dot\r\nend\r\n"
        assert (await made.say("DATA")).startswith("503")

    talk(conversation)


@pytest.mark.parametrize(
    ("local", "code"),
    [
        ("user-unknown", "550 5.1.1"),
        ("mailbox-full", "452 4.2.2"),
        ("over-quota", "552 5.2.2"),
        ("rate-limit", "451 4.7.1"),
        ("blocked", "554 5.7.1"),
        ("blocked+tag", "554 5.7.1"),
        ("greylist", "450 4.2.0"),
        ("anybody", "250 2.1.5"),
    ],
)
def test_mailboxes_with_moods(local: str, code: str):
    async def conversation(made: Client, _: Serving) -> None:
        await made.say("EHLO a.test")
        await made.say("MAIL FROM:<>")
        assert (await made.say(f"RCPT TO:<{local}@example.com>")).startswith(code)

    talk(conversation)


def test_a_greylisted_sender_is_let_in_when_it_comes_again():
    room = mailbox.Mailroom()
    assert room.recipient("a@b.test", "greylist@example.com", 1000.0)
    assert room.recipient("a@b.test", "greylist@example.com", 1000.0 + mailbox.GREYLISTED - 1)
    assert room.recipient("a@b.test", "greylist@example.com", 1000.0 + mailbox.GREYLISTED) is None
    assert room.recipient("c@d.test", "greylist@example.com", 1000.0 + mailbox.GREYLISTED)


def test_a_slow_mailbox_answers_in_the_end(monkeypatch: pytest.MonkeyPatch):
    from deliverkit.lab import mail

    monkeypatch.setattr(mail, "SLOW", 0.3)

    async def conversation(made: Client, _: Serving) -> None:
        await made.say("EHLO a.test")
        await made.say("MAIL FROM:<>")
        began = time.monotonic()
        assert (await made.say("RCPT TO:<slow@example.com>")).startswith("250")
        assert time.monotonic() - began >= 0.3

    talk(conversation)


def test_a_line_without_end_is_cut_off():
    async def conversation(made: Client, _: Serving) -> None:
        made.writer.write(b"A" * 100_000)
        assert (await made.reply()).startswith("500")
        with contextlib.suppress(ConnectionResetError):
            assert await made.reader.read() == b""

    talk(conversation)


def test_nonsense_is_borne_for_a_while():
    async def conversation(made: Client, _: Serving) -> None:
        said = [await made.say("DANCE") for _ in range(21)]
        assert said[0].startswith("500")
        assert said[-1].startswith("421")
        assert await made.reader.read() == b""

    talk(conversation)


def test_a_large_message_costs_no_room():
    async def conversation(made: Client, lab: Serving) -> None:
        await made.say("EHLO a.test")
        await made.say("MAIL FROM:<>")
        await made.say("RCPT TO:<a@example.com>")
        await made.say("DATA")
        chunk = (b"x" * 70 + b"\r\n") * 1000
        for _ in range(20):
            made.writer.write(chunk)
            await made.writer.drain()
        made.writer.write(b"y" * 1_000_000)  # a line longer than any
        assert (await made.say("\r\n.")).startswith("250")
        (message,) = lab.room.messages
        assert len(message.octets) == mailbox.LARGEST
        assert message.size == 20 * len(chunk) + 1_000_000 + 2

    talk(conversation)


def test_more_than_may_come_at_a_time_are_turned_away(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(house, "MOST", 2)

    async def conversation(made: Client, lab: Serving) -> None:
        port = place(lab, 25)
        _, other = await asyncio.open_connection("127.0.0.1", port)
        reader, third = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        assert (await made.say("NOOP")).startswith("250")
        for writer in (other, third):
            writer.close()

    talk(conversation)


def test_the_silent_are_put_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(channel, "IDLE", 0.2)

    async def conversation(made: Client, _: Serving) -> None:
        async with asyncio.timeout(5):
            assert await made.reader.read() == b""

    talk(conversation)


def test_a_handshake_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(channel, "_HANDSHAKE", 0.2)

    async def go() -> None:
        async with serving(f"{ZONE}[smtp {HOST}:465]\n") as lab:
            reader, writer = await asyncio.open_connection("127.0.0.1", place(lab, 465))
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()

    asyncio.run(go())


def test_a_fault_of_silence_is_a_timeout(tmp_path: Path):
    async def go() -> Session:
        async with serving(f"{ZONE}[smtp {HOST}:465]\nfault BANNER timeout\n") as lab:
            authority = tmp_path / "ca.pem"
            authority.write_bytes(lab.ca)
            live = Live(Anchors(authority, system=False), deadline=time.monotonic() + 1.5, words="within 1.5 s")
            return await live.session(
                Call(host=HOST, address="127.0.0.1", port=465, dial_port=place(lab, 465), mode=Mode.AUTO)
            )

    seen = asyncio.run(go())
    assert [step.trouble for step in seen.steps] == [None, Trouble.TIMEOUT]


PAGE = """mta-sts.example.com. A 192.0.2.80
[https mta-sts.example.com]
{lines}
body
  version: STSv1
[https mta-sts.example.com]
path /moved
status 301
location https://www.example.com/
"""


def fetched(folder: Path, lines: str = "", request: bytes = b"GET /.well-known/mta-sts.txt HTTP/1.1\r\n\r\n") -> bytes:
    """The octets of the response, over TLS that is verified."""

    async def go() -> bytes:
        async with serving(PAGE.format(lines=lines)) as lab:
            (folder / "ca.pem").write_bytes(lab.ca)
            context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", place(lab, 443), ssl=context, server_hostname="mta-sts.example.com"
            )
            writer.write(request)
            async with asyncio.timeout(10):
                octets = await reader.read()
            writer.close()
            return octets

    return asyncio.run(go())


def test_a_policy_over_https(tmp_path: Path):
    head, _, body = fetched(tmp_path).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"Content-Type: text/plain\r\n" in head + b"\r\n"
    assert body == b"version: STSv1\r\n"


def test_other_pages_of_the_host(tmp_path: Path):
    assert b"Location: https://www.example.com/" in fetched(tmp_path, request=b"GET /moved HTTP/1.1\r\n\r\n")
    assert fetched(tmp_path, request=b"GET /nowhere HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 404 ")


def test_a_certificate_for_another_name_is_refused(tmp_path: Path):
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        fetched(tmp_path, "certificate names=www.example.com")


def test_faults_of_https(tmp_path: Path):
    assert fetched(tmp_path, "fault garbage") == b"\x00\xff\x13garbage\xfe\r\n"
    with pytest.raises(ssl.SSLError, match=r"(?i)handshake.failure"):
        fetched(tmp_path, "fault tls")
    with pytest.raises(ConnectionRefusedError):
        fetched(tmp_path, "fault refused")
    with pytest.raises(ConnectionResetError):
        fetched(tmp_path, "fault reset")


@pytest.mark.parametrize(
    ("head", "begins"),
    [
        (b"GET /.well-known/mta-sts.txt HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 "),
        (b"HEAD /.well-known/mta-sts.txt HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 "),
        (b"GET /\xff HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 "),
        (b"POST / HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 "),
        (b"\r\n\r\n", b"HTTP/1.1 400 "),
    ],
)
def test_what_is_answered_to_a_request(head: bytes, begins: bytes):
    answer = response(head, list(read_world(PAGE.format(lines="")).https))
    assert answer.startswith(begins)
    assert answer.endswith(b"\r\n\r\n") is (not head.startswith(b"GET"))


def test_only_loopback_is_listened_on():
    async def go() -> None:
        async with serving(f"{ZONE}[smtp {HOST}:25]\n[https {HOST}]\n") as lab:
            for word in lab.connect_to[:-1]:
                with socket.create_connection(("127.0.0.1", int(word.rpartition(":")[2])), 5) as made:
                    assert made.getpeername()[0] == "127.0.0.1"

    asyncio.run(go())
