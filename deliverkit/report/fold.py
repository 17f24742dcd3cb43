"""Outcomes and facts of one target folded into its part of the report, and the targets into the whole.

The verdict follows the gate: what reaches `--fail-on` fails, what could not be told and would have
reached it is inconclusive. Findings stand in the order in which they hurt.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from deliverkit.facts.domain import DomainFacts
from deliverkit.model import (
    AREAS,
    Absent,
    Finding,
    Fix,
    Found,
    Outcome,
    Place,
    Rule,
    Severity,
    Status,
    clipped,
)
from deliverkit.model.display import RECORDED
from deliverkit.model.gate import Gate
from deliverkit.records.names import unicode_name
from deliverkit.report import (
    authentication,
    dane,
    dkim,
    dmarc,
    dns,
    dnssec,
    mta_sts,
    mx,
    second_opinion,
    smtp,
    spf,
    tls_rpt,
)
from deliverkit.report.document import (
    SCHEMA,
    ChangeReport,
    Counts,
    ExhibitReport,
    Facts,
    FindingReport,
    InconclusiveReport,
    Location,
    MarkReport,
    QuestionReport,
    Report,
    SuppressedReport,
    TargetReport,
    Tool,
    Vantage,
    Verdict,
)

_WORST_FIRST: Final = (
    "delivery-from-nonexistent", "delivery-alignment-fails",
    "mx-domain-nonexistent", "dnssec-bogus", "mx-null-with-others", "mx-unresolvable", "mx-is-ip", "mx-is-cname",
    "mx-private-address", "mta-sts-mx-not-covered", "dane-mismatch", "mta-sts-policy-unreachable",
    "mta-sts-policy-syntax", "mta-sts-syntax", "smtp-service-refused", "auth-login-refused", "smtp-starttls-injection",
    "smtp-auth-before-tls", "tls-certificate-expired", "tls-certificate-name-mismatch", "tls-certificate-untrusted",
    "tls-certificate-not-as-expected", "smtp-starttls-missing", "spf-multiple-records", "spf-syntax",
    "spf-sender-not-authorized", "spf-too-many-lookups",
    "spf-include-loop", "spf-include-without-record", "spf-too-many-voids", "spf-permissive-all", "spf-missing",
    "dkim-key-mismatch", "dkim-multiple-records", "dkim-key-syntax", "dkim-key-revoked", "dkim-missing",
    "dmarc-multiple-records", "dmarc-syntax", "dmarc-missing", "delivery-not-production-sender", "delivery-spf-fails",
)  # fmt: skip
"""Among findings of one severity: first what loses all mail, then what loses some, then what lets forgeries in."""
_IMPACT: Final = {rule: place for place, rule in enumerate(_WORST_FIRST)}


def fold_target(
    facts: DomainFacts,
    outcomes: Sequence[Outcome],
    gate: Gate,
    *,
    duration_ms: float,
    questions: tuple[QuestionReport, ...] | msgspec.UnsetType = msgspec.UNSET,
) -> TargetReport:
    """One domain's report."""
    domain = facts.inputs.domain
    chosen = [outcome for outcome in outcomes if gate.selects(outcome.rule)]
    counted = [outcome for outcome in chosen if not gate.ignores(outcome.rule)]
    findings, unclear = judged(outcomes, gate, domain)
    suppressed = [
        SuppressedReport(**msgspec.structs.asdict(_finding(outcome.rule, finding, domain, gate)), by="ignore")
        for outcome in chosen
        if gate.ignores(outcome.rule)
        for finding in outcome.findings
    ]
    suppressed.sort(key=hurt)
    flat = flatten(facts)
    return TargetReport(
        target=domain,
        unicode=unicode_name(domain),
        role=_role(facts, flat),
        verdict=verdict_of(gate, findings, unclear),
        counts=Counts(
            passed=_count(counted, Status.PASS),
            fail=_count(counted, Status.FAIL),
            not_applicable=_count(counted, Status.NOT_APPLICABLE),
            inconclusive=_count(counted, Status.INCONCLUSIVE),
        ),
        findings=findings,
        inconclusive=unclear,
        suppressed=tuple(suppressed),
        facts=flat,
        passed=tuple(outcome.rule.id for outcome in counted if outcome.status is Status.PASS),
        not_applicable=tuple(outcome.rule.id for outcome in counted if outcome.status is Status.NOT_APPLICABLE),
        duration_ms=duration_ms,
        questions=questions,
    )


