"""Prometheus: as its own client library's parser reads it."""

from __future__ import annotations

from hostile_reports import EVIL, REPORTS, VIEWS, accepted, finding, report_of, target, unclear
from hypothesis import given
from prometheus_client.parser import text_string_to_metric_families
from session_reports import closed, endpoint
from session_reports import report as sessions

from deliverkit.render.entries import line
from deliverkit.render.formats import View
from deliverkit.render.prometheus import render


def read(made: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    families = {}
    for family in text_string_to_metric_families(made):
        assert family.type == "gauge"
        assert family.documentation
        assert family.name not in families
        families[family.name] = [(sample.labels, sample.value) for sample in family.samples]
    return families


@given(REPORTS, VIEWS)
def test_it_parses_and_no_sample_comes_twice(report, view):
    for name, samples in read(render(report, view)).items():
        assert name.startswith("deliverkit_")
        told = [tuple(sorted(labels.items())) for labels, _ in samples]
        assert len(set(told)) == len(told)


def test_labels_come_back_as_they_were():
    for text in EVIL:
        (sample,) = read(render(report_of(target(text)), View()))["deliverkit_suppressed_findings"]
        assert sample[0]["target"] == line(text, 256)


def test_the_numbers():
    report = report_of(
        target(
            "example.com",
            finding("spf-missing"),
            finding("dmarc-missing", severity="warning"),
            finding("dmarc-missing", severity="warning", subject="b.example.com"),
            inconclusive=(unclear("mx-is-cname"),),
            suppressed=(accepted(),),
        )
    )
    families = read(render(report, View()))
    assert families["deliverkit_build_info"] == [({"version": "0.1.0"}, 1)]
    assert families["deliverkit_run_timestamp_seconds"] == [({}, 1795694400)]
    assert families["deliverkit_run_duration_seconds"] == [({}, 0.412)]
    assert families["deliverkit_run_exit_code"] == [({}, 1)]
    assert {labels["severity"]: value for labels, value in families["deliverkit_findings"]} == {
        "error": 1,
        "warning": 2,
        "notice": 0,
    }
    assert {labels["rule"]: value for labels, value in families["deliverkit_finding"]} == {
        "spf-missing": 1,
        "dmarc-missing": 2,
    }
    assert {labels["verdict"]: value for labels, value in families["deliverkit_verdict"]} == {
        "pass": 0,
        "fail": 1,
        "inconclusive": 0,
    }
    ((labels, _),) = families["deliverkit_inconclusive"]
    assert labels == {"target": "example.com", "rule": "mx-is-cname", "area": "mx", "severity": "error"}


def test_when_certificates_expire():
    families = read(render(sessions(endpoint(465), endpoint(587), closed(25)), View()))
    expiries = families["deliverkit_certificate_not_after_seconds"]
    assert [(labels["port"], value) for labels, value in expiries] == [("465", 1798588800), ("587", 1798588800)]
