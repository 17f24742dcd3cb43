"""`deliverkit lab`."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from deliverkit.cli import terminal
from deliverkit.cli.colour import Colour
from deliverkit.cli.declare import application
from deliverkit.cli.errors import UsageError
from deliverkit.runs import lab as runs
from deliverkit.runs.options import RunError


def lab(
    *,
    port: Annotated[
        int | None, Option("--port", metavar="PORT", help="Serve on this port; 0 takes a free one. [default: 5354]")
    ] = None,
    color: Annotated[Colour, Option("--color", metavar="WHEN", help="auto, always or never.")] = Colour.AUTO,
    debug: Annotated[bool, Option("--debug", help="Show the traceback of a bug.")] = False,
) -> int:
    """Serve the embedded world on loopback until interrupted."""
    del debug  # read from the command line where a bug is met
    try:
        return runs.serve(write=terminal.write, look=terminal.look(color.value), port=port)
    except RunError as error:
        raise UsageError(str(error)) from error


app = application(lab, name="lab")
