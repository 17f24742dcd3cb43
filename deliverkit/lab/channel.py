"""A connection to the lab that can go over to TLS, by memory buffers: plain octets before and behind stay apart."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from typing import Final

CHUNK: Final = 16_384
IDLE: Final = 60.0
"""Seconds without a word after which a connection is dropped."""
WHOLE: Final = 600.0
"""Seconds for all of it."""
MOST: Final = 64
"""Connections to all mail and web servers of the lab at a time."""
_HANDSHAKE: Final = 15.0
_HANDSHAKE_OCTETS: Final = 65_536


class Channel:
    """Reads and writes within the limits. Raises OSError (TimeoutError among them) for what a peer does."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    async def read(self) -> bytes:
        """What comes next, b"" at the end."""
        async with asyncio.timeout(IDLE):
            while self._tls is not None:
                try:
                    return self._tls.read(CHUNK)
                except ssl.SSLWantReadError:
                    raw = await self._reader.read(CHUNK)
                    if not raw:
                        return b""
                    self._incoming.write(raw)
                except ssl.SSLZeroReturnError:
                    return b""
            return await self._reader.read(CHUNK)

    async def write(self, octets: bytes) -> None:
        """Sends all of it, and waits until most is gone."""
        if self._tls is not None:
            self._tls.write(octets)
            octets = self._outgoing.read()
        await self.raw(octets)

    async def raw(self, octets: bytes) -> None:
        """Sends octets as they are."""
        self._writer.write(octets)
        async with asyncio.timeout(IDLE):
            await self._writer.drain()

    async def handshake(self, context: ssl.SSLContext) -> None:
        """The server's side of it."""
        made = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        count = 0
        async with asyncio.timeout(_HANDSHAKE):
            while True:
                try:
                    made.do_handshake()
                except ssl.SSLWantReadError:
                    await self.raw(self._outgoing.read())
                except ssl.SSLError:
                    await self.raw(self._outgoing.read())  # the alert that says why
                    raise
                else:
                    break
                raw = await self._reader.read(CHUNK)
                count += len(raw)
                if not raw or count > _HANDSHAKE_OCTETS:
                    raise ConnectionResetError
                self._incoming.write(raw)
            await self.raw(self._outgoing.read())
        self._tls = made

    async def silence(self) -> None:
        """Says nothing more and reads on, until the peer goes or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE):
                while await self._reader.read(CHUNK):
                    pass

    def reset(self) -> None:
        """Ends it as a crash does."""
        raw = self._writer.get_extra_info("socket")
        if raw is not None:
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def close(self) -> None:
        """Ends it in good order."""
        with contextlib.suppress(OSError, ssl.SSLError):
            if self._tls is not None:
                with contextlib.suppress(ssl.SSLWantReadError):
                    self._tls.unwrap()
                self._writer.write(self._outgoing.read())
        self._writer.close()
