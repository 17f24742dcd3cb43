"""Probes area `dmarc`: the tree walk (RFC 9989 §4.10), all its questions at once.

A receiver asks from the bottom to the top and stops at `psd=y` or `psd=n`. Here every name it could ask is
asked side by side, which costs one round trip, and the walk is read from the answers.
"""

from __future__ import annotations

import asyncio

from deliverkit.dns import Port
from deliverkit.facts.dmarc import AppliedRecord, BelowRecord, DmarcFacts, OldReceiver, WalkStep
from deliverkit.model import Absent, Answer, Found, Inputs, Mx, Txt, Unknown
from deliverkit.probes.dmarc_reports import report_targets
from deliverkit.records.dmarc import DmarcRecord, is_dmarc, parse_dmarc
from deliverkit.records.dmarc_psl import registrable_domain
from deliverkit.records.dmarc_repair import MAX_TEXT, looks_like_dmarc

MAX_QUERIES = 8
"""Names that a receiver asks at most (RFC 9989 §4.10)."""


async def probe(inputs: Inputs, port: Port) -> DmarcFacts:
    """Gather the area's facts of one domain."""
    domain = inputs.domain
    names = walk_names(domain)
    old_domain = registrable_domain(domain)
    extra = [old_domain] if old_domain and old_domain not in names else []
    apex, mail, answers = await asyncio.gather(
        _texts(port, domain),
        _mail(port, domain),
        asyncio.gather(*(_texts(port, f"_dmarc.{name}") for name in (*names, *extra))),
    )
    walk = read_walk(tuple(zip(names, answers, strict=False)))
    parked = _parked(apex, mail)
    policy_domain, organizational = _policy_domain(walk), _organizational(walk)
    applied, doubled = await asyncio.gather(
        _applied(domain, walk, policy_domain, parked, port),
        _doubled(domain, walk, port),
    )
    asked = dict(zip((*names, *extra), answers, strict=True))
    return DmarcFacts(
        domain=domain,
        expected=inputs.expected.dmarc,
        parked=parked,
        walk=walk,
        applied=applied,
        below=_below(domain, walk, organizational, parked),
        organizational_domain=organizational,
        old=_old(domain, old_domain, asked),
        apex=_meant(apex),
        doubled=doubled,
    )


async def organization(domain: str, port: Port) -> Answer[str]:
    """The organisational domain of any domain, by a walk of its own (RFC 9989 §4.10.2)."""
    names = walk_names(domain)
    answers = await asyncio.gather(*(_texts(port, f"_dmarc.{name}") for name in names))
    return _organizational(read_walk(tuple(zip(names, answers, strict=True))))


def walk_names(domain: str) -> tuple[str, ...]:
    """The domains whose `_dmarc` name a receiver asks: itself, then parents; of a long name the last seven labels."""
    labels = domain.split(".")
    names = [domain]
    # RFC 9989 §4.10, step 4: with eight labels or more, cut at once to seven.
    labels = labels[-(MAX_QUERIES - 1) :] if len(labels) >= MAX_QUERIES else labels[1:]
    while labels:
        names.append(".".join(labels))
        labels = labels[1:]
    return tuple(names)


def read_walk(asked: tuple[tuple[str, Answer[tuple[str, ...]]], ...]) -> tuple[WalkStep, ...]:
    """The walk as a receiver goes it, from the answers to each of its names."""
    steps: list[WalkStep] = []
    reached = True
    for domain, texts in asked:
        records = tuple(text for text in texts.value if is_dmarc(text)) if isinstance(texts, Found) else ()
        steps.append(WalkStep(domain=domain, texts=texts, records=records, reached=reached))
        if len(records) == 1 and parse_dmarc(records[0]).psd in {"y", "n"}:
            reached = False
    return tuple(steps)


def _single(step: WalkStep) -> Answer[str]:
    """The one record of a step; several are discarded (RFC 9989 §4.10, step 2)."""
    match step.texts:
        case Unknown():
            return step.texts
        case _ if len(step.records) == 1:
            return Found(step.records[0])
        case _:
            return Absent(f"no DMARC record at {step.name}")


def _organizational(walk: tuple[WalkStep, ...]) -> Answer[str]:
    """RFC 9989 §4.10.2: `psd=n`, else the name below `psd=y`, else the highest that has a record."""
    highest = walk[0].domain
    below = walk[0].domain
    for position, step in enumerate(walk):
        if not step.reached:
            break
        match _single(step):
            case Unknown(why):
                # A public suffix publishes psd=y or nothing. Where the name below it has a record, or none has,
                # either comes to the same organisation, and what a registry's server did not say is no loss.
                suffix = position > 0 and registrable_domain(step.domain) is None
                if suffix and (highest == below or not any(len(under.records) == 1 for under in walk[:position])):
                    return Found(below)
                return Unknown(why)
            case Found(text):
                psd = parse_dmarc(text).psd
                if psd == "n":
                    return Found(step.domain)
                if psd == "y" and position > 0:
                    return Found(below)
                highest = step.domain
            case Absent():
                pass
        below = step.domain
    return Found(highest)


def _policy_domain(walk: tuple[WalkStep, ...]) -> Answer[str]:
    """Whose record applies: the domain's own, else the organisational domain's, else the suffix's (§4.10.1)."""
    own = _single(walk[0])
    if isinstance(own, Unknown):
        return own
    if isinstance(own, Found):
        return Found(walk[0].domain)
    organizational = _organizational(walk)
    if not isinstance(organizational, Found):
        return organizational
    reached = [step for step in walk if step.reached and isinstance(_single(step), Found)]
    for step in reached:
        if step.domain == organizational.value:
            return Found(step.domain)
    return Found(reached[-1].domain) if reached else Absent(f"no DMARC record at {walk[0].name} or any parent")


