"""GitLab's Code Quality: exactly its keys, each fingerprint once."""

from __future__ import annotations

import json

from hostile_reports import REPORTS, VIEWS, finding, report_of, target, unclear
from hypothesis import given

from deliverkit.render.formats import View
from deliverkit.render.gitlab import render
from deliverkit.report.document import Location


@given(REPORTS, VIEWS)
def test_exactly_what_gitlab_reads(report, view):
    issues = json.loads(render(report, view))
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert set(issue["location"]) == {"path", "lines"}
        assert issue["location"]["path"]
        assert not issue["location"]["path"].startswith("./")
        assert set(issue["location"]["lines"]) == {"begin"}
        assert issue["location"]["lines"]["begin"] >= 1
        assert issue["description"]
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


def test_nothing_found_is_an_empty_array():
    assert render(report_of(target(inconclusive=(unclear(),)), verdict="inconclusive", exit_code=3), View()) == "[]\n"


def test_an_issue():
    found = finding(location=Location(path="./zones/a.zone", line=3, column=9))
    assert json.loads(render(report_of(target("example.com", found)), View())) == [
        {
            "description": "example.com: no SPF record",
            "check_name": "spf-missing",
            "fingerprint": "00112233445566778899",
            "severity": "critical",
            "location": {"path": "zones/a.zone", "lines": {"begin": 3}},
        }
    ]
