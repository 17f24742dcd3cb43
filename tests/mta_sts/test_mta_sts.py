"""MTA-STS from record to finding, and the parsers on whatever comes."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.mta_sts import MtaStsFacts
from deliverkit.model import Absent, Fetch, Found, Inputs, Outcome, Request, Status, Unknown
from deliverkit.probes import mta_sts
from deliverkit.records.mta_sts import is_plain_text, is_sts, mx_covered, parse_policy, parse_record
from deliverkit.report.document import ChangeReport
from deliverkit.report.fold import change_lines
from deliverkit.rules.mta_sts_mode import mta_sts_mode_testing
from deliverkit.rules.mta_sts_policy import mta_sts_mx_not_covered
from deliverkit.runs.example import judge_world
from deliverkit.world import NOW, World

POLICY = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n"
RECORD = '_mta-sts.example.com. TXT "v=STSv1; id=20270101"\n'
HOST = "mta-sts.example.com. A 192.0.2.80\n"
MX = "example.com. MX 10 mx.example.com.\n"
GOOD = """
[https mta-sts.example.com]
body
  version: STSv1
  mode: enforce
  mx: mx.example.com
  max_age: 604800
"""


def world(text: str) -> dict[str, Outcome]:
    return {outcome.rule.id: outcome for outcome in judge_world(text, "mta-sts") if outcome.rule.area == "mta-sts"}


def failed(text: str) -> set[str]:
    return {name for name, outcome in world(text).items() if outcome.status is Status.FAIL}


def probed(text: str, inputs: Inputs) -> tuple[MtaStsFacts, World]:
    asked = World(text)
    return asyncio.run(mta_sts.probe(inputs, Recorder(asked, asked, asked), NOW)), asked


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("v=STSv1; id=20270101;", "20270101"),
        ("v=STSv1 ;\tid=a", "a"),
        ("v=STSv1; later=x; id=b", "b"),
        ("v=STSv1; id=" + "9" * 32, "9" * 32),
    ],
)
def test_records_that_senders_take(text: str, found: str):
    record = parse_record(text)
    assert (record.valid, record.id, record.problems) == (True, found, ())


@pytest.mark.parametrize(
    "text",
    ["v=STSv1", "V=STSv1; id=a", "v=STSv1; id=", "v=STSv1; id=a-b", "v=STSv1; id=" + "9" * 33, "v=STSv1; ID=a",
     "v=STSv1; id = a", "v=STSv1; id=a; x==", "v=STSv2; id=a", " v=STSv1; id=a"],
)  # fmt: skip
def test_records_that_senders_do_not_take(text: str):
    record = parse_record(text)
    assert not record.valid
    assert all(0 <= problem.start <= problem.end <= len(text) for problem in record.problems)


@pytest.mark.parametrize("text", [POLICY, POLICY.replace("\n", "\r\n"), POLICY.rstrip(), POLICY + "later: anything\n"])
def test_policies_that_senders_take(text: str):
    policy = parse_policy(text)
    assert policy.problems == ()
    assert (policy.mode, policy.max_age, [each.pattern for each in policy.mx]) == (
        "enforce",
        604800,
        ["mx.example.com"],
    )


def test_the_first_of_two_modes_counts():
    policy = parse_policy(POLICY + "mode: none\n")
    assert policy.valid
    assert policy.mode == "enforce"
    assert [problem.mild for problem in policy.problems] == [True]


@pytest.mark.parametrize(
    ("old", "new"),
    [("STSv1", "STSv10"), ("enforce", "Enforce"), ("604800", "-1"), ("604800", "1" * 11), ("mx.example.com", "*"),
     ("mx.example.com", "*.*.example.com"), ("mx.example.com", "mx.example.com."), ("mx.example.com", "mx .example"),
     ("mx: mx.example.com\n", ""), ("mode: enforce\n", ""), ("version", " version"), ("version", "\ufeffversion"),
     ("mode:", "mode"), ("\n", "\r"), ("mx.example.com", "\x1b[31mmx")],
)  # fmt: skip
def test_policies_that_senders_do_not_take(old: str, new: str):
    text = POLICY.replace(old, new)
    policy = parse_policy(text)
    assert not policy.valid
    assert all(0 <= problem.start <= problem.end <= len(text) for problem in policy.problems)


@given(st.text(max_size=400) | st.text(alphabet="versionmdx:STv1_ag \r\n*.0", max_size=400))
def test_parsers_take_anything(text: str):
    for parsed in (parse_policy(text), parse_record(text)):
        assert all(0 <= problem.start <= problem.end <= len(text) for problem in parsed.problems)
    assert is_sts(text) == text.startswith("v=STSv1") or not is_sts(text)


@pytest.mark.parametrize(
    ("pattern", "host", "covered"),
    [
        ("mx.example.com", "MX.example.com.", True),
        ("*.example.com", "a.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "a.b.example.com", False),
        ("mx.example.com", "mx.example.net", False),
    ],
)
def test_a_pattern_covers_one_label(pattern: str, host: str, covered: bool):
    assert mx_covered(pattern, host) is covered


def test_content_types():
    assert is_plain_text("Text/PLAIN ; charset=utf-8")
    assert not is_plain_text("text/plain+x")
    assert not is_plain_text("")


def test_a_sound_domain_passes():
    assert failed(MX + RECORD + HOST + GOOD) == set()


@pytest.mark.parametrize("fault", ["timeout", "silent", "reset"])
def test_a_policy_host_that_is_silent_is_inconclusive(fault: str):
    outcomes = world(f"{MX}{RECORD}{HOST}\n[https mta-sts.example.com]\nfault {fault}\n")
    assert {name for name, outcome in outcomes.items() if outcome.status is Status.FAIL} == set()
    assert outcomes["mta-sts-policy-unreachable"].status is Status.INCONCLUSIVE
    assert outcomes["mta-sts-mx-not-covered"].status is Status.INCONCLUSIVE


@pytest.mark.parametrize("fault", ["refused", "garbage", "tls"])
def test_a_policy_host_that_refuses_is_a_finding(fault: str):
    assert failed(f"{MX}{RECORD}{HOST}\n[https mta-sts.example.com]\nfault {fault}\n") == {"mta-sts-policy-unreachable"}


def test_one_chain_is_told_as_one():
    text = f"{MX}{RECORD}{HOST}\n[https mta-sts.example.com]\ncertificate names=www.example.com\n"
    told = {name for name, outcome in world(text).items() if any(f.part_of is None for f in outcome.findings)}
    assert told == {"mta-sts-certificate-name-mismatch"}


def test_a_record_that_cannot_be_told_is_never_missing():
    outcomes = world(MX + "_mta-sts.example.com. TXT SERVFAIL\n")
    assert outcomes["mta-sts-missing"].status is Status.INCONCLUSIVE
    assert not [name for name, outcome in outcomes.items() if outcome.findings]


@pytest.mark.parametrize("mail", ["example.com. MX 0 .\n", "example.com. TXT x\n"])
def test_a_domain_without_mail_needs_none(mail: str):
    assert world(mail)["mta-sts-missing"].status is Status.NOT_APPLICABLE


def test_the_domain_itself_takes_mail_where_it_has_no_mx():
    assert failed("example.com. A 192.0.2.1\n" + RECORD + HOST + GOOD) == {"mta-sts-mx-not-covered"}


@pytest.mark.parametrize(("mode", "severity"), [("enforce", None), ("testing", "warning")])
def test_what_nobody_enforces_weighs_less(mode: str, severity: str | None):
    text = "example.com. MX 10 other.example.com.\n" + RECORD + HOST + GOOD.replace("enforce", mode)
    (finding,) = world(text)["mta-sts-mx-not-covered"].findings
    assert finding.severity == severity
    assert finding.fix
    assert "mx: other.example.com" in (finding.fix.after or "")


@pytest.mark.parametrize(
    "address",
    ["A 127.0.0.1", "A 10.0.0.1", "A 169.254.169.254", "AAAA ::1", "AAAA ::ffff:10.0.0.1", "AAAA fd00::1",
     "AAAA 64:ff9b::a00:1", "AAAA 2002:a00:1::1"],
)  # fmt: skip
def test_no_address_that_others_cannot_reach_is_connected_to(address: str):
    text = MX + RECORD + f"mta-sts.example.com. {address}\n" + GOOD
    facts, _ = probed(text, Inputs(domain="example.com", areas=("mta-sts",)))
    assert facts.fetches == ()
    assert facts.withheld
    assert isinstance(facts.policy, Absent)
    allowed, _ = probed(text, Inputs(domain="example.com", areas=("mta-sts",), allow_private=True))
    assert isinstance(allowed.policy, Found)


def test_connect_to_sends_the_request_where_the_user_says():
    made: list[Request] = []

    class Keeping(World):
        async def fetch(self, request: Request) -> Fetch:
            made.append(request)
            return await super().fetch(replace(request, port=443))

    asked = Keeping(MX + RECORD + "mta-sts.example.com. A 10.0.0.1\n" + GOOD)
    inputs = Inputs(domain="example.com", areas=("mta-sts",), connect_to=("mta-sts.example.com:443:127.0.0.1:8443",))
    facts = asyncio.run(mta_sts.probe(inputs, Recorder(asked, asked, asked), NOW))
    assert [(request.host, request.address, request.port) for request in made] == [
        ("mta-sts.example.com", "127.0.0.1", 8443)
    ]
    assert facts.special == ()


@pytest.mark.parametrize(("areas", "number"), [(("mx", "mta-sts"), 0), (("mta-sts",), 1)])
def test_without_a_record_the_policy_is_fetched_only_where_it_is_asked_for(areas: tuple[str, ...], number: int):
    facts, _ = probed(MX + HOST + GOOD, Inputs(domain="example.com", areas=areas))
    assert len(facts.fetches) == number


def test_the_policy_in_force_is_unknown_where_the_record_is():
    facts, _ = probed(
        MX + "_mta-sts.example.com. TXT TIMEOUT\n" + HOST + GOOD, Inputs(domain="example.com", areas=("mx", "mta-sts"))
    )
    assert isinstance(facts.policy, Unknown)


def test_a_policy_file_is_judged_in_place_of_the_published_one():
    inputs = Inputs(domain="example.com", areas=("mta-sts",), policy=POLICY.replace("enforce", "testing").encode())
    facts, _ = probed(MX, inputs)
    assert facts.from_file
    assert isinstance(facts.policy, Found)
    assert facts.policy.value.mode == "testing"
    assert facts.fetches == ()


def test_both_families_are_asked_and_the_one_that_serves_counts():
    text = (
        MX
        + RECORD
        + HOST
        + "mta-sts.example.com. AAAA 2001:db8::80\n"
        + GOOD.replace("body", "refuses 192.0.2.80\nbody")
    )
    facts, _ = probed(text, Inputs(domain="example.com", areas=("mta-sts",)))
    assert [fetch.address for fetch in facts.fetches] == ["2001:db8::80", "192.0.2.80"]
    assert isinstance(facts.policy, Found)
    assert failed(text) == {"mta-sts-policy-addresses-differ"}
    four, _ = probed(text, Inputs(domain="example.com", areas=("mta-sts",), ipv6=False))
    assert [fetch.address for fetch in four.fetches] == ["192.0.2.80"]


def test_what_the_policy_lacks_is_added_whatever_ends_its_lines():
    crlf = POLICY.replace("mx: mx.example.com", "mx: other.example.net").replace("\n", "\r\n")
    policy = mta_sts._read(
        "example.com", crlf, Found(("mx.example.com",)), source="a file", utf8=True, media_type="text/plain"
    )
    (finding,) = mta_sts_mx_not_covered.judge(policy)
    shown = finding.evidence[0]
    assert "\r" not in shown.text
    assert [shown.text[mark.start : mark.end] for mark in shown.marks] == ["other.example.net"]
    change = ChangeReport(name="", rdtype="", before=finding.fix.before, after=finding.fix.after)
    assert change_lines(change)[1:] == [
        "  version: STSv1",
        "  mode: enforce",
        "  mx: other.example.net",
        "+ mx: mx.example.com",
        "  max_age: 604800",
    ]


def test_the_mark_of_a_line_leaves_its_end_out():
    crlf = POLICY.replace("enforce", "testing").replace("\n", "\r\n")
    policy = mta_sts._read(
        "example.com", crlf, Found(("mx.example.com",)), source="a file", utf8=True, media_type="text/plain"
    )
    (finding,) = mta_sts_mode_testing.judge(policy)
    (exhibit,) = finding.evidence
    assert [exhibit.text[mark.start : mark.end] for mark in exhibit.marks] == ["mode: testing"]
