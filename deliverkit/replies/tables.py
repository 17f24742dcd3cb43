"""The tables in `data/`: their schema, and each read once, when it is first needed.

Everything is TOML. A key that the schema does not know is refused, so that a slip of the pen is found by the
tests and not by a reply that is explained wrongly.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable
from importlib import resources
from typing import Any, Final, Literal, TypeVar

import msgspec

from deliverkit.replies.decoded import Who
from deliverkit.replies.phrases import Searched, Words

_DATA: Final = resources.files("deliverkit.replies") / "data"
_MOST_RULES: Final = 500
_T = TypeVar("_T")


class CategoryEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of a category. `now`: what to do about a temporary refusal, where that differs."""

    meaning: str
    cause: str
    action: str
    who: Who
    now: str | None = None
    references: tuple[str, ...] = ()


class DetailEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a refinement of a category says in place of the category's sentences."""

    meaning: str | None = None
    cause: str | None = None
    action: str | None = None
    who: Who | None = None


class CodeEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A basic code in one phase, or an enhanced code. `vague`: text that says anything beats it."""

    category: str
    says: str
    vague: bool = False
    reference: str | None = None
    detail: str | None = None
    who: Who | None = None


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of knowledge: where its conditions hold, the reply is of `category`.

    All conditions that are given must hold: one phrase of `any`, every one of `all`, none of `unless`, a
    basic code of `code`, an enhanced one of `enhanced` (`7.26` whatever the class, `5.7.26`, `5.7.606-649`),
    the class `only`. A `weak` rule comes after all others, a provider's after the common ones. `implies` is the
    class where the reply has no code.
    """

    category: str
    example: str
    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    code: tuple[int, ...] = ()
    enhanced: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()
    only: Literal["temporary", "permanent"] | None = None
    implies: Literal["temporary", "permanent"] | None = None
    weak: bool = False
    detail: str | None = None
    meaning: str | None = None
    cause: str | None = None
    action: str | None = None
    who: Who | None = None
    wait_s: int | None = None
    list: str | None = None
    url: str | None = None


class ProviderEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A provider: how it is told, by the suffix of its hosts' names and by marks in its replies."""

    name: str
    also: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    like: str | None = None
    page: str | None = None
    implies: Literal["temporary", "permanent"] | None = None


class ListEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block list: the phrases it is named by, and where to look an address up."""

    name: str
    marks: tuple[str, ...]
    lookup: str


class RuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of rules, in the order they are tried."""

    rule: tuple[Rule, ...] = ()


class CodeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Basic codes by phase; `seen` holds those that are registered nowhere."""

    phase: dict[str, dict[str, CodeEntry]]
    seen: dict[str, CodeEntry]


class EnhancedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Enhanced codes without their class; `subject` by the second number alone, `seen` those registered nowhere."""

    registered: dict[str, CodeEntry]
    subject: dict[str, str]
    seen: dict[str, CodeEntry]


class CategoryFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sentences of categories and of their refinements."""

    category: dict[str, CategoryEntry]
    detail: dict[str, DetailEntry]


class Rules:
    """Rules in the order in which they are tried; of most a glance at the words tells that they cannot hold."""

    __slots__ = ("_spans", "_words", "rules")

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self._spans = tuple(tuple(_span(written) for written in rule.enhanced) for rule in self.rules)
        self._words = Words((phrase, at) for at, rule in enumerate(self.rules) for phrase in rule.any or ("",))

    def first(self, searched: Searched, code: int | None, enhanced: str | None, stage: str | None) -> Rule | None:
        """The first rule that holds for a reply's folded text and codes; None where none does."""
        candidates = self._words.candidates(searched)
        for at in sorted(candidates):
            rule = self.rules[at]
            if (
                self._fits(at, code, enhanced, stage)
                and any(map(searched.holds, candidates[at]))
                and all(map(searched.holds, rule.all))
                and not any(map(searched.holds, rule.unless))
            ):
                return rule
        return None

    def _fits(self, at: int, code: int | None, enhanced: str | None, stage: str | None) -> bool:
        rule = self.rules[at]
        if rule.code and code not in rule.code:
            return False
        if rule.enhanced and not (enhanced and _within(enhanced, self._spans[at])):
            return False
        if rule.only and rule.only != _class(code, enhanced):
            return False
        return not rule.stage or stage is None or stage in rule.stage


def _class(code: int | None, enhanced: str | None) -> str | None:
    digit = str(code)[0] if code else (enhanced or "")[:1]
    return {"4": "temporary", "5": "permanent"}.get(digit)


def _span(written: str) -> tuple[str, str, int, int]:
    """`5.7.606-649` as class, subject, first and last detail; the class is empty where it is not given."""
    numbers = written.split(".")
    klass = numbers[0] if len(numbers) == 3 else ""  # noqa: PLR2004 - class, subject, detail
    first, _, last = numbers[-1].partition("-")
    return klass, numbers[-2], int(first), int(last or first)


def _within(enhanced: str, spans: tuple[tuple[str, str, int, int], ...]) -> bool:
    klass, subject, detail = enhanced.split(".")
    return any(
        (not wanted or wanted == klass) and wanted_subject == subject and first <= int(detail) <= last
        for wanted, wanted_subject, first, last in spans
    )


def _read(name: str, shape: type[_T]) -> _T:
    loaded: Any = tomllib.loads((_DATA / name).read_text(encoding="utf-8"))
    return msgspec.convert(loaded, shape)


@functools.cache
def categories() -> CategoryFile:
    """The sentences of every category."""
    return _read("categories.toml", CategoryFile)


@functools.cache
def codes() -> CodeFile:
    """Basic codes by phase."""
    return _read("codes.toml", CodeFile)


@functools.cache
def enhanced_codes() -> EnhancedFile:
    """Enhanced codes."""
    return _read("enhanced.toml", EnhancedFile)


@functools.cache
def provider_entries() -> dict[str, ProviderEntry]:
    """Providers by slug."""
    return _read("providers.toml", dict[str, ProviderEntry])


@functools.cache
def block_lists() -> tuple[tuple[ListEntry, ...], Words]:
    """Block lists, the more exactly named first, and their marks."""
    entries = _read("lists.toml", dict[str, tuple[ListEntry, ...]])["list"]
    return entries, Words((mark, at) for at, entry in enumerate(entries) for mark in entry.marks)


@functools.cache
def common_rules() -> tuple[Rules, Rules]:
    """The rules of phrases that many servers use: strong and weak."""
    return _sorted(_read("texts.toml", RuleFile))


@functools.cache
def provider_rules(slug: str) -> tuple[Rules, Rules]:
    """A provider's own rules, strong and weak; none where it has no file. `like` is whose rules come after its own."""
    rules: list[Rule] = []
    name: str | None = slug
    while name and len(rules) < _MOST_RULES:
        if (_DATA / "providers" / f"{name}.toml").is_file():
            rules += _read(f"providers/{name}.toml", RuleFile).rule
        name = provider_entries()[name].like
    return _sorted(RuleFile(rule=tuple(rules)))


def _sorted(file: RuleFile) -> tuple[Rules, Rules]:
    return Rules(rule for rule in file.rule if not rule.weak), Rules(rule for rule in file.rule if rule.weak)
