"""checkdmarc judges the record and the policy that are at hand, and asks nothing."""

from __future__ import annotations

import asyncio
import socket

import pytest

from deliverkit.facts.second_opinion import SecondOpinionFacts
from deliverkit.model import Absent, Found, Inputs, Unknown
from deliverkit.probes.domain import gather
from deliverkit.runs.example import NOW, judge_world, recorder_of

BASE = "example.com. MX 10 mx.example.com.\nmta-sts.example.com. A 192.0.2.80\n"
RECORD = '_mta-sts.example.com. TXT "v=STSv1; id=1"\n'
RPT = '_smtp._tls.example.com. TXT "v=TLSRPTv1; rua=mailto:a@example.com,https://r.example/v1"\n'
POLICY = "version: STSv1\n  mode: enforce\n  mx: MX.example.com\n  max_age: 604800"
AREAS = ("mta-sts", "tls-rpt")


def site(policy: str = POLICY) -> str:
    return f"[https mta-sts.example.com]\nbody\n  {policy}\n"


def opinion_on(text: str, *, second: bool = True) -> tuple[SecondOpinionFacts | None, set[str]]:
    recorder = recorder_of(text)
    inputs = Inputs(domain="example.com", areas=AREAS, second_opinion=second)
    facts = asyncio.run(gather(inputs, recorder, NOW))
    opinion = facts.second_opinion.value if isinstance(facts.second_opinion, Found) else None
    return opinion, {f"{name} {rdtype}" for name, rdtype, _ in recorder.lookups}


def test_it_judges_what_is_there_and_asks_nothing(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the second opinion opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    text = BASE + RECORD + RPT + site()
    seen, asked = opinion_on(text)
    assert asked == opinion_on(text, second=False)[1]
    assert seen is not None
    assert isinstance(seen.mta_sts, Found)
    assert isinstance(seen.mta_sts_policy, Found)
    assert isinstance(seen.tls_rpt, Found)
    assert (seen.mta_sts.value.valid, seen.mta_sts.value.id) == (True, "1")
    policy = seen.mta_sts_policy.value
    assert (policy.mode, policy.mx, policy.max_age) == ("enforce", ("mx.example.com",), 604800)
    assert seen.tls_rpt.value.rua == ("mailto:a@example.com", "https://r.example/v1")


def test_errors_are_verdicts():
    seen, _ = opinion_on(
        BASE
        + RECORD.replace("id=1", "id=1-2")
        + RPT.replace("mailto:a@example.com", "a@example.com")
        + site(POLICY.replace("enforce", "on"))
    )
    assert seen is not None
    assert isinstance(seen.mta_sts, Found)
    assert isinstance(seen.mta_sts_policy, Found)
    assert isinstance(seen.tls_rpt, Found)
    assert seen.mta_sts.value.error == "InvalidSTSTagValue"
    assert seen.mta_sts_policy.value.error == "MTASTSPolicySyntaxError"
    assert seen.tls_rpt.value.error == "SMTPTLSReportingSyntaxError"


def test_no_record_or_several_are_not_judged():
    seen, _ = opinion_on(BASE + RPT + RPT.replace("a@", "b@"))
    assert seen is not None
    assert isinstance(seen.mta_sts, Absent)
    assert isinstance(seen.mta_sts_policy, Absent)
    assert isinstance(seen.tls_rpt, Absent)


def test_what_could_not_be_asked_is_not_judged():
    seen, _ = opinion_on(
        BASE + RECORD + "_smtp._tls.example.com. TXT SERVFAIL\n[https mta-sts.example.com]\nfault timeout\n"
    )
    assert seen is not None
    assert isinstance(seen.mta_sts, Found)
    assert isinstance(seen.mta_sts_policy, Unknown)
    assert isinstance(seen.tls_rpt, Unknown)


@pytest.mark.parametrize(
    ("text", "area", "status", "part_of"),
    [
        pytest.param(RECORD + site(), "mta-sts", "pass", (), id="agreed"),
        pytest.param(RECORD + site(POLICY + "\n  note: \u3000"), "mta-sts", "fail", (None,), id="policy"),
        pytest.param(RECORD.replace("id=1", "id=1;;"), "mta-sts", "fail", ("mta-sts-syntax",), id="record"),
        pytest.param("", "mta-sts", "not_applicable", (), id="nothing"),
        pytest.param(RECORD + "[https mta-sts.example.com]\nfault timeout\n", "mta-sts", "inconclusive", (), id="open"),
        pytest.param(RPT, "tls-rpt", "pass", (), id="rpt-agreed"),
        pytest.param("_smtp._tls.example.com. TXT SERVFAIL\n", "tls-rpt", "inconclusive", (), id="rpt-open"),
    ],
)
def test_the_rule(text: str, area: str, status: str, part_of: tuple[str | None, ...]):
    outcomes = judge_world("; check example.com --second-opinion\n" + BASE + text, area)
    outcome = next(outcome for outcome in outcomes if outcome.rule.id == f"{area}-second-opinion")
    assert outcome.status.name.lower() == status
    assert tuple(finding.part_of for finding in outcome.findings) == part_of


def test_a_policy_that_is_not_utf8_is_no_text_to_judge():
    inputs = Inputs(domain="example.com", areas=("mta-sts",), second_opinion=True, policy=b"version: STSv1\nx: \xff\n")
    facts = asyncio.run(gather(inputs, recorder_of(BASE), NOW))
    assert isinstance(facts.second_opinion, Found)
    assert isinstance(facts.second_opinion.value.mta_sts_policy, Absent)