def judged(
    outcomes: Sequence[Outcome], gate: Gate, domain: str
) -> tuple[tuple[FindingReport, ...], tuple[InconclusiveReport, ...]]:
    """What was found, the worst first, and what could not be determined, of the rules that the gate lets through."""
    counted = [outcome for outcome in outcomes if gate.selects(outcome.rule) and not gate.ignores(outcome.rule)]
    findings = [_finding(outcome.rule, finding, domain, gate) for outcome in counted for finding in outcome.findings]
    unclear = tuple(
        dict.fromkeys(
            InconclusiveReport(
                rule=outcome.rule.id,
                area=outcome.rule.area,
                severity=gate.severity(outcome.rule, reason.severity).value,
                why=clipped(reason.why, RECORDED),
            )
            for outcome in counted
            for reason in outcome.unknown
        )
    )
    return tuple(sorted(findings, key=hurt)), unclear


def failed_target(domain: str, error: str, *, duration_ms: float) -> TargetReport:
    """The report of a target whose judging met a bug: nothing is known, and it says so."""
    return TargetReport(
        target=domain,
        unicode=unicode_name(domain),
        role=None,
        verdict="inconclusive",
        counts=Counts(passed=0, fail=0, not_applicable=0, inconclusive=0),
        findings=(),
        inconclusive=(),
        suppressed=(),
        facts=Facts(),
        passed=(),
        duration_ms=duration_ms,
        error=error,
    )


def fold_run(
    targets: tuple[TargetReport, ...],
    gate: Gate,
    *,
    version: str,
    started_at: float,
    duration_ms: float,
    vantage: Vantage,
) -> Report:
    """The whole report. `started_at` in seconds since the epoch."""
    verdicts = {target.verdict for target in targets}
    verdict: Verdict = "fail" if "fail" in verdicts else "inconclusive" if "inconclusive" in verdicts else "pass"
    code = {"fail": 1, "inconclusive": 3, "pass": 0}[verdict]
    if gate.exit_zero:
        code = 0
    if any(target.error is not None for target in targets):
        code = 4
    return Report(
        schema=SCHEMA,
        tool=Tool(name="deliverkit", version=version),
        started_at=rfc3339(started_at),
        duration_ms=duration_ms,
        verdict=verdict,
        exit_code=code,
        vantage=vantage,
        targets=targets,
    )


def rfc3339(seconds: float) -> str:
    """Seconds since the epoch as a time of RFC 3339 in UTC, to the second."""
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def change_lines(change: ChangeReport) -> list[str]:
    """A change as a heading and the lines of a diff, each record whole; of a document, lines that stay have a space."""
    where = f"{change.name} {change.rdtype}".strip()
    verb = "Publish" if change.before is None else "Delete" if change.after is None else "Change"
    lines = [f"{verb} at {where}:" if where else f"{verb}:"]
    old = change.before.split("\n") if change.before is not None else []
    new = change.after.split("\n") if change.after is not None else []
    head = _alike(old, new)
    most = min(len(old), len(new)) - head
    tail = _alike(old[::-1][:most], new[::-1][:most])
    lines.extend(f"  {line}" for line in old[:head])
    lines.extend(f"- {line}" for line in old[head : len(old) - tail])
    lines.extend(f"+ {line}" for line in new[head : len(new) - tail])
    lines.extend(f"  {line}" for line in old[len(old) - tail :])
    return lines


def _alike(some: Sequence[str], others: Sequence[str]) -> int:
    """How many lines both begin with."""
    return next(
        (n for n, (one, other) in enumerate(zip(some, others, strict=False)) if one != other),
        min(len(some), len(others)),
    )


def flatten(facts: DomainFacts) -> Facts:
    """What is known of each area, as the contract names it; an area not asked for is left out."""
    return Facts(
        mx=mx.report(facts.mx.value) if isinstance(facts.mx, Found) else None,
        spf=spf.report(facts.spf.value) if isinstance(facts.spf, Found) else _spf_of_nobody(facts),
        dkim=dkim.report(facts.dkim.value) if isinstance(facts.dkim, Found) else None,
        dmarc=dmarc.report(facts.dmarc.value) if isinstance(facts.dmarc, Found) else None,
        mta_sts=mta_sts.report(facts.mta_sts.value) if isinstance(facts.mta_sts, Found) else None,
        tls_rpt=tls_rpt.report(facts.tls_rpt.value) if isinstance(facts.tls_rpt, Found) else None,
        dane=dane.report(facts.dane.value) if isinstance(facts.dane, Found) else None,
        dnssec=dnssec.report(facts.dnssec.value) if isinstance(facts.dnssec, Found) else None,
        smtp=smtp.report(facts.smtp.value) if isinstance(facts.smtp, Found) else None,
        dns=dns.report(facts.dns.value) if isinstance(facts.dns, Found) else None,
        delivery=authentication.report(facts.delivery.value) if isinstance(facts.delivery, Found) else None,
        second_opinion=second_opinion.report(facts.second_opinion.value)
        if isinstance(facts.second_opinion, Found)
        else None,
    )


