"""A world on 127.0.0.1: its name server over UDP and TCP, its mail and web servers on ports of their own."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from deliverkit.lab.answerer import Answerer
from deliverkit.lab.house import LOOPBACK, mail_and_web
from deliverkit.world import read_world
from deliverkit.world.certificate import pem, root
from deliverkit.world.mailbox import Mailroom
from deliverkit.world.world import zone_of

_TRIES: Final = 64
_IDLE: Final = 10.0
_CONNECTIONS: Final = 256


class Serving(msgspec.Struct, frozen=True):
    """A world that answers. `asked` counts the questions by name and type, `room` holds the mail that was accepted."""

    port: int
    asked: collections.Counter[tuple[str, str]]
    connect_to: tuple[str, ...] = ()
    """Words for `--connect-to`, the last of which leads everything else to a closed port; empty: no server but DNS."""
    ca: bytes = b""
    """The CA's certificate as `--ca-file` takes it (PEM)."""
    room: Mailroom = msgspec.field(default_factory=Mailroom)

    @property
    def resolver(self) -> str:
        """The server as `--resolver` takes it."""
        return f"{LOOPBACK}#{self.port}"


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answerer: Answerer, latency: float) -> None:
        self.answerer = answerer
        self.latency = latency
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        response = self.answerer.answer(data, datagram=True)
        if response is None:
            return
        if self.latency:
            asyncio.get_running_loop().call_later(self.latency, self.transport.sendto, response, addr)
        else:
            self.transport.sendto(response, addr)


@asynccontextmanager
async def serving(text: str, *, port: int = 0, latency: float = 0.0) -> AsyncIterator[Serving]:
    """Answers from the world `text` until left; `port` 0 takes a free one. That is DNS's: the others are free ones.

    `latency` in seconds stands between each question and its answer. Raises `ZoneError` or `WorldError` where
    the text is no world, OSError where the port cannot be had.
    """
    asked: collections.Counter[tuple[str, str]] = collections.Counter()
    now = time.time()
    world = read_world(text)
    room = Mailroom()
    answerer = Answerer(await asyncio.to_thread(zone_of, world, now), asked=asked)
    open_streams: set[asyncio.StreamWriter] = set()

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_streams.add(writer)
        try:
            if len(open_streams) <= _CONNECTIONS:
                await _converse(answerer, latency, reader, writer)
        finally:
            open_streams.discard(writer)
            writer.close()

    datagrams, streams, bound = await _listen(lambda: _Datagrams(answerer, latency), stream, port)
    try:
        async with mail_and_web(world, room, now) as connect_to:
            ca = pem(root(now)) if connect_to else b""
            yield Serving(bound, asked, connect_to, ca, room)
    finally:
        datagrams.close()
        streams.close()
        for writer in tuple(open_streams):
            writer.close()
        # One turn of the loop, in which the transports close.
        await asyncio.sleep(0)


async def _converse(
    answerer: Answerer, latency: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answers the questions of one connection in turn (RFC 7766 §6.2.1) until it is idle or silent."""
    with contextlib.suppress(OSError, EOFError, TimeoutError):
        while True:
            async with asyncio.timeout(_IDLE):
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                query = await reader.readexactly(length)
            response = answerer.answer(query, datagram=False)
            if response is None:
                return
            await asyncio.sleep(latency)
            writer.write(struct.pack("!H", len(response)) + response)
            await writer.drain()


async def _listen(protocol: Any, stream: Any, port: int) -> tuple[asyncio.DatagramTransport, asyncio.Server, int]:
    """Both sockets on one port: a free one is free for UDP and TCP alike only by luck."""
    loop = asyncio.get_running_loop()
    for attempt in range(_TRIES):
        streams = await asyncio.start_server(stream, LOOPBACK, port)
        bound: int = streams.sockets[0].getsockname()[1]
        try:
            datagrams, _ = await loop.create_datagram_endpoint(protocol, local_addr=(LOOPBACK, bound))
        except OSError:
            streams.close()
            if port or attempt == _TRIES - 1:
                raise
        else:
            return datagrams, streams, bound
    raise OSError("no port is free for UDP and TCP alike")
