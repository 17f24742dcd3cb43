"""What the package's own worlds show stays what their texts promise."""

from __future__ import annotations

import asyncio

import pytest

from deliverkit.lab import worlds_text
from deliverkit.model import Inputs
from deliverkit.report import TargetReport
from deliverkit.runs.check import run
from deliverkit.runs.options import RunOptions
from deliverkit.world import World


def judged(domain: str, *selectors: str) -> TargetReport:
    inputs = Inputs(domain=domain, selectors=selectors)
    return asyncio.run(run((inputs,), RunOptions(), port=World(worlds_text()))).targets[0]


@pytest.mark.parametrize(("domain", "selectors"), [("healthy.example", ("s1", "s2")), ("parked.example", ())])
def test_nothing_is_wrong(domain: str, selectors: tuple[str, ...]):
    report = judged(domain, *selectors)
    assert report.verdict == "pass"
    assert report.findings == ()
    assert report.inconclusive == ()


def test_healthy_passes_without_selectors():
    report = judged("healthy.example")
    assert report.verdict == "pass"
    assert {finding.severity for finding in report.findings} <= {"notice"}


def test_parked_is_recognised():
    assert judged("parked.example").role == "parked"


def test_broken_shows_the_faults_people_meet():
    report = judged("broken.example", "s1", "s2", "k1")
    assert report.verdict == "fail"
    assert report.inconclusive == ()
    assert {finding.rule for finding in report.findings if finding.part_of is None} >= {
        "mx-is-cname",
        "spf-too-many-lookups",
        "spf-include-without-record",
        "dkim-key-cut",
        "dkim-key-quoted",
        "dkim-key-below-recommended",
        "dmarc-policy-none",
        "dmarc-report-unauthorized",
        "dmarc-removed-tag",
    }


def test_spoofable_lets_anybody_in():
    rules = {finding.rule for finding in judged("spoofable.example").findings}
    assert rules >= {"spf-permissive-all", "dmarc-missing", "dkim-none-published"}
