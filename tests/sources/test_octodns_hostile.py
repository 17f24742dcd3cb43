import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.model import Txt
from deliverkit.sources import read_text

FILE = Path("example.com.yaml")


def test_a_key_written_twice_is_told_and_the_last_one_counts() -> None:
    found = read_text("a:\n  type: A\n  value: 192.0.2.1\n  value: 192.0.2.2\n", FILE)
    assert [(p.place.line, p.place.column) for p in found.problems] == [(4, 3)]
    assert "first in line 3" in found.problems[0].message
    assert [record.text for record in found.records] == ["192.0.2.2"]


def test_an_alias_is_refused_where_it_stands_and_the_rest_is_read() -> None:
    found = read_text("a:\n  type: A\n  value: &x 192.0.2.1\nb:\n  type: A\n  value: *x\n", FILE)
    assert found.problems[0].place.line == 6
    assert "alias" in found.problems[0].message
    assert [record.name for record in found.records] == ["a.example.com"]


def test_a_bomb_of_aliases_costs_nothing() -> None:
    bomb = "a0: &a0 [x, x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    began = time.monotonic()
    assert read_text(bomb, FILE).problems
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!include", "!!binary"])
def test_no_tag_is_obeyed(tag: str) -> None:
    found = read_text(f"a:\n  type: A\n  value: {tag} whoami\n", FILE)
    assert any("is not obeyed" in problem.message for problem in found.problems)
    assert not found.records


@pytest.mark.parametrize(
    "text",
    ["a: [" + "[" * 200_000, "- " * 50_000, "{a: " * 5_000],
)
def test_depth_is_bounded(text: str) -> None:
    found = read_text(text, FILE)
    assert "100 levels" in found.problems[0].message or "nesting depth" in found.problems[0].message
    assert found.problems[0].kind == "unreadable"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a:\n  type: TXT\n  value: "v=DMARC1\\; p=none"\n', 3),
        ("a:\n\ttype: A\n", 2),
        ("a: [1\n", 2),
        ("a:\n  type: A\n  value: 'x\n", 4),
        ("", 1),
        ("a: 1\n---\nb: 2\n", 2),
        ("a: 1\nb: \x00\n", 2),
    ],
)
def test_what_is_no_yaml_is_told_at_its_line(text: str, line: int) -> None:
    problem = read_text(text, FILE).problems[0]
    assert (problem.kind, problem.place.line) == ("unreadable", line)


@given(st.text(max_size=200))
def test_any_text_is_read_or_told(text: str) -> None:
    read_text(text, FILE)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=400))
def test_any_value_comes_back_from_its_presentation_form(value: str) -> None:
    from deliverkit.sources.values import quoted, txt_of, unquoted

    txt = txt_of(value.encode())
    assert unquoted(quoted(txt)) == Txt(txt.strings)
