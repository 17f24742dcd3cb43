"""A fault that weighs as much as a policy, where nobody can tell the policy; and what our own options leave out."""

from __future__ import annotations

import pytest

from deliverkit.model import Outcome, Severity, Status
from deliverkit.runs.example import judge_world

POLICY = """
_mta-sts.example.com.  TXT  "v=STSv1; id=1"
mta-sts.example.com.   A    192.0.2.44
"""
HOST = """; check example.com --mx
example.com.     MX  10 mx.example.com.
mx.example.com.  A   192.0.2.25
{policy}
[https mta-sts.example.com]
{https}

[smtp mx.example.com:25]
certificate  {certificate}
"""
ENFORCED = "body\n  version: STSv1\n  mode: enforce\n  mx: mx.example.com\n  max_age: 604800"
FAULTS = {
    "tls-certificate-expired": "names=mx.example.com days=-3",
    "tls-certificate-name-mismatch": "names=other.example",
    "tls-certificate-untrusted": "names=mx.example.com issuer=self",
    "tls-certificate-expiring": "names=mx.example.com days=5 age=85",
}


def judged(rule: str, world: str) -> Outcome:
    (outcome,) = [outcome for outcome in judge_world(world, "tls") if outcome.rule.id == rule]
    return outcome


@pytest.mark.parametrize("rule", FAULTS)
def test_a_policy_that_does_not_answer_leaves_the_fault_undetermined(rule: str):
    outcome = judged(rule, HOST.format(policy=POLICY, https="fault timeout", certificate=FAULTS[rule]))
    assert outcome.status is Status.INCONCLUSIVE
    assert [unknown.severity for unknown in outcome.unknown] == [outcome.rule.severity]
    assert "mta-sts.example.com" in outcome.unknown[0].why


@pytest.mark.parametrize("rule", FAULTS)
def test_a_policy_that_answers_decides(rule: str):
    outcome = judged(rule, HOST.format(policy=POLICY, https=ENFORCED, certificate=FAULTS[rule]))
    assert [finding.severity for finding in outcome.findings] == [outcome.rule.severity]
    outcome = judged(rule, HOST.format(policy="", https=ENFORCED, certificate=FAULTS[rule]))
    assert [finding.severity for finding in outcome.findings] == [Severity.NOTICE]


def test_a_sound_certificate_passes_whatever_the_policy():
    world = HOST.format(policy=POLICY, https="fault timeout", certificate="names=mx.example.com")
    assert judged("tls-certificate-name-mismatch", world).status is Status.PASS


def test_login_is_not_missing_where_tls_was_left_out():
    world = (
        "; check mail.example.com --port 587 --tls none\nmail.example.com. A 192.0.2.25\n[smtp mail.example.com:587]\n"
    )
    outcome = judged("auth-missing", world)
    assert outcome.status is Status.NOT_APPLICABLE


def test_a_port_for_tls_at_once_that_speaks_in_clear_is_one_fault():
    world = (
        "; check mail.example.com --port 465\nmail.example.com. A 192.0.2.25\n[smtp mail.example.com:465]\nmode clear\n"
    )
    heads = {
        outcome.rule.id
        for outcome in judge_world(world, "smtp")
        if any(finding.part_of is None and finding.severity is not Severity.NOTICE for finding in outcome.findings)
        and outcome.rule.severity is Severity.ERROR
    }
    assert heads == {"smtp-tls-at-once-missing"}


def test_a_handshake_that_fails_under_a_policy_says_what_follows():
    world = HOST.format(policy=POLICY, https=ENFORCED, certificate="names=mx.example.com") + "fault TLS close\n"
    (finding,) = judged("tls-handshake-failed", world).findings
    assert "policy of example.com" in finding.message


@pytest.mark.parametrize(
    ("zone", "status"),
    [
        ("", Status.FAIL),
        ("example.org.  TXT  hello\n", Status.PASS),
        ("example.org.  MX  SERVFAIL\n", Status.INCONCLUSIVE),
        ("mx.example.org.  A  192.0.2.1\n", Status.PASS),  # what has a name below it exists
    ],
)
def test_the_domain_whose_mx_a_host_is_to_become_has_to_exist(zone: str, status: Status):
    world = f"; check mail.example.com --port 25 --as-mx-of example.org\n{zone}mail.example.com. A 192.0.2.25\n"
    outcome = judged("mx-domain-nonexistent", f"{world}[smtp mail.example.com:25]\n")
    assert outcome.status is status
    assert [finding.subject for finding in outcome.findings] == ["example.org"] * (status is Status.FAIL)
