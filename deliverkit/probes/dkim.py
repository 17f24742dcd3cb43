"""Probes area `dkim`: the world to facts.

Selectors that were named are asked for, and nothing is guessed. Otherwise the common ones go out at once,
together with the domain's MX and TXT, and those of the providers that these show follow: two steps in all.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Collection

import msgspec

from deliverkit.dns import Port
from deliverkit.facts.dkim import DkimFacts, SelectorFacts
from deliverkit.model import Absent, Answer, Found, Inputs, Lookup, LookupOutcome, Mx, Txt, Unknown
from deliverkit.probes.dkim_nameservers import ask_each
from deliverkit.probes.dkim_verifier import loaded, refusal
from deliverkit.records.dkim import KeyRecord, looks_like_key, parse_key_record
from deliverkit.records.dkim_damage import diagnose
from deliverkit.records.dkim_key import Key, key_of_spki
from deliverkit.records.dkim_providers import COMMON, Provider, further, provider_of, used

MAX_RECORDS = 16
MAX_HOSTS = 64
_INCLUDE = re.compile(r"(?i)(?:^|\s)[+?~-]?(?:include:|redirect=)([\w.-]{1,253})")


async def probe(inputs: Inputs, port: Port) -> DkimFacts:
    """Gather the area's facts of one domain."""
    domain = inputs.domain
    named = tuple(dict.fromkeys(s.rstrip(".").lower() for s in (*inputs.selectors, *inputs.expected.dkim_cnames)))
    base, wildcard, mx, txt, first = await asyncio.gather(
        port.lookup(f"_domainkey.{domain}", "TXT"),
        _txt(f"{_nobodys(domain)}._domainkey.{domain}", port),
        port.lookup(domain, "MX"),
        port.lookup(domain, "TXT"),
        _ask(named or COMMON, domain, port),
    )
    shown = used(_hosts(mx), _includes(txt))
    given = key_of_spki(inputs.key) if inputs.key else None
    guesses = {}
    if not named:
        more = () if base.outcome is LookupOutcome.NXDOMAIN else further(shown)
        guesses = {**first, **await _ask(more, domain, port)}
        asked = {name: lookup for name, lookup in guesses.items() if _hit(lookup, wildcard, guesses.values())}
    else:
        asked = first
    selectors = await asyncio.gather(
        *(
            _selector(name, lookup, inputs, port, wildcard=wildcard, shown=shown, given=given)
            for name, lookup in asked.items()
        )
    )
    return DkimFacts(
        domain=domain,
        named=bool(named),
        base=base,
        wildcard=wildcard,
        sends=_sends(inputs, mx, txt),
        selectors=tuple(selectors),
        tried=tuple(guesses),
        absent=tuple(name for name, lookup in guesses.items() if _gone(lookup)),
        untold=tuple(name for name, lookup in guesses.items() if name not in asked and _untold(lookup, wildcard)),
    )


def _nobodys(domain: str) -> str:
    """A selector that nobody has, the same on every run."""
    return f"no-such-{hashlib.sha256(domain.encode('utf-8', 'replace')).hexdigest()[:16]}"


async def _ask(selectors: tuple[str, ...], domain: str, port: Port) -> dict[str, Lookup]:
    lookups = await asyncio.gather(*(_txt(f"{name}._domainkey.{domain}", port) for name in selectors))
    return dict(zip(selectors, lookups, strict=True))


async def _txt(name: str, port: Port) -> Lookup:
    """The TXT records of a name, in an order that does not depend on the server's."""
    lookup = await port.lookup(name, "TXT")
    texts = [record for record in lookup.records if isinstance(record, Txt)]
    return msgspec.structs.replace(lookup, records=tuple(sorted(texts, key=lambda record: record.strings)))


def _gone(lookup: Lookup) -> bool:
    return lookup.outcome not in (LookupOutcome.FOUND, LookupOutcome.UNKNOWN)


def _texts(lookup: Lookup) -> tuple[str, ...]:
    """The first TXT records in order: ordered before they are cut, so that the server's order decides nothing."""
    return tuple(sorted(record.text for record in lookup.records if isinstance(record, Txt))[:MAX_RECORDS])


def _by_wildcard(lookup: Lookup, wildcard: Lookup) -> Answer[bool]:
    """Whether this is what a selector that nobody has is answered, too."""
    if lookup.aliases and lookup.aliases == wildcard.aliases:
        return Found(value=True)
    if lookup.outcome is LookupOutcome.UNKNOWN:
        return Unknown(lookup.why)
    if not lookup.aliases and lookup.outcome is not LookupOutcome.FOUND:
        return Found(value=False)
    if wildcard.outcome is LookupOutcome.UNKNOWN:
        return Unknown(wildcard.why)
    if lookup.outcome is not LookupOutcome.FOUND or wildcard.outcome is not LookupOutcome.FOUND:
        return Found(value=False)
    return Found((lookup.records, lookup.aliases) == (wildcard.records, wildcard.aliases))


