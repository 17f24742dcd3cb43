"""JUnit: as junitparser, Jenkins and GitLab read it."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hostile_reports import REPORTS, VIEWS, accepted, finding, report_of, target, unclear
from hypothesis import given
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from deliverkit.render.formats import View
from deliverkit.render.junit import render
from deliverkit.report.document import Location

TestCase.__test__ = False
TestSuite.__test__ = False


def read(made: str) -> JUnitXml:
    return JUnitXml.fromstring(made.encode())


def cases(made: str) -> dict[str, TestCase]:
    return {case.name: case for suite in read(made) for case in suite}


@given(REPORTS, VIEWS)
def test_it_parses_and_its_numbers_are_right(report, view):
    made = render(report, view)
    parsed = read(made)
    assert len(list(parsed)) == len(report.targets)
    for suite in parsed:
        results = [type(result) for case in suite for result in case.result]
        assert suite.tests == len(list(suite))
        assert suite.failures == results.count(Failure)
        assert suite.errors == results.count(Error)
        assert suite.skipped == results.count(Skipped)
        assert len({case.name for case in suite}) == suite.tests
    assert parsed.failures == sum(suite.failures for suite in parsed)


@given(REPORTS, VIEWS)
def test_no_element_or_attribute_comes_from_a_peer(report, view):
    known = {
        "testsuites": {"name", "time", "tests", "failures", "errors", "skipped"},
        "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
        "testcase": {"classname", "name", "time", "file", "line"},
        "failure": {"message", "type"},
        "error": {"message", "type"},
        "skipped": {"message"},
    }
    for element in ET.fromstring(render(report, view)).iter():
        assert set(element.attrib) <= known[element.tag]


def test_a_case_for_each_rule():
    report = report_of(
        target(
            "example.com",
            finding("spf-missing"),
            inconclusive=(unclear("dmarc-missing", why="SERVFAIL from 192.0.2.53"),),
            suppressed=(accepted(rule="dkim-none-published", area="dkim"),),
        )
    )
    found = cases(render(report, View()))
    assert {name: [type(result) for result in case.result] for name, case in found.items()} == {
        "dane-mismatch": [Skipped],
        "dkim-none-published": [Skipped],
        "dmarc-missing": [Error],
        "mx-is-ip": [],
        "spf-missing": [Failure],
        "spf-no-all": [],
    }
    assert found["spf-missing"].classname == "example.com.spf"
    assert found["dkim-none-published"].result[0].message == "accepted by baseline"
    assert found["dane-mismatch"].result[0].message == "not applicable"
    assert "SERVFAIL from 192.0.2.53" in found["dmarc-missing"].result[0].message


def test_several_findings_of_a_rule_are_one_failure_that_tells_them_all():
    findings = (finding(severity="notice", subject="b.example.com"), finding(subject="a.example.com", evidence=("x",)))
    (failure,) = cases(render(report_of(target("example.com", *findings)), View()))["spf-missing"].result
    assert failure.message == "a.example.com: no SPF record (and 1 more)"
    assert failure.type == "error"
    assert "[b.example.com]" in failure.text
    assert "\n  x\n" in failure.text


def test_a_case_has_the_place_of_its_finding():
    found = finding(location=Location(path="zones/a.zone", line=7))
    case = ET.fromstring(render(report_of(target("example.com", found)), View())).find(".//testcase[@file]")
    assert case is not None
    assert (case.get("file"), case.get("line")) == ("zones/a.zone", "7")


def test_what_xml_cannot_hold_is_not_in_it():
    made = render(report_of(target("example.com", finding(message="a\x00b\x1bc\ufffed]]>"))), View())
    (failure,) = cases(made)["spf-missing"].result
    assert failure.message == "a\\x00b\\x1bc\\ufffed]]>"


def test_a_bug_is_an_error():
    found = cases(render(report_of(target("example.com", error="ValueError: x")), View()))
    assert isinstance(found["deliverkit"].result[0], Error)
