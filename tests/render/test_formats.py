"""Every format, on every report: nothing that a peer wrote acts, whoever reads it."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hostile_reports import EVIL, VIEWS, finding, report_of, target
from hostile_reports import REPORTS as HOSTILE
from hypothesis import given

from deliverkit.cli.outputs import REPORTS
from deliverkit.render.formats import FORMATS, View, render
from deliverkit.render.markdown.marks import defused

UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
LINES = {"\n", "\r"}
COMMAND = re.compile(r"(?m)^\s*::")


def test_the_command_line_names_what_the_registry_has():
    assert set(REPORTS) == set(FORMATS)
    assert len(REPORTS) == len(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_without_targets_is_a_document(name: str):
    assert isinstance(render(name, report_of(verdict="pass", exit_code=0), View()), str)


@pytest.mark.parametrize("name", FORMATS)
def test_an_ordinary_finding_is_told(name: str):
    made = render(name, report_of(target("example.com", finding("spf-missing"))), View())
    assert "spf-missing" in made
    assert made.endswith("\n")


@given(report=HOSTILE, view=VIEWS)
def test_nothing_acts_on_a_terminal_or_a_runner(report, view):
    for name in FORMATS:
        if name == "text":  # which has its own tests
            continue
        made = render(name, report, view)
        made.encode("utf-8")
        assert not {char for char in made if unicodedata.category(char) in UNSAFE} - LINES, name
        assert "##[" not in made, name
        assert not re.search(r"##[A-Za-z]{1,32}\[", made), name
        if name != "github":  # whose own commands they are
            assert not COMMAND.search(made), name


@pytest.mark.parametrize("text", EVIL)
def test_none_of_the_worst_acts_wherever_it_stands(text: str):
    report = report_of(target(text, finding(subject=text, message=text, fix=text, evidence=(text,)), error=text))
    for name in FORMATS:
        made = render(name, report, View())
        assert not {char for char in made if unicodedata.category(char) in UNSAFE} - LINES, name
        assert not re.search(r"##(\[|[A-Za-z]{1,32}\[)", made), name
        assert name == "github" or not COMMAND.search(made), name


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_renders_the_same_twice(name: str):
    report = report_of(target("example.com", finding("spf-missing"), finding("spf-missing", subject="a.example.com")))
    assert render(name, report, View()) == render(name, report, View())


def test_defusing_is_not_undone_by_a_second_time():
    assert defused(defused("::x")) == defused("::x")


def test_every_format_has_its_place_in_the_documentation():
    page = (Path(__file__).parent.parent.parent / "docs" / "formats.md").read_text()
    assert [name for name in FORMATS if f"\n| `{name}` | " not in page] == []
    sections = set(re.findall(r"(?m)^## (\w+)$", page))
    assert sections >= set(FORMATS) - {"text", "json"}