def _hit(lookup: Lookup, wildcard: Lookup, guesses: Collection[Lookup]) -> bool:
    """Whether a guess found something: a key however damaged, or a CNAME whose target is gone."""
    if lookup.outcome is LookupOutcome.UNKNOWN:
        return False
    match _by_wildcard(lookup, wildcard):
        case Found(value=True):
            return False
        case Unknown() if _suspect(lookup, guesses):
            return False
        case _:
            pass
    if lookup.outcome is LookupOutcome.FOUND:
        return any(looks_like_key(text) for text in _texts(lookup))
    return bool(lookup.aliases) and not wildcard.aliases


def _untold(lookup: Lookup, wildcard: Lookup) -> bool:
    """Whether it could not be told if a guess that is left out is published."""
    return not _gone(lookup) and isinstance(_by_wildcard(lookup, wildcard), Unknown)


def _suspect(lookup: Lookup, guesses: Collection[Lookup]) -> bool:
    """Whether a wildcard may well have answered: with a key that is revoked, or as it answered another guess."""
    same = sum(1 for other in guesses if (other.records, other.aliases) == (lookup.records, lookup.aliases))
    return same > 1 or any(parse_key_record(text).revoked for text in _texts(lookup))


async def _selector(
    name: str,
    lookup: Lookup,
    inputs: Inputs,
    port: Port,
    *,
    wildcard: Lookup,
    shown: tuple[Provider, ...],
    given: Key | None,
) -> SelectorFacts:
    texts = _texts(lookup)
    guessed = name not in {
        *(s.rstrip(".").lower() for s in inputs.selectors),
        *map(str.lower, inputs.expected.dkim_cnames),
    }
    diagnosis = diagnose(texts, given)
    record = _record(texts, diagnosis.text if diagnosis else None)
    provider = provider_of(name, lookup.aliases, shown)
    doubled, servers = await asyncio.gather(
        _doubled(name, inputs.domain, port) if not guessed and _gone(lookup) and not lookup.aliases else _none(),
        ask_each(name, inputs.domain, lookup, port) if inputs.each_nameserver else _none(),
    )
    if record:
        await loaded()
    return SelectorFacts(
        domain=inputs.domain,
        selector=name,
        guessed=guessed,
        lookup=lookup,
        provider=provider.name if provider else None,
        wildcard=_by_wildcard(lookup, wildcard),
        record=record,
        diagnosis=diagnosis,
        refused=refusal(record) if record else None,
        doubled=tuple(name for name, _ in doubled),
        doubled_texts=tuple(text for _, text in doubled),
        expected_cname={k.rstrip(".").lower(): v for k, v in inputs.expected.dkim_cnames.items()}.get(name),
        given=given,
        nameservers=servers,
    )


async def _none() -> tuple[()]:
    return ()


def _record(texts: tuple[str, ...], text: str | None) -> KeyRecord | None:
    """The record that is meant as the key: the damaged one, else the first that reads as one."""
    if not texts:
        return None
    likely = text or next((one for one in texts if looks_like_key(one)), texts[0])
    return parse_key_record(likely)


async def _doubled(selector: str, domain: str, port: Port) -> tuple[tuple[str, str], ...]:
    """Name and record where a zone editor that appends the zone's name would have put the record."""
    labels = domain.split(".")
    zones = [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))][:3]
    names = [f"{selector}._domainkey.{domain}.{zone}" for zone in zones]
    lookups = await asyncio.gather(*(_txt(name, port) for name in names))
    return tuple(
        (name, text)
        for name, lookup in zip(names, lookups, strict=True)
        for text in _texts(lookup)[:1]
        if looks_like_key(text)
    )


def _hosts(mx: Lookup) -> tuple[str, ...]:
    return tuple(sorted(record.host for record in mx.records if isinstance(record, Mx))[:MAX_HOSTS])


def _spf(txt: Lookup) -> tuple[str, ...]:
    """The SPF records: chosen before they are cut, for an apex often holds more than sixteen records."""
    texts = (record.text for record in txt.records if isinstance(record, Txt))
    return tuple(sorted(text for text in texts if re.match(r"(?i)v=spf1(?:\s|$)", text))[:MAX_RECORDS])


def _includes(txt: Lookup) -> tuple[str, ...]:
    return tuple(name.lower().rstrip(".") for text in _spf(txt) for name in _INCLUDE.findall(text[:4096]))[:64]


def _sends(inputs: Inputs, mx: Lookup, txt: Lookup) -> Answer[bool]:
    """Whether the domain is one that sends mail."""
    if inputs.expected.role is not None:
        return Found(inputs.expected.role not in {"parked", "receive-only"})
    bare = [text.lower().split() == ["v=spf1", "-all"] for text in _spf(txt)]
    match mx.of(Mx), txt.of(Txt):
        case (Unknown(why), Found()) if bare == [True]:
            return Unknown(why)
        case (Found(hosts), _) if any(host.host for host in hosts):
            return Found(value=True)
        case (Found() | Absent(), Unknown(why)):
            return Unknown(why)
        case _:
            return Found(bare != [True])
