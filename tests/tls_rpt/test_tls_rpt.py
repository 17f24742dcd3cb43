"""TLS-RPT from record to finding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.model import Outcome, Status
from deliverkit.records.tls_rpt import parse_tls_rpt
from deliverkit.runs.example import judge_world

MX = "example.com. MX 10 mx.example.com.\n"


def world(text: str) -> dict[str, Outcome]:
    return {outcome.rule.id: outcome for outcome in judge_world(text, "tls-rpt") if outcome.rule.area == "tls-rpt"}


@pytest.mark.parametrize(
    ("text", "rua"),
    [
        ("v=TLSRPTv1;rua=mailto:a@example.com", ["mailto:a@example.com"]),
        ("v=TLSRPTv1; rua=https://r.example/v1;", ["https://r.example/v1"]),
        ("v=TLSRPTv1; rua=mailto:a@example.com , https://r.example:8443/v1; later=1",
         ["mailto:a@example.com", "https://r.example:8443/v1"]),
    ],
)  # fmt: skip
def test_records_that_senders_take(text: str, rua: list[str]):
    record = parse_tls_rpt(text)
    assert record.problems == ()
    assert [uri.text for uri in record.rua] == rua


@pytest.mark.parametrize(
    "text",
    ["v=TLSRPTv1", "v=TLSRPTv1;", "v=TLSRPTv1; rua=", "v=TLSRPTv2; rua=mailto:a@example.com",
     "V=TLSRPTv1; rua=mailto:a@b.example",
     "v=TLSRPTv1; rua=a@example.com", "v=TLSRPTv1; rua=http://r.example/", "v=TLSRPTv1; rua=mailto:a",
     "v=TLSRPTv1; rua=mailto:a@example.com,,mailto:b@example.com", "v=TLSRPTv1; rua=https://",
     "v=TLSRPTv1; RUA=mailto:a@b.example",
     "v=TLSRPTv1; rua=mailto:a@example.com;;", "v=TLSRPTv1; rua=mailto:a@example.com!10m"],
)  # fmt: skip
def test_records_that_senders_do_not_take(text: str):
    assert not parse_tls_rpt(text).valid


@given(st.text(max_size=300) | st.text(alphabet="v=TLSRPTv1;rua=mailto:@,. h/%", max_size=300))
def test_the_parser_takes_anything(text: str):
    record = parse_tls_rpt(text)
    spans = [(problem.start, problem.end) for problem in record.problems] + [(u.start, u.end) for u in record.rua]
    assert all(0 <= start <= end <= len(text) for start, end in spans)


def test_a_record_that_cannot_be_told_is_never_missing():
    assert world(MX + "_smtp._tls.example.com. TXT SERVFAIL\n")["tls-rpt-missing"].status is Status.INCONCLUSIVE


def test_a_domain_without_mail_needs_none():
    assert world("example.com. MX 0 .\n")["tls-rpt-missing"].status is Status.NOT_APPLICABLE


def test_a_bare_address_is_mended():
    (finding,) = world(MX + '_smtp._tls.example.com. TXT "v=TLSRPTv1; rua=a@example.com"\n')["tls-rpt-syntax"].findings
    assert finding.fix
    assert finding.fix.after == "v=TLSRPTv1; rua=mailto:a@example.com"


def test_several_records_become_one():
    text = MX + "".join(f'_smtp._tls.example.com. TXT "v=TLSRPTv1; rua=mailto:{name}@example.com"\n' for name in "ab")
    (finding,) = world(text)["tls-rpt-multiple-records"].findings
    assert finding.fix
    assert finding.fix.after == "v=TLSRPTv1; rua=mailto:a@example.com,mailto:b@example.com"
