"""GitHub: annotations as the runner reads them, and a summary in which nothing is a peer's."""

from __future__ import annotations

import re
from typing import NamedTuple

from hostile_reports import EVIL, REPORTS, VIEWS, finding, report_of, target, unclear
from hypothesis import given
from markdown_it import MarkdownIt

from deliverkit.render.entries import line
from deliverkit.render.formats import View
from deliverkit.render.github import render, summary
from deliverkit.report.document import Location


class Command(NamedTuple):
    """A line as `ActionCommand` of the runner takes it apart."""

    name: str
    properties: dict[str, str]
    data: str


def back(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def command(text: str) -> Command | None:
    text = text.lstrip()
    if not text.startswith("::"):
        return None
    end = text.find("::", 2)
    if end < 0:
        return None
    name, _, given = text[2:end].partition(" ")
    properties = {}
    for one in filter(None, given.strip().split(",")):
        key, equals, value = one.partition("=")
        assert equals
        properties[key] = back(value.replace("%3A", ":").replace("%2C", ","))
    return Command(name, properties, back(text[end + 2 :]))


@given(REPORTS, VIEWS)
def test_every_command_is_one_of_ours(report, view):
    lines = re.split(r"\r\n|\r|\n", render(report, view))
    assert lines.pop() == ""
    commands = [command(each) for each in lines]
    for parsed in filter(None, commands):
        assert parsed.name in {"error", "warning", "notice"}
        assert set(parsed.properties) <= {"file", "line", "col", "title"}
        assert "\r" not in parsed.data
        assert re.search(r"##(?:\[|\w+\[)", parsed.data) is None
    for name in ("error", "warning", "notice"):
        assert sum(parsed is not None and parsed.name == name for parsed in commands) <= 10


def test_a_command_says_where_what_and_how_to_mend_it():
    found = finding(location=Location(path="zones/a,b:c.zone", line=3, column=9), fix="One.\n- a\n+ 100%")
    parsed = command(render(report_of(target("example.com", found)), View()).removesuffix("\n"))
    assert parsed == Command(
        "error",
        {"file": "zones/a,b:c.zone", "line": "3", "col": "9", "title": "spf-missing (example.com)"},
        "no SPF record\nOne.\n- a\n+ 100%",
    )


def test_a_live_finding_has_a_file_only_where_there_is_a_configuration():
    report = report_of(target("example.com", finding()))
    assert "file=" not in render(report, View())
    assert "file=deliverkit.toml,line=4," in render(
        report, View(where=lambda _: Location(path="deliverkit.toml", line=4))
    )


def test_what_any_text_becomes_comes_back():
    for text in EVIL:
        made = render(report_of(target("example.com", finding(message=f"x{text}", fix=""))), View())
        parsed = command(made.removesuffix("\n"))
        assert parsed is not None
        assert parsed.data == line(f"x{text}")
        assert made.count("\n") == 1


def test_ten_of_a_severity_the_rest_as_lines():
    findings = [finding(subject=f"{number}.example.com") for number in range(13)]
    lines = render(report_of(target("example.com", *findings, finding(severity="notice"))), View()).splitlines()
    assert [line[:7] for line in lines[:11]] == ["::error"] * 10 + ["::notic"]
    assert lines[11:] == [
        f"example.com: error spf-missing no SPF record [{number}.example.com]" for number in (10, 11, 12)
    ]


def test_what_is_undetermined_warns():
    made = render(report_of(target(inconclusive=(unclear(), unclear("spf-missing"))), exit_code=3), View())
    assert made == "::warning title=dmarc-missing not determined (example.com)::SERVFAIL (and 1 more rule)\n"


def test_what_another_finding_explains_is_not_told():
    findings = (finding("dnssec-bogus"), finding("spf-missing", part_of="dnssec-bogus"))
    assert render(report_of(target("example.com", *findings)), View()).count("\n") == 1


@given(REPORTS, VIEWS)
def test_the_summary_holds_nothing_but_two_tables(report, view):
    tokens = MarkdownIt("commonmark", {"linkify": False}).enable("table").parse(summary(report, view))
    kinds = {child.type for token in tokens for child in token.children or [token]}
    assert not kinds & {
        "html_inline",
        "html_block",
        "link_open",
        "image",
        "fence",
        "code_block",
        "softbreak",
        "em_open",
    }
    tables = [token for token in tokens if token.type == "table_open"]
    listed = any(each.findings or each.inconclusive or each.error is not None for each in report.targets)
    assert len(tables) == (2 if listed else 1)
    rows = [token for token in tokens if token.type == "tr_open"]
    cells = [token for token in tokens if token.type in {"td_open", "th_open"}]
    assert len(cells) == 5 * (1 + len(report.targets)) + 4 * (len(rows) - 1 - len(report.targets))


def test_a_summary_stays_under_the_limit():
    many = [
        target(f"{number}.example.com", *[finding(subject="é" * 500, message="é" * 5000) for _ in range(5)])
        for number in range(3000)
    ]
    made = summary(report_of(*many), View())
    assert len(made.encode()) < 1024 * 1024
    assert "and 2000 more targets" in made
    assert re.search(r"and \d+ more\n", made)
