"""The Python interface: one call, one report."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from deliverkit.dns.options import DnsOptions
from deliverkit.model import Inputs, Sessions
from deliverkit.model.gate import FailOn, Gate, OnInconclusive
from deliverkit.records.names import is_address, parse_domain
from deliverkit.report import Report
from deliverkit.runs.check import run
from deliverkit.runs.options import (
    CHECK_AREAS,
    MX_AREAS,
    SESSION_AREAS,
    RunError,
    RunOptions,
)
from deliverkit.runs.timeouts import SESSIONS_TIMEOUT, TIMEOUT
from deliverkit.smtp.secret import Secret

AREAS = CHECK_AREAS


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
    ca_file: str | Path | None = None,
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
            ca_file=ca_file,
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
    ca_file: str | Path | None = None,
) -> Report:
    """`check`, inside an event loop."""
    names = _names(domains)
    areas, selectors, senders = tuple(areas), tuple(selectors), tuple(senders)
    requests = tuple(
        Inputs(domain=name, areas=areas, selectors=selectors, senders=senders, second_opinion=second_opinion)
        for name in names
    )
    options = RunOptions(
        dns=DnsOptions(
            resolvers=tuple(resolvers),
            zones=tuple(Path(zone) for zone in zones),
            offline=offline,
            ca_file=Path(ca_file) if ca_file is not None else None,
        ),
        gate=Gate(fail_on=fail_on, inconclusive=inconclusive, select=tuple(select), ignore=tuple(ignore)),
        timeout=timeout,
    )
    return await run(requests, options)


def check_smtp(  # noqa: PLR0913 - the options of the command, by name
    *hosts: str,
    by_mx: bool = False,
    ports: Iterable[int] = Sessions().ports,
    tls: str = "auto",
    helo: str = "",
    user: str | None = None,
    password: str | None = None,
    mechanism: str | None = None,
    relay_test: str | None = None,
    as_mx_of: str | None = None,
    tls_scan: bool = False,
    resolvers: Iterable[str] = (),
    connect_to: Iterable[str] = (),
    ca_file: str | Path | None = None,
    allow_private: bool = False,
    timeout: float = SESSIONS_TIMEOUT,
    fail_on: FailOn = "error",
    inconclusive: OnInconclusive = "report",
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
) -> Report:
    """The report on sessions with these hosts, as `deliverkit smtp` makes it.

    With `by_mx` the hosts are domains, and every mail host of each is dialled on port 25. `password` goes to the
    login and nowhere else; `timeout` in seconds for each host. Raises `RunError` for what cannot be asked.
    """
    return asyncio.run(
        check_smtp_async(
            *hosts,
            by_mx=by_mx,
            ports=ports,
            tls=tls,
            helo=helo,
            user=user,
            password=password,
            mechanism=mechanism,
            relay_test=relay_test,
            as_mx_of=as_mx_of,
            tls_scan=tls_scan,
            resolvers=resolvers,
            connect_to=connect_to,
            ca_file=ca_file,
            allow_private=allow_private,
            timeout=timeout,
            fail_on=fail_on,
            inconclusive=inconclusive,
            select=select,
            ignore=ignore,
        )
    )


async def check_smtp_async(  # noqa: PLR0913 - as above
    *hosts: str,
    by_mx: bool = False,
    ports: Iterable[int] = Sessions().ports,
    tls: str = "auto",
    helo: str = "",
    user: str | None = None,
    password: str | None = None,
    mechanism: str | None = None,
    relay_test: str | None = None,
    as_mx_of: str | None = None,
    tls_scan: bool = False,
    resolvers: Iterable[str] = (),
    connect_to: Iterable[str] = (),
    ca_file: str | Path | None = None,
    allow_private: bool = False,
    timeout: float = SESSIONS_TIMEOUT,  # noqa: ASYNC109 - each host's, not the call's
    fail_on: FailOn = "error",
    inconclusive: OnInconclusive = "report",
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
) -> Report:
    """`check_smtp`, inside an event loop."""
    if user is not None and not password:
        raise RunError("a login needs a password")
    for text in (helo, user or "", relay_test or ""):
        if any(char in text for char in "\r\n\0"):
            raise RunError("a name or address holds a line end")
    if tls not in ("auto", "starttls", "implicit", "none"):
        raise RunError(f"tls={tls!r}: expected auto, starttls, implicit or none")
    to = tuple(connect_to)
    sessions = Sessions(
        ports=tuple(ports),
        by_mx=by_mx,
        tls=tls,
        helo=helo,
        user=user,
        mechanism=mechanism,
        relay_to=relay_test,
        as_mx_of=next(iter(_names((as_mx_of,)))) if as_mx_of is not None else None,
        tls_scan=tls_scan,
    )
    requests = tuple(
        Inputs(
            domain=name,
            areas=MX_AREAS if by_mx else SESSION_AREAS,
            sessions=sessions,
            connect_to=to,
            allow_private=allow_private,
        )
        for name in _names(hosts, addresses=not by_mx)
    )
    options = RunOptions(
        dns=DnsOptions(
            resolvers=tuple(resolvers),
            connect_to=to,
            ca_file=Path(ca_file) if ca_file is not None else None,
            allow_private=allow_private,
        ),
        gate=Gate(fail_on=fail_on, inconclusive=inconclusive, select=tuple(select), ignore=tuple(ignore)),
        timeout=timeout,
        secret=Secret(password) if password is not None else None,
    )
    return await run(requests, options)


def _names(words: Iterable[str], *, addresses: bool = False) -> list[str]:
    """Each name once, in A-labels. Raises `RunError`."""
    try:
        return list(
            dict.fromkeys(word if addresses and is_address(word) else parse_domain(word).ascii for word in words)
        )
    except ValueError as error:
        raise RunError(str(error)) from error
