"""A delivery judged as its receiver will: by the sender's own records, before it is sent and after.

What is found here stands beside the outcome of a delivery and never decides it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import time
from collections.abc import Sequence
from typing import Final

from deliverkit import engine
from deliverkit.delivery.request import SendRequest
from deliverkit.evidence.recorder import Recorder
from deliverkit.model import DeliveryInputs, Inputs, Session, SignedBy, Txt
from deliverkit.model.gate import Gate
from deliverkit.probes.delivery import MOST_SIGNATURES
from deliverkit.probes.dkim_verifier import verifies
from deliverkit.probes.domain import gather
from deliverkit.probes.spf_check import library
from deliverkit.records.dkim import looks_like_key
from deliverkit.records.names import address_literal, is_address, special_address
from deliverkit.report import TargetReport
from deliverkit.report.asked import Asked
from deliverkit.report.fold import fold_target
from deliverkit.rules import rules_of
from deliverkit.runs.accepting import accepted, apply
from deliverkit.runs.options import RunOptions

AREA: Final = "delivery"
_TOLD: Final = re.compile(r"[\[(](?:IPv6:)?([0-9A-Fa-f:.]{2,45})[\])]", re.ASCII | re.IGNORECASE)


async def inputs_of(request: SendRequest, sources: Sequence[str], port: Recorder) -> Inputs:
    """What to judge of a request. `sources`: the addresses it is, or would be, connected from; empty: not known.

    The signatures of the message are verified on the way: whether they hold is part of the inputs, the message is not.
    """
    sender = request.sender.address if request.sender is not None else ""
    asked = DeliveryInputs(
        sender=sender,
        from_domain=request.message.from_domain,
        sources=tuple(dict.fromkeys(sources)),
        helo=request.helo or next((address_literal(source) for source in sources), ""),
        signatures=await _signatures(request, port),
        authenticated=request.user is not None,
        server=request.server,
    )
    return Inputs(
        domain=asked.from_domain or asked.sender_domain or request.recipients[0].domain,
        areas=(AREA,),
        delivery=asked,
    )


def seen_as(session: Session) -> tuple[str, ...]:
    """The address that the receiver saw us come from, for `inputs_of`: what a session that is over shows.

    Many servers say it in brackets in their answer to EHLO, which tells it even from behind NAT; where they do not, it
    is the address of our own end. Empty where no connection came about.
    """
    theirs = session.call.address
    for step in session.steps:
        if step.stage not in ("ehlo", "helo", "ehlo-tls", "helo-tls"):
            continue
        said = step.reply.partition(b"\n")[0][:512].decode("ascii", "replace")
        for match in _TOLD.finditer(said):
            text = match[1]
            if is_address(text) and special_address(text) is None and not _same(text, theirs):
                return (text,)
    return (session.ours,) if session.ours else ()


def _same(address: str, other: str) -> bool:
    return is_address(other) and ipaddress.ip_address(address) == ipaddress.ip_address(other)


async def judged(inputs: Inputs, recorder: Recorder, now: float, gate: Gate) -> TargetReport:
    """The findings about a delivery, and what could not be told, in the form that every report has.

    `recorder` answers each question within its deadline, so this ends with it. `now` in seconds since the epoch.
    """
    began = time.monotonic()
    # In a thread: a session may be under way, and must not wait for what is loaded here.
    await asyncio.to_thread(library)
    rules = await asyncio.to_thread(rules_of, AREA)
    facts = await gather(inputs, recorder, now)
    return fold_target(facts, engine.judge(facts, rules), gate, duration_ms=round((time.monotonic() - began) * 1000, 1))


def without_accepted(report: TargetReport, options: RunOptions, now: float) -> TargetReport:
    """The judgement without what the user accepts, by an ignore or the baseline."""
    told = accepted(options.config, now, baseline=options.baseline, baseline_path=options.baseline_path)
    return apply((report,), told, Asked(areas=(AREA,), gate=options.gate))[0]


async def _signatures(request: SendRequest, port: Recorder) -> tuple[SignedBy, ...]:
    """The signatures of the message, each tried against what is published."""
    listed = request.message.signed_by[:MOST_SIGNATURES]
    names = [f"{selector}._domainkey.{domain}".lower().rstrip(".") for domain, selector in listed]
    texts = await asyncio.gather(*(_key(name, port) for name in names))
    octets = request.message.octets
    found: list[SignedBy] = []
    for place, ((domain, selector), name, text) in enumerate(zip(listed, names, texts, strict=True)):
        good = await asyncio.to_thread(verifies, octets, place, name, text) if text is not None else None
        found.append(SignedBy(domain=domain, selector=selector, verified=good))
    return tuple(found)


async def _key(name: str, port: Recorder) -> str | None:
    """The record that a verifier takes at a selector; None where there is none to take, or nobody could tell."""
    texts = sorted(record.text for record in (await port.lookup(name, "TXT")).records if isinstance(record, Txt))
    return next((text for text in texts if looks_like_key(text)), None)
