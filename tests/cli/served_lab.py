"""The lab in a thread of its own, for tests that call the command line as a user does."""

from __future__ import annotations

import asyncio
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deliverkit.lab import serving
from deliverkit.runs.lab import pointing


@contextmanager
def served(world: str, folder: Path) -> Iterator[dict[str, str]]:
    """The environment that leads a command to the world's servers."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    over = asyncio.Event()
    found: dict[str, str] = {}

    async def serve() -> None:
        async with serving(world) as lab:
            for line in pointing(lab, folder).read_text().splitlines():
                name, _, value = line.removeprefix("export ").partition("=")
                found[name] = shlex.split(value)[0]
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        if not ready.wait(20):
            raise AssertionError("the lab did not start")
        yield found
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(20)
        loop.close()
