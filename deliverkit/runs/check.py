"""The run of checks: targets in, report out.

All targets share one DNS port and the limits on connections; each has its recorder and its deadline. What one
target meets never stops the rest. A saved run takes the same path, its answers from the file.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from deliverkit import __version__
from deliverkit.dns import Port
from deliverkit.dns.build import Opened, open_port
from deliverkit.dns.deadline import Bounded
from deliverkit.dns.options import DnsOptionsError
from deliverkit.dns.vantage import Vantage as Seen
from deliverkit.evidence import saved
from deliverkit.evidence.recorder import Dialler, Fetcher, Recorder
from deliverkit.model import Inputs
from deliverkit.probes.domain import gather
from deliverkit.runs import ahead
from deliverkit.runs.options import AT_ONCE, SESSION_AREAS, RunError, RunOptions
from deliverkit.runs.outside import Outside

if TYPE_CHECKING:
    from deliverkit.report import Report, TargetReport

Elapsed = Callable[[], float]


_TICK: Final = 0.25


class _Done(msgspec.Struct, frozen=True):
    """A target's report, and its evidence where that is to be kept."""

    report: TargetReport
    evidence: saved.TargetEvidence | None = None


def check(
    requests: tuple[Inputs, ...],
    options: RunOptions,
    *,
    port: Port | None = None,
    fetcher: Fetcher | None = None,
    dialler: Dialler | None = None,
) -> Report:
    """`run`, for callers without an event loop."""
    return asyncio.run(run(requests, options, port=port, fetcher=fetcher, dialler=dialler))


async def run(
    requests: tuple[Inputs, ...],
    options: RunOptions,
    *,
    port: Port | None = None,
    fetcher: Fetcher | None = None,
    dialler: Dialler | None = None,
) -> Report:
    """The report on these targets, in their order. Raises `RunError`.

    `port` answers in place of the DNS that the options name, `fetcher` and `dialler` in place of the network. With
    `options.evidence` the targets are those saved, or the ones of them that `requests` names.
    """
    if options.evidence is not None:
        return await _again(requests, options)
    outside = Outside(options, fetcher, dialler)
    began = time.monotonic()
    now = time.time()
    async with _asking(options, port) as (asked, opened):
        validating = (
            asyncio.create_task(opened.validating()) if opened is not None and not options.dns.offline else None
        )
        with _loading(requests, options):
            finished = await _all(requests, asked, outside, options, now, opened.server if opened else "the resolver")
        if validating is not None:
            # Worth knowing, not worth waiting for.
            if not validating.done():
                validating.cancel()
            await asyncio.gather(validating, return_exceptions=True)
        seen = opened.vantage() if opened is not None else Seen()
    duration = _since(began)
    if options.save_evidence is not None:
        kept = saved.Evidence(
            version=__version__,
            started_at=now,
            options={"duration_ms": duration},
            vantage=seen,
            targets=tuple(done.evidence for done in finished if done.evidence is not None),
        )
        try:
            saved.save(options.save_evidence, kept)
        except saved.EvidenceError as error:
            raise RunError(str(error)) from error
    return _folded(finished, options, now, duration, seen)


async def _again(requests: tuple[Inputs, ...], options: RunOptions) -> Report:
    """A saved run judged again."""
    path = options.evidence
    if path is None:
        raise RunError("no evidence was named")
    try:
        evidence = saved.load(path)
    except saved.EvidenceError as error:
        raise RunError(str(error)) from error
    wanted = {inputs.domain for inputs in requests}
    chosen = [target for target in evidence.targets if not wanted or target.inputs.domain in wanted]
    missing = sorted(wanted - {target.inputs.domain for target in chosen})
    if missing:
        raise RunError(f"{path}: holds no evidence of {', '.join(missing)}")
    finished = [await _again_one(target, options, path.name) for target in chosen]
    duration = evidence.options.get("duration_ms", 0.0)
    return _folded(
        finished,
        options,
        evidence.started_at,
        float(duration) if isinstance(duration, (int, float)) else 0.0,
        evidence.vantage,
    )


