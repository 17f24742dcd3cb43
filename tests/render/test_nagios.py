"""Nagios: one line, performance data that parses, and the plugin's states."""

from __future__ import annotations

import re

import pytest
from hostile_reports import EVIL, REPORTS, VIEWS, finding, report_of, target, unclear
from hypothesis import given

from deliverkit.render.formats import View
from deliverkit.render.nagios import exit_code, render, unknown

WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
DATUM = re.compile(r"(\w+)=([0-9.]+)([a-z%]*);([0-9.:]*);([0-9.:]*);([0-9.]*)")


def data(made: str) -> dict[str, float]:
    _, told = made.rstrip("\n").split("|")
    parts = told.split()
    matches = [DATUM.fullmatch(part) for part in parts]
    assert all(matches)
    return {match[1]: float(match[2]) for match in matches if match}


@given(REPORTS, VIEWS)
def test_one_line_with_data(report, view):
    made = render(report, view)
    assert made.count("\n") == 1
    assert made.count("|") == 1
    assert made.startswith(f"DELIVERKIT {WORDS[exit_code(report, view)]} - ")
    assert set(data(made)) == {"errors", "warnings", "notices", "inconclusive", "passed", "time"}
    assert not set("<>`$&") & set(made)
    assert len(made) < 4096


@pytest.mark.parametrize("text", EVIL)
def test_a_check_that_could_not_be_made(text: str):
    made = unknown(text)
    assert made.startswith("DELIVERKIT UNKNOWN - ")
    assert made.count("\n") == 1
    assert "|" not in made


@pytest.mark.parametrize(
    ("severities", "fail_on", "verdict", "state"),
    [
        ((), "error", "pass", 0),
        (("notice",), "error", "pass", 0),
        (("warning",), "error", "pass", 1),
        (("warning", "error"), "error", "fail", 2),
        (("warning",), "warning", "fail", 1),
        (("notice",), "notice", "fail", 1),
        (("error",), "never", "pass", 0),
        ((), "error", "inconclusive", 3),
        (("warning",), "error", "inconclusive", 3),
        (("error",), "error", "fail", 2),
        ((), "error", "fail", 2),  # --inconclusive fail
    ],
)
def test_states(severities, fail_on, verdict, state):
    report = report_of(
        target("example.com", *[finding(severity=severity) for severity in severities]),
        verdict=verdict,
        exit_code={"pass": 0, "fail": 1, "inconclusive": 3}[verdict],
    )
    assert exit_code(report, View(fail_on=fail_on)) == state


def test_a_bug_is_unknown():
    assert exit_code(report_of(target("example.com", finding(), error="x"), exit_code=4), View()) == 3


def test_the_line():
    report = report_of(target("example.com", finding(), finding(severity="warning", subject="b.example.com")))
    assert render(report, View()) == (
        "DELIVERKIT CRITICAL - example.com: spf-missing: no SPF record; example.com: spf-missing: no SPF record | "
        "errors=1;;0;0 warnings=1;0;;0 notices=0;;;0 inconclusive=0;;;0 passed=2;;;0 time=0.412s;;;0\n"
    )
    assert render(report_of(target("example.com"), verdict="pass", exit_code=0), View()).startswith(
        "DELIVERKIT OK - example.com: 2 rules passed | errors=0;"
    )


def test_unknown_tells_first_what_is_not_known():
    report = report_of(
        target("example.com", finding(severity="warning"), inconclusive=(unclear(),)),
        verdict="inconclusive",
        exit_code=3,
    )
    assert render(report, View()).startswith(
        "DELIVERKIT UNKNOWN - example.com: dmarc-missing not determined: SERVFAIL;"
    )
