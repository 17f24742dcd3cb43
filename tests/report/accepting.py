"""Targets, ignores and entries of a baseline, for tests of what is accepted."""

from __future__ import annotations

import datetime as dt

import msgspec
from hypothesis import strategies as st

from deliverkit.model.gate import Gate
from deliverkit.report.asked import Asked
from deliverkit.report.baseline import Baseline, Entry
from deliverkit.report.document import Counts, Facts, FindingReport, InconclusiveReport, TargetReport
from deliverkit.report.suppress import Accept, Acceptance, suppress

TODAY = dt.date(2027, 1, 15)
AREAS = ("mx", "spf", "dmarc")
RULES = ("mx-a", "mx-b", "spf-a", "dmarc-a")
LEVELS = ("error", "warning", "notice")


def finding(rule: str = "mx-a", severity: str = "error", fingerprint: str = "", **changes) -> FindingReport:
    plain = FindingReport(
        rule=rule,
        area=rule.partition("-")[0],
        severity=severity,
        subject="example.com",
        message="it is wrong",
        evidence=(),
        fix="Mend it.",
        references=("RFC 0",),
        who="dns-admin",
        location=None,
        fingerprint=fingerprint or f"print-of-{rule}",
        part_of=None,
        exhibits=(),
        change=None,
    )
    return msgspec.structs.replace(plain, **changes)


def unclear(rule: str = "mx-a", severity: str = "error") -> InconclusiveReport:
    return InconclusiveReport(rule=rule, area=rule.partition("-")[0], severity=severity, why="SERVFAIL")


def target(*findings, inconclusive=(), passed=(), name: str = "example.com", error: str | None = None) -> TargetReport:
    failed = {each.rule for each in findings}
    return TargetReport(
        target=name,
        unicode=name,
        role=None,
        verdict="fail" if findings else "inconclusive" if inconclusive else "pass",
        counts=Counts(
            passed=len(passed),
            fail=len(failed),
            not_applicable=0,
            inconclusive=len({entry.rule for entry in inconclusive} - failed),
        ),
        findings=findings,
        inconclusive=tuple(inconclusive),
        suppressed=(),
        facts=Facts(),
        passed=tuple(passed),
        duration_ms=0.0,
        error=error,
    )


def ignore(rule: str = "mx-a", **changes) -> Accept:
    return msgspec.structs.replace(Accept(rule=rule, reason="OPS-1", path="deliverkit.toml", line=3), **changes)


def entry(rule: str = "mx-a", severity: str = "error", fingerprint: str = "", domain: str = "example.com") -> Entry:
    return Entry(
        domain=domain,
        rule=rule,
        subject="example.com",
        fingerprint=fingerprint or f"print-of-{rule}",
        severity=severity,
    )


def done(*targets, accepts=(), entries=(), gate: Gate | None = None, areas=AREAS, whole: bool = False):
    acceptance = Acceptance(accepts=tuple(accepts), baseline=Baseline(findings=tuple(entries)), today=TODAY)
    return suppress(targets, acceptance, Asked(areas=areas, gate=gate or Gate()), whole=whole)


findings = st.builds(finding, st.sampled_from(RULES), st.sampled_from(LEVELS), st.sampled_from(["", "x", "y"]))
ignores = st.builds(
    ignore,
    st.sampled_from([*RULES, "mx", "spf"]),
    domain=st.sampled_from([None, "example.com", "other.example"]),
    expires=st.sampled_from([None, dt.date(2020, 1, 1), dt.date(2027, 6, 1)]),
)
entries = st.builds(entry, st.sampled_from(RULES), st.sampled_from(LEVELS), st.sampled_from(["", "x", "y"]))
gates = st.builds(
    Gate,
    fail_on=st.sampled_from([*LEVELS, "never"]),
    inconclusive=st.sampled_from(["report", "pass", "fail"]),
    by_area=st.dictionaries(st.sampled_from(AREAS), st.sampled_from(["report", "pass", "fail"])),
)
unclears = st.builds(unclear, st.sampled_from(RULES), st.sampled_from(LEVELS))
