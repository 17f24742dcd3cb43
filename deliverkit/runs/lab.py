"""The lab, served until it is interrupted."""

from __future__ import annotations

import asyncio
import shlex
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from deliverkit.dns.zonetext import ZoneError
from deliverkit.lab import LOOPBACK, Serving, serving, worlds_text
from deliverkit.render.text.sheet import Look, Sheet
from deliverkit.runs.options import RunError
from deliverkit.world import PASSWORD, WorldError

PORT: Final = 5354
"""Taken where it is free; what stands in the documentation."""
_PORTS: Final = 65535
COMMANDS: Final = (
    "check healthy.example --selector s1 --selector s2",
    "check broken.example",
    "check spoofable.example parked.example",
    "smtp mail.healthy.example --user alice --password-env DELIVERKIT_LAB_PASSWORD",
    "smtp mail.broken.example",
    "smtp --mx healthy.example",
    "smtp --mx broken.example",
    "spf broken.example",
    "dkim broken.example --selector s1 --selector s2",
    "dmarc broken.example",
    "send --from me@healthy.example --to you@healthy.example",
    "send --from me@healthy.example --to greylist@healthy.example --simulate-schedule postfix",
)
"""What to try: each of them ends, and none leaves the machine."""


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
    except (ZoneError, WorldError) as error:
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
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="deliverkit-lab-")))
        write(_page(running.resolver, pointing(running, folder), look))
        await asyncio.Event().wait()


def pointing(running: Serving, folder: Path) -> Path:
    """Writes the CA, and a file which sets the options of a shell so that all commands go to the lab; the latter."""
    authority = folder / "ca.pem"
    authority.write_bytes(running.ca)
    words = {
        "DELIVERKIT_RESOLVER": running.resolver,
        "DELIVERKIT_CA_FILE": str(authority),
        "DELIVERKIT_CONNECT_TO": " ".join(running.connect_to),
        "DELIVERKIT_LAB_PASSWORD": PASSWORD,
    }
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in words.items()]
    file = folder / "env"
    file.write_text("".join(lines), "utf-8")
    return file


def _page(resolver: str, environment: Path, look: Look) -> str:
    sheet = Sheet(look)
    sheet.prose(f"The lab answers on {resolver}, over UDP and TCP; its mail and web servers on ports of their own.")
    sheet.prose("Interrupt it with Ctrl-C. In another terminal, point the shell at it and try")
    sheet.blank()
    sheet.line((f". {environment}", "bold"), indent=2)
    for words in COMMANDS:
        sheet.line((f"deliverkit {words}", "bold"), indent=2)
    sheet.blank()
    sheet.prose(
        "That file holds --resolver, --ca-file and --connect-to as environment variables: in that shell everything "
        "goes to the lab, and nothing leaves this machine."
    )
    return sheet.render()
