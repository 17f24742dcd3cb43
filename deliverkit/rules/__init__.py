"""Facts to findings: pure functions, one module a topic; no rule knows another."""

from __future__ import annotations

import functools

from deliverkit.model import Rule


@functools.cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by id."""
    from deliverkit.rules import (  # noqa: PLC0415 - a few hundred docstrings: read when asked for
        catalogue,
    )

    return tuple(sorted(catalogue.collect(), key=lambda rule: rule.id))


@functools.cache
def rules_of(topic: str) -> tuple[Rule, ...]:
    """The rules of the modules whose names begin with `topic`, by id; the others are not loaded."""
    from deliverkit.rules import catalogue  # noqa: PLC0415 - as above

    return tuple(sorted(catalogue.collect(topic), key=lambda rule: rule.id))


def find_rule(rule_id: str) -> Rule | None:
    """The rule of this id, None where there is none."""
    return next((rule for rule in all_rules() if rule.id == rule_id), None)
