"""SARIF: its structure (OASIS SARIF 2.1.0), and what GitHub's code scanning asks of it beyond that."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hostile_reports import REPORTS, VIEWS, accepted, finding, report_of, target, unclear
from hypothesis import given

from deliverkit.render.formats import View
from deliverkit.render.sarif import log as sarif
from deliverkit.render.sarif import render
from deliverkit.render.sarif.rules import address_of, descriptors
from deliverkit.report import Report
from deliverkit.report.document import Location
from deliverkit.rules import all_rules

LEVELS = {"error", "warning", "note"}


def run_of(report: Report, view: View | None = None) -> dict[str, Any]:
    made = json.loads(render(report, view or View()))
    assert made["version"] == "2.1.0"
    assert made["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = made["runs"]
    return run


def sound(run: dict[str, Any]) -> None:
    """What the schema and GitHub ask."""
    assert set(run) == {"tool", "automationDetails", "columnKind", "invocations", "results"}
    driver = run["tool"]["driver"]
    rules = driver["rules"]
    assert driver["name"] == "deliverkit"
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in LEVELS
        assert result["kind"] == "fail"
        assert result["message"]["text"]
        assert re.fullmatch(r"[0-9a-f]{20}", result["partialFingerprints"]["deliverkit/v1"])
        assert len(result["locations"]) == 1
        located(result["locations"][0])
    (invocation,) = run["invocations"]
    for notification in invocation["toolExecutionNotifications"]:
        assert rules[notification["associatedRule"]["index"]]["id"] == notification["associatedRule"]["id"]
        assert notification["message"]["text"]
        located(notification["locations"][0])
    suppressed = ["suppressions" in result for result in run["results"]]
    assert all(suppressed) or not any(suppressed)


def located(location: dict[str, Any]) -> None:
    physical = location["physicalLocation"]
    uri = physical["artifactLocation"]["uri"]
    assert uri
    assert re.fullmatch(r"[A-Za-z0-9\-._~/%:]+", uri)
    assert urlsplit(uri).scheme in {"", "file"}
    assert physical["region"]["startLine"] >= 1
    assert physical["region"].get("startColumn", 1) >= 1
    assert location["logicalLocations"][0]["kind"] == "resource"


@given(REPORTS, VIEWS)
def test_every_report_is_sound(report, view):
    run = run_of(report, view)
    sound(run)
    assert len(run["results"]) == sum(len(each.findings) + len(each.suppressed) for each in report.targets)
    assert not re.search(r"(?<!\\)\]\(", json.dumps([result["message"] for result in run["results"]]))


def test_a_result():
    place = Location(path="zones/a b.zone", line=12, column=5)
    found = finding(location=place, severity="notice", evidence=("v=spf1 a",), part_of="dmarc-missing")
    (result,) = run_of(report_of(target("example.com", found)))["results"]
    assert result == {
        "ruleId": "spf-missing",
        "ruleIndex": 0,
        "kind": "fail",
        "level": "note",
        "message": {"text": "example.com: no SPF record\n\nPublish one."},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "zones/a%20b.zone"},
                    "region": {"startLine": 12, "startColumn": 5},
                },
                "logicalLocations": [{"name": "example.com", "fullyQualifiedName": "example.com", "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"deliverkit/v1": "00112233445566778899"},
        "properties": {
            "target": "example.com",
            "area": "spf",
            "subject": "example.com",
            "who": "dns-admin",
            "evidence": ["v=spf1 a"],
            "partOf": "dmarc-missing",
        },
    }


def uris(run: dict[str, Any]) -> list[tuple[str, int]]:
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    return [(unquote(place["artifactLocation"]["uri"]), place["region"]["startLine"]) for place in places]


def test_a_live_finding_stands_in_the_configuration():
    report = report_of(target("example.com", finding()))
    assert uris(run_of(report)) == [("deliverkit.toml", 1)]
    view = View(where=lambda name: Location(path="conf/deliverkit.toml", line=len(name)))
    assert uris(run_of(report, view)) == [("conf/deliverkit.toml", 11)]


def test_paths():
    paths = ("./zones/a.zone", "a:b.zone", "/srv/zones/a.zone", "../a.zone", "zönes/ä.zone")
    found = [finding(location=Location(path=path, line=0, column=0)) for path in paths]
    assert uris(run_of(report_of(target("example.com", *found)))) == [
        ("zones/a.zone", 1),
        ("a:b.zone", 1),
        ("file:///srv/zones/a.zone", 1),
        ("../a.zone", 1),
        ("zönes/ä.zone", 1),
    ]


def test_what_was_accepted_is_a_suppressed_result():
    results = run_of(report_of(target("example.com", finding(), suppressed=(accepted("baseline"),))))["results"]
    assert [result["suppressions"] for result in results] == [
        [],
        [{"kind": "external", "status": "accepted", "justification": "accepted by baseline"}],
    ]
    assert "suppressions" not in run_of(report_of(target("example.com", finding())))["results"][0]


def test_what_is_undetermined_is_a_notification_and_a_bug_ends_the_execution():
    run = run_of(report_of(target(inconclusive=(unclear(why="SERVFAIL from 192.0.2.53"),)), exit_code=3))
    (invocation,) = run["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (True, 3)
    assert (invocation["startTimeUtc"], invocation["endTimeUtc"]) == ("2026-11-26T12:00:00Z",) * 2
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["associatedRule"] == {"id": "dmarc-missing", "index": 0}
    assert notification["message"]["text"] == "example.com: not determined: SERVFAIL from 192.0.2.53"
    assert run["results"] == []
    broken = run_of(report_of(target(error="ValueError: x"), exit_code=4))
    assert broken["invocations"][0]["executionSuccessful"] is False
    sound(broken)


def test_every_rule_has_its_page():
    rules = all_rules()
    for rule, made in zip(rules, descriptors(rule.id for rule in rules), strict=True):
        assert made["id"] == rule.id
        assert 0 < len(made["shortDescription"]["text"]) <= 1024
        assert made["fullDescription"]["text"]
        assert rule.doc.fix in made["help"]["text"]
        assert made["help"]["markdown"]
        assert made["defaultConfiguration"]["level"] in LEVELS
        assert made.get("helpUri", "https://x").startswith("https://")
    assert sum("helpUri" in made for made in descriptors(rule.id for rule in rules)) >= 0.95 * len(rules)


@pytest.mark.parametrize(
    ("reference", "address"),
    [
        ("RFC 7208 §4.6.4", "https://www.rfc-editor.org/rfc/rfc7208#section-4.6.4"),
        ("RFC 7208", "https://www.rfc-editor.org/rfc/rfc7208"),
        ("RFC 5321 §A.1", "https://www.rfc-editor.org/rfc/rfc5321#appendix-A.1"),
        ("https://example.com/page", "https://example.com/page"),
        ("Google: Email sender guidelines", None),
    ],
)
def test_where_a_norm_is_read(reference: str, address: str | None):
    assert address_of(reference) == address


def test_a_file_never_exceeds_the_limits(monkeypatch: pytest.MonkeyPatch):
    findings = [finding(severity="notice", subject=f"{number}.example.com") for number in range(40)]
    report = report_of(target("example.com", *findings, finding(severity="error")))
    monkeypatch.setattr(sarif, "MOST_RESULTS", 10)
    run = run_of(report)
    assert len(run["results"]) == 10
    assert run["results"][0]["level"] == "error"
    last = run["invocations"][0]["toolExecutionNotifications"][-1]
    assert last["message"]["text"] == "left out, to stay under GitHub's limits: results: 31"


def test_a_large_file_is_cut_by_its_size():
    findings = [finding(message="x" * 4000, evidence=("y" * 4000,) * 3) for _ in range(1000)]
    made = render(report_of(target("example.com", *findings)), View())
    assert 9_000_000 < len(made.encode()) <= 10_000_000
    assert "left out" in made


def test_no_peer_makes_a_link():
    (result,) = run_of(report_of(target("example.com", finding(message="see [here](https://x.example)"))))["results"]
    assert "[here\\](https://x.example)" in result["message"]["text"]
