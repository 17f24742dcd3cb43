"""Imports what is needed once the answers are there, while they are awaited.

A short run spends more time on imports than on its questions, and waits for the network as long again. So the first
questions go out before rules, report and renderer are loaded, and a thread loads them meanwhile. It only imports:
whoever needs a module imports it himself, waits where the thread is in the middle of it, and meets the error, if any.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import threading
from collections.abc import Iterator

HTTPS = ("deliverkit.https.live", "deliverkit.https.transport")
JUDGING = "deliverkit.runs.judging"
TEXT = "deliverkit.render.text.page"
_SOON = 0.01
"""Seconds until the thread starts: by then the first questions are on their way, which it would have delayed."""


def imported(*modules: str) -> contextlib.AbstractContextManager[None]:
    """Imports these at once: for a run whose steps are timed, which a thread would disturb. Raises what they raise."""
    for module in modules:
        importlib.import_module(module)
    return contextlib.nullcontext()


@contextlib.contextmanager
def importing(*modules: str) -> Iterator[None]:
    """Imports these one after the other, from a moment after this on; none is begun after the end."""
    ended = threading.Event()

    def load() -> None:
        for module in modules:
            if ended.is_set():
                return
            with contextlib.suppress(Exception):
                importlib.import_module(module)

    def start() -> None:
        thread = threading.Thread(target=load, name="deliverkit-imports", daemon=True)
        thread.start()

    timer = asyncio.get_running_loop().call_later(_SOON, start)
    try:
        yield
    finally:
        timer.cancel()
        ended.set()
