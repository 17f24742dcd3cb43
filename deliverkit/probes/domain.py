"""Gathers the evidence tree of one domain: all areas side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from deliverkit.dns import Port
from deliverkit.dns.recorder import Recorder
from deliverkit.facts.domain import DomainFacts
from deliverkit.model import Absent, Answer, Found, Inputs, LookupOutcome, Unknown
from deliverkit.probes import dkim, dmarc, dns, mx, spf

T = TypeVar("T")
NOT_ASKED = Absent("not asked for")


async def gather(inputs: Inputs, port: Recorder, now: float) -> DomainFacts:
    """The tree of one domain. `port` answers every question within its deadline, so this ends with it."""
    existence, mx_facts, spf_facts, dkim_facts, dmarc_facts = await asyncio.gather(
        _existence(inputs.domain, port),
        _area("mx", inputs, mx.probe, port),
        _area("spf", inputs, spf.probe, port),
        _area("dkim", inputs, dkim.probe, port),
        _area("dmarc", inputs, dmarc.probe, port),
    )
    gone = existence if isinstance(existence, Absent) else None
    return DomainFacts(
        inputs=inputs,
        now=now,
        existence=existence,
        dns=gone or Found(await dns.probe(inputs, port)),
        mx=gone or mx_facts,
        spf=gone or spf_facts,
        dkim=gone or dkim_facts,
        dmarc=gone or dmarc_facts,
    )


async def _area(name: str, inputs: Inputs, probe: Callable[[Inputs, Port], Awaitable[T]], port: Port) -> Answer[T]:
    return Found(await probe(inputs, port)) if name in inputs.areas else NOT_ASKED


async def _existence(domain: str, port: Port) -> Answer[str]:
    """NXDOMAIN denies the name and all below it (RFC 8020)."""
    lookup = await port.lookup(domain, "MX")
    match lookup.outcome:
        case LookupOutcome.NXDOMAIN | LookupOutcome.INVALID:
            return Absent(lookup.why, nxdomain=True)
        case LookupOutcome.UNKNOWN:
            return Unknown(lookup.why)
        case _:
            return Found(domain)
