"""The run of `diff`: the same targets judged twice, and what is different told in consequences.

Today is the live DNS, or a saved run (`evidence`). With zones, what they would publish in front of today is compared
with today, or with an older run (`against`); without them, today is compared with the older run. Both sides are asked
about the same selectors and the same senders.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from deliverkit.dns import Port
from deliverkit.dns.build import open_port
from deliverkit.dns.options import DnsOptionsError
from deliverkit.evidence import saved
from deliverkit.evidence.recorder import Fetcher, Recorder
from deliverkit.model import Inputs
from deliverkit.report import Report, TargetReport
from deliverkit.report.diff import DiffReport, Side, compared
from deliverkit.report.diff_spf import Passing, Span, difference, number_bytes, spans_of
from deliverkit.report.dkim import DkimReport
from deliverkit.report.fold import rfc3339
from deliverkit.runs import check
from deliverkit.runs.expected import with_expected
from deliverkit.runs.options import AT_ONCE, RunError, RunOptions
from deliverkit.runs.outside import Outside
from deliverkit.runs.planned import Planned, read_sources

AREAS: Final = ("mx", "spf", "dkim", "dmarc", "mta-sts", "tls-rpt", "dane")
"""What is compared. DNSSEC is not: a file holds neither the keys nor the parent's side."""
_SPANS: Final = 48
"""Spans of addresses on each side that are put to check_host()."""


class View(msgspec.Struct, frozen=True):
    """Where answers come from: one port for all targets, or one for each."""

    words: str
    ports: dict[str, Port]
    fetchers: dict[str, Fetcher]
    port: Port | None = None
    fetcher: Fetcher | None = None


def diff(
    requests: tuple[Inputs, ...],
    options: RunOptions,
    *,
    against: Path | None = None,
    port: Port | None = None,
    fetcher: Fetcher | None = None,
) -> DiffReport:
    """`run`, for callers without an event loop."""
    return asyncio.run(run(requests, options, against=against, port=port, fetcher=fetcher))


async def run(
    requests: tuple[Inputs, ...],
    options: RunOptions,
    *,
    against: Path | None = None,
    port: Port | None = None,
    fetcher: Fetcher | None = None,
) -> DiffReport:
    """What is different. Without `requests` the targets are those of the saved run. Raises `RunError`."""
    zones = options.dns.zones
    if not zones and against is None:
        raise RunError("nothing to compare: name a file of records with --zone, or a saved run with --against")
    if options.dns.offline and options.evidence is None and against is None:
        raise RunError("--offline leaves nothing to compare with: name a saved run with --evidence or --against")
    began = time.monotonic()
    sources = read_sources(zones)
    older = _loaded(against) if against is not None else None
    today_saved = _loaded(options.evidence) if options.evidence is not None else None
    requests = _requests(requests, [run for run in (older, today_saved) if run is not None], options)
    live = replace(options, dns=replace(options.dns, zones=(), zone_partial=False), evidence=None, areas=AREAS)
    async with _today(live, len(requests), today_saved, port, fetcher) as today:
        before = _saved_view(older) if older is not None else today
        after = today if not zones else _planned(sources, today, requests, options)
        quiet = replace(live, save_evidence=None, progress=None)
        sides: list[tuple[View, RunOptions]] = [
            (before, live if before is today else quiet),
            (after, live if before is not today else quiet),
        ]
        reports = await asyncio.gather(*(_report(view, requests, chosen) for view, chosen in sides))
        details = await asyncio.gather(*(_details(view, requests, reports, quiet) for view, _ in sides))
    first, second = (
        Side(report=report, words=view.words, passing=passing, keys=keys)
        for (view, _), report, (passing, keys) in zip(sides, reports, details, strict=True)
    )
    return compared(first, second, options.gate, duration_ms=round((time.monotonic() - began) * 1000, 1))


def _loaded(path: Path) -> saved.Evidence:
    try:
        return saved.load(path)
    except saved.EvidenceError as error:
        raise RunError(str(error)) from error


def _requests(requests: tuple[Inputs, ...], runs: Sequence[saved.Evidence], options: RunOptions) -> tuple[Inputs, ...]:
    """The targets, asked about what every saved run holds of them. Raises `RunError`."""
    if not requests and runs:
        requests = tuple(
            with_expected(replace(target.inputs, areas=AREAS), options.config) for target in runs[0].targets
        )
    found: list[Inputs] = []
    for inputs in requests:
        areas, selectors = inputs.areas, inputs.selectors
        for evidence in runs:
            target = _target(evidence, inputs.domain)
            areas = tuple(area for area in areas if area in target.inputs.areas)
            selectors = selectors or target.inputs.selectors
        if not areas:
            raise RunError(
                f"{inputs.domain}: the saved run holds none of the areas that are compared ({', '.join(AREAS)})"
            )
        found.append(replace(inputs, areas=areas, selectors=selectors, sessions=None))
    if not found:
        raise RunError("which domain? (deliverkit diff example.com --zone example.com.zone)")
    return tuple(found)


