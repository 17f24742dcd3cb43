"""The tree's node type, and the walk over it.

The walk is by type: a field may hold a fact, a tuple of facts, or an `Answer` of either. Where the
answer is `Unknown`, every fact type that could have stood there is reported as a `Gap`, so that a
rule about it is inconclusive and not silently without a subject.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from deliverkit.model.answer import Absent, Found, Unknown


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the evidence tree."""


class Gap(msgspec.Struct, frozen=True):
    """A place where facts of these types might have been, had the question been answered."""

    types: frozenset[type[Fact]]
    why: str


def subjects(root: Fact) -> Iterator[Fact | Gap]:
    """Every fact of the tree, parents first, and every gap."""
    stack: list[Fact | Gap] = [root]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Fact):
            stack.extend(reversed(list(_children(node))))


def _children(node: Fact) -> Iterator[Fact | Gap]:
    for name, reachable in _fields(type(node)):
        yield from _unfold(getattr(node, name), reachable)


def _unfold(value: Any, reachable: frozenset[type[Fact]]) -> Iterator[Fact | Gap]:
    match value:
        case Fact():
            yield value
        case tuple():
            for item in value:
                yield from _unfold(item, reachable)
        case Found(inner):
            yield from _unfold(inner, reachable)
        case Unknown(why):
            yield Gap(reachable, why)
        case Absent() | None:
            return


@functools.cache
def _fields(kind: type[Fact]) -> tuple[tuple[str, frozenset[type[Fact]]], ...]:
    """The fields of a fact type that can hold facts, each with every fact type below it."""
    hints = typing.get_type_hints(kind)
    found: list[tuple[str, frozenset[type[Fact]]]] = []
    for name in kind.__struct_fields__:
        reachable = _reachable(_mentioned(hints[name]))
        if reachable:
            found.append((name, reachable))
    return tuple(found)


def _mentioned(hint: Any) -> frozenset[type[Fact]]:
    if isinstance(hint, type) and issubclass(hint, Fact):
        return frozenset({hint})
    return frozenset().union(*(_mentioned(argument) for argument in typing.get_args(hint)))


def _reachable(kinds: frozenset[type[Fact]]) -> frozenset[type[Fact]]:
    seen: set[type[Fact]] = set()
    queue = list(kinds)
    while queue:
        kind = queue.pop()
        if kind in seen:
            continue
        seen.add(kind)
        hints = typing.get_type_hints(kind)
        for name in kind.__struct_fields__:
            queue.extend(_mentioned(hints[name]))
    return frozenset(seen)
