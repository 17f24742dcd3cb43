"""Shows every rule every fact of the type it asks for, and folds what it says into one outcome."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from deliverkit.facts import Fact, Gap, subjects
from deliverkit.model import (
    Exhibit,
    Finding,
    Inconclusive,
    NotApplicable,
    Outcome,
    Rule,
    Severity,
    Status,
    Undetermined,
)

_MOST: Final = 100
"""Findings of one rule on one fact: a hostile record has thousands of terms."""
_EXHIBITS: Final = 40


def judge(root: Fact, rules: Iterable[Rule]) -> tuple[Outcome, ...]:
    """The outcome of each rule over the whole tree, in the order of `rules`.

    A rule fails where any subject fails, else is inconclusive where any could not be told, else passes
    where any passes; with no subject it is not applicable.
    """
    by_type: dict[type[Fact], list[Fact]] = {}
    gaps: dict[type[Fact], list[str]] = {}
    for node in subjects(root):
        if isinstance(node, Gap):
            for kind in node.types:
                gaps.setdefault(kind, []).append(node.why)
        else:
            by_type.setdefault(type(node), []).append(node)
    return tuple(_outcome(rule, by_type.get(rule.subject, []), gaps.get(rule.subject, [])) for rule in rules)


def _outcome(rule: Rule, facts: list[Fact], gaps: list[str]) -> Outcome:
    findings: list[Finding] = []
    unknown = [Undetermined(why, rule.severity) for why in gaps]
    passed = False
    for fact in facts:
        before = len(findings)
        try:
            for finding in itertools.islice(rule.judge(fact), _MOST):
                findings.append(finding)  # noqa: PERF402 - keeps what was yielded before a rule was stopped
        except Inconclusive as stop:
            unknown.append(Undetermined(stop.why, Severity(stop.severity) if stop.severity else rule.severity))
        except NotApplicable:
            continue
        else:
            passed = passed or len(findings) == before
    if findings:
        status = Status.FAIL
    elif unknown:
        status = Status.INCONCLUSIVE
    elif passed:
        status = Status.PASS
    else:
        status = Status.NOT_APPLICABLE
    return Outcome(rule=rule, status=status, findings=_joined(findings), unknown=tuple(dict.fromkeys(unknown)))


def _joined(findings: list[Finding]) -> tuple[Finding, ...]:
    """Findings that differ in their evidence alone are one: the addresses of a host often show the same fault."""
    found: dict[Finding, list[Exhibit]] = {}
    for finding in findings:
        found.setdefault(replace(finding, evidence=()), []).extend(finding.evidence)
    return tuple(replace(bare, evidence=tuple(dict.fromkeys(evidence))[:_EXHIBITS]) for bare, evidence in found.items())
