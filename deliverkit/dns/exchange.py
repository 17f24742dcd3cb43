"""One question to one server, over UDP with retransmission and over TCP.

A datagram that goes unanswered is sent again after a second, then after two more, then TCP is
tried beside the third; a truncated datagram is thrown away and asked over TCP. What arrives and does not
belong to the question is ignored while the true answer may still come (RFC 5452 §9.1). Every question
has a socket, hence a source port, of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
import struct
import time
from typing import Final, Protocol

import msgspec

from deliverkit.dns.message import MalformedError, Query, Reply, belongs, read_reply
from deliverkit.model import Note

PORT: Final = 53
PATIENCE: Final = 7.0
"""Seconds one server gets for one question."""
TCP_PATIENCE: Final = 4.0
_FIRST_WAIT: Final = 1.0
_SECOND_WAIT: Final = 2.0
_GRACE: Final = 0.25
"""Seconds more for the true answer once an unreadable one came."""
_STRAY_LIMIT: Final = 64
_MAX_MESSAGE: Final = 65_535


class NoReplyError(Exception):
    """No usable answer. `head` and `tail` stand around "from SERVER for NAME TYPE"."""

    def __init__(self, head: str, tail: str = "", *, notes: tuple[Note, ...] = (), attempts: int = 1) -> None:
        super().__init__(head + tail)
        self.head = head
        self.tail = tail
        self.notes = notes
        self.attempts = attempts

    def why(self, server: str, asked: str) -> str:
        """The phrase that names question and server."""
        return f"{self.head} from {server} for {asked}{self.tail}"


class Answered(msgspec.Struct, frozen=True):
    """A reply, and how it came."""

    reply: Reply
    over: str
    """`udp`, `tcp`, `tls` or `https`."""
    notes: tuple[Note, ...] = ()
    attempts: int = 1


class Exchange(Protocol):
    """A way to one server."""

    server: str
    """As lookups name it: `127.0.0.1#5353`, a URL."""

    async def ask(self, query: Query, until: float) -> Answered:
        """The answer, by `until` (monotonic seconds). Raises `NoReplyError`."""
        ...

    async def close(self) -> None:
        """Ends what is kept open."""
        ...


def reason(error: BaseException) -> str:
    """A failed connection in words."""
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        return "no answer in time"
    if isinstance(error, (asyncio.IncompleteReadError, EOFError)):
        return "the connection was closed"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    if isinstance(error, OSError) and error.errno and error.strerror:
        # asyncio's own words hold the address, which stands elsewhere already.
        words = os.strerror(error.errno) if error.errno in errno.errorcode else error.strerror
        return words[:1].lower() + words[1:]
    return str(error) or type(error).__name__


class Plain:
    """UDP, and TCP where UDP does not do."""

    def __init__(self, address: str, port: int = PORT) -> None:
        self.server = address if port == PORT else f"{address}#{port}"
        self._address = address
        self._port = port
        self._family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._bursts = asyncio.Semaphore(96)
        self._sockets = asyncio.Semaphore(256)

    async def ask(self, query: Query, until: float) -> Answered:
        """UDP first, TCP on truncation, on silence, and on an answer nobody can read."""
        async with self._sockets:
            return await _Question(self._address, self._port, self._family, query, until).ask(self._bursts)

    async def close(self) -> None:
        """Nothing is kept open."""


class _Question:
    """The state of one question: its socket, what came, and how often it was asked."""

    def __init__(self, address: str, port: int, family: int, query: Query, until: float) -> None:
        self.target = (address, port)
        self.family = family
        self.query = query
        self.until = min(until, time.monotonic() + PATIENCE)
        self.attempts = 0
        self.strays = 0
        self.malformed = False
        self.refused: OSError | None = None
        self.deaf = False

    async def ask(self, bursts: asyncio.Semaphore) -> Answered:
        sock: socket.socket | None = None
        try:
            try:
                sock = socket.socket(self.family, socket.SOCK_DGRAM)
                sock.setblocking(False)
                sock.connect(self.target)
            except OSError as error:
                raise NoReplyError("no answer", f": {reason(error)}", attempts=1) from error
            left = self.until - time.monotonic()
            async with bursts:
                reply = await self._try(sock, min(_FIRST_WAIT, left * 0.3))
            if reply is None and not self.deaf:
                reply = await self._try(sock, min(_SECOND_WAIT, left * 0.3))
            if reply is not None and reply.truncated:
                return await self._after_truncation(sock)
            if reply is not None:
                return self._answered(reply, "udp")
            return await self._both(sock)
        finally:
            if sock is not None:
                sock.close()

    async def _try(self, sock: socket.socket, wait: float) -> Reply | None:
        """Sends, and waits for the true answer; None where it did not come."""
        loop = asyncio.get_running_loop()
        self.attempts += 1
        end = min(time.monotonic() + wait, self.until)
        try:
            sock.send(self.query.wire)
            while True:
                async with asyncio.timeout(max(0.0, end - time.monotonic())):
                    wire = await loop.sock_recv(sock, _MAX_MESSAGE)
                if belongs(wire, self.query):
                    try:
                        return read_reply(wire, self.query)
                    except MalformedError:
                        self.malformed = True
                elif self._unreadable(wire):
                    self.malformed = True
                self.strays += 1
                if self.malformed:
                    end = min(end, time.monotonic() + _GRACE)
                if self.strays >= _STRAY_LIMIT:
                    return None
        except TimeoutError:
            self.deaf = self.malformed
        except OSError as error:
            self.refused, self.deaf = error, True
        return None

    async def _late(self, sock: socket.socket) -> Reply | None:
        """A whole answer that came behind a truncated one, which then was not the server's."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            async with asyncio.timeout(_GRACE):
                for _ in range(_STRAY_LIMIT):
                    wire = await loop.sock_recv(sock, _MAX_MESSAGE)
                    with contextlib.suppress(MalformedError):
                        if belongs(wire, self.query) and not (reply := read_reply(wire, self.query)).truncated:
                            return reply
        return None

    def _unreadable(self, wire: bytes) -> bool:
        """Whether a datagram bears the question's id and yet is no message at all."""
        return wire[:2] == struct.pack("!H", self.query.id) and len(wire) < 12 + len(self.query.question)

    def _answered(self, reply: Reply, over: str, *more: Note) -> Answered:
        notes = list(more)
        if self.attempts > 1 and over == "udp":
            notes.append(Note.RETRIED)
        if self.strays:
            notes.append(Note.SPOOFED)
        return Answered(reply, over, tuple(notes), self.attempts)

    async def _after_truncation(self, sock: socket.socket) -> Answered:
        try:
            reply = await self._tcp()
        except (OSError, EOFError, MalformedError) as error:
            if (late := await self._late(sock)) is not None:
                return self._answered(late, "udp", Note.SPOOFED)
            raise NoReplyError(
                "a truncated answer", f", and TCP failed: {reason(error)}", attempts=self.attempts
            ) from error
        return self._answered(reply, "tcp", Note.TCP_FALLBACK)

    async def _both(self, sock: socket.socket) -> Answered:
        """The last try: UDP once more, unless it is known to be of no use, and TCP beside it."""
        tcp = asyncio.create_task(self._tcp())
        udp = asyncio.create_task(self._try(sock, PATIENCE)) if not self.deaf else None
        try:
            waiting = {task for task in (tcp, udp) if task is not None}
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if udp is not None and udp in done and (reply := udp.result()) is not None:
                    return await self._after_truncation(sock) if reply.truncated else self._answered(reply, "udp")
                if tcp in done and tcp.exception() is None:
                    return self._answered(tcp.result(), "tcp", *(() if self.malformed else (Note.TCP_ONLY,)))
        finally:
            for task in (tcp, udp):
                if task is not None:
                    task.cancel()
        failure = tcp.exception()
        if self.malformed or isinstance(failure, MalformedError):
            raise NoReplyError("a malformed answer", notes=(Note.MALFORMED,), attempts=self.attempts)
        asked = f"asked {self.attempts} times" if self.attempts > 1 else "asked once"
        words = reason(self.refused) if self.refused else asked
        if self.strays:
            raise NoReplyError(
                "no answer that matches",
                f" ({asked}; {self.strays} that did not)",
                notes=(Note.SPOOFED,),
                attempts=self.attempts,
            )
        raise NoReplyError(
            "no answer", f" ({words}; TCP: {reason(failure)})" if failure else f" ({words})", attempts=self.attempts
        )

    async def _tcp(self) -> Reply:
        end = min(self.until, time.monotonic() + TCP_PATIENCE)
        async with asyncio.timeout(max(0.0, end - time.monotonic())):
            reader, writer = await asyncio.open_connection(*self.target, limit=_MAX_MESSAGE + 2)
            try:
                writer.write(struct.pack("!H", len(self.query.wire)) + self.query.wire)
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                wire = await reader.readexactly(length)
            finally:
                writer.transport.abort()
        if not belongs(wire, self.query):
            raise MalformedError("an answer to another question")
        reply = read_reply(wire, self.query)
        if reply.truncated:
            raise MalformedError("truncated again")
        return reply
