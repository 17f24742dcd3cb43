"""Probes area `mta-sts`: the TXT record, the policy host's address, and the policy over HTTPS.

The record and the host's addresses are asked for side by side. The policy is fetched where there is a record that asks
senders to do so: most domains have none, and a host that merely exists is none of theirs. Where this area alone is
asked for, the policy is fetched in any case and at once, since it may be on its way to be published.
"""

from __future__ import annotations

import asyncio
import contextlib

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.mta_sts import FetchFacts, MtaStsFacts, PolicyFacts
from deliverkit.facts.mx import SpecialAddress
from deliverkit.model import (
    Absent,
    Address,
    Answer,
    Fetch,
    FetchOutcome,
    Found,
    Inputs,
    Lookup,
    Unknown,
)
from deliverkit.probes.mta_sts_fetch import decoded, dialled, facts_of, fetched, targets
from deliverkit.probes.mta_sts_mail import mail_hosts, texts_of
from deliverkit.records.mta_sts import is_sts, parse_policy, parse_record
from deliverkit.records.names import special_address
from deliverkit.records.versioned import Problem

AREA = "mta-sts"


async def probe(inputs: Inputs, port: Recorder, now: float = 0.0) -> MtaStsFacts:
    """Gather the area's facts of one domain."""
    domain = inputs.domain
    host = f"mta-sts.{domain}"
    asking = asyncio.ensure_future(port.lookup(f"_mta-sts.{domain}", "TXT"))
    try:
        (a, aaaa, addresses, fetches), hosts, txt = await asyncio.gather(
            _fetched(inputs, host, asking, port), mail_hosts(domain, port), asking
        )
    finally:
        if not asking.done():
            asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asking
    texts = texts_of(txt)
    found = texts.value if isinstance(texts, Found) else ()
    records = tuple(parse_record(text) for text in found if is_sts(text))
    ipv4, ipv6 = _addresses(a), _addresses(aaaa)
    special = tuple(
        SpecialAddress(address=address, kind=kind)
        for answer in (ipv4, ipv6)
        if isinstance(answer, Found)
        for address in answer.value
        if (kind := special_address(address)) is not None
        # Where the user sends the connections himself, what strangers can reach is not the question.
        and not inputs.allow_private
        and dialled(inputs, host) is None
    )
    seen = tuple(facts_of(domain, fetch, now) for fetch in fetches)
    unrecorded = not records and not isinstance(texts, Unknown)
    if unrecorded:
        # Nobody is told to fetch it: only a policy that is there says anything.
        seen = tuple(fetch for fetch in seen if fetch.served)
    published = _policy(domain, seen, ipv4, ipv6, hosts, asked=bool(addresses), texts=texts, records=bool(records))
    policy = published
    if inputs.policy is not None:
        text, utf8 = decoded(inputs.policy)
        policy = Found(_read(domain, text, hosts, source=inputs.policy_name or "the file", utf8=utf8))
    return MtaStsFacts(
        domain=domain,
        expected=inputs.expected.mta_sts,
        hosts=hosts,
        texts=texts,
        records=records,
        from_file=inputs.policy is not None,
        from_zone=txt.server.startswith("zone "),
        policy_host=host,
        ipv4=ipv4,
        ipv6=ipv6,
        aliases=a.aliases or aaaa.aliases,
        special=special,
        withheld=bool(special) and not addresses,
        fetches=() if inputs.policy is not None else seen,
        policy=policy,
        published=_text(published) if inputs.policy is not None else Absent("not asked for"),
    )


async def _fetched(
    inputs: Inputs, host: str, asking: asyncio.Future[Lookup], port: Recorder
) -> tuple[Lookup, Lookup, tuple[str, ...], tuple[Fetch, ...]]:
    a, aaaa = await asyncio.gather(port.lookup(host, "A"), port.lookup(host, "AAAA"))
    addresses, number = await targets(inputs, host, a, aaaa, port)
    flat = tuple(address for family in addresses for address in family)
    if not flat or not (inputs.areas == (AREA,) or _asked_for(await asking)):
        return a, aaaa, flat, ()
    return a, aaaa, flat, await fetched(host, addresses, port, number)


def _asked_for(txt: Lookup) -> bool:
    """Whether the domain has any record of MTA-STS."""
    texts = texts_of(txt)
    return isinstance(texts, Found) and any(is_sts(text) for text in texts.value)


def _policy(
    domain: str,
    fetches: tuple[FetchFacts, ...],
    ipv4: Answer[tuple[str, ...]],
    ipv6: Answer[tuple[str, ...]],
    hosts: Answer[tuple[str, ...]],
    *,
    asked: bool,
    texts: Answer[tuple[str, ...]],
    records: bool,
) -> Answer[PolicyFacts]:
    """The policy that is published. Unknown only where it might be there: a timeout, not a refusal."""
    if fetches:
        return _served(domain, fetches[0], hosts)
    if isinstance(texts, Unknown):
        return Unknown(texts.why)
    if not records:
        return Absent(f"no MTA-STS record at _mta-sts.{domain}")
    open_ = next((answer.why for answer in (ipv4, ipv6) if isinstance(answer, Unknown)), None)
    if open_ is not None and not asked:
        return Unknown(open_)
    return Absent(f"mta-sts.{domain} has no address that can be connected to")


def _served(domain: str, fetch: FetchFacts, hosts: Answer[tuple[str, ...]]) -> Answer[PolicyFacts]:
    if fetch.served:
        return Found(_read(domain, fetch.text, hosts, source=fetch.url, utf8=fetch.utf8, media_type=fetch.media_type))
    if fetch.outcome is FetchOutcome.UNKNOWN:
        return Unknown(fetch.why)
    return Absent(fetch.why or f"{fetch.url} answers with status {fetch.status}")


def _read(
    domain: str,
    text: str,
    hosts: Answer[tuple[str, ...]],
    *,
    source: str,
    utf8: bool,
    media_type: str = "text/plain",
) -> PolicyFacts:
    policy = parse_policy(text)
    problems = policy.problems
    if not utf8:
        at = text.find("\\x")
        problems = (*problems, Problem("not UTF-8", at, min(at + 4, len(text))))
    return PolicyFacts(
        domain=domain,
        text=text,
        mode=policy.mode,
        mx=tuple(pattern.pattern for pattern in policy.mx),
        max_age=policy.max_age,
        valid=policy.valid and utf8,
        utf8=utf8,
        patterns=policy.mx,
        problems=problems,
        source=source,
        hosts=hosts,
        media_type=media_type,
    )


def _text(policy: Answer[PolicyFacts]) -> Answer[str]:
    return Found(policy.value.text) if isinstance(policy, Found) else policy


def _addresses(lookup: Lookup) -> Answer[tuple[str, ...]]:
    match lookup.of(Address):
        case Found(records) if records:
            return Found(tuple(sorted({record.address for record in records})))
        case Found():
            return Absent(f"no address among the answers for {lookup.name} {lookup.rdtype}")
        case other:
            return other
