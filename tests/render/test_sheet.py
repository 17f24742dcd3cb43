"""The sheet: what is escaped, what wraps, what never does."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.render.text.gather import folded
from deliverkit.render.text.questions import dig
from deliverkit.render.text.sheet import Look, Sheet
from deliverkit.report import FindingReport, QuestionReport

SGR = re.compile(r"\x1b\[[0-9;]*m")


@given(st.text(st.characters(exclude_categories=())), st.booleans(), st.booleans())
def test_only_our_own_colours_reach_the_terminal(text, color, ascii_only):
    sheet = Sheet(Look(color=color, ascii=ascii_only))
    sheet.line(("head", "bold red"), text)
    sheet.prose(text, lead=(text, "green"), indent=2)
    sheet.ends((text,), ((text, "dim"),))
    out = SGR.sub("", sheet.render())
    assert all(char == "\n" or char.isprintable() for char in out)
    assert not ascii_only or out.isascii()


@pytest.mark.parametrize("text", ["::error::x", "  ::set-output name=a::b", "\t::stop-commands::x"])
def test_a_line_that_a_ci_runner_would_obey_is_defused(text):
    sheet = Sheet(Look())
    sheet.line(text, indent=4)
    sheet.line("x ##[error]y")
    for line in sheet.render().splitlines():
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


@pytest.mark.parametrize("text", ["[red]x[/red]", "[/]", "[link=file:///x]y[/link]", "[@click=x]y"])
def test_markup_is_literal(text):
    sheet = Sheet(Look(color=True))
    sheet.line((text, "bold"))
    assert text in sheet.render()


@given(st.integers(40, 200), st.text("ab ", max_size=400))
def test_prose_wraps_and_loses_nothing(width, text):
    sheet = Sheet(Look(width=width))
    sheet.prose(text, indent=2)
    out = sheet.render()
    assert out.split() == text.split()
    words = max(map(len, text.split()), default=0)
    assert all(len(line) <= max(width, words + 2) for line in out.splitlines())


def test_a_record_is_never_wrapped():
    record = "v=spf1 " + "include:a.example " * 40 + "-all"
    for color in (False, True):
        sheet = Sheet(Look(width=80, color=color))
        sheet.line((record, "green"), indent=6)
        assert SGR.sub("", sheet.render()) == f"      {record}\n"


def test_wide_letters_count_twice():
    sheet = Sheet(Look(width=40))
    sheet.ends(("日本語",), ("end",))
    assert sheet.render() == f"日本語{' ' * 31}end\n"


def test_symbols_have_words_in_ascii():
    sheet = Sheet(Look(ascii=True))
    sheet.line("✗ error └ RFC 7208 §4.6.4 … →")
    assert sheet.render() == "x error ` RFC 7208 sec. 4.6.4 ... ->\n"


@pytest.mark.parametrize(
    ("server", "command"),
    [
        ("192.0.2.53", "dig @192.0.2.53 example.com. TXT"),
        ("127.0.0.1#5353", "dig @127.0.0.1 -p 5353 example.com. TXT"),
        ("2001:db8::1", "dig @2001:db8::1 example.com. TXT"),
        ("tls://192.0.2.53", "dig +tls @192.0.2.53 example.com. TXT"),
        ("https://dns.example/dns-query", "dig +https @dns.example example.com. TXT"),
        ("zone example.zone", "dig example.com. TXT"),
        ("$(reboot)", "dig example.com. TXT"),
    ],
)
def test_dig(server, command):
    question = QuestionReport(
        name="example.com", rdtype="TXT", outcome="found", records=(), server=server, elapsed_ms=1
    )
    assert dig(question) == command


def test_a_name_is_quoted_for_the_shell():
    question = QuestionReport(name="$(x);y", rdtype="TXT", outcome="found", records=(), server="", elapsed_ms=1)
    assert dig(question) == "dig '$(x);y.' TXT"


def finding(rule: str, part_of: str | None = None, subject: str = "example.com") -> FindingReport:
    return FindingReport(
        rule=rule, area="mx", severity="error", subject=subject, message="m", evidence=(), fix="f", references=(),
        who="dns-admin", location=None, fingerprint="", part_of=part_of, exhibits=(), change=None,
    )  # fmt: skip


def shape(*findings: FindingReport) -> list[tuple[str, list[str]]]:
    return [(head.rule, [part.rule for part in parts]) for head, parts in folded(findings)]


def test_a_part_stands_under_what_explains_it():
    assert shape(finding("a"), finding("b", "a"), finding("c", "b")) == [("a", ["b", "c"])]


def test_a_part_without_its_whole_stands_by_itself():
    assert shape(finding("b", "a")) == [("b", [])]


def test_a_circle_hides_nothing():
    assert shape(finding("a", "b"), finding("b", "a")) == [("a", []), ("b", [])]


def test_a_part_goes_to_its_own_subject():
    heads = folded([finding("a", subject="x"), finding("a", subject="y"), finding("b", "a", subject="y")])
    assert [(head.subject, len(parts)) for head, parts in heads] == [("x", 0), ("y", 1)]


def test_no_runner_is_commanded_in_the_middle_of_a_line():
    sheet = Sheet(Look())
    sheet.line("a ##vso[task.setvariable variable=PATH]x ##[error]y ## z")
    assert sheet.render() == "a #\\x23vso[task.setvariable variable=PATH]x #\\x23[error]y ## z\n"
