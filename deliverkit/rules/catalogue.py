"""Finds the rules: every `Rule` that a module of this room declares."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from deliverkit import rules
from deliverkit.model import Rule

_NOT_RULES = frozenset({"catalogue", "declare"})


def collect(topic: str = "") -> Iterator[Rule]:
    """Every rule of every module whose name begins with `topic`, each once. Raises ValueError where two share an id."""
    seen: dict[str, str] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(rules.__path__)):
        if module in _NOT_RULES or not module.startswith(topic):
            continue
        for value in vars(importlib.import_module(f"{rules.__name__}.{module}")).values():
            if not isinstance(value, Rule):
                continue
            if value.id in seen:
                raise ValueError(f"{value.id} is declared in {seen[value.id]} and in {module}")
            seen[value.id] = module
            yield value
