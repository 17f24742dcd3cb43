"""From facts to the report: what a run needs once its answers are there, and `ahead` imports while they are awaited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from deliverkit import __version__, engine
from deliverkit.dns.vantage import Vantage as Seen
from deliverkit.evidence.saved import Asked
from deliverkit.facts.domain import DomainFacts
from deliverkit.report import Report, ResolverReport, TargetReport, Vantage
from deliverkit.report.asked import Asked as Told
from deliverkit.report.fold import failed_target, fold_run, fold_target
from deliverkit.report.suppress import Accept
from deliverkit.rules import all_rules
from deliverkit.runs.accepting import accepted, apply
from deliverkit.runs.options import RunOptions
from deliverkit.runs.questions import questions_of

RULES = all_rules()
"""Read here and now, since to read them is to import their modules."""


def judged(facts: DomainFacts, options: RunOptions, asked: Iterable[Asked], duration: float) -> TargetReport:
    """A target's part of the report; `duration` in milliseconds."""
    return fold_target(
        facts,
        engine.judge(facts, RULES),
        options.gate,
        duration_ms=duration,
        questions=questions_of(asked) if options.questions else msgspec.UNSET,
    )


def failed(domain: str, error: BaseException, duration: float) -> TargetReport:
    """The part of a target whose run a bug of ours ended."""
    return failed_target(domain, f"{type(error).__name__}: {error}", duration_ms=duration)


def folded(
    targets: Sequence[TargetReport],
    options: RunOptions,
    now: float,
    duration: float,
    seen: Seen,
    *,
    inline: Sequence[Accept] = (),
) -> Report:
    """The whole report, without what the user accepts: in the configuration, the baseline, or `inline` in a file."""
    told = accepted(options.config, now, baseline=options.baseline, baseline_path=options.baseline_path, inline=inline)
    return fold_run(
        apply(targets, told, Told(areas=options.areas, gate=options.gate), config=options.config),
        options.gate,
        version=__version__,
        started_at=now,
        duration_ms=duration,
        vantage=Vantage(
            resolvers=tuple(
                ResolverReport(address=address, public=seen.public if place == 0 else None, validating=seen.validating)
                for place, address in enumerate(seen.resolvers)
            ),
            ipv4=seen.ipv4,
            ipv6=seen.ipv6,
        ),
    )
