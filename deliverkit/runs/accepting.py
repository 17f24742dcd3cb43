"""What the user accepts, applied to a run; and what the run then says of the user's own files.

Each file with a finding is a target of its own, `deliverkit.toml`, so that the verdict of a domain is about the domain.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from deliverkit import engine
from deliverkit.config.settings import Config
from deliverkit.facts import Fact
from deliverkit.facts.config import BaselineEntryFacts, ConfigFacts, IgnoreFacts
from deliverkit.model import AREAS, Status
from deliverkit.model.gate import Gate
from deliverkit.model.location import Location
from deliverkit.report.asked import Asked
from deliverkit.report.baseline import Baseline, Entry
from deliverkit.report.document import Counts, Facts, FindingReport, SuppressedReport, TargetReport
from deliverkit.report.fold import hurt, judged, verdict_of
from deliverkit.report.suppress import Accept, Acceptance, Suppression, of_config, suppress
from deliverkit.rules import all_rules, rules_of

_WORST = (Status.FAIL, Status.INCONCLUSIVE, Status.PASS, Status.NOT_APPLICABLE)


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What is accepted in a run, and where the baseline lies."""

    acceptance: Acceptance
    baseline_path: str | None = None


def accepted(
    config: Config | None,
    now: float,
    *,
    baseline: Baseline | None = None,
    baseline_path: Path | None = None,
    inline: Iterable[Accept] = (),
) -> Accepted:
    """What a configuration, the comments of zone files and a baseline accept; `now` in seconds since the epoch."""
    return Accepted(
        acceptance=Acceptance(
            accepts=(*(of_config(config) if config is not None else ()), *inline),
            baseline=baseline or Baseline(),
            today=dt.datetime.fromtimestamp(now, dt.UTC).date(),
            most_days=(config or Config()).max_ignore_days,
        ),
        baseline_path=relative(baseline_path) if baseline_path is not None else None,
    )


def relative(path: Path) -> str:
    """A path as reports name it: relative to the working directory where it lies below it, with forward slashes."""
    try:
        below = os.path.relpath(path)
    except ValueError:  # another drive
        return path.as_posix()
    return path.as_posix() if below.startswith("..") else Path(below).as_posix()


def apply(
    targets: Sequence[TargetReport], told: Accepted, asked: Asked, *, config: Config | None = None
) -> tuple[TargetReport, ...]:
    """The targets without what is accepted, then a target for each file of the user's that has a finding."""
    if not told.acceptance.accepts and not told.acceptance.baseline.findings:
        return tuple(targets)
    names = {target.target for target in targets}
    whole = config is not None and bool(config.domains) and names.issuperset(config.domains)
    done = suppress(targets, told.acceptance, asked, whole=whole)
    return (*done.targets, *_files(facts_of(done, told), told, asked.gate))


def facts_of(done: Suppression, told: Accepted) -> ConfigFacts:
    """What became of the ignores and of the baseline."""
    stale = list(done.stale)
    there = {rule.id for rule in all_rules()}.union(AREAS) if done.uses else set()
    return ConfigFacts(
        ignores=tuple(
            IgnoreFacts(
                rule=use.accept.rule,
                domain=use.accept.domain,
                reason=use.accept.reason,
                expires=use.accept.expires,
                path=use.accept.path,
                line=use.accept.line,
                inline=use.accept.lines is not None,
                problem=use.accept.problem or (None if use.accept.rule in there else "there is no such rule"),
                today=told.acceptance.today,
                most_days=told.acceptance.most_days,
                held=use.held,
                told=use.told,
            )
            for use in done.uses
        ),
        entries=tuple(
            BaselineEntryFacts(
                rule=entry.rule,
                domain=entry.domain,
                subject=entry.subject,
                path=told.baseline_path or "",
                stale=_take(stale, entry),
            )
            for entry in told.acceptance.baseline.findings
        ),
    )


def _take(entries: list[Entry], entry: Entry) -> bool:
    """Whether the entry is among these; it is taken out."""
    if entry not in entries:
        return False
    entries.remove(entry)
    return True


def _files(facts: ConfigFacts, told: Accepted, gate: Gate) -> list[TargetReport]:
    """A target for each file in which something was found."""
    by_path: dict[str, list[tuple[Fact, Location]]] = {}
    for one in facts.ignores:
        by_path.setdefault(one.path, []).append((one, Location(path=one.path, line=one.line)))
    for entry in facts.entries:
        by_path.setdefault(entry.path, []).append((entry, Location(path=entry.path, line=1)))
    files = [_file(path, members, told.acceptance, gate) for path, members in by_path.items()]
    return [target for target in files if target.findings or target.suppressed]


def _file(path: str, members: Sequence[tuple[Fact, Location]], acceptance: Acceptance, gate: Gate) -> TargetReport:
    """One file as a target: its findings at their lines."""
    rules = rules_of("config")
    findings: list[FindingReport] = []
    suppressed: list[SuppressedReport] = []
    statuses: dict[str, list[Status]] = {}
    for fact, location in members:
        outcomes = engine.judge(fact, rules)
        for outcome in outcomes:
            statuses.setdefault(outcome.rule.id, []).append(outcome.status)
        for finding in judged(outcomes, gate, path)[0]:
            placed = msgspec.structs.replace(finding, location=location)
            by = _by(placed, path, acceptance)
            if by is None:
                findings.append(placed)
            else:
                suppressed.append(SuppressedReport(**msgspec.structs.asdict(placed), by="ignore", reason=by.reason))
    failed = {finding.rule for finding in findings}
    hidden = {finding.rule for finding in suppressed} - failed
    counted = {
        rule.id: min(statuses[rule.id], key=_WORST.index)
        for rule in rules
        if gate.selects(rule) and not gate.ignores(rule) and rule.id not in hidden
    }
    numbers = [*counted.values()]
    return TargetReport(
        target=path,
        unicode=path,
        role=None,
        verdict=verdict_of(gate, findings, ()),
        counts=Counts(
            passed=numbers.count(Status.PASS),
            fail=len(failed),
            not_applicable=numbers.count(Status.NOT_APPLICABLE),
            inconclusive=0,
        ),
        findings=tuple(sorted(findings, key=hurt)),
        inconclusive=(),
        suppressed=tuple(sorted(suppressed, key=hurt)),
        facts=Facts(),
        passed=tuple(rule for rule, status in counted.items() if status is Status.PASS),
        not_applicable=tuple(rule for rule, status in counted.items() if status is Status.NOT_APPLICABLE),
        duration_ms=0.0,
        about="config",
    )


def _by(finding: FindingReport, path: str, acceptance: Acceptance) -> Accept | None:
    """The ignore that accepts a finding about the user's own files: one of its very rule or area, for every domain."""
    for one in acceptance.accepts:
        if not one.expired(acceptance.today) and one.covers(finding.rule, finding.area, path, finding.location):
            return one
    return None
