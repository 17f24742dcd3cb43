"""`deliverkit demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from deliverkit.cli.declare import application
from deliverkit.cli.options import Painting


def demo(
    *,
    output_dir: Annotated[
        Path | None, Option("--output-dir", metavar="DIR", help="Leave the tour's report in this directory.")
    ] = None,
    painting: Painting,
) -> int:
    """A tour through the embedded world, on loopback."""
    del output_dir, painting
    return 0


app = application(demo, name="demo")
