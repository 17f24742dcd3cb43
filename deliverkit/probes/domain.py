"""Gathers the evidence tree of one domain: all areas side by side."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec.structs import replace

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.domain import DomainFacts
from deliverkit.facts.mta_sts import MtaStsFacts
from deliverkit.facts.second_opinion import SecondOpinionFacts
from deliverkit.facts.smtp import SmtpFacts
from deliverkit.facts.spf import SpfFacts
from deliverkit.facts.tls_rpt import TlsRptFacts
from deliverkit.model import Absent, Answer, Found, Inputs, Lookup, LookupOutcome, Note, Unknown
from deliverkit.probes import dane, dkim, dmarc, dns, dnssec, mta_sts, mx, second_opinion, spf, tls_rpt

T = TypeVar("T")
NOT_ASKED = Absent("not asked for")


async def gather(inputs: Inputs, port: Recorder, now: float) -> DomainFacts:
    """The tree of one target. `port` answers every question within its deadline, so this ends with it."""
    if inputs.sessions is not None and not inputs.sessions.by_mx:
        return await _host(inputs, port, now)
    # All in one: whoever interrupts the run interrupts each of them.
    (
        _,
        (mx_facts, spf_facts, dkim_facts, dmarc_facts),
        (mta_sts_facts, tls_rpt_facts, dane_facts, dnssec_facts),
        sessions,
    ) = await asyncio.gather(
        asyncio.gather(port.lookup(inputs.domain, "MX"), dns.prefetch(inputs, port)),
        asyncio.gather(
            _area("mx", inputs, mx.probe, port),
            _area("spf", inputs, spf.probe, port),
            _area("dkim", inputs, dkim.probe, port),
            _area("dmarc", inputs, dmarc.probe, port),
        ),
        asyncio.gather(
            _area("mta-sts", inputs, functools.partial(mta_sts.probe, now=now), port),
            _area("tls-rpt", inputs, tls_rpt.probe, port),
            _area("dane", inputs, dane.probe, port),
            _area("dnssec", inputs, functools.partial(dnssec.probe, now=now), port),
        ),
        _sessions(inputs, port, now),
    )
    existence = _existence(inputs, port)
    denied = port.lookups[inputs.domain, "MX", None].outcome is LookupOutcome.NXDOMAIN
    # Denied by one answer and open by another: what it would publish is neither there nor missing.
    gone = existence if isinstance(existence, Absent) or (isinstance(existence, Unknown) and denied) else None
    return DomainFacts(
        inputs=inputs,
        now=now,
        existence=existence,
        dns=gone if isinstance(gone, Absent) else Found(await dns.probe(inputs, port)),
        mx=_unless(gone, mx_facts),
        spf=_verdicts(spf_facts, gone) if gone and inputs.verdicts_only else _unless(gone, spf_facts),
        dkim=_unless(gone, dkim_facts),
        dmarc=_unless(gone, dmarc_facts),
        mta_sts=_unless(gone, mta_sts_facts),
        tls_rpt=_unless(gone, tls_rpt_facts),
        dane=_unless(gone, dane_facts),
        dnssec=_unless(gone, dnssec_facts),
        smtp=_unless(gone, sessions),
        second_opinion=_unless(gone, await _second_opinion(inputs, port, mta_sts_facts, tls_rpt_facts)),
    )


async def _host(inputs: Inputs, port: Recorder, now: float) -> DomainFacts:
    """The tree of one host that the user named: it is dialled, whatever else its name may be."""
    served = inputs.sessions.as_mx_of if inputs.sessions is not None else None
    sessions = await _sessions(inputs, port, now)
    if served is not None:
        await port.lookup(served, "MX")
    return DomainFacts(
        inputs=inputs,
        now=now,
        existence=Found(inputs.domain),
        to_serve=_existence(replace(inputs, domain=served), port) if served is not None else None,
        dns=NOT_ASKED,
        mx=NOT_ASKED,
        spf=NOT_ASKED,
        dkim=NOT_ASKED,
        dmarc=NOT_ASKED,
        smtp=sessions,
    )


async def _sessions(inputs: Inputs, port: Recorder, now: float) -> Answer[SmtpFacts]:
    if inputs.sessions is None:
        return NOT_ASKED
    from deliverkit.probes import smtp  # noqa: PLC0415 - most runs dial nobody

    return Found(await smtp.probe(inputs, port, now))


async def _area(
    name: str, inputs: Inputs, probe: Callable[[Inputs, Recorder], Awaitable[T]], port: Recorder
) -> Answer[T]:
    return Found(await probe(inputs, port)) if name in inputs.areas else NOT_ASKED


def _unless(gone: Absent | Unknown | None, answer: Answer[T]) -> Answer[T]:
    """The area's facts, unless the domain is gone; an area that was not asked for is never unknown."""
    return answer if gone is None or (isinstance(gone, Unknown) and isinstance(answer, Absent)) else gone