def _record(walk: tuple[WalkStep, ...], domain: str) -> DmarcRecord:
    return next(parse_dmarc(step.records[0]) for step in walk if step.domain == domain)


async def _applied(
    target: str, walk: tuple[WalkStep, ...], domain: Answer[str], parked: Answer[bool], port: Port
) -> Answer[AppliedRecord]:
    if not isinstance(domain, Found):
        return domain
    record = _record(walk, domain.value)
    mailbox = _mailbox(domain.value, parked)
    asks = record.policy if domain.value == target else record.subdomain_policy
    return Found(
        AppliedRecord(
            target=target,
            domain=domain.value,
            record=record,
            parked=isinstance(parked, Found) and parked.value,
            mailbox=mailbox,
            public_suffix=registrable_domain(domain.value) is None,
            policy=record.applied(asks),
            reports=await report_targets(record, domain.value, _owner(walk, domain.value), mailbox, port),
        )
    )


def _mailbox(domain: str, parked: Answer[bool]) -> str | None:
    return None if parked == Found(True) else f"dmarc-reports@{domain}"


def _owner(walk: tuple[WalkStep, ...], policy_domain: str) -> Answer[str]:
    """The organisation that the record's domain belongs to."""
    from_there = tuple(
        step for step in walk if step.domain == policy_domain or policy_domain.endswith(f".{step.domain}")
    )
    return _organizational(from_there)


def _below(
    target: str, walk: tuple[WalkStep, ...], organizational: Answer[str], parked: Answer[bool]
) -> Answer[BelowRecord]:
    """Names below ask the organisational domain's record, or the suffix's where that has none."""
    if not isinstance(organizational, Found):
        return organizational
    reached = [step for step in walk if step.reached and isinstance(_single(step), Found)]
    domain = next((step.domain for step in reached if step.domain == organizational.value), None)
    if domain is None:
        if not reached:
            return Absent(f"no DMARC record at {walk[0].name} or any parent")
        domain = reached[-1].domain
    record = _record(walk, domain)
    return Found(
        BelowRecord(
            target=target,
            domain=domain,
            record=record,
            mailbox=_mailbox(domain, parked),
            subdomain_policy=record.applied(record.subdomain_policy),
            nonexistent_policy=record.applied(record.nonexistent_policy),
        )
    )


def _old(domain: str, organizational: str | None, asked: dict[str, Answer[tuple[str, ...]]]) -> Answer[OldReceiver]:
    """RFC 7489 §6.6.3: the domain's own record, else that of the organisational domain by the list."""
    for name in dict.fromkeys((domain, organizational)):
        if name is None:
            continue
        texts = asked[name]
        if isinstance(texts, Unknown):
            return texts
        records = [text for text in texts.value if is_dmarc(text)] if isinstance(texts, Found) else []
        if len(records) == 1:
            record = parse_dmarc(records[0])
            policy = record.policy if name == domain else record.subdomain_policy
            return Found(OldReceiver(organizational_domain=organizational, domain=name, policy=policy))
    return Found(OldReceiver(organizational_domain=organizational, domain=None, policy=None))


async def _texts(port: Port, name: str) -> Answer[tuple[str, ...]]:
    match (await port.lookup(name, "TXT")).of(Txt):
        case Found(records):
            # Servers shuffle a set's records; what is said of them must not change with it.
            return Found(tuple(sorted(record.text for record in records)))
        case other:
            return other


async def _mail(port: Port, domain: str) -> Answer[bool]:
    """Whether the domain names a mail host; a null MX names none (RFC 7505)."""
    match (await port.lookup(domain, "MX")).of(Mx):
        case Found(records):
            return Found(any(record.host for record in records))
        case Absent():
            return Found(False)
        case unknown:
            return unknown


def _parked(apex: Answer[tuple[str, ...]], mail: Answer[bool]) -> Answer[bool]:
    """No MX or a null MX, and a bare `v=spf1 -all`."""
    if isinstance(mail, Unknown):
        return mail
    if isinstance(apex, Unknown):
        return apex
    texts = apex.value if isinstance(apex, Found) else ()
    spf = [text.lower().split() for text in texts if text.lower().split()[:1] == ["v=spf1"]]
    return Found(spf == [["v=spf1", "-all"]] and mail == Found(False))


async def _doubled(domain: str, walk: tuple[WalkStep, ...], port: Port) -> Answer[tuple[str, ...]]:
    """What a zone editor made of `_dmarc.DOMAIN` that appends the zone's name by itself."""
    if not isinstance(_single(walk[0]), Absent) or walk[0].records:
        return Absent("not asked: the name itself has a record")
    return _meant(await _texts(port, f"_dmarc.{domain}.{domain}"))


def _meant(answer: Answer[tuple[str, ...]]) -> Answer[tuple[str, ...]]:
    if not isinstance(answer, Found):
        return answer
    # A text such as "dmarc-verification=…" at the apex is no record gone astray.
    records = tuple(text for text in answer.value if is_dmarc(text) or _strayed(text))
    return Found(records) if records else Absent("nothing that reads as a DMARC record")


def _strayed(text: str) -> bool:
    head = text[:MAX_TEXT].lower().lstrip(" \"'\\")
    return head.startswith(("v=dmarc", "v =dmarc", "v = dmarc")) and looks_like_dmarc(text)
