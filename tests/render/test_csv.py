"""CSV: as a strict reader and a spreadsheet take it."""

from __future__ import annotations

import csv
import io

import pytest
from hostile_reports import EVIL, REPORTS, VIEWS, accepted, finding, report_of, target, unclear
from hypothesis import given

from deliverkit.render.csv import HEADER, cell, render
from deliverkit.render.formats import View
from deliverkit.report.document import Location

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def read(made: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(made, newline=""), strict=True))


@given(REPORTS, VIEWS)
def test_every_row_has_every_cell_and_none_is_a_formula(report, view):
    rows = list(csv.reader(io.StringIO(render(report, view), newline=""), strict=True))
    assert rows[0] == list(HEADER)
    told = sum(
        len(each.findings) + len(each.inconclusive) + len(each.suppressed) + (each.error is not None)
        for each in report.targets
    )
    assert len(rows) == told + 1
    assert {len(row) for row in rows} == {len(HEADER)}
    assert [text for row in rows for text in row if text.lstrip().startswith(FORMULAS)] == []


@given(REPORTS, VIEWS)
def test_one_row_a_line_and_every_line_ends_in_crlf(report, view):
    made = render(report, view)
    lines = made.split("\r\n")
    assert lines.pop() == ""
    assert not any("\n" in line or "\r" in line for line in lines)
    assert len(lines) == len(list(csv.reader(lines)))


@pytest.mark.parametrize("text", EVIL)
def test_a_cell_keeps_no_line_and_begins_as_text(text: str):
    made = cell(text)
    assert not made.lstrip().startswith(FORMULAS)
    assert "\n" not in made


def test_what_a_spreadsheet_would_calculate_begins_with_an_apostrophe():
    assert cell("=1+1") == "'=1+1"
    assert cell("-all") == "'-all"
    assert cell("v=spf1 -all") == "v=spf1 -all"


def test_the_columns():
    place = Location(path="zones/example.com.zone", line=12, column=5)
    found = finding(location=place, evidence=("v=spf1 a", 'say "so"'), fix="One,\ntwo")
    (row,) = read(render(report_of(target("example.com", found)), View()))
    assert row == {
        "target": "example.com",
        "status": "fail",
        "severity": "error",
        "rule": "spf-missing",
        "area": "spf",
        "subject": "example.com",
        "message": "no SPF record",
        "path": "zones/example.com.zone",
        "line": "12",
        "column": "5",
        "who": "dns-admin",
        "fix": "One, | two",
        "evidence": 'v=spf1 a | say "so"',
        "references": "RFC 7208 §4.5",
        "fingerprint": "00112233445566778899",
        "part_of": "",
        "suppressed_by": "",
    }


def test_what_is_undetermined_and_what_was_accepted_have_rows():
    made = render(report_of(target(inconclusive=(unclear(),), suppressed=(accepted("ignore"),))), View())
    assert [(row["status"], row["rule"], row["suppressed_by"]) for row in read(made)] == [
        ("suppressed", "spf-missing", "ignore"),
        ("inconclusive", "dmarc-missing", ""),
    ]