def _spf_of_nobody(facts: DomainFacts) -> spf.SpfReport | None:
    """The evaluation for a domain that does not exist, where one was asked for: `none` (RFC 7208 §4.3)."""
    inputs = facts.inputs
    if not isinstance(facts.existence, Absent) or "spf" not in inputs.areas or not inputs.senders:
        return None
    evaluations = tuple(
        spf.EvaluationReport(
            ip=address,
            sender=clipped(inputs.sender or f"postmaster@{inputs.domain}", RECORDED),
            helo=clipped(inputs.helo or inputs.domain, RECORDED),
            result="none",
            mechanism=None,
            explanation=None,
            problem=None,
            lookups=0,
            void_lookups=0,
        )
        for address in inputs.senders
    )
    return spf.SpfReport(
        record=None,
        records=(),
        lookups=0,
        void_lookups=0,
        all=None,
        tree=None,
        evaluation=evaluations[0],
        evaluations=evaluations,
        unknown=(),
    )


def _role(facts: DomainFacts, flat: Facts) -> Literal["mail", "no-mail", "parked", "nonexistent"] | None:
    """What the domain is taken for; None where it cannot be told.

    Parked: no MX or a null MX, and a bare `v=spf1 -all`.
    """
    if isinstance(facts.existence, Absent):
        return "nonexistent"
    if flat.mx is None or flat.mx.null is None:
        return None
    takes_mail = not flat.mx.null and bool(flat.mx.hosts)
    bare = _is_bare(getattr(flat.spf, "record", None))
    if not takes_mail and bare:
        return "parked"
    if takes_mail or flat.mx.implicit:
        return "mail"
    return "no-mail"


def _is_bare(record: str | None) -> bool:
    return record is not None and record.lower().split() == ["v=spf1", "-all"]


def _count(outcomes: Iterable[Outcome], status: Status) -> int:
    return sum(outcome.status is status for outcome in outcomes)


def verdict_of(gate: Gate, findings: Iterable[FindingReport], unclear: Iterable[InconclusiveReport]) -> Verdict:
    """The verdict these come to."""
    if any(gate.reached_by(finding.severity) for finding in findings):
        return "fail"
    words = {gate.on_inconclusive(entry.area) for entry in unclear if gate.reached_by(entry.severity)}
    return "fail" if "fail" in words else "inconclusive" if "report" in words else "pass"


def hurt(finding: FindingReport) -> tuple[int, int, int, str, str, str]:
    """Sorts findings, the worst first."""
    return (
        Severity(finding.severity).rank,
        _IMPACT.get(finding.rule, len(_IMPACT)),
        AREAS.index(finding.area),
        finding.rule,
        finding.subject,
        finding.message,
    )


def _finding(rule: Rule, finding: Finding, domain: str, gate: Gate) -> FindingReport:
    change = _change(finding.fix)
    words = finding.fix.text if finding.fix is not None and finding.fix.text else rule.doc.fix
    fix = clipped(words, RECORDED)
    if change is not None:
        fix = "\n".join([fix, *change_lines(change)])
    return FindingReport(
        rule=rule.id,
        area=rule.area,
        severity=gate.severity(rule, finding.severity).value,
        subject=clipped(finding.subject or domain, RECORDED),
        message=clipped(finding.message, RECORDED),
        evidence=tuple(clipped(exhibit.text, RECORDED) for exhibit in finding.evidence),
        fix=fix,
        references=rule.references,
        who=(finding.who or rule.who).value,
        location=None if finding.place is None else _location(finding.place),
        fingerprint=finding.fingerprint(rule.id, domain),
        part_of=finding.part_of,
        exhibits=tuple(
            ExhibitReport(
                title=clipped(exhibit.title, RECORDED),
                text=clipped(exhibit.text, RECORDED),
                marks=tuple(
                    MarkReport(start=mark.start, end=mark.end, note=clipped(mark.note, RECORDED))
                    for mark in exhibit.marks
                ),
            )
            for exhibit in finding.evidence
        ),
        change=change,
    )


def _location(place: Place) -> Location:
    return Location(path=place.path, line=place.line, column=place.column)


def _change(fix: Fix | None) -> ChangeReport | None:
    if fix is None or (fix.before is None and fix.after is None):
        return None
    return ChangeReport(
        name=clipped(fix.name, RECORDED),
        rdtype=fix.rdtype,
        before=None if fix.before is None else clipped(fix.before, RECORDED),
        after=None if fix.after is None else clipped(fix.after, RECORDED),
    )
