"""The tables in `data/`: each entry is well formed, has its sentences, and decides the reply that is its example."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from typing import get_args

import msgspec
import pytest

from deliverkit.replies import CATEGORIES, STAGES, Who, decode, tables
from deliverkit.replies.judge import judge
from deliverkit.replies.parts import parted
from deliverkit.replies.phrases import compiled, needed
from deliverkit.replies.tables import Rule, RuleFile

DATA = resources.files("deliverkit.replies") / "data"
SLUGS = [slug for slug in tables.provider_entries() if (DATA / "providers" / f"{slug}.toml").is_file()]


def rules_of(name: str) -> tuple[Rule, ...]:
    return msgspec.convert(tomllib.loads((DATA / name).read_text(encoding="utf-8")), RuleFile).rule


COMMON = [(None, rule) for rule in rules_of("texts.toml")]
OWN = [(slug, rule) for slug in SLUGS for rule in rules_of(f"providers/{slug}.toml")]
MARKS = [mark for entry in tables.provider_entries().values() for mark in entry.marks]
LIST_MARKS = [mark for entry in tables.block_lists()[0] for mark in entry.marks]
PHRASES = sorted({p for _, r in COMMON + OWN for p in (*r.any, *r.all, *r.unless)} | {*MARKS, *LIST_MARKS})


@pytest.mark.parametrize(("slug", "rule"), COMMON + OWN, ids=lambda value: getattr(value, "example", value))
def test_a_rule_decides_its_own_example(slug: str | None, rule: Rule) -> None:
    found = judge(parted(rule.example), slug, None).rule
    assert found == rule, f"{rule.example!r} is decided by {found}"


def test_every_file_of_a_provider_is_of_a_provider_that_is_known() -> None:
    files = {entry.name.removesuffix(".toml") for entry in (DATA / "providers").iterdir()}
    assert files == set(SLUGS)


@pytest.mark.parametrize(("slug", "rule"), COMMON + OWN, ids=lambda value: getattr(value, "example", value))
def test_a_rule_names_only_what_there_is(slug: str | None, rule: Rule) -> None:
    assert slug is None or slug in tables.provider_entries()
    assert rule.category in CATEGORIES
    assert rule.any or rule.enhanced or rule.code, "a rule without a condition decides everything"
    assert rule.detail is None or rule.detail in tables.categories().detail
    assert set(rule.stage) <= set(STAGES)


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_is_bounded_and_lower_case(phrase: str) -> None:
    compiled(phrase)
    needed(phrase)
    assert not re.search(r"(?<!\\)[.\])][*+]", phrase), "an endless repetition; write {0,40}"
    assert not re.search(r"\)\{[0-9,]+\}.*\)[*+{]", phrase), "a repetition inside a repetition"
    assert not re.search(r"(?<!\\)[A-Z]", phrase), "replies are searched in lower case"


def test_every_category_has_its_sentences_and_nothing_else_has() -> None:
    file = tables.categories()
    assert set(file.category) == set(CATEGORIES)
    for name, entry in file.category.items():
        for sentence in (entry.meaning, entry.cause, entry.action, entry.now or "Fine."):
            assert sentence[0].isupper(), name
            assert sentence.endswith("."), name
        assert entry.who in get_args(Who)


def test_details_are_used_and_whole() -> None:
    codes = [*tables.enhanced_codes().registered.values(), *tables.enhanced_codes().seen.values()]
    used = {rule.detail for _, rule in COMMON + OWN} | {code.detail for code in codes}
    assert set(tables.categories().detail) == used - {None}


def test_codes_name_categories_that_there_are() -> None:
    file, enhanced = tables.codes(), tables.enhanced_codes()
    tabled = [entry for phase in file.phase.values() for entry in phase.values()]
    for entry in (*tabled, *file.seen.values(), *enhanced.registered.values(), *enhanced.seen.values()):
        assert entry.category in CATEGORIES
        assert entry.says.endswith(".")
    assert set(file.phase) <= {*STAGES, "any", "other"}
    for phase in file.phase.values():
        assert all(entry.reference for entry in phase.values())
    assert all(entry.reference is None for entry in file.seen.values())


def test_a_key_that_the_schema_does_not_know_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="categroy"):
        msgspec.convert({"rule": [{"category": "size", "example": "552 x", "categroy": "size"}]}, RuleFile)


REGISTERED = {
    0: [0], 1: range(11), 2: range(5), 3: range(7), 4: range(8), 5: range(7), 6: range(11), 7: range(31),
}  # fmt: skip
"""The registry of enhanced status codes (IANA, 2024): the details of each subject."""


@pytest.mark.parametrize(
    "code", [f"{subject}.{detail}" for subject, details in REGISTERED.items() for detail in details]
)
def test_every_registered_enhanced_code_is_explained(code: str) -> None:
    decoded = decode(f"550 5.{code} x")
    assert decoded.registered
    assert "not registered" not in decoded.meaning


def test_no_code_is_taken_for_registered_that_is_not() -> None:
    assert set(tables.enhanced_codes().registered) == {f"{s}.{d}" for s, details in REGISTERED.items() for d in details}


RFC_5321 = (
    211, 214, 220, 221, 250, 251, 252, 354, 421, 450, 451, 452, 455,
    500, 501, 502, 503, 504, 550, 551, 552, 553, 554, 555,
)  # fmt: skip
EXTENSIONS = (235, 253, 334, 355, 432, 453, 454, 458, 459, 521, 523, 524, 525, 530, 534, 535, 538, 556)


@pytest.mark.parametrize("code", RFC_5321 + EXTENSIONS)
def test_every_basic_code_is_explained_in_every_stage(code: int) -> None:
    for stage in (None, *STAGES):
        decoded = decode(str(code), stage=stage)
        assert decoded.code == code
        assert decoded.registered
        assert str(code) in decoded.meaning