def _verdicts(answer: Answer[SpfFacts], gone: Absent | Unknown) -> Answer[SpfFacts]:
    """Of a domain that does not exist only the verdicts that were asked for (RFC 7208 §4.3: none)."""
    return Found(replace(answer.value, gone=True)) if isinstance(answer, Found) else gone


async def _second_opinion(
    inputs: Inputs, port: Recorder, sts: Answer[MtaStsFacts], rpt: Answer[TlsRptFacts]
) -> Answer[SecondOpinionFacts]:
    """Last, so that it finds the answers of all areas."""
    return Found(await second_opinion.probe(inputs, port, sts, rpt)) if inputs.second_opinion else NOT_ASKED


def _denied(inputs: Inputs, mx: Lookup, port: Recorder) -> Answer[str]:
    """NXDOMAIN, unless any other answer at or below the name says otherwise: some servers deny what merely lacks MX.

    Where an answer below it that was asked for by name did not come, nobody can tell.
    """
    domain = inputs.domain
    if any(
        lookup.exists
        for (name, _, server), lookup in port.lookups.items()
        if server is None and (name == domain or name.endswith(f".{domain}")) and not lookup.aliases
    ):
        return Found(domain)
    for label in ("_dmarc", *(f"{selector}._domainkey" for selector in inputs.selectors)):
        below = port.lookups.get((f"{label}.{domain}", "TXT", None))
        if below is not None and below.outcome is LookupOutcome.UNKNOWN:
            return Unknown(below.why)
    tlsa = port.lookups.get((f"_25._tcp.{domain}", "TLSA", None))
    if "dane" in inputs.areas and tlsa is not None and tlsa.outcome is LookupOutcome.UNKNOWN:
        return Unknown(tlsa.why)
    return Absent(mx.why, nxdomain=True)


def _existence(inputs: Inputs, port: Recorder) -> Answer[str]:
    """NXDOMAIN denies the name and all below it (RFC 8020).

    Where the MX could not be told, any other answer at or below the name tells. An NXDOMAIN at the end of a CNAME
    denies the alias' target, not the name (RFC 6604 §3).
    """
    domain = inputs.domain
    mx = port.lookups[domain, "MX", None]
    if Note.CNAME_LOOP in mx.notes:
        return Found(domain)  # a name that holds a CNAME exists
    if mx.outcome is LookupOutcome.UNKNOWN and not mx.aliases:
        at = [lookup for (name, _, _), lookup in port.lookups.items() if name == domain]
        below = [lookup for (name, _, _), lookup in port.lookups.items() if name.endswith(f".{domain}")]
        if any(lookup.exists or lookup.aliases for lookup in (*at, *below)):
            return Found(domain)
        denied = next((lookup for lookup in at if lookup.outcome is LookupOutcome.NXDOMAIN), None)
        return Absent(denied.why, nxdomain=True) if denied else Unknown(mx.why)
    if mx.outcome in (LookupOutcome.NXDOMAIN, LookupOutcome.INVALID) and not mx.aliases:
        return _denied(inputs, mx, port)
    return Found(domain)
