"""What the package's own worlds show stays what their texts promise."""

from __future__ import annotations

import asyncio
import time

import pytest

from deliverkit.lab import worlds_text
from deliverkit.model import Inputs, Sessions
from deliverkit.report import TargetReport
from deliverkit.runs.check import run
from deliverkit.runs.options import MX_AREAS, SESSION_AREAS, RunOptions
from deliverkit.smtp.secret import Secret
from deliverkit.world import PASSWORD, World

AREAS = ("mx", "spf", "dkim", "dmarc", "mta-sts", "tls-rpt", "dane", "dnssec")
"""What `check` judges, and the policies that sessions are held to."""


def reported(inputs: Inputs) -> TargetReport:
    world = World(worlds_text(), now=time.time())
    return asyncio.run(
        run((inputs,), RunOptions(secret=Secret(PASSWORD)), port=world, fetcher=world, dialler=world)
    ).targets[0]


def judged(domain: str, *selectors: str) -> TargetReport:
    return reported(Inputs(domain=domain, selectors=selectors, areas=AREAS))


def dialled(host: str, *, by_mx: bool = False, user: str | None = None) -> TargetReport:
    sessions = Sessions(by_mx=by_mx, user=user, ports=(25,) if by_mx else (25, 465, 587, 2525))
    return reported(Inputs(domain=host, areas=MX_AREAS if by_mx else SESSION_AREAS, sessions=sessions))


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


def test_healthy_mail_servers_are_in_order():
    for report in (dialled("mail.healthy.example", user="alice"), dialled("healthy.example", by_mx=True)):
        assert report.verdict == "pass"
        assert report.findings == ()
        assert report.inconclusive == ()


def test_broken_submission_shows_its_faults():
    report = dialled("mail.broken.example")
    assert report.verdict == "fail"
    assert {finding.rule for finding in report.findings} >= {
        "smtp-auth-before-tls",
        "smtp-mail-before-tls-accepted",
        "tls-certificate-expired",
        "tls-certificate-expiring",
    }


def test_broken_mx_breaks_its_own_policy():
    report = dialled("broken.example", by_mx=True)
    assert report.verdict == "fail"
    mismatch = next(finding for finding in report.findings if finding.rule == "tls-certificate-name-mismatch")
    assert mismatch.severity == "error"


def test_spoofable_has_no_tls():
    assert "smtp-starttls-missing" in {finding.rule for finding in dialled("spoofable.example", by_mx=True).findings}
