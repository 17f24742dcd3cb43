"""Findings that were accepted, taken out of what fails: by an ignore, or by the baseline.

They stay in the report, as suppressed, with who accepted them; counts and verdict are without them. An ignore that has
expired accepts nothing; one without a reason does, and is a finding itself. What an ignore names and could not be
determined is accepted as well, for whatever it would have been.
"""

from __future__ import annotations

import collections
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from deliverkit.config.settings import MAX_IGNORE_DAYS, Config
from deliverkit.model.location import Location
from deliverkit.report.asked import Asked
from deliverkit.report.baseline import Baseline, Entry, matched
from deliverkit.report.document import FindingReport, InconclusiveReport, SuppressedReport, TargetReport
from deliverkit.report.fold import hurt, verdict_of


class Accept(msgspec.Struct, frozen=True, kw_only=True):
    """An ignore, wherever it is written: in the configuration, or beside a record.

    `rule` is a rule's id or an area. `domain` None: any; `*.example.com`: all below. `lines` are the first and the
    last line of its own file in which it accepts what is found; None: it does not go by lines.
    """

    rule: str
    domain: str | None = None
    reason: str | None = None
    expires: dt.date | None = None
    path: str
    line: int
    column: int | None = None
    lines: tuple[int, int] | None = None
    problem: str | None = None
    """Why it cannot be understood; it accepts nothing then."""

    def expired(self, today: dt.date) -> bool:
        """Whether its last day has passed."""
        return self.expires is not None and today > self.expires

    def names(self, domain: str) -> bool:
        """Whether it is for this domain."""
        if self.domain is None:
            return True
        below = self.domain.removeprefix("*")
        return domain == self.domain or (below != self.domain and domain.endswith(below))

    def covers(self, rule: str, area: str, domain: str, location: Location | None = None) -> bool:
        """Whether it accepts a finding of this rule on this domain, at this place."""
        if self.problem is not None or self.rule not in (rule, area) or not self.names(domain):
            return False
        if self.lines is None:
            return True
        return location is not None and location.path == self.path and self.lines[0] <= location.line <= self.lines[1]


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """All that is accepted in a run, on the day it was made (UTC)."""

    accepts: tuple[Accept, ...] = ()
    baseline: Baseline = Baseline()
    today: dt.date
    most_days: int = MAX_IGNORE_DAYS


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an ignore: how much it accepted, and whether the run told everything that it is about."""

    accept: Accept
    held: int
    told: bool


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """The targets without what is accepted, what each ignore did, and the entries of the baseline that did nothing."""

    targets: tuple[TargetReport, ...]
    uses: tuple[Use, ...]
    stale: tuple[Entry, ...]


def of_config(config: Config) -> tuple[Accept, ...]:
    """The ignores of a configuration."""
    return tuple(
        Accept(
            rule=entry.rule,
            domain=entry.domain,
            reason=entry.reason,
            expires=entry.expires,
            path=entry.path,
            line=entry.line,
        )
        for entry in config.ignores
    )


def suppress(
    targets: Sequence[TargetReport], acceptance: Acceptance, asked: Asked, *, whole: bool = False
) -> Suppression:
    """Takes out of the targets what is accepted. `whole`: the run judged every domain that there is to judge."""
    held = [0] * len(acceptance.accepts)
    stale: list[Entry] = []
    changed: list[TargetReport] = []
    for target in targets:
        left, unused = _one(target, acceptance, asked, held)
        changed.append(left)
        stale.extend(unused)
    uses = [
        Use(accept=accept, held=held[place], told=_told(accept, targets, asked, whole=whole))
        for place, accept in enumerate(acceptance.accepts)
    ]
    return Suppression(targets=tuple(changed), uses=tuple(uses), stale=tuple(sorted(stale)))


def _one(
    target: TargetReport, acceptance: Acceptance, asked: Asked, held: list[int]
) -> tuple[TargetReport, list[Entry]]:
    """A target without what is accepted, and the entries of the baseline that are found there no more."""
    today = acceptance.today
    live = [(place, one) for place, one in enumerate(acceptance.accepts) if not one.expired(today)]

    def accepted(rule: str, area: str, location: Location | None) -> Accept | None:
        for place, one in live:
            if one.covers(rule, area, target.target, location):
                held[place] += 1
                return one
        return None

    findings: list[FindingReport] = []
    suppressed = list(target.suppressed)
    for finding in target.findings:
        by = accepted(finding.rule, finding.area, finding.location)
        if by is None:
            findings.append(finding)
        else:
            suppressed.append(_suppressed(finding, by))
    known = [entry for entry in acceptance.baseline.findings if entry.domain == target.target]
    taken, unused = matched(findings, known)
    suppressed += [
        SuppressedReport(**msgspec.structs.asdict(finding), by="baseline")
        for finding, its in zip(findings, taken, strict=True)
        if its
    ]
    findings = [finding for finding, its in zip(findings, taken, strict=True) if not its]
    unclear = [entry for entry in target.inconclusive if accepted(entry.rule, entry.area, None) is None]
    stale = [entry for entry in _surplus(unused, known, target) if asked.told(target, entry.rule)]
    if len(findings) == len(target.findings) and len(unclear) == len(target.inconclusive):
        return target, stale
    return _without(target, findings, unclear, suppressed, asked), stale


def _surplus(unused: Iterable[Entry], known: Iterable[Entry], target: TargetReport) -> Iterator[Entry]:
    """The entries that nothing stands for any more; what became harder, or is ignored as well, is still there."""
    there = collections.Counter(finding.fingerprint for finding in (*target.findings, *target.suppressed))
    more = collections.Counter(entry.fingerprint for entry in known) - there
    for entry in unused:
        if more[entry.fingerprint] > 0:
            more[entry.fingerprint] -= 1
            yield entry


def _suppressed(finding: FindingReport, by: Accept) -> SuppressedReport:
    return SuppressedReport(
        **msgspec.structs.asdict(finding),
        by="ignore",
        reason=by.reason,
        expires=by.expires.isoformat() if by.expires is not None else None,
    )


def _without(
    target: TargetReport,
    findings: Sequence[FindingReport],
    unclear: Sequence[InconclusiveReport],
    suppressed: Iterable[SuppressedReport],
    asked: Asked,
) -> TargetReport:
    """The target with these left: a rule that has nothing left to say is not counted."""
    failed = {finding.rule for finding in findings}
    undetermined = {entry.rule for entry in unclear} - failed
    return msgspec.structs.replace(
        target,
        verdict=verdict_of(asked.gate, findings, unclear),
        counts=msgspec.structs.replace(target.counts, fail=len(failed), inconclusive=len(undetermined)),
        findings=tuple(findings),
        inconclusive=tuple(unclear),
        suppressed=tuple(sorted(suppressed, key=hurt)),
    )


def _told(accept: Accept, targets: Sequence[TargetReport], asked: Asked, *, whole: bool) -> bool:
    """Whether the run told all that an ignore is about: only then can it be called unused."""
    named = [target for target in targets if accept.names(target.target)]
    if not named:
        return whole and accept.domain is not None
    return all(asked.told(target, accept.rule) for target in named)
