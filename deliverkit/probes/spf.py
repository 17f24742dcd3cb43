"""Probes area `spf`: selects the record, follows the tree, asks pyspf for verdicts."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from deliverkit.dns import Port
from deliverkit.facts.spf import CAP, SpfFacts
from deliverkit.model import Absent, Address, Answer, Found, Inputs, Lookup, Mx, Txt, Unknown
from deliverkit.probes.spf_check import check_host
from deliverkit.probes.spf_harvest import harvest, select, strings_of
from deliverkit.probes.spf_tree import plant


async def probe(inputs: Inputs, port: Port) -> SpfFacts:
    """Gather the area's facts of one domain."""
    domain = inputs.domain
    harvested, mx, a, aaaa = await asyncio.gather(
        harvest(domain, port), port.lookup(domain, "MX"), port.lookup(domain, "A"), port.lookup(domain, "AAAA")
    )
    lookup = harvested.texts[domain]
    selected = select(lookup)
    type99: tuple[str, ...] = ()
    if isinstance(selected.texts, Absent):
        type99 = await _type99(domain, port)
    tree = plant(domain, harvested) if isinstance(selected.texts, Found) else selected.texts
    evaluations = await asyncio.gather(
        *(check_host(ip, inputs.sender, inputs.helo, domain, port, harvested) for ip in inputs.senders)
    )
    root = tree.node if not isinstance(tree, Absent | Unknown) else None
    return SpfFacts(
        domain=domain,
        texts=selected.texts,
        record=selected.record,
        strings=strings_of(lookup, selected.record),
        near=selected.near,
        type99=type99,
        tree=Found(root) if root else selected.texts if isinstance(selected.texts, Absent | Unknown) else Absent(""),
        lookups=min(root.lookups, CAP + 1) if root else 0,
        void_lookups=root.void_lookups if root else 0,
        unknown=tree.unknown if root and not isinstance(tree, Absent | Unknown) else (),
        mail=_mail(mx, a, aaaa),
        evaluations=tuple(replace(verdict, required=not inputs.verdicts_only) for verdict in evaluations),
    )


def _mail(mx: Lookup, a: Lookup, aaaa: Lookup) -> Answer[bool]:
    answers = (mx.of(Mx), a.of(Address), aaaa.of(Address))
    found = isinstance(answers[0], Found) and any(record.host for record in answers[0].value)
    if found or any(isinstance(answer, Found) for answer in answers[1:]):
        return Found(value=True)
    return next((answer for answer in answers if isinstance(answer, Unknown)), Found(value=False))


async def _type99(domain: str, port: Port) -> tuple[str, ...]:
    """Records of type SPF, which no receiver reads any more (RFC 7208 §3.1)."""
    answer = (await port.lookup(domain, "SPF")).of(Txt)
    return tuple(txt.text for txt in answer.value if "spf" in txt.text.lower()) if isinstance(answer, Found) else ()
