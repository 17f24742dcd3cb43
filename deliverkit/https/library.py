"""httpx, without what comes with it and is not needed to ask one question: its command line, and HTTP/2.

Both take longer to import than all the rest of it. HTTP/2 is not lost to whoever wants it later in the same process
(DNS over HTTPS does): httpcore imports it anew for the first connection that speaks it.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Final

_LEFT_OUT: Final = ("httpx._main", "h2")
"""`httpx` and `httpcore` do without these where they cannot be imported."""


def load() -> ModuleType:
    """The module httpx."""
    if "httpx" in sys.modules:
        return sys.modules["httpx"]
    vacant = [name for name in _LEFT_OUT if name not in sys.modules]
    for name in vacant:
        sys.modules[name] = None  # type: ignore[assignment] # which is how an import is told that there is none
    try:
        import httpx  # noqa: PLC0415 - slow to import, and few runs fetch anything
    finally:
        for name in vacant:
            sys.modules.pop(name, None)
    return httpx
