"""Fetching over a real socket: one server on loopback a test, each with its own way to misbehave."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from deliverkit.https.live import LiveFetcher
from deliverkit.model import Fetch, FetchOutcome, Request
from deliverkit.tls.verify import Anchors
from deliverkit.world.certificate import certificate, pem, root
from deliverkit.world.section import CertificateWish

HOST = "mta-sts.example.com"
NOW = time.time()
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def said(*octets: bytes, every: float = 0.0, wait: float = 0.0) -> Serve:
    """A server that answers with these octets, once it was asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in octets:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(every)
        await asyncio.sleep(wait)

    return serve


def ok(body: bytes, *fields: bytes, status: bytes = b"200 OK") -> bytes:
    head = [b"HTTP/1.1 " + status, b"Content-Type: text/plain", b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def context(wish: CertificateWish | None = None) -> ssl.SSLContext:
    made = certificate(wish or CertificateWish(names=(HOST,)), NOW)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "server.pem"
        path.write_bytes(made.key_pem + pem(*made.sent))
        server.load_cert_chain(path)
    return server


def fetched(
    serve: Serve, wish: CertificateWish | None = None, *, clear: bool = False, seconds: float = 5.0, left: float = 20.0
) -> Fetch:
    async def run() -> Fetch:
        held: set[asyncio.Task[None]] = set()

        async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                held.add(task)
            try:
                await serve(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(guarded, "127.0.0.1", 0, ssl=None if clear else context(wish))
        port = server.sockets[0].getsockname()[1]
        anchors = Anchors(extra=(root(NOW),), system=False)
        fetcher = LiveFetcher(anchors, deadline=time.monotonic() + left, words="within the time of this domain")
        try:
            return await fetcher.fetch(
                Request(host=HOST, path="/.well-known/mta-sts.txt", address="127.0.0.1", port=port, seconds=seconds)
            )
        finally:
            server.close()
            for task in held:
                task.cancel()
            await asyncio.gather(*held, return_exceptions=True)

    return asyncio.run(run())


def test_a_document_comes_whole():
    fetch = fetched(said(ok(b"version: STSv1\n")))
    assert (fetch.outcome, fetch.status, fetch.body) == (FetchOutcome.ANSWERED, 200, b"version: STSv1\n")
    assert fetch.media_type == "text/plain"
    assert fetch.handshake is not None
    assert (fetch.handshake.trusted, fetch.handshake.name) == (True, HOST)


def test_it_asks_as_a_sender_does_and_for_nothing_compressed():
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(ok(b""))
        await writer.drain()

    fetched(serve)
    lines = heard[0].lower().split(b"\r\n")
    assert lines[0] == b"get /.well-known/mta-sts.txt http/1.1"
    assert b"host: mta-sts.example.com" in lines
    assert b"accept-encoding: identity" in lines


@pytest.mark.parametrize(
    "wish",
    [
        CertificateWish(names=("www.example.com",)),
        CertificateWish(names=(HOST,), issuer="self"),
        CertificateWish(names=(HOST,), days=-1),
        CertificateWish(names=(HOST,), issuer="unknown"),
    ],
)
def test_nothing_is_asked_of_a_server_that_is_not_trusted(wish: CertificateWish):
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100))

    fetch = fetched(serve, wish)
    assert fetch.outcome is FetchOutcome.UNTRUSTED
    assert fetch.handshake is not None
    assert fetch.handshake.chain
    assert not b"".join(heard)


def test_a_redirect_stands_as_it_came():
    fetch = fetched(said(ok(b"", b"Location: http://169.254.169.254/", status=b"302 Found")))
    assert (fetch.outcome, fetch.status, fetch.location) == (FetchOutcome.ANSWERED, 302, "http://169.254.169.254/")


def test_a_body_over_the_limit_is_cut():
    fetch = fetched(said(ok(b"a" * 70_000)))
    assert fetch.outcome is FetchOutcome.TOO_LARGE
    assert len(fetch.body) == 65_536


def test_a_bomb_is_not_unpacked():
    fetch = fetched(said(ok(gzip.compress(b"a" * 5_000_000), b"Content-Encoding: gzip")))
    assert fetch.outcome is FetchOutcome.BROKEN
    assert fetch.body == b""


@pytest.mark.parametrize("octets", [b"220 mail ESMTP\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 300_000])
def test_what_is_no_http_is_said_to_be_none(octets: bytes):
    assert fetched(said(octets)).outcome is FetchOutcome.BROKEN


def test_a_connection_that_is_cut_tells_nothing():
    fetch = fetched(said(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"))
    assert fetch.outcome is FetchOutcome.UNKNOWN
    assert fetch.why.endswith(" closed the connection before the answer was whole")


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n" + ok(b"version: STSv1\n"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-TYPE: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"9\r\nversion: \r\n6\r\nSTSv1\n\r\n0\r\n\r\n"
        ),
        b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nversion: STSv1\n",
    ],
    ids=["interim", "chunked", "until closed"],
)
def test_a_body_ends_where_its_framing_says(octets: bytes):
    fetch = fetched(said(octets))
    assert (fetch.outcome, fetch.status, fetch.body) == (FetchOutcome.ANSWERED, 200, b"version: STSv1\n")
    assert fetch.media_type == "text/plain"


def test_a_switch_to_another_protocol_that_nobody_offered_is_no_answer():
    assert fetched(said(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")).outcome is FetchOutcome.BROKEN


@pytest.mark.parametrize(
    "serve",
    [
        said(b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 100, every=0.05),
        said(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *[b"a"] * 100, every=0.05),
        said(wait=30),
    ],
    ids=["headers", "body", "silence"],
)
def test_the_end_is_absolute_however_it_drips(serve: Serve):
    began = time.monotonic()
    fetch = fetched(serve, seconds=0.6)
    assert fetch.outcome is FetchOutcome.UNKNOWN
    assert "within 0.6 s" in fetch.why
    assert time.monotonic() - began < 3


def test_the_deadline_of_the_domain_ends_it_too():
    fetch = fetched(said(wait=30), left=0.5)
    assert fetch.outcome is FetchOutcome.UNKNOWN
    assert "within the time of this domain" in fetch.why


def test_a_page_that_says_no_need_not_end():
    fetch = fetched(said(b"HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n", wait=30), seconds=0.6)
    assert (fetch.outcome, fetch.status) == (FetchOutcome.ANSWERED, 404)


def test_http_in_clear_is_no_tls():
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    assert fetched(serve, clear=True).outcome is FetchOutcome.TLS_FAILED


def test_a_closed_port_is_refused():
    async def run() -> Fetch:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        fetcher = LiveFetcher(Anchors(system=False), deadline=time.monotonic() + 5, words="in time")
        return await fetcher.fetch(Request(host=HOST, path="/", address="127.0.0.1", port=port))

    made = asyncio.run(run())
    assert made.outcome is FetchOutcome.REFUSED
    assert made.why.endswith(" cannot be connected to: connection refused")


def test_a_flood_of_interim_replies_has_an_end():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        while True:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 500)
            await writer.drain()

    began = time.monotonic()
    fetch = fetched(serve, seconds=4)
    assert fetch.outcome in (FetchOutcome.UNKNOWN, FetchOutcome.BROKEN, FetchOutcome.TOO_LARGE)
    assert time.monotonic() - began < 9


def test_a_fetch_does_without_what_is_slow_to_import():
    program = (
        "import deliverkit.https.transport, sys;"
        "print(sorted({'httpcore', 'anyio', 'h2', 'rich', 'httpx._main'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
