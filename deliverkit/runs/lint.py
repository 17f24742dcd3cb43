"""The run of `lint`: files judged as if they were published, and as they are written.

The domains that hold mail are judged by the rules that `check` has, with the files in the DNS' place. What a rule
would have to ask of a name outside them makes it not applicable, and the report says so; nothing is asked, unless
`behind` is there to be asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import msgspec

from deliverkit import engine
from deliverkit.dns import Port
from deliverkit.dns.build import open_port
from deliverkit.dns.deadline import Bounded
from deliverkit.dns.options import DnsOptionsError
from deliverkit.dns.vantage import Vantage as Seen
from deliverkit.evidence.recorder import Nowhere, Recorder
from deliverkit.facts.domain import DomainFacts
from deliverkit.facts.zone import ZoneFacts
from deliverkit.model import Found, Inputs, Outcome, Source, Status, Undetermined
from deliverkit.probes import zone
from deliverkit.probes.domain import gather
from deliverkit.report import Report, TargetReport
from deliverkit.report.document import InconclusiveReport
from deliverkit.report.fold import fold_target
from deliverkit.report.suppress import Accept
from deliverkit.runs.expected import with_expected
from deliverkit.runs.judging import RULES, failed, folded
from deliverkit.runs.lint_facts import files_alone
from deliverkit.runs.lint_places import explained, located
from deliverkit.runs.options import RunError, RunOptions
from deliverkit.sources.answers import OUTSIDE, Published, is_spf

LINT_AREAS: Final = ("mx", "spf", "dkim", "dmarc", "mta-sts", "tls-rpt", "dane")
_FILE: Final = "a file says nothing of DNSSEC"
_TOLD_BY_ZONE: Final = frozenset({"dns-cname-with-other-data"})
"""Rules that a rule of area `zone` says with the line."""
_REVERSE: Final = ("in-addr.arpa", "ip6.arpa")


def lint(
    sources: Sequence[Source],
    options: RunOptions,
    *,
    partial: bool = False,
    live: bool = False,
    port: Port | None = None,
) -> Report:
    """`run`, for callers without an event loop."""
    return asyncio.run(run(sources, options, partial=partial, live=live, port=port))


async def run(
    sources: Sequence[Source],
    options: RunOptions,
    *,
    partial: bool = False,
    live: bool = False,
    port: Port | None = None,
) -> Report:
    """The report on all domains of these files. `partial`: what is absent from them may be elsewhere.

    `live` asks the DNS that the options name for names outside the files, `port` answers in its place. What the
    configuration expects of a domain is expected of its files. Raises `RunError`.
    """
    options = msgspec.structs.replace(options, areas=(*LINT_AREAS, "dns", "zone"))
    if not live or port is not None:
        return await _run(sources, options, port, partial=partial, seen=Seen())
    try:
        async with open_port(options.dns, trace=options.trace) as opened:
            return await _run(sources, options, opened.port, partial=partial, seen=opened.vantage())
    except DnsOptionsError as error:
        raise RunError(str(error)) from error


async def _run(
    sources: Sequence[Source], options: RunOptions, behind: Port | None, *, partial: bool, seen: Seen
) -> Report:
    began, now = time.monotonic(), time.time()
    published = Published(sources, behind, partial=partial)
    requests = {name: with_expected(inputs, options.config) for name, inputs in targets_of(sources, published).items()}
    shared = zone.probe(published, sources, requests)
    targets: list[TargetReport] = []
    names = list(dict.fromkeys((*requests, *shared)))
    for name in names:
        inputs = requests.get(name) or Inputs(domain=name, areas=("zone",))
        started = time.monotonic()
        try:
            port = published if behind is None else Bounded(published, started + options.timeout, options.timeout)
            recorder = Recorder(port, Nowhere(f"it is {OUTSIDE}"))
            facts = await _facts(inputs, recorder, now, shared.get(name, ZoneFacts()), request=name in requests)
            targets.append(_judged(facts, options, published, started))
        except Exception as error:  # noqa: BLE001 - the other targets go on; the report says that this one did not
            if options.failed is not None:
                options.failed(name, error)
            targets.append(failed(name, error, _since(started)))
        if options.progress is not None:
            options.progress(len(targets), len(names))
    inline = [accept for source in sources for accept in accepts_of(source)]
    return folded(targets, options, now, _since(began), seen, inline=inline)


def accepts_of(source: Source) -> list[Accept]:
    """The ignores in a file's comments; one that is damaged accepts nothing, and is a finding."""
    return [
        Accept(
            rule=ignore.rule,
            reason=ignore.reason,
            expires=ignore.expires,
            path=ignore.place.path,
            line=ignore.place.line,
            column=ignore.place.column,
            lines=(ignore.first, ignore.last),
            problem=ignore.problem,
        )
        for ignore in source.ignores
    ]


def targets_of(sources: Sequence[Source], published: Published) -> dict[str, Inputs]:
    """What is judged: where zones begin, and every name in them that takes mail or has a policy of its own."""
    mail: dict[str, None] = {}
    senders: dict[str, None] = {}
    for (name, rdtype), records in published.records.items():
        zone_name = published.zone_of(name)
        if zone_name is None or name.startswith("*") or (zone_name and name.endswith(f"{zone_name}.{zone_name}")):
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
        for apex in published.starts[source.path]:
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
            selectors=tuple(selectors.get(name, ())),
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


def _judged(facts: DomainFacts, options: RunOptions, published: Published, started: float) -> TargetReport:
    domain = facts.inputs.domain
    judged = [outcome for outcome in engine.judge(facts, RULES) if outcome.rule.id not in _TOLD_BY_ZONE]
    settled = [_settled(outcome) for outcome in judged]
    report = fold_target(facts, [outcome for outcome, _ in settled], options.gate, duration_ms=_since(started))
    zone_name = published.zone_of(domain)
    path = published.zones[zone_name].path if zone_name is not None else domain
    return msgspec.structs.replace(
        report,
        findings=explained(located(finding, domain, published, path) for finding in report.findings),
        suppressed=tuple(located(finding, domain, published, path) for finding in report.suppressed),
        outside=tuple(
            InconclusiveReport(rule=outcome.rule.id, area=outcome.rule.area, severity=each.severity.value, why=each.why)
            for outcome, outside in settled
            for each in outside
            if options.gate.selects(outcome.rule) and not options.gate.ignores(outcome.rule)
        ),
    )


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
