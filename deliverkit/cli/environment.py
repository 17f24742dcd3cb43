"""What came from the environment: a flag wins over it, and what is wrong with it is told of the variable.

Typer keeps where each value of a command came from; nothing else has to know.
"""

from __future__ import annotations

import re
from typing import Any, Final

_EXCLUSIVE: Final = (
    ("offline", "resolver"),
    ("ipv4", "ipv6"),
    ("config", "no_config"),
    ("evidence", "save_evidence"),
    ("password_env", "password_file"),
)
"""Options that are refused together: of two, the one that was typed stands."""
_OPTION: Final = re.compile(r"(?<![\w-])--?[A-Za-z0-9][a-z0-9-]*")


def prefer_typed(context: Any) -> None:
    """Forgets what the environment says where an option that excludes it was typed."""
    for pair in _EXCLUSIVE:
        for one, other in (pair, pair[::-1]):
            if _source(context, one) == "COMMANDLINE" and _source(context, other) == "ENVIRONMENT":
                value = context.params[other]
                context.params[other] = [] if isinstance(value, list) else False if isinstance(value, bool) else None


def renamed(message: str, context: Any) -> str:
    """A message about options, each that was set by its variable named as that: `DELIVERKIT_FAIL_ON`."""
    names = {
        option: parameter.envvar
        for parameter in context.command.get_params(context)
        if parameter.name is not None and _source(context, parameter.name) == "ENVIRONMENT"
        for option in parameter.opts
    }
    return _OPTION.sub(lambda found: str(names.get(found[0], found[0])), message)


def _source(context: Any, name: str) -> str:
    source = context.get_parameter_source(name)
    return "" if source is None else str(source.name)
