"""`deliverkit lab`."""

from __future__ import annotations

import importlib
from typing import Annotated

from typer import Option

from deliverkit.cli import terminal
from deliverkit.cli.declare import application


def lab(*, debug: Annotated[bool, Option("--debug", help="Show the traceback of a bug.")] = False) -> int:
    """Serve the embedded world on loopback until interrupted."""
    del debug  # read from the command line where a bug is met
    world = importlib.import_module("deliverkit.runs.lab")
    return int(world.serve(write=terminal.write))


app = application(lab, name="lab")
