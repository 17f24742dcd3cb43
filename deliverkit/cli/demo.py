"""`deliverkit demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from typer import Option

from deliverkit.cli import terminal
from deliverkit.cli.colour import Colour
from deliverkit.cli.declare import application
from deliverkit.cli.errors import UsageError
from deliverkit.render.text.sheet import WIDTH
from deliverkit.runs import demo as runs
from deliverkit.runs.options import RunError


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
    look = terminal.look(color.value)
    if look.width == WIDTH:
        look = msgspec.structs.replace(look, wrap=True)
    try:
        return runs.demo(output_dir, look=look, write=terminal.write)
    except RunError as error:
        raise UsageError(str(error)) from error


app = application(demo, name="demo")
