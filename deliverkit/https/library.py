"""httpx, without the command line that comes with it: that takes longer to import than all the rest of it."""

from __future__ import annotations

import importlib
import sys

_COMMAND_LINE = "httpx._main"


def load() -> None:
    """Imports it. Its `__init__` does without `_main` where that cannot be imported (httpx without `[cli]`)."""
    vacant = _COMMAND_LINE not in sys.modules
    if vacant:
        sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment] # which is how an import is told that there is none
    try:
        importlib.import_module("httpx")
    finally:
        if vacant:
            sys.modules.pop(_COMMAND_LINE, None)
