"""The connection below HTTP: TCP to one address, then TLS by memory buffers, its certificate judged afterwards.

It has no timeouts: whoever bounds the whole request ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
import ssl
import time
from typing import Final

from deliverkit.model import Handshake
from deliverkit.tls.peer import client_context, established, failed, reason
from deliverkit.tls.verify import Anchors

_CHUNK: Final = 16_384
_HANDSHAKE_OCTETS: Final = 262_144
_MOST: Final = 1_048_576
"""Octets of one connection behind the handshake: a body of 64 KiB, headers, and what TLS adds, many times over."""


async def connected(address: str, port: int) -> Stream:
    """A connection to exactly this address; no name is looked up. Raises OSError."""
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET  # noqa: PLR2004
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(made, (address, port))
    except BaseException:
        made.close()
        raise
    return Stream(made)


class Stream:
    """A TCP connection that goes over to TLS once."""

    def __init__(self, made: socket.socket) -> None:
        self._socket = made
        self._loop = asyncio.get_running_loop()
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._first = b""
        self._taken = 0
        self.cut = False
        """The peer closed or reset the connection during the handshake."""
        self.ended = False
        """The peer has closed the connection."""
        self.error: OSError | None = None
        """What broke the connection under a read or a write."""

    async def start_tls(self, name: str, anchors: Anchors) -> Handshake:
        """Goes over to TLS 1.2 or later (RFC 8461 §3.3 by way of RFC 9325 §3.1). Raises `TrustError` alone."""
        began = time.monotonic()
        context = client_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            made = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
            await self._shake(made)
        except (OSError, EOFError, ValueError) as error:
            self.cut = isinstance(error, (EOFError, ConnectionError))
            words = "the server closed the connection in the middle of it" if self.cut else reason(error)
            with contextlib.suppress(OSError):
                await self._loop.sock_sendall(self._socket, self._outgoing.read())  # the alert that says so
            return failed(name, words, seen=self._first, elapsed_ms=_ms(began))
        self._tls = made
        return await asyncio.to_thread(established, made, name, anchors, elapsed_ms=_ms(began))

    async def _shake(self, made: ssl.SSLObject) -> None:
        count = 0
        while True:
            with contextlib.suppress(ssl.SSLWantReadError):
                made.do_handshake()
                await self._loop.sock_sendall(self._socket, self._outgoing.read())
                return
            await self._loop.sock_sendall(self._socket, self._outgoing.read())
            raw = await self._loop.sock_recv(self._socket, _CHUNK)
            if not raw:
                raise EOFError
            self._first = self._first or raw
            count += len(raw)
            if count > _HANDSHAKE_OCTETS:
                raise OSError(errno.EMSGSIZE, "a handshake of more than 256 KiB")
            self._incoming.write(raw)

    @property
    def heard(self) -> bool:
        """Whether the peer said anything during the handshake."""
        return bool(self._first)

    async def spoken(self, octets: bytes) -> bytes:
        """The first five octets that answer these, in clear. Raises OSError."""
        await self._loop.sock_sendall(self._socket, octets)
        return (await self._loop.sock_recv(self._socket, _CHUNK))[:5]

    async def read(self, most: int) -> bytes:
        """What comes next, b"" at the end. Raises OSError."""
        try:
            return await self._read(most)
        except OSError as error:
            self.error = error
            raise

    async def _read(self, most: int) -> bytes:
        if self._tls is None:
            raise OSError(errno.ENOTCONN, "no TLS")
        while True:
            # What waits already is answered at once: without a turn of the loop no deadline would ever be seen.
            await asyncio.sleep(0)
            try:
                octets = self._tls.read(min(most, _CHUNK))
            except ssl.SSLWantReadError:
                pass
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                self.ended = True
                return b""
            except ssl.SSLError as error:
                raise OSError(errno.EPROTO, reason(error)) from error
            else:
                self.ended = self.ended or not octets
                return octets
            await self._flush()  # the answer to a key update, where one came
            raw = await self._loop.sock_recv(self._socket, _CHUNK)
            self._taken += len(raw)
            if self._taken > _MOST:
                raise OSError(errno.EMSGSIZE, f"more than {_MOST // 1024} KiB came")
            if raw:
                self._incoming.write(raw)
            else:
                self._incoming.write_eof()

    async def write(self, octets: bytes) -> None:
        """Sends all of it. Raises OSError."""
        if self._tls is None:
            raise OSError(errno.ENOTCONN, "no TLS")
        try:
            self._tls.write(octets)
            await self._flush()
        except OSError as error:
            self.error = error
            raise

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._loop.sock_sendall(self._socket, self._outgoing.read())

    async def aclose(self) -> None:
        """Ends it; a TLS close is said where it can be without waiting."""
        with contextlib.suppress(OSError, ValueError):
            if self._tls is not None:
                with contextlib.suppress(ssl.SSLWantReadError):
                    self._tls.unwrap()
                self._socket.send(self._outgoing.read())
        self._socket.close()


def _ms(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 2)
