"""Every rule's page is true: each Bad fails exactly this rule, each Good passes it."""

from __future__ import annotations

import pytest

from deliverkit.model import Rule, Severity, Status
from deliverkit.rules import all_rules
from deliverkit.runs.example import judge_world

RULES = all_rules()
BAD = [pytest.param(rule, block.world, id=f"{rule.id}-{n}") for rule in RULES for n, block in enumerate(rule.doc.bad)]
GOOD = [pytest.param(rule, block.world, id=f"{rule.id}-{n}") for rule in RULES for n, block in enumerate(rule.doc.good)]


@pytest.mark.parametrize(("rule", "world"), BAD)
def test_bad_fails_exactly_this_rule(rule: Rule, world: str):
    outcomes = judge_world(world, rule.area)
    failed = {outcome.rule.id for outcome in outcomes if outcome.status is Status.FAIL}
    explained = {
        outcome.rule.id for outcome in outcomes if outcome.findings and all(f.part_of for f in outcome.findings)
    }
    own = next(outcome for outcome in outcomes if outcome.rule.id == rule.id)
    parents = {finding.part_of for finding in own.findings}
    assert rule.id in failed
    assert failed - explained <= {rule.id} | parents


@pytest.mark.parametrize(("rule", "world"), GOOD)
def test_good_passes(rule: Rule, world: str):
    outcomes = judge_world(world, rule.area)
    assert [outcome.status for outcome in outcomes if outcome.rule.id == rule.id] == [Status.PASS]
    assert not [
        f
        for outcome in outcomes
        for f in outcome.findings
        if f.severity is not Severity.NOTICE and not f.part_of and outcome.rule.severity is not Severity.NOTICE
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_page_is_whole(rule: Rule):
    assert rule.references
    assert rule.doc.summary
    assert rule.doc.summary.endswith(".")
    assert rule.doc.why
    assert rule.doc.fix
    assert rule.doc.bad
    assert rule.doc.good


@pytest.mark.parametrize(("rule", "world"), BAD)
def test_finding_is_never_stronger_than_its_rule(rule: Rule, world: str):
    for outcome in judge_world(world, rule.area):
        for finding in outcome.findings:
            if finding.severity is not None:
                assert finding.severity.rank >= outcome.rule.severity.rank


def test_ids_are_unique():
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
