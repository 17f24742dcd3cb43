"""The run of checks: targets in, report out.

All targets share one DNS port; each has its recorder and its deadline. What one target meets never
stops the rest.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from deliverkit import __version__, engine
from deliverkit.dns import Port
from deliverkit.dns.build import Vantage as Seen
from deliverkit.dns.build import open_port
from deliverkit.dns.deadline import Bounded
from deliverkit.dns.options import DnsOptionsError
from deliverkit.dns.recorder import Recorder
from deliverkit.dns.zonetext import ZoneError
from deliverkit.model import Inputs, Lookup
from deliverkit.probes.domain import gather
from deliverkit.report import Report, ResolverReport, TargetReport, Vantage
from deliverkit.report.fold import failed_target, fold_run, fold_target
from deliverkit.rules import all_rules
from deliverkit.runs.options import AT_ONCE, RunError, RunOptions
from deliverkit.runs.questions import questions_of

_HERE = Seen()


class _Done(msgspec.Struct, frozen=True):
    """A target's report, and its evidence where that is to be kept."""

    report: TargetReport
    lookups: tuple[Lookup, ...]


def check(requests: tuple[Inputs, ...], options: RunOptions, *, port: Port | None = None) -> Report:
    """`run`, for callers without an event loop."""
    return asyncio.run(run(requests, options, port=port))


async def run(requests: tuple[Inputs, ...], options: RunOptions, *, port: Port | None = None) -> Report:
    """The report on these targets, in their order. Raises `RunError`.

    `port` answers in place of the DNS that the options name.
    """
    began = time.monotonic()
    now = time.time()
    count = 0
    room = asyncio.Semaphore(AT_ONCE)
    async with _asking(options, port) as (asked, seen):

        async def one(inputs: Inputs) -> _Done:
            nonlocal count
            async with room:
                done = await _target(inputs, asked, options, now)
            count += 1
            if options.progress is not None:
                options.progress(count, len(requests))
            return done

        finished = await asyncio.gather(*(one(inputs) for inputs in requests))
        vantage = _vantage(seen())
    return fold_run(
        tuple(done.report for done in finished),
        options.gate,
        version=__version__,
        started_at=now,
        duration_ms=_since(began),
        vantage=vantage,
    )


@asynccontextmanager
async def _asking(options: RunOptions, port: Port | None) -> AsyncIterator[tuple[Port, Callable[[], Seen]]]:
    if port is not None:
        yield port, lambda: _HERE
        return
    try:
        async with open_port(options.dns, trace=options.trace) as opened:
            yield opened.port, opened.vantage
    except (DnsOptionsError, ZoneError) as error:
        raise RunError(str(error)) from error


async def _target(inputs: Inputs, port: Port, options: RunOptions, now: float) -> _Done:
    began = time.monotonic()
    recorder = Recorder(Bounded(port, began + options.timeout, options.timeout))
    report = await _judged(inputs, recorder, options, now, lambda: _since(began))
    kept = tuple(recorder.lookups.values()) if options.save_evidence is not None else ()
    return _Done(report, kept)


async def _judged(
    inputs: Inputs, recorder: Recorder, options: RunOptions, now: float, elapsed: Callable[[], float]
) -> TargetReport:
    """One target's report; a bug of ours ends this target alone."""
    try:
        facts = await gather(inputs, recorder, now)
        outcomes = engine.judge(facts, all_rules())
        return fold_target(
            facts,
            outcomes,
            options.gate,
            duration_ms=elapsed(),
            questions=questions_of(recorder.lookups) if options.questions else msgspec.UNSET,
        )
    except Exception as error:  # noqa: BLE001 - the other targets go on; the report says that this one did not
        if options.failed is not None:
            options.failed(inputs.domain, error)
        return failed_target(inputs.domain, f"{type(error).__name__}: {error}", duration_ms=elapsed())


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)


def _vantage(seen: Seen) -> Vantage:
    return Vantage(
        resolvers=tuple(
            ResolverReport(address=address, public=seen.public if place == 0 else None, validating=seen.validating)
            for place, address in enumerate(seen.resolvers)
        ),
        ipv4=seen.ipv4,
        ipv6=seen.ipv6,
    )
