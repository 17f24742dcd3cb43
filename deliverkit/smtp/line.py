"""What a conversation stands on: a connection, and the ends of its waits."""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol

import msgspec

from deliverkit.model import Handshake, Trouble
from deliverkit.smtp.acts import BrokenError
from deliverkit.smtp.reply import Reader

_GLANCE: Final = 0.1
"""Seconds after which a peer that takes nothing more is listened to: it may have said why."""


class Line(Protocol):
    """A connection."""

    ours: str
    """The address of our end."""

    @property
    def ended(self) -> bool:
        """Whether the peer is seen to have gone: what `waiting` gave was the last, or a fault took its place."""
        ...

    async def send(self, octets: bytes) -> None:
        """Sends all of it. Raises OSError."""
        ...

    async def receive(self) -> bytes:
        """What comes next, b"" at the end. Raises OSError."""
        ...

    def waiting(self) -> bytes:
        """What has come already, without waiting; also while something is being sent."""
        ...

    async def start_tls(self, name: str, version: str) -> Handshake:
        """Goes over to TLS. A handshake that fails is a record like any other."""
        ...

    async def close(self) -> None:
        """Ends it."""
        ...


class Limit(msgspec.Struct, frozen=True):
    """The end of a whole session: `at` on the clock of `time.monotonic`, and the words for who set it."""

    at: float
    words: str


async def sent(line: Line, reader: Reader, octets: bytes) -> bool:
    """Sends octets and listens meanwhile. False: the server has spoken, which stands in the reader, or it is gone."""
    sending = asyncio.ensure_future(line.send(octets))
    try:
        while not sending.done():
            await asyncio.wait({sending}, timeout=_GLANCE)
            reader.feed(line.waiting())
            if line.ended or not reader.idle:
                return False
        return sending.exception() is None
    finally:
        if not sending.done():
            sending.cancel()
            await asyncio.wait({sending})
        fault = None if sending.cancelled() else sending.exception()
        if fault is not None and not isinstance(fault, OSError):
            raise fault


def until(seconds: float, what: str, limit: Limit, reader: Reader, named: float = 0.0) -> Until:
    """A wait of `seconds`, or to the session's end. `named`: those to tell, where a part has gone by already."""
    left = limit.at - time.monotonic()
    words = f"{what} within {named or seconds:g} s" if seconds <= left else f"{what} {limit.words}"
    return Until(max(min(seconds, left), 0.0), words, reader)


class Until:
    """A wait with an end; at the end `BrokenError`, with what had come by then."""

    def __init__(self, seconds: float, words: str, reader: Reader) -> None:
        self._words = words
        self._reader = reader
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)  # type: ignore[arg-type]
        except TimeoutError as over:
            seen = self._reader.pending
            words = self._words.replace("no ", "no whole ", 1) if seen else self._words
            raise BrokenError(Trouble.TIMEOUT, words, seen) from over
