"""A path with a round trip of its own: `python -m benchmarks.path PORT MS` stands before 127.0.0.1:PORT.

Says its port on stdout. Half of the time stands before each octet's arrival, either way; connecting costs nothing
more, for whoever is compared.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    loop = asyncio.get_running_loop()
    due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            at, octets = await due.get()
            await asyncio.sleep(max(0.0, at - loop.time()))
            if not octets:
                writer.close()
                return
            writer.write(octets)
            await writer.drain()

    delivering = asyncio.create_task(deliver())
    with contextlib.suppress(OSError):
        while octets := await reader.read(65_536):
            due.put_nowait((loop.time() + delay, octets))
    due.put_nowait((loop.time() + delay, b""))
    with contextlib.suppress(OSError):
        await delivering


async def stand(port: int, delay: float) -> None:
    """Until cancelled."""

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_carry(reader, back, delay), _carry(there, writer, delay))

    server = await asyncio.start_server(met, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(stand(int(sys.argv[1]), float(sys.argv[2]) / 2000))
