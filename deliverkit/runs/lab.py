"""The lab, served until it is interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

from deliverkit.dns.zonetext import ZoneError
from deliverkit.lab import LOOPBACK, serving, worlds_text
from deliverkit.render.text.sheet import Look, Sheet
from deliverkit.runs.options import RunError

PORT: Final = 5354
"""Taken where it is free; what stands in the documentation."""
_PORTS: Final = 65535


def serve(*, write: Callable[[str], None], look: Look | None = None, port: int | None = None) -> int:
    """Serves on 127.0.0.1 until KeyboardInterrupt, which is the caller's.

    `port` None takes `PORT` where it is free, and 0 always a free one. Raises `RunError` where the port cannot
    be had.
    """
    if port is not None and not 0 <= port <= _PORTS:
        raise RunError(f"--port {port}: expected 0 to {_PORTS}")
    try:
        asyncio.run(_serve(port, look or Look(), write))
    except OSError as error:
        raise RunError(f"port {port} of {LOOPBACK}: {error.strerror or error}") from error
    except ZoneError as error:
        raise RunError(str(error)) from error
    return 0


async def _serve(port: int | None, look: Look, write: Callable[[str], None]) -> None:
    async with AsyncExitStack() as stack:
        if port is None:
            try:
                running = await stack.enter_async_context(serving(worlds_text(), port=PORT))
            except OSError:
                running = await stack.enter_async_context(serving(worlds_text()))
        else:
            running = await stack.enter_async_context(serving(worlds_text(), port=port))
        write(_page(running.resolver, look))
        await asyncio.Event().wait()


def _page(resolver: str, look: Look) -> str:
    sheet = Sheet(look)
    sheet.prose(f"The lab answers on {resolver}, over UDP and TCP. Interrupt it with Ctrl-C. In another terminal, try")
    sheet.blank()
    for words in (
        "check healthy.example --selector s1 --selector s2",
        "check broken.example",
        "check spoofable.example parked.example",
        "spf broken.example",
        "dkim broken.example --selector s1 --selector s2",
        "dmarc broken.example",
    ):
        sheet.line((f"deliverkit {words} --resolver {resolver}", "bold"), indent=2)
    return sheet.render()
