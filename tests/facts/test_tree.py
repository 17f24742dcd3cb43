"""The walk finds the fact types that an annotation names, as typing would."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

import pytest

from deliverkit.facts import Fact, Gap, subjects
from deliverkit.facts.domain import DomainFacts
from deliverkit.facts.tree import _mentions
from deliverkit.model import Absent, Answer, Found, Unknown


def kinds(kind: type[Fact] = Fact) -> Iterator[type[Fact]]:
    for below in kind.__subclasses__():
        yield below
        yield from kinds(below)


def named(hint: Any) -> frozenset[type[Fact]]:
    if isinstance(hint, type) and issubclass(hint, Fact):
        return frozenset({hint})
    return frozenset().union(*(named(part) for part in typing.get_args(hint)))


class Leaf(Fact):
    pass


class Rare(Fact):
    pass


Either = Leaf | Rare


class Stem(Fact):
    leaves: Answer[tuple[Leaf, ...]]


class Branch(Stem):
    name: str = "Leaf"
    either: Answer[Either | None] = Absent("none")


@pytest.mark.parametrize("kind", [DomainFacts, *sorted(kinds(), key=lambda kind: kind.__qualname__)])
def test_annotations_are_read_as_typing_reads_them(kind: type[Fact]):
    hints = typing.get_type_hints(kind)
    wanted = {field: named(hints[field]) for field in kind.__struct_fields__ if named(hints[field])}
    assert dict(_mentions(kind)) == wanted


def test_what_was_not_answered_is_a_gap_of_every_type_it_could_have_held():
    tree = Branch(leaves=Found((Leaf(),)), either=Unknown("SERVFAIL"))
    assert list(subjects(tree)) == [tree, Leaf(), Gap(frozenset({Leaf, Rare}), "SERVFAIL")]