def _target(evidence: saved.Evidence, domain: str) -> saved.TargetEvidence:
    for target in evidence.targets:
        if target.inputs.domain == domain:
            return target
    raise RunError(f"the saved run of {rfc3339(evidence.started_at)} holds no evidence of {domain}")


@contextlib.asynccontextmanager
async def _today(
    options: RunOptions, targets: int, evidence: saved.Evidence | None, port: Port | None, fetcher: Fetcher | None
) -> AsyncIterator[View]:
    if evidence is not None:
        yield _saved_view(evidence)
        return
    if port is not None:
        yield View("what is published today", {}, {}, port, fetcher)
        return
    try:
        async with open_port(options.dns, trace=options.trace) as opened:
            # One fetch of a policy serves both sides: what differs between two fetches is no change of the domain's.
            rounds = -(-targets // AT_ONCE)
            outside = Outside(options, fetcher).fetcher(time.monotonic() + options.timeout * rounds)
            yield View("what is published today", {}, {}, opened.port, Recorder(opened.port, outside))
    except DnsOptionsError as error:
        raise RunError(str(error)) from error


def _saved_view(evidence: saved.Evidence) -> View:
    recorded = {target.inputs.domain: saved.Recorded(target.lookups, target.fetches) for target in evidence.targets}
    return View(f"the run saved at {rfc3339(evidence.started_at)}", dict(recorded), dict(recorded))


def _planned(sources: Sequence[object], today: View, requests: tuple[Inputs, ...], options: RunOptions) -> View:
    """What the files would publish, in front of today. Raises `RunError` for a domain that none of them holds."""
    names = ", ".join(path.name for path in options.dns.zones[:3])
    words = f"{names}{' and more' if options.dns.zones[3:] else ''}, published"

    def before(port: Port) -> Planned:
        return Planned(sources, port, partial=options.dns.zone_partial)  # type: ignore[arg-type]

    ports = {name: before(port) for name, port in today.ports.items()}
    one = before(today.port) if today.port is not None else None
    for inputs in requests:
        holder = one if one is not None else ports[inputs.domain]
        if not holder.holds(inputs.domain):
            raise RunError(f"no zone of {names} holds {inputs.domain}")
    return View(words, dict(ports), today.fetchers, one, today.fetcher)


async def _report(view: View, requests: tuple[Inputs, ...], options: RunOptions) -> Report:
    if view.port is not None:
        report = await check.run(requests, options, port=view.port, fetcher=view.fetcher)
        return replace(report, targets=_domains(report))
    # Of a saved run each target has its own answers.
    reports = [
        await check.run((inputs,), options, port=view.ports[inputs.domain], fetcher=view.fetchers.get(inputs.domain))
        for inputs in requests
    ]
    return replace(reports[0], targets=tuple(target for report in reports for target in _domains(report)))


def _domains(report: Report) -> tuple[TargetReport, ...]:
    """The targets without the user's own files, which no zone changes."""
    return tuple(target for target in report.targets if not target.about)


async def _details(
    view: View, requests: tuple[Inputs, ...], reports: Sequence[Report], options: RunOptions
) -> tuple[dict[str, Passing], dict[str, DkimReport]]:
    """By target: check_host() for the addresses that one side authorises, and the keys at either side's selectors."""
    sides: dict[str, list[TargetReport]] = {}
    for report in reports:
        for target in report.targets:
            sides.setdefault(target.target, []).append(target)
    asked: list[Inputs] = []
    for inputs in requests:
        if "spf" in inputs.areas and (senders := _senders(inputs, sides[inputs.domain])):
            asked.append(replace(inputs, areas=("spf",), senders=senders, verdicts_only=True))
        if "dkim" in inputs.areas and (selectors := _selectors(inputs, sides[inputs.domain])):
            asked.append(replace(inputs, areas=("dkim",), selectors=selectors))
    passing: dict[str, Passing] = {}
    keys: dict[str, DkimReport] = {}
    if asked:
        report = await _report(view, tuple(asked), options)
        for target in report.targets:
            if target.facts.spf is not None:
                passing[target.target] = {each.ip: each.result for each in target.facts.spf.evaluations}
            if target.facts.dkim is not None:
                keys[target.target] = target.facts.dkim
    return passing, keys


def _senders(inputs: Inputs, targets: Sequence[TargetReport]) -> tuple[str, ...]:
    """The addresses in question: those that were named, and the first of each span that one side alone authorises."""
    trees = [target.facts.spf.tree if target.facts.spf is not None else None for target in targets]
    one, other = (spans_of(tree) for tree in trees)
    spans: list[Span] = [*difference(one, other)[:_SPANS], *difference(other, one)[:_SPANS]]
    shared = one[:8]
    firsts = [str(ipaddress.ip_address(number_bytes(version, first))) for version, first, _ in (*spans, *shared)]
    return tuple(dict.fromkeys((*inputs.senders, *firsts)))


def _selectors(inputs: Inputs, targets: Sequence[TargetReport]) -> tuple[str, ...]:
    found = (
        each.selector for target in targets if target.facts.dkim is not None for each in target.facts.dkim.selectors
    )
    return tuple(dict.fromkeys((*inputs.selectors, *found)))
