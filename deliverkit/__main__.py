"""`deliverkit`, and `python -m deliverkit`."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn

_GARBAGE = 100_000
"""Objects between two collections. A run begins by importing hundreds of modules, which leave no garbage: at Python's
700 the collector walks through them, again and again, for a tenth of the whole run."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    words = sys.argv[1:] if argv is None else argv
    if words == ["--version"] and sys.stdout is not None:
        # Answered before anything is imported: scripts ask it often.
        from deliverkit import __version__  # noqa: PLC0415 - as said

        sys.stdout.write(f"deliverkit {__version__}\n")
        return 0
    from deliverkit.cli.main import main as run  # noqa: PLC0415 - as said

    return run(words)


def process() -> NoReturn:
    """Run the command line of this process, and end it."""
    gc.set_threshold(_GARBAGE)
    code = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # gone, closed, or never there: Python says so in its own way
        sys.exit(code)
    # All is written and every connection closed: taking hundreds of modules apart would only make the user wait.
    os._exit(code)


if __name__ == "__main__":
    process()
