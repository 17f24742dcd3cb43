"""A TCP connection that can go over to TLS, by memory buffers: every octet and every certificate is seen."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
import time
from typing import Final

from deliverkit.model import Handshake
from deliverkit.tls.peer import AsksClient, client_context, established, failed, reason
from deliverkit.tls.verify import Anchors

_CHUNK: Final = 16_384
_HANDSHAKE_OCTETS: Final = 262_144
_IDLE_OCTETS: Final = 262_144
"""Octets of TLS that may come without a word inside: keys updated, tickets, empty records."""


class Wire:
    """A TCP connection that can go over to TLS. A `Line`."""

    def __init__(self, made: socket.socket, anchors: Anchors) -> None:
        self._socket = made
        self._anchors = anchors
        self._loop = asyncio.get_running_loop()
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._first = b""
        self._fault: OSError | None = None
        self._torn = False
        self.ours = _ours(made)
        self.ended = False

    async def send(self, octets: bytes) -> None:
        """Sends all of it. Raises OSError; where it is cancelled, nothing more can be sent."""
        if self._tls is not None:
            self._tls.write(octets)
            octets = self._outgoing.read()
        try:
            await self._loop.sock_sendall(self._socket, octets)
        except BaseException:
            self._torn = True
            raise

    async def receive(self) -> bytes:
        """What comes next, b"" at the end. Raises OSError."""
        if self._fault is not None:
            raise self._fault
        idle = 0
        while True:
            octets = self._decrypted()
            if octets is not None:
                return octets
            await self._flush()
            raw = await self._loop.sock_recv(self._socket, _CHUNK)
            if self._tls is None:
                return raw
            idle += len(raw)
            if idle > _IDLE_OCTETS:
                raise OSError(errno.EPROTO, "TLS without end that holds nothing")
            if raw:
                self._incoming.write(raw)
            else:
                self._incoming.write_eof()
            await asyncio.sleep(0)  # so that a deadline can end this, however fast it comes

    async def _flush(self) -> None:
        """Sends what TLS itself has to say: the answer to a request for new keys."""
        if self._outgoing.pending:
            await self._loop.sock_sendall(self._socket, self._outgoing.read())

    def _decrypted(self) -> bytes | None:
        """Octets that can be read now; None: more has to come; b"": the end."""
        if self._tls is None:
            return None
        try:
            return self._tls.read(_CHUNK)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        except ssl.SSLError as error:
            raise OSError(errno.EPROTO, reason(error)) from error

    def waiting(self) -> bytes:
        """What has come already; a fault that it met is raised by the next `receive`."""
        found = bytearray()
        try:
            raw = self._socket.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            raw = None
        except OSError as error:
            self._fault, self.ended = error, True
            return b""
        if self._tls is None:
            self.ended = self.ended or raw == b""
            return raw or b""
        if raw:
            self._incoming.write(raw)
        elif raw is not None:
            self._incoming.write_eof()
        try:
            octets = self._decrypted()
            while octets:
                found += octets
                octets = self._decrypted() if len(found) < _CHUNK else None
            self.ended = self.ended or octets == b""
        except OSError as error:
            self._fault, self.ended = error, True
        return bytes(found)

    async def start_tls(self, name: str, version: str) -> Handshake:
        """Goes over to TLS; the certificate is judged afterwards."""
        began = time.monotonic()
        watch = AsksClient()
        try:
            made = client_context(version, watch=watch).wrap_bio(
                self._incoming, self._outgoing, server_hostname=name or None
            )
        except (ssl.SSLError, ValueError) as error:
            return failed(name, reason(error))
        try:
            await self._shake(made)
        except (OSError, ssl.SSLError, EOFError) as error:
            words = "the server closed the connection in the middle of it" if isinstance(error, EOFError) else None
            words = words or reason(error)
            with contextlib.suppress(OSError):
                await self._flush()  # the alert that says so
            return failed(name, words, seen=self._first, asked=watch.asked, elapsed_ms=_ms(began))
        self._tls = made
        try:
            return await asyncio.to_thread(established, made, name, self._anchors, watch=watch, elapsed_ms=_ms(began))
        except (ssl.SSLError, ValueError) as error:
            return failed(name, reason(error), elapsed_ms=_ms(began))

    async def _shake(self, made: ssl.SSLObject) -> None:
        count = 0
        while True:
            try:
                made.do_handshake()
            except ssl.SSLWantReadError:
                pass
            else:
                await self._flush()
                return
            with contextlib.suppress(ConnectionError):  # an alert may wait to be read all the same
                await self._flush()
            raw = await self._loop.sock_recv(self._socket, _CHUNK)
            if not raw:
                raise EOFError
            self._first = self._first or raw
            count += len(raw)
            if count > _HANDSHAKE_OCTETS:
                raise OSError(errno.EMSGSIZE, "a handshake of more than 256 KiB")
            self._incoming.write(raw)
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Ends it; a TLS close is said where it can be without waiting."""
        with contextlib.suppress(OSError, ssl.SSLError, ValueError):
            if self._tls is not None and not self._torn:
                with contextlib.suppress(ssl.SSLWantReadError):
                    self._tls.unwrap()
                self._socket.send(self._outgoing.read())
        self._socket.close()


def _ms(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 2)


def _ours(made: socket.socket) -> str:
    try:
        return str(made.getsockname()[0])
    except OSError:
        return ""
