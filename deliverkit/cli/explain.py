"""`deliverkit explain`."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from deliverkit.cli import terminal
from deliverkit.cli.declare import application
from deliverkit.cli.errors import UsageError, nearest
from deliverkit.cli.options import Painting
from deliverkit.cli.outputs import known_format
from deliverkit.model import escaped
from deliverkit.render import json
from deliverkit.render.text import catalogue
from deliverkit.rules import all_rules, find_rule


def explain(
    *, rule: Annotated[str, Argument(metavar="RULE", help="A rule's id, as findings name it.")], painting: Painting
) -> int:
    """Explain one rule: why it matters, how to mend it, examples."""
    form = known_format(painting.format)
    found = find_rule(rule)
    if found is None:
        hint = nearest(rule, [known.id for known in all_rules()])
        raise UsageError(f"no such rule: {escaped(rule)}{hint or '; deliverkit rules lists them'}")
    if form == "json":
        terminal.write(json.render(catalogue.explained(found)))
    else:
        terminal.write(catalogue.page(found, terminal.look(painting.color.value)))
    return 0


app = application(explain, name="explain")
