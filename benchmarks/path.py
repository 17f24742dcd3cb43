"""A path with a round trip of its own: `python -m benchmarks.path PORT MS` stands before 127.0.0.1:PORT.

Says its port on stdout. Half of the time stands before each octet's arrival, either way; connecting costs nothing
more, for whoever is compared. A line on stdin makes it say how often a client waited since last asked: how often it
said something after something had reached it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable


class Waits:
    """Counts the times that a client waited. `heard`: something reached it since it last spoke."""

    def __init__(self) -> None:
        self.count = 0
        self.heard = False

    def spoke(self) -> None:
        """The client says something."""
        self.count += self.heard
        self.heard = False

    def reached(self) -> None:
        """Something reaches the client."""
        self.heard = True


async def _carry(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    delay: float,
    *,
    read: Callable[[], None] = lambda: None,
    written: Callable[[], None] = lambda: None,
) -> None:
    loop = asyncio.get_running_loop()
    due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            at, octets = await due.get()
            await asyncio.sleep(max(0.0, at - loop.time()))
            if not octets:
                writer.close()
                return
            written()
            writer.write(octets)
            await writer.drain()

    delivering = asyncio.create_task(deliver())
    with contextlib.suppress(OSError):
        while octets := await reader.read(65_536):
            read()
            due.put_nowait((loop.time() + delay, octets))
    due.put_nowait((loop.time() + delay, b""))
    with contextlib.suppress(OSError):
        await delivering


async def stand(port: int, delay: float) -> None:
    """Until stdin ends."""
    waits = Waits()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        waits.heard = False
        await asyncio.gather(
            _carry(reader, back, delay, read=waits.spoke), _carry(there, writer, delay, written=waits.reached)
        )

    server = await asyncio.start_server(met, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(waits.count, flush=True)
        waits.count = 0


if __name__ == "__main__":
    asyncio.run(stand(int(sys.argv[1]), float(sys.argv[2]) / 2000))
