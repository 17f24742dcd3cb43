"""The mail and web servers of a world, each on a port of its own of 127.0.0.1."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from deliverkit.lab.channel import MOST, WHOLE, Channel
from deliverkit.lab.mail import MailServer
from deliverkit.lab.web import WebServer
from deliverkit.world.mailbox import Mailroom
from deliverkit.world.section import HttpsSection
from deliverkit.world.text import WorldText

LOOPBACK: Final = "127.0.0.1"
"""The only address the lab ever listens on."""
Talk = Callable[[Channel], Awaitable[None]]


@asynccontextmanager
async def mail_and_web(text: WorldText, room: Mailroom, now: float) -> AsyncIterator[tuple[str, ...]]:
    """Serves every section until left. Yields the words of `--connect-to` that lead there.

    Certificates are those of a world whose time is `now`. Raises OSError where no port can be had.
    """
    listening: list[asyncio.Server | socket.socket] = []
    house = _House()
    words: list[str] = []
    try:
        for (host, port), talk in (await asyncio.to_thread(_talks, text, room, now)).items():
            made: asyncio.Server | socket.socket
            if talk is None:
                made = _closed()
                bound = made.getsockname()[1]
            else:
                made = await asyncio.start_server(house.serve(talk), LOOPBACK, 0)
                bound = made.sockets[0].getsockname()[1]
            listening.append(made)
            words.append(f"{f'[{host}]' if ':' in host else host}:{port}:{LOOPBACK}:{bound}")
        if words:
            # Everything else leads to a port where nobody listens: nothing leaves the machine.
            listening.append(nobody := _closed())
            words.append(f"::{LOOPBACK}:{nobody.getsockname()[1]}")
        yield tuple(words)
    finally:
        for each in listening:
            each.close()
        house.close()
        # One turn of the loop, in which the transports close.
        await asyncio.sleep(0)


def _closed() -> socket.socket:
    """A port that is held and refuses everybody."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.bind((LOOPBACK, 0))
    return made


class _House:
    """Counts who is in, and puts everybody out at the end."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def serve(self, talk: Talk) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        """What `asyncio.start_server` calls for each connection."""

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if len(self._tasks) >= MOST:
                writer.transport.abort()
                return
            task = asyncio.ensure_future(self._one(talk, Channel(reader, writer)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return connected

    async def _one(self, talk: Talk, channel: Channel) -> None:
        try:
            with contextlib.suppress(OSError, ssl.SSLError, EOFError):
                async with asyncio.timeout(WHOLE):
                    await talk(channel)
        finally:
            await channel.close()

    def close(self) -> None:
        """Ends all that is under way."""
        for task in tuple(self._tasks):
            task.cancel()


def _talks(text: WorldText, room: Mailroom, now: float) -> dict[tuple[str, int], Talk | None]:
    """How each endpoint talks; None: it refuses connections."""
    found: dict[tuple[str, int], Talk | None] = {}
    for section in text.smtp:
        refused = section.faults.get("CONNECT") in ("refused", "unreachable")
        found[section.host, section.port] = None if refused else MailServer(section, room, now)
    sites: dict[tuple[str, int], list[HttpsSection]] = {}
    for page in text.https:
        sites.setdefault((page.host, page.port), []).append(page)
    for where, pages in sites.items():
        found[where] = None if pages[0].fault == "refused" else WebServer(pages, now)
    return found
