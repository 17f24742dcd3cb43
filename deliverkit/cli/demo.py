"""`deliverkit demo`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

from typer import Option

from deliverkit.cli import terminal
from deliverkit.cli.declare import application
from deliverkit.cli.options import Colour


def demo(
    *,
    output_dir: Annotated[
        Path | None, Option("--output-dir", metavar="DIR", help="Leave the tour's report in this directory.")
    ] = None,
    color: Annotated[Colour, Option("--color", metavar="WHEN", help="auto, always or never.")] = Colour.AUTO,
    debug: Annotated[bool, Option("--debug", help="Show the traceback of a bug.")] = False,
) -> int:
    """A tour through the embedded world, on loopback."""
    del debug  # read from the command line where a bug is met
    tour = importlib.import_module("deliverkit.runs.demo")
    return int(tour.demo(output_dir, look=terminal.look(color.value), write=terminal.write))


app = application(demo, name="demo")
