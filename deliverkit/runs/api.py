"""The Python interface: one call, one report."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from deliverkit.dns.options import DnsOptions
from deliverkit.model import Inputs
from deliverkit.records.names import parse_domain
from deliverkit.report import Report
from deliverkit.report.fold import FailOn, Gate, OnInconclusive
from deliverkit.runs.check import run
from deliverkit.runs.options import TIMEOUT, RunError, RunOptions

AREAS = ("mx", "spf", "dkim", "dmarc", "dane", "dnssec")


def check(  # noqa: PLR0913 - the options of the command, by name
    *domains: str,
    areas: Iterable[str] = AREAS,
    selectors: Iterable[str] = (),
    senders: Iterable[str] = (),
    resolvers: Iterable[str] = (),
    zones: Iterable[str | Path] = (),
    offline: bool = False,
    timeout: float = TIMEOUT,
    fail_on: FailOn = "error",
    inconclusive: OnInconclusive = "report",
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    second_opinion: bool = False,
) -> Report:
    """The report on these domains, as `deliverkit check` makes it.

    `senders`: addresses that send for them; `timeout` in seconds for each domain. Raises `RunError` for what
    cannot be asked: a malformed name, an unreadable zone file. What the DNS does is never an exception.
    """
    return asyncio.run(
        check_async(
            *domains,
            areas=areas,
            selectors=selectors,
            senders=senders,
            resolvers=resolvers,
            zones=zones,
            offline=offline,
            timeout=timeout,
            fail_on=fail_on,
            inconclusive=inconclusive,
            select=select,
            ignore=ignore,
            second_opinion=second_opinion,
        )
    )


async def check_async(  # noqa: PLR0913 - as above
    *domains: str,
    areas: Iterable[str] = AREAS,
    selectors: Iterable[str] = (),
    senders: Iterable[str] = (),
    resolvers: Iterable[str] = (),
    zones: Iterable[str | Path] = (),
    offline: bool = False,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - each domain's, not the call's
    fail_on: FailOn = "error",
    inconclusive: OnInconclusive = "report",
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    second_opinion: bool = False,
) -> Report:
    """`check`, inside an event loop."""
    try:
        names = dict.fromkeys(parse_domain(domain).ascii for domain in domains)
    except ValueError as error:
        raise RunError(str(error)) from error
    areas, selectors, senders = tuple(areas), tuple(selectors), tuple(senders)
    requests = tuple(
        Inputs(domain=name, areas=areas, selectors=selectors, senders=senders, second_opinion=second_opinion)
        for name in names
    )
    options = RunOptions(
        dns=DnsOptions(resolvers=tuple(resolvers), zones=tuple(Path(zone) for zone in zones), offline=offline),
        gate=Gate(fail_on=fail_on, inconclusive=inconclusive, select=tuple(select), ignore=tuple(ignore)),
        timeout=timeout,
    )
    return await run(requests, options)
