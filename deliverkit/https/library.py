"""httpx, without the command line that comes with it: that takes longer to import than all the rest of it."""

from __future__ import annotations

import sys
from types import ModuleType

_COMMAND_LINE = "httpx._main"


def load() -> ModuleType:
    """The module httpx. Its `__init__` does without `_main` where that cannot be imported (httpx without `[cli]`)."""
    if "httpx" in sys.modules:
        return sys.modules["httpx"]
    vacant = _COMMAND_LINE not in sys.modules
    if vacant:
        sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment] # which is how an import is told that there is none
    try:
        import httpx  # noqa: PLC0415 - slow to import, and few runs fetch anything
    finally:
        if vacant:
            sys.modules.pop(_COMMAND_LINE, None)
    return httpx
