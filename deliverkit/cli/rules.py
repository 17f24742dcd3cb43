"""`deliverkit rules`."""

from __future__ import annotations

from deliverkit.cli import terminal
from deliverkit.cli.declare import application
from deliverkit.cli.options import Painting
from deliverkit.cli.outputs import known_format
from deliverkit.render import json
from deliverkit.render.text import catalogue
from deliverkit.rules import all_rules


def rules(*, painting: Painting) -> int:
    """List the rules."""
    if known_format(painting.format) == "json":
        terminal.write(json.render([catalogue.listed(rule) for rule in all_rules()]))
    else:
        terminal.write(catalogue.table(all_rules(), terminal.look(painting.color.value)))
    return 0


app = application(rules, name="rules")
