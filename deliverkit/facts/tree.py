"""The tree's node type, and the walk over it.

The walk is by type: a field may hold a fact, a tuple of facts, or an `Answer` of either. Where the
answer is `Unknown`, every fact type that could have stood there is reported as a `Gap`, so that a
rule about it is inconclusive and not silently without a subject.
"""

from __future__ import annotations

import functools
import re
import sys
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from deliverkit.model.answer import Absent, Found, Unknown

_NAME: Final = re.compile(r"[A-Za-z_]\w*")


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
    return tuple((name, _reachable(mentioned)) for name, mentioned in _mentions(kind))


def _reachable(kinds: frozenset[type[Fact]]) -> frozenset[type[Fact]]:
    seen: set[type[Fact]] = set()
    queue = list(kinds)
    while queue:
        kind = queue.pop()
        if kind not in seen:
            seen.add(kind)
            for _, mentioned in _mentions(kind):
                queue.extend(mentioned)
    return frozenset(seen)


@functools.cache
def _mentions(kind: type[Fact]) -> tuple[tuple[str, frozenset[type[Fact]]], ...]:
    """The fields whose annotations name fact types, each with those.

    Annotations are text here. Of each only its names are looked up, in the module it stands in: having typing evaluate
    hundreds of them takes longer than the rules do.
    """
    found: dict[str, frozenset[type[Fact]]] = {}
    for owner in reversed(kind.__mro__):
        written: dict[str, Any] = vars(owner).get("__annotations__", {})
        if written:
            names = vars(sys.modules[owner.__module__])
            found.update((field, _named(hint, names)) for field, hint in written.items())
    return tuple((field, found[field]) for field in kind.__struct_fields__ if found[field])


def _named(hint: Any, names: Mapping[str, Any]) -> frozenset[type[Fact]]:
    """The fact types in an annotation: as text whose words `names` resolves, or as what such a word stood for."""
    if isinstance(hint, str):
        inner = [names.get(word) for word in _NAME.findall(hint)]
    elif isinstance(hint, type) and issubclass(hint, Fact):
        return frozenset({hint})
    else:
        inner = list(typing.get_args(hint))
    return frozenset().union(*(_named(part, names) for part in inner if not isinstance(part, str)))
