"""Fetching over a real socket: one server on loopback a test, each with its own way to misbehave."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import time
from collections.abc import Awaitable, Callable

import pytest

from deliverkit.https.live import LiveFetcher
from deliverkit.model import Fetch, FetchOutcome, Request
from deliverkit.tls.verify import Anchors
from deliverkit.world.certificate import certificate, root
from deliverkit.world.section import CertificateWish

HOST = "mta-sts.example.com"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def said(*octets: bytes, wait: float = 0.0, every: float = 0.0) -> Serve:
    """A server that answers with these octets, once it was asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in octets:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(every)
        await asyncio.sleep(wait)

    return serve


def ok(body: bytes, *fields: bytes) -> bytes:
    head = [b"HTTP/1.1 200 OK", b"Content-Type: text/plain", b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def context(wish: CertificateWish | None = None) -> ssl.SSLContext:
    made = certificate(wish or CertificateWish(names=(HOST,)), time.time())
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made.file)
    return server


def fetched(serve: Serve, tls: ssl.SSLContext | None, *, seconds: float = 5.0, deadline: float = 10.0) -> Fetch:
    async def run() -> Fetch:
        async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await serve(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(guarded, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        anchors = Anchors(extra=(root().leaf,), system=False)
        fetcher = LiveFetcher(anchors, deadline=time.monotonic() + deadline, words="within the time of this domain")
        request = Request(host=HOST, path="/.well-known/mta-sts.txt", address="127.0.0.1", port=port, seconds=seconds)
        try:
            return await fetcher.fetch(request)
        finally:
            server.close()

    return asyncio.run(run())
