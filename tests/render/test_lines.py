"""Compact and JSON Lines: a line for each thing."""

from __future__ import annotations

import json

from hostile_reports import REPORTS, VIEWS, accepted, finding, report_of, target, unclear
from hypothesis import given

from deliverkit.render import compact, jsonl
from deliverkit.render.entries import told
from deliverkit.render.formats import View
from deliverkit.report.document import Location


def lines(*targets, **more):
    return compact.render(report_of(*targets), View(**more)).splitlines()


def test_a_line():
    place = Location(path="zones/a.zone", line=3, column=9)
    assert lines(target("example.com", finding(location=place), finding(subject="a.example.com"), finding())) == [
        "zones/a.zone:3:9: error spf-missing no SPF record [example.com]",
        "example.com: error spf-missing no SPF record [a.example.com]",
        "example.com: error spf-missing no SPF record",
    ]


def test_a_place_without_a_column_is_at_the_first():
    assert lines(target("example.com", finding(location=Location(path="a", line=3))))[0].startswith("a:3:1: ")


def test_rules_that_one_reason_stops_are_one_line_and_the_worst_names_it():
    stopped = (unclear("tls-rpt-missing", "notice"), unclear("dmarc-missing"), unclear("spf-missing", why="silence"))
    assert lines(target(inconclusive=stopped)) == [
        "example.com: inconclusive dmarc-missing SERVFAIL (and 1 more rule)",
        "example.com: inconclusive spf-missing silence",
    ]


def test_nothing_to_say_is_nothing():
    assert lines(target()) == []


def test_a_bug_is_said():
    assert lines(target(error="ValueError: x")) == [
        "example.com: inconclusive deliverkit not judged to its end, by a bug in deliverkit: ValueError: x"
    ]


def test_what_another_finding_explains_is_left_out_unless_nobody_is_left_to_tell_it():
    head, part = finding("dnssec-bogus"), finding("spf-missing", part_of="dnssec-bogus")
    assert list(told((head, part))) == [head]
    assert list(told((part,))) == [part]
    one, other = finding("spf-missing", part_of="dmarc-missing"), finding("dmarc-missing", part_of="spf-missing")
    assert list(told((one, other))) == [one, other]


@given(REPORTS, VIEWS)
def test_one_line_each(report, view):
    made = compact.render(report, view)
    assert len(made.splitlines()) == made.count("\n")
    assert len(made.splitlines()) >= sum(len(list(told(each.findings))) for each in report.targets)


@given(REPORTS, VIEWS)
def test_each_line_is_an_object_that_says_what_it_is(report, view):
    made = jsonl.render(report, view).split("\n")
    assert made.pop() == ""
    items = [json.loads(line) for line in made]
    assert {item["schema"] for item in items} <= {"deliverkit/target/1", "deliverkit/finding/1"}
    assert [item["target"] for item in items if item["schema"] == jsonl.TARGET] == [
        each.target for each in report.targets
    ]
    findings = [item for item in items if item["schema"] == jsonl.FINDING]
    assert {item["status"] for item in findings} <= {"fail", "suppressed", "inconclusive"}
    assert all({"rule", "area", "severity", "message"} <= set(item) for item in findings)


def test_a_target_comes_before_what_it_met():
    report = report_of(
        target("a.example", finding(), suppressed=(accepted(),)), target("b.example", inconclusive=(unclear(),))
    )
    items = [json.loads(line) for line in jsonl.render(report, View()).splitlines()]
    assert [(item["target"], item.get("status")) for item in items] == [
        ("a.example", None),
        ("a.example", "fail"),
        ("a.example", "suppressed"),
        ("b.example", None),
        ("b.example", "inconclusive"),
    ]
    assert items[0]["verdict"] == "fail"
    assert "findings" not in items[0]
    assert items[1]["fingerprint"] == "00112233445566778899"
    assert items[2]["by"] == "baseline"
