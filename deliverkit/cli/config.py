"""`deliverkit config show`."""

from __future__ import annotations

import os
from typing import Annotated

import msgspec
from typer import Argument

from deliverkit.cli import terminal
from deliverkit.cli.configuring import PREFIX
from deliverkit.cli.declare import application
from deliverkit.cli.errors import UsageError, nearest
from deliverkit.cli.options import Asking, Judging, Painting
from deliverkit.cli.outputs import known_format
from deliverkit.config import Config
from deliverkit.config.shown import settings_of
from deliverkit.model import escaped
from deliverkit.render import json
from deliverkit.render.text import settings as text

_HOW = ("FORMAT", "COLOR", "DEBUG", "CONFIG", "NO_CONFIG")
"""Variables about this command itself."""


def config(
    *,
    action: Annotated[str, Argument(metavar="ACTION", help="show: every value, and where it comes from.")] = "show",
    judging: Judging,
    asking: Asking,
    painting: Painting,
) -> int:
    """Show the configuration: each value, and where it comes from."""
    if action != "show":
        raise UsageError(f"config {escaped(action)}: no such action{nearest(action, ['show'])}; there is show")
    form = known_format(painting.format)
    merged = asking.settings or msgspec.structs.replace(
        Config(),
        fail_on=judging.fail_on.value,
        inconclusive=judging.inconclusive.value,
        resolvers=tuple(asking.resolver) or Config().resolvers,
    )
    overridden = asking.overridden or {}
    variables = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(PREFIX) and name not in overridden.values() and name.removeprefix(PREFIX) not in _HOW
    }
    found = settings_of(merged, overridden, variables)
    terminal.write(json.render(found) if form == "json" else text.render(found, terminal.look(painting.color.value)))
    return 0


app = application(config, name="config")
