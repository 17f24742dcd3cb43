"""A name server on 127.0.0.1, over UDP and TCP, that answers from a world."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from deliverkit.lab.answerer import Answerer

LOOPBACK: Final = "127.0.0.1"
"""The only address the lab ever listens on."""
_TRIES: Final = 64
_IDLE: Final = 10.0
_CONNECTIONS: Final = 256


class Serving(msgspec.Struct, frozen=True):
    """A server that answers. `asked` counts the questions by name and type."""

    port: int
    asked: collections.Counter[tuple[str, str]]

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
    """Answers from the world `text` until left; `port` 0 takes a free one.

    `latency` in seconds stands between each question and its answer. Raises `ZoneError` where the text is no
    world, OSError where the port cannot be had.
    """
    asked: collections.Counter[tuple[str, str]] = collections.Counter()
    answerer = Answerer(text, asked=asked)
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
        yield Serving(bound, asked)
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