async def _again_one(target: saved.TargetEvidence, options: RunOptions, name: str) -> _Done:
    inputs = target.inputs
    if options.areas:
        areas = tuple(area for area in inputs.areas if area in options.areas)
        if not areas:
            held = ", ".join(inputs.areas)
            raise RunError(f"{name}: holds evidence of {held}, none of {', '.join(options.areas)}")
        sessions = inputs.sessions if not set(areas).isdisjoint(SESSION_AREAS) else None
        inputs = msgspec.structs.replace(inputs, areas=areas, sessions=sessions)
    recorded = saved.Recorded(target.lookups, target.fetches, target.sessions)
    recorder = Recorder(recorded, recorded, recorded)
    return await _judged(inputs, recorder, options, target.now, lambda: round(target.duration * 1000, 1))


async def _all(
    requests: tuple[Inputs, ...], port: Port, outside: Outside, options: RunOptions, now: float, server: str
) -> list[_Done]:
    room = asyncio.Semaphore(AT_ONCE)
    count = 0

    async def one(inputs: Inputs) -> _Done:
        nonlocal count
        async with room:
            began = time.monotonic()
            deadline = began + options.timeout
            bounded = Bounded(port, deadline, options.timeout, server=server)
            recorder = Recorder(bounded, outside.fetcher(deadline), outside.dialler(deadline))
            done = await _judged(inputs, recorder, options, now, lambda: _since(began))
        count += 1
        if options.progress is not None:
            options.progress(count, len(requests))
        return done

    async def tick() -> None:
        while options.progress is not None:
            options.progress(count, len(requests))
            await asyncio.sleep(_TICK)

    ticking = asyncio.create_task(tick())
    try:
        return await asyncio.gather(*(one(inputs) for inputs in requests))
    finally:
        ticking.cancel()


@asynccontextmanager
async def _asking(options: RunOptions, port: Port | None) -> AsyncIterator[tuple[Port, Opened | None]]:
    if port is not None:
        yield port, None
        return
    try:
        async with open_port(options.dns, trace=options.trace) as opened:
            yield opened.port, opened
    except DnsOptionsError as error:
        raise RunError(str(error)) from error


async def _judged(inputs: Inputs, recorder: Recorder, options: RunOptions, now: float, elapsed: Elapsed) -> _Done:
    """One target, asked and judged; a bug of ours ends this target alone."""
    try:
        facts = await gather(inputs, recorder, now)
        duration = elapsed()
        asked = saved.asked_of(recorder) if options.questions or options.save_evidence is not None else ()
        from deliverkit.runs.judging import judged  # noqa: PLC0415 - loaded ahead, while the answers were awaited

        report = judged(facts, options, asked, duration)
        if options.save_evidence is None:
            return _Done(report)
        kept = saved.TargetEvidence(
            inputs=inputs,
            now=now,
            lookups=asked,
            fetches=saved.fetched_of(recorder),
            sessions=saved.sessions_of(recorder),
            duration=duration / 1000,
        )
        return _Done(report, kept)
    except Exception as error:  # noqa: BLE001 - the other targets go on; the report says that this one did not
        if options.failed is not None:
            options.failed(inputs.domain, error)
        from deliverkit.runs.judging import failed  # noqa: PLC0415 - as above

        return _Done(failed(inputs.domain, error, elapsed()))


def _folded(finished: Sequence[_Done], options: RunOptions, now: float, duration: float, seen: Seen) -> Report:
    from deliverkit.runs.judging import folded  # noqa: PLC0415 - as above

    return folded([done.report for done in finished], options, now, duration, seen)


def _loading(requests: tuple[Inputs, ...], options: RunOptions) -> AbstractContextManager[None]:
    """While the run lasts, what it will need later is loaded; the round trips of sessions are measured undisturbed."""
    later = (ahead.JUDGING, *options.ahead)
    if any(inputs.sessions is not None for inputs in requests):
        return ahead.imported(*later)
    # A policy of MTA-STS is fetched as soon as its host is found, which is one of the first answers.
    fetches = not options.dns.offline and any("mta-sts" in inputs.areas for inputs in requests)
    return ahead.importing(*(ahead.HTTPS if fetches else ()), *later)


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)
