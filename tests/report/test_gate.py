"""The gate: rules weighed anew or off, the undetermined by area, and what code that comes to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.facts import Fact
from deliverkit.model import Finding, Rule, RuleDoc, Severity, Who
from deliverkit.model.gate import Gate
from deliverkit.report.document import InconclusiveReport
from deliverkit.report.fold import verdict_of

WORDS = ("report", "pass", "fail")
VERDICT = {"report": "inconclusive", "pass": "pass", "fail": "fail"}


def judge(_: Fact) -> Iterator[Finding]:
    yield from ()


def rule(severity: Severity, name: str = "mx-a") -> Rule:
    return Rule(
        id=name,
        area="mx",
        severity=severity,
        references=("RFC 0",),
        who=Who.DNS_ADMIN,
        subject=Fact,
        page=lambda: RuleDoc("", "", "", (), ()),
        judge=judge,
    )


def unclear(area: str, severity: str = "error") -> InconclusiveReport:
    return InconclusiveReport(rule=f"{area}-a", area=area, severity=severity, why="SERVFAIL")


@pytest.mark.parametrize("own", Severity)
@pytest.mark.parametrize("here", Severity)
def test_a_rule_is_as_hard_as_it_is_here(own, here):
    gate = Gate(severities={"mx-a": here.value})
    assert gate.severity(rule(own)) is here
    assert gate.severity(rule(own), own) is here
    assert gate.severity(rule(own, "mx-b")) is own


@pytest.mark.parametrize("here", Severity)
def test_what_is_weaker_in_its_context_is_never_made_harder(here):
    gate = Gate(severities={"mx-a": here.value})
    assert gate.severity(rule(Severity.ERROR), Severity.NOTICE) is Severity.NOTICE
    assert gate.severity(rule(Severity.ERROR), Severity.WARNING).rank >= Severity.WARNING.rank


def test_off_is_not_judged_unless_its_very_id_is_selected():
    off = {"mx-a": "off"}
    assert not Gate(severities=off).selects(rule(Severity.ERROR))
    assert not Gate(severities=off, select=("mx",)).selects(rule(Severity.ERROR))
    chosen = Gate(severities=off, select=("mx-a",))
    assert chosen.selects(rule(Severity.ERROR))
    assert chosen.severity(rule(Severity.WARNING)) is Severity.WARNING


@pytest.mark.parametrize("default", WORDS)
@pytest.mark.parametrize("word", WORDS)
def test_an_area_says_for_itself_what_the_undetermined_does(default, word):
    gate = Gate(inconclusive=default, by_area={"dnssec": word})
    assert verdict_of(gate, (), [unclear("dnssec")]) == VERDICT[word]
    assert verdict_of(gate, (), [unclear("mx")]) == VERDICT[default]


@given(
    st.sampled_from(WORDS),
    st.dictionaries(st.sampled_from(["mx", "spf", "dmarc"]), st.sampled_from(WORDS)),
    st.lists(st.tuples(st.sampled_from(["mx", "spf", "dmarc"]), st.sampled_from(["error", "warning", "notice"]))),
    st.sampled_from(["error", "warning", "notice", "never"]),
)
def test_the_worst_area_makes_the_verdict(default, by_area, entries, fail_on):
    gate = Gate(inconclusive=default, by_area=by_area, fail_on=fail_on)
    order = ("pass", "inconclusive", "fail")
    reached = [VERDICT[by_area.get(area, default)] for area, severity in entries if gate.reached_by(severity)]
    wanted = max(reached, key=order.index, default="pass")
    assert verdict_of(gate, (), [unclear(*entry) for entry in entries]) == wanted
