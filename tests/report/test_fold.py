"""Outcomes to a report: what counts, in which order, and what the gate says."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import msgspec
import pytest

from deliverkit.facts import Fact
from deliverkit.facts.domain import DomainFacts
from deliverkit.model import (
    Absent,
    Exhibit,
    Finding,
    Fix,
    Found,
    Inputs,
    Mark,
    Outcome,
    Rule,
    RuleDoc,
    Severity,
    Status,
    Undetermined,
    Unknown,
    Who,
)
from deliverkit.model.gate import Gate
from deliverkit.report.document import ChangeReport, Vantage
from deliverkit.report.fold import change_lines, fold_run, fold_target, rfc3339

NOT_ASKED = Absent("not asked for")


def judge(_: Fact) -> Iterator[Finding]:
    yield from ()


def rule(name: str, severity: Severity = Severity.ERROR) -> Rule:
    return Rule(
        id=name,
        area=name.partition("-")[0],
        severity=severity,
        references=("RFC 0",),
        who=Who.DNS_ADMIN,
        subject=Fact,
        page=lambda: RuleDoc("A rule.", "Why.", "The rule's fix.", (), ()),
        judge=judge,
    )


def facts(**changes) -> DomainFacts:
    plain = {
        "inputs": Inputs(domain="example.com"),
        "now": 0.0,
        "existence": Found("example.com"),
        **dict.fromkeys(("dns", "mx", "spf", "dkim", "dmarc", "second_opinion"), NOT_ASKED),
    }
    return DomainFacts(**{**plain, **changes})


def failed(name: str, *findings: Finding, severity: Severity = Severity.ERROR, unknown=()) -> Outcome:
    found = findings or (Finding(message="it is wrong"),)
    return Outcome(rule=rule(name, severity), status=Status.FAIL, findings=found, unknown=unknown)


def unclear(name: str, severity: Severity = Severity.ERROR, why: str = "SERVFAIL") -> Outcome:
    return Outcome(rule=rule(name), status=Status.INCONCLUSIVE, unknown=(Undetermined(why, severity),))


def fold(*outcomes: Outcome, gate: Gate | None = None, **changes):
    return fold_target(facts(**changes), outcomes, gate or Gate(), duration_ms=1.0)


def run(*targets, gate: Gate | None = None):
    vantage = Vantage(resolvers=(), ipv4=None, ipv6=None)
    return fold_run(targets, gate or Gate(), version="0", started_at=0, duration_ms=0, vantage=vantage)


LEVELS = ("error", "warning", "notice", "never")


@pytest.mark.parametrize(("severity", "fail_on"), list(itertools.product(Severity, LEVELS)))
def test_a_finding_fails_at_or_above_the_level(severity, fail_on):
    verdict = fold(failed("mx-a", severity=severity), gate=Gate(fail_on=fail_on)).verdict
    reaches = fail_on != "never" and LEVELS.index(severity.value) <= LEVELS.index(fail_on)
    assert verdict == ("fail" if reaches else "pass")


@pytest.mark.parametrize(("severity", "fail_on"), list(itertools.product(Severity, LEVELS)))
def test_the_undetermined_counts_by_what_its_finding_would_have_been(severity, fail_on):
    verdict = fold(unclear("mx-a", severity), gate=Gate(fail_on=fail_on)).verdict
    reaches = fail_on != "never" and LEVELS.index(severity.value) <= LEVELS.index(fail_on)
    assert verdict == ("inconclusive" if reaches else "pass")


def test_a_weaker_finding_counts_as_itself():
    weak = Finding(message="m", severity=Severity.NOTICE)
    target = fold(failed("mx-a", weak))
    assert target.verdict == "pass"
    assert target.findings[0].severity == "notice"


def test_a_rule_that_fails_and_is_unclear_says_both():
    target = fold(failed("mx-a", unknown=(Undetermined("SERVFAIL", Severity.ERROR),)))
    assert target.verdict == "fail"
    assert target.counts.fail == 1
    assert target.counts.inconclusive == 0
    assert [entry.rule for entry in target.inconclusive] == ["mx-a"]


def test_an_entry_stands_once():
    twice = Outcome(rule=rule("mx-a"), status=Status.INCONCLUSIVE, unknown=(Undetermined("x", Severity.ERROR),) * 2)
    assert len(fold(twice).inconclusive) == 1


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [((), 0), (("pass",), 0), (("pass", "fail"), 1), (("inconclusive",), 3), (("inconclusive", "fail"), 1)],
)
def test_the_worst_target_makes_the_exit_code(verdicts, code):
    made = {"pass": fold(), "fail": fold(failed("mx-a")), "inconclusive": fold(unclear("mx-a"))}
    assert run(*(made[verdict] for verdict in verdicts)).exit_code == code
    assert run(*(made[verdict] for verdict in verdicts), gate=Gate(exit_zero=True)).exit_code == 0


def test_a_bug_outranks_all_and_exit_zero_does_not_hide_it():
    broken = msgspec.structs.replace(fold(failed("mx-a")), error="boom")
    assert run(broken, gate=Gate(exit_zero=True)).exit_code == 4


def test_counts():
    statuses = (Status.PASS, Status.PASS, Status.NOT_APPLICABLE)
    outcomes = [Outcome(rule=rule(f"mx-{n}"), status=status) for n, status in enumerate(statuses)]
    target = fold(*outcomes, failed("spf-a"), unclear("spf-b"))
    counts = target.counts
    assert (counts.passed, counts.fail, counts.not_applicable, counts.inconclusive) == (2, 1, 1, 1)
    assert target.passed == ("mx-0", "mx-1")


def test_what_hurts_most_comes_first():
    target = fold(
        failed("dmarc-policy-none", severity=Severity.WARNING),
        failed("dmarc-missing"),
        failed("spf-syntax"),
        failed("mx-no-ipv6", severity=Severity.NOTICE),
        failed("mx-domain-nonexistent"),
    )
    assert [finding.rule for finding in target.findings] == [
        "mx-domain-nonexistent",
        "spf-syntax",
        "dmarc-missing",
        "dmarc-policy-none",
        "mx-no-ipv6",
    ]


def test_the_order_does_not_depend_on_the_rules_order():
    outcomes = [failed(f"{area}-{n}") for area in ("dmarc", "mx", "spf") for n in (2, 1)]
    assert fold(*outcomes).findings == fold(*reversed(outcomes)).findings


@pytest.mark.parametrize("word", ["mx-a", "mx"])
def test_ignore_keeps_findings_as_suppressed(word):
    target = fold(failed("mx-a"), failed("spf-a"), unclear("mx-b"), gate=Gate(ignore=(word,)))
    assert [(entry.rule, entry.by) for entry in target.suppressed] == [("mx-a", "ignore")]
    assert [finding.rule for finding in target.findings] == ["spf-a"]
    assert target.counts.fail == 1


@pytest.mark.parametrize(("word", "kept"), [("mx-a", ["mx-a"]), ("mx", ["mx-a", "mx-b"]), ("spf", [])])
def test_select_judges_these_alone(word, kept):
    target = fold(failed("mx-a"), failed("mx-b"), gate=Gate(select=(word,)))
    assert [finding.rule for finding in target.findings] == kept
    assert target.suppressed == ()


def test_a_fix_stands_alone():
    fix = Fix(text="Allow it.", name="example.com", rdtype="TXT", before="v=spf1 -all", after="v=spf1 mx -all")
    (finding,) = fold(failed("spf-a", Finding(message="m", fix=fix))).findings
    assert finding.fix == "Allow it.\nChange at example.com TXT:\n- v=spf1 -all\n+ v=spf1 mx -all"
    assert finding.change == ChangeReport(
        name="example.com", rdtype="TXT", before="v=spf1 -all", after="v=spf1 mx -all"
    )


@pytest.mark.parametrize(
    ("before", "after", "verb"), [(None, "b", "Publish"), ("a", None, "Delete"), ("a", "b", "Change")]
)
def test_change_lines(before, after, verb):
    lines = change_lines(ChangeReport(name="example.com", rdtype="TXT", before=before, after=after))
    assert lines[0] == f"{verb} at example.com TXT:"
    assert lines[1:] == [line for line in (before and "- a", after and "+ b") if line]


def test_without_a_fix_of_its_own_a_finding_takes_the_rules():
    assert fold(failed("spf-a")).findings[0].fix == "The rule's fix."


def test_exhibits_and_their_bare_texts():
    shown = Exhibit(text="v=spf1 x", title="example.com TXT", marks=(Mark(7, 8, "what"),))
    (finding,) = fold(failed("spf-a", Finding(message="m", evidence=(shown,)))).findings
    assert finding.evidence == ("v=spf1 x",)
    assert finding.exhibits[0].marks[0].note == "what"


def test_a_long_text_is_cut_and_its_length_said():
    long = "x" * 10_000
    finding = Finding(message=long, subject=long, evidence=(Exhibit(text=long),), fix=Fix(text=long, after=long))
    target = fold(failed("spf-a", finding), unclear("spf-b", why=long))
    (found,) = target.findings
    for text in (found.message, found.subject, found.evidence[0], target.inconclusive[0].why, found.change.after):
        assert len(text) < 4200
        assert text.endswith("(10000 characters in all)")


def test_the_subject_defaults_to_the_domain():
    assert fold(failed("spf-a")).findings[0].subject == "example.com"


@pytest.mark.parametrize(
    ("existence", "role"), [(Absent("NXDOMAIN", nxdomain=True), "nonexistent"), (Unknown("SERVFAIL"), None)]
)
def test_role_without_an_answer(existence, role):
    assert fold(existence=existence).role == role


def test_times_are_rfc_3339():
    assert rfc3339(1_800_000_000.9) == "2027-01-15T08:00:00Z"


def test_a_domain_that_does_not_exist_evaluates_to_none():
    inputs = Inputs(domain="example.com", senders=("192.0.2.1",), helo="h")
    target = fold(inputs=inputs, existence=Absent("NXDOMAIN", nxdomain=True))
    evaluation = target.facts.spf.evaluation
    assert (evaluation.result, evaluation.sender, evaluation.helo) == ("none", "postmaster@example.com", "h")
