"""The run of `lint`: files judged as if they were published, and as they are written.

The domains that hold mail are judged by the rules that `check` has, with the files in the DNS' place. What a rule
would have to ask of a name outside them makes it not applicable, and the report says so; nothing is asked, unless
`behind` is there to be asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from deliverkit import engine
from deliverkit.dns import Port
from deliverkit.dns.deadline import Bounded
from deliverkit.dns.vantage import Vantage as Seen
from deliverkit.evidence.recorder import Nowhere, Recorder
from deliverkit.facts.domain import DomainFacts
from deliverkit.facts.zone import ZoneFacts
from deliverkit.model import Expected, Found, Inputs, Outcome, Source, Status, Undetermined
from deliverkit.probes import zone
from deliverkit.probes.domain import gather
from deliverkit.report import Report, TargetReport
from deliverkit.report.document import InconclusiveReport
from deliverkit.report.fold import fold_target
from deliverkit.runs.judging import RULES, failed, folded
from deliverkit.runs.lint_accepted import accepted
from deliverkit.runs.lint_facts import files_alone
from deliverkit.runs.lint_places import located
from deliverkit.runs.options import RunOptions
from deliverkit.sources.answers import OUTSIDE, Published, is_spf, zones_of

LINT_AREAS: Final = ("mx", "spf", "dkim", "dmarc", "mta-sts", "tls-rpt", "dane")
_FILE: Final = "a file says nothing of DNSSEC"
_TOLD_BY_ZONE: Final = frozenset({"dns-cname-with-other-data"})
"""Rules that a rule of area `zone` says with the line."""
_REVERSE: Final = ("in-addr.arpa", "ip6.arpa")


class Domain(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a domain beside its files."""

    selectors: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    expected: Expected = Expected()


def lint(
    sources: Sequence[Source],
    options: RunOptions,
    *,
    partial: bool = False,
    known: Mapping[str, Domain] | None = None,
    behind: Port | None = None,
) -> Report:
    """`run`, for callers without an event loop."""
    return asyncio.run(run(sources, options, partial=partial, known=known, behind=behind))


async def run(
    sources: Sequence[Source],
    options: RunOptions,
    *,
    partial: bool = False,
    known: Mapping[str, Domain] | None = None,
    behind: Port | None = None,
) -> Report:
    """The report on all domains of these files. `partial`: what is absent from them may be elsewhere.

    `known` tells of domains what no file does; `behind` is asked for names outside the files.
    """
    began, now = time.monotonic(), time.time()
    published = Published(sources, behind, partial=partial)
    requests = targets_of(sources, published, known or {})
    shared = zone.probe(published, sources, requests)
    targets: list[TargetReport] = []
    for name in dict.fromkeys((*requests, *shared)):
        inputs = requests.get(name) or Inputs(domain=name, areas=("zone",))
        started = time.monotonic()
        try:
            port = published if behind is None else Bounded(published, started + options.timeout, options.timeout)
            recorder = Recorder(port, Nowhere(f"it is {OUTSIDE}"))
            facts = await _facts(inputs, recorder, now, shared.get(name, ZoneFacts()), request=name in requests)
            targets.append(_judged(facts, options, published, started, sources))
        except Exception as error:  # noqa: BLE001 - the other targets go on; the report says that this one did not
            if options.failed is not None:
                options.failed(name, error)
            targets.append(failed(name, error, _since(started)))
        if options.progress is not None:
            options.progress(len(targets), len(requests))
    return folded(targets, options, now, _since(began), Seen())


def targets_of(sources: Sequence[Source], published: Published, known: Mapping[str, Domain]) -> dict[str, Inputs]:
    """What is judged: where zones begin, and every name in them that takes mail or has a policy of its own."""
    mail: dict[str, None] = {}
    senders: dict[str, None] = {}
    for (name, rdtype), records in published.records.items():
        if published.zone_of(name) is None or name.startswith("*"):
            continue
        if rdtype == "MX" and not name.startswith("_"):
            mail[name] = None
        elif name.startswith("_dmarc.") and rdtype in ("TXT", "CNAME"):
            mail[name.removeprefix("_dmarc.")] = None
        elif rdtype == "TXT" and not name.startswith("_") and any(is_spf(record) for record in records):
            senders[name] = None
    whole: dict[str, None] = {}
    for source in sources:
        collection = "" in source.zones
        for apex in zones_of(source):
            if not apex.endswith(_REVERSE) and (apex in mail or not collection):
                whole[apex] = None
    found: dict[str, tuple[str, ...]] = dict.fromkeys(
        (*whole, *(name for name in mail if not name.endswith(_REVERSE))), LINT_AREAS
    )
    found |= {name: ("spf",) for name in senders if name not in found}
    selectors = _selectors(published)
    return {
        name: Inputs(
            domain=name,
            areas=areas,
            selectors=tuple(dict.fromkeys((*selectors.get(name, ()), *known.get(name, Domain()).selectors))),
            senders=known.get(name, Domain()).senders,
            expected=known.get(name, Domain()).expected,
        )
        for name, areas in sorted(found.items(), key=lambda item: item[0].split(".")[::-1])
    }


def _selectors(published: Published) -> dict[str, list[str]]:
    """The DKIM selectors that the files publish, by domain."""
    found: dict[str, list[str]] = {}
    for name, rdtype in published.records:
        selector, mark, domain = name.partition("._domainkey.")
        if mark and rdtype in ("TXT", "CNAME") and selector and not selector.startswith("*"):
            found.setdefault(domain, []).append(selector)
    return found


async def _facts(inputs: Inputs, recorder: Recorder, now: float, shared: ZoneFacts, *, request: bool) -> DomainFacts:
    if request:
        return msgspec.structs.replace(await gather(inputs, recorder, now), zone=Found(shared))
    return files_alone(inputs.domain, shared, now)


def _judged(
    facts: DomainFacts, options: RunOptions, published: Published, started: float, sources: Sequence[Source]
) -> TargetReport:
    domain = facts.inputs.domain
    judged = [outcome for outcome in engine.judge(facts, RULES) if outcome.rule.id not in _TOLD_BY_ZONE]
    settled = [_settled(outcome) for outcome in judged]
    report = fold_target(facts, [outcome for outcome, _ in settled], options.gate, duration_ms=_since(started))
    zone_name = published.zone_of(domain)
    path = published.zones[zone_name].path if zone_name is not None else domain
    report = msgspec.structs.replace(
        report,
        findings=tuple(located(finding, domain, published, path) for finding in report.findings),
        suppressed=tuple(located(finding, domain, published, path) for finding in report.suppressed),
        outside=tuple(
            InconclusiveReport(rule=outcome.rule.id, area=outcome.rule.area, severity=each.severity.value, why=each.why)
            for outcome, outside in settled
            for each in outside
            if options.gate.selects(outcome.rule) and not options.gate.ignores(outcome.rule)
        ),
    )
    ignores = [ignore for source in sources for ignore in source.ignores]
    return accepted(report, ignores, options.gate)


def _settled(outcome: Outcome) -> tuple[Outcome, tuple[Undetermined, ...]]:
    """The outcome without what lies outside the files, and that."""
    outside = tuple(each for each in outcome.unknown if OUTSIDE in each.why or _FILE in each.why)
    if not outside:
        return outcome, ()
    rest = tuple(each for each in outcome.unknown if each not in outside)
    status = outcome.status
    if status is Status.INCONCLUSIVE and not rest:
        status = Status.NOT_APPLICABLE
    return msgspec.structs.replace(outcome, unknown=rest, status=status), outside


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)
