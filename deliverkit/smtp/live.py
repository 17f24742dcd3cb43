"""Connections to mail servers: the only ones, opened within limits.

At most two connections to a host at a time, one to a port, four to a port in all, none after a 421.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from msgspec.structs import replace

from deliverkit.model import Call, Mode, Session, State
from deliverkit.records.names import address_literal
from deliverkit.smtp.acts import CLOSING, Dialog
from deliverkit.smtp.dialog import dialog_of
from deliverkit.smtp.driver import Event, Tell, converse
from deliverkit.smtp.line import Limit
from deliverkit.smtp.reply import parse
from deliverkit.smtp.secret import Secret
from deliverkit.smtp.wire import Wire
from deliverkit.tls.verify import Anchors

CONNECT: Final = 10.0
"""Seconds for a connection."""
AT_ONCE: Final = 2
MOST: Final = 4
_GRACE: Final = 0.05

Watch = Callable[[str], None]
"""Called with a line of words as a session comes to each of its steps: `mail.example.com port 25: banner`."""


class Limits:
    """How often and how much at a time each host is connected to, over a whole run.

    A host is told by its name and by its address: two names of one machine share its room.
    """

    def __init__(self) -> None:
        self._hosts: dict[str, asyncio.Semaphore] = {}
        self._ports: dict[tuple[str, int], asyncio.Lock] = {}
        self._opened: dict[tuple[str, int], int] = {}
        self._closing: dict[tuple[str, int], str] = {}

    @asynccontextmanager
    async def room(self, call: Call) -> AsyncIterator[str | None]:
        """Waits for a place; yields why there is none, None where there is."""
        key = (call.address, call.dial_port)
        # Always in this order, so that no two wait for each other.
        port = self._ports.setdefault(key, asyncio.Lock())
        name = self._hosts.setdefault(f"name {call.host.lower().removesuffix('.')}", asyncio.Semaphore(AT_ONCE))
        machine = self._hosts.setdefault(f"address {call.address}", asyncio.Semaphore(AT_ONCE))
        async with port, name, machine:
            if key in self._closing:
                yield f"not connected to again: it said {self._closing[key]}"
                return
            if self._opened.get(key, 0) >= MOST:
                yield f"not connected to again: {MOST} connections to a port are the most"
                return
            self._opened[key] = self._opened.get(key, 0) + 1
            yield None

    def saw(self, session: Session) -> None:
        """Remembers a 421: whoever says it wants to be left alone."""
        for step in session.steps:
            reply = parse(step.reply) if step.reply.startswith(b"4") else None
            if reply is not None and reply.code == CLOSING:
                self._closing[session.call.address, session.call.dial_port] = reply.shown


class Live:
    """Opens sessions. A `Dialler`.

    `deadline` on the clock of `time.monotonic` ends them all; `words` says whose it is.
    """

    def __init__(
        self,
        anchors: Anchors,
        *,
        deadline: float,
        words: str,
        limits: Limits | None = None,
        secret: Secret | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._anchors = anchors
        self._limit = Limit(deadline, words)
        self._limits = limits or Limits()
        self._secret = secret
        self._watch = watch
        self._prepared = False

    async def session(
        self, call: Call, script: Callable[[str], Dialog] | None = None, tell: Tell | None = None
    ) -> Session:
        """One conversation as it went; waits for its place among the connections to the host.

        `script` gives the dialog in place of the call's own, and is given what EHLO says. `tell` hears each line as
        it is said.
        """
        try:
            async with asyncio.timeout(max(self._limit.at - time.monotonic(), 0.0)), self._limits.room(call) as why:
                if why is not None:
                    return Session(call=call, state=State.ERROR, why=why)
                if self._limit.at - time.monotonic() > _GRACE:
                    return await self._opened(call, script, tell)
        except TimeoutError:
            pass
        where = f"{call.address} port {call.dial_port}"
        return Session(call=call, state=State.TIMEOUT, why=f"{where} did not get its turn {self._limit.words}")

    async def _opened(self, call: Call, script: Callable[[str], Dialog] | None, tell: Tell | None) -> Session:
        began = time.monotonic()
        where = f"{call.host} port {call.port}"
        if self._watch is not None:
            self._watch(f"{where}: connect")
        made = await self._connected(call)
        connect_ms = round((time.monotonic() - began) * 1000, 2)
        if tell is not None:
            place = f"{call.host} ({call.address}) port {call.dial_port}"
            words = made.why if isinstance(made, Session) else f"connected to {place}"
            tell(Event(at_ms=connect_ms, direction="note", tls=False, stage="connect", text=words.encode()))
        if isinstance(made, Session):
            return made
        self._prepare(call)
        line = Wire(made, self._anchors)
        watch = None if self._watch is None else _told(self._watch, where)
        try:
            hello = call.helo or address_literal(line.ours)
            dialog = dialog_of(call, hello, self._secret) if script is None else script(hello)
            # The session's own end comes a little before the deadline around it, so that what was seen is kept.
            limit = Limit(self._limit.at - _GRACE, self._limit.words)
            session = await converse(
                call,
                dialog,
                line,
                limit,
                secret=self._secret,
                began=began,
                watch=watch,
                tell=tell,
            )
        finally:
            await line.close()
        self._limits.saw(session)
        return replace(session, connect_ms=connect_ms)

    def _prepare(self, call: Call) -> None:
        """Loads what judges certificates while the server is waited for: it is slow, and nearly always needed."""
        if not self._prepared and call.mode is not Mode.NONE:
            self._prepared = True
            asyncio.get_running_loop().run_in_executor(None, self._anchors.prepare)

    async def _connected(self, call: Call) -> socket.socket | Session:
        family = socket.AF_INET6 if ipaddress.ip_address(call.address).version == 6 else socket.AF_INET  # noqa: PLR2004
        where = f"{call.address} port {call.dial_port}"
        left = self._limit.at - _GRACE - time.monotonic()
        try:
            made = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # no IPv6 here, or no descriptor left
            return _unconnected(call, where, error)
        try:
            made.setblocking(False)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if call.source_address is not None:
                made.bind((call.source_address, 0))
            async with asyncio.timeout(min(CONNECT, max(left, 0.0))):
                await asyncio.get_running_loop().sock_connect(made, (call.address, call.dial_port))
        except TimeoutError:
            made.close()
            words = f"within {CONNECT:g} s" if left >= CONNECT else self._limit.words
            return Session(call=call, state=State.TIMEOUT, why=f"no connection to {where} {words}")
        except OSError as error:
            made.close()
            return _unconnected(call, where, error)
        except BaseException:
            made.close()
            raise
        return made


def _told(watch: Watch, where: str) -> Watch:
    return lambda stage: watch(f"{where}: {stage}")


def _unconnected(call: Call, where: str, error: OSError) -> Session:
    # The event loop puts words of its own in strerror; a failed look-up of an address has no errno of the system's.
    said = (os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)).lower()
    return Session(call=call, state=_state(error), why=f"no connection to {where}: {said}")


def _state(error: OSError) -> State:
    match error.errno:
        case errno.ECONNREFUSED | errno.ECONNRESET:
            return State.REFUSED
        case errno.ETIMEDOUT:
            return State.TIMEOUT
        case errno.ENETUNREACH | errno.EHOSTUNREACH | errno.EHOSTDOWN | errno.ENETDOWN | errno.EACCES | errno.EPERM:
            return State.UNREACHABLE
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            return State.UNREACHABLE
    return State.ERROR
