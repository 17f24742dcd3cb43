"""Area `mta-sts` for people: the record, what the policy host answered, and the hosts the policy covers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.model import shown
from deliverkit.report.mta_sts import MtaStsReport, PolicyFetch

_DAY: Final = 86_400
_HOSTS: Final = 20
_SAID: Final = {
    "refused": "refused",
    "untrusted": "certificate refused: nothing was asked",
    "tls-failed": "no TLS",
    "broken": "no HTTP response",
    "too-large": "more than 64 KiB",
    "unknown": "could not be told",
}


def lines(facts: MtaStsReport, ascii: bool) -> Iterator[str]:  # noqa: A002 - as every area's
    """The area's facts, a line each; each line stands alone."""
    if not facts.records:
        yield "record     " + (f"could not be told: {shown(facts.unknown)}" if facts.unknown else "none")
    for record in facts.records[:4]:
        yield f"record     {shown(record)}"
    for fetch in facts.fetches:
        yield f"fetched    {shown(fetch.url)} [{fetch.address}]  {_answer(fetch)}"
        if fetch.certificate is not None:
            names = ", ".join(shown(name, 80) for name in fetch.certificate.names[:4]) or "no names"
            yield f"cert       {names}; until {fetch.certificate.not_after}; {fetch.certificate.key}"
    if facts.policy is not None:
        yield from _policy(facts, ascii=ascii)


def _policy(facts: MtaStsReport, *, ascii: bool) -> Iterator[str]:  # noqa: A002
    if facts.from_file:
        yield "policy     from the file"
    yield f"mode       {facts.mode or 'unreadable'}"
    yield f"max_age    {_age(facts.max_age)}"
    if facts.mx:
        yield f"mx         {' '.join(shown(pattern, 80) for pattern in facts.mx[:_HOSTS])}"
    if facts.mode == "none":
        return
    marks = {True: "ok" if ascii else "✓", False: "x" if ascii else "✗", None: "?"}
    for host in facts.hosts[:_HOSTS]:
        words = {True: "covered", False: "not covered", None: "cannot be told"}[host.covered]
        yield f"  {marks[host.covered]} {shown(host.host)}  {words}"
    if len(facts.hosts) > _HOSTS:
        yield f"  {'...' if ascii else '…'} and {len(facts.hosts) - _HOSTS} more"


def _answer(fetch: PolicyFetch) -> str:
    if fetch.outcome == "answered":
        kind = shown(fetch.media_type or "no content type", 80)
        return (
            f"{fetch.status} {kind}" if fetch.location is None else f"{fetch.status}, to {shown(fetch.location, 160)}"
        )
    return _SAID[fetch.outcome]


def _age(seconds: int | None) -> str:
    if seconds is None:
        return "unreadable"
    if seconds >= _DAY:
        days = seconds / _DAY
        return f"{seconds} ({days:.0f} day{'' if round(days) == 1 else 's'})"
    return f"{seconds} (less than a day)"
