"""Probes area `dnssec`: what a validating resolver says of the domain, its DS and its keys.

Everything that mail rests on is asked for, side by side; where other areas ask the same, it is asked once. AD tells
the secure, SERVFAIL with an answer under CD the bogus. Whoever does not validate is believed in neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.dnssec import Bogus, DnssecFacts, Signed
from deliverkit.model import (
    Absent,
    Address,
    Answer,
    Found,
    Host,
    Inputs,
    Lookup,
    LookupOutcome,
    Mx,
    Note,
    Other,
    Rdata,
    Soa,
    Txt,
    Unknown,
)
from deliverkit.probes.secured import ROOT, not_validating, validates
from deliverkit.records.dnssec import Ds, Key, moment, names, parse_ds, parse_key
from deliverkit.records.names import is_address, is_localhost

MAX_HOSTS: Final = 10
"""Mail hosts whose answers are looked at."""
_MAX_SHOWN: Final = 8
_ABOVE: Final = 4
"""Names above the domain that may hold the zone it stands in."""


async def probe(inputs: Inputs, port: Recorder, now: float) -> DnssecFacts:
    """Gather the area's facts of one domain. `now` in seconds since the epoch."""
    domain = inputs.domain
    asked = {(domain, "MX"): "MX", **_own(inputs)}
    hosts, (zone, ds, keys, parameters), (root, *own) = await asyncio.gather(
        _hosts(domain, port), _zone(domain, port), _answers((ROOT, *asked), port)
    )
    seen: list[tuple[str, Lookup]] = [*zip(asked.values(), own, strict=True), *hosts]
    chain = [lookup for lookup in (ds, keys) if lookup is not None]
    validating = validates([root, *own, *chain])
    bogus = tuple(_bogus(what, lookup) for what, lookup in seen if Note.BOGUS in lookup.notes)
    if keys is not None and Note.BOGUS in keys.notes:
        bogus = (*bogus, _bogus("DNSKEY", keys))
    found_ds, found_keys = _ds(ds), _keys(keys)
    return DnssecFacts(
        domain=domain,
        now=now,
        zone=zone,
        status=_status(own, validating=validating),
        validating=validating,
        ds=found_ds,
        keys=found_keys,
        named=_named(zone, found_ds, found_keys),
        signatures=tuple(_signatures([*seen, *(("DNSKEY", keys),)] if keys is not None else seen, domain, zone, now)),
        bogus=bogus,
        iterations=_iterations(parameters),
    )


async def _answers(asked: Iterable[tuple[str, str]], port: Recorder) -> list[Lookup]:
    return list(await asyncio.gather(*(port.lookup(*key) for key in asked)))


def _own(inputs: Inputs) -> dict[tuple[str, str], str]:
    """What mail asks of a domain, and what it is for."""
    domain = inputs.domain
    return {
        (domain, "SOA"): "SOA",
        (domain, "TXT"): "SPF",
        (domain, "A"): "A",
        (domain, "AAAA"): "AAAA",
        (f"_dmarc.{domain}", "TXT"): "DMARC",
        (f"_mta-sts.{domain}", "TXT"): "MTA-STS",
        (f"_smtp._tls.{domain}", "TXT"): "TLS-RPT",
        **{(f"{name}._domainkey.{domain}", "TXT"): f"DKIM {name}" for name in inputs.selectors},
    }


async def _hosts(domain: str, port: Recorder) -> list[tuple[str, Lookup]]:
    """What mail asks of the domain's mail hosts."""
    mx = await port.lookup(domain, "MX")
    records = mx.records if mx.outcome is LookupOutcome.FOUND else mx.unchecked
    found = sorted({record.host for record in records if isinstance(record, Mx)})
    chosen = [host for host in found if host and not is_address(host) and not is_localhost(host)][:MAX_HOSTS]
    asked = {
        key: what
        for host in chosen
        for key, what in (
            ((host, "A"), f"A of {host}"),
            ((host, "AAAA"), f"AAAA of {host}"),
            ((f"_25._tcp.{host}", "TLSA"), f"TLSA of {host}"),
        )
    }
    return list(zip(asked.values(), await asyncio.gather(*(port.lookup(*key) for key in asked)), strict=True))


async def _zone(domain: str, port: Recorder) -> tuple[Answer[str], Lookup | None, Lookup | None, Lookup | None]:
    """The zone that the domain stands in, and its DS, DNSKEY and NSEC3PARAM; None: not asked for."""
    types = ("SOA", "DS", "DNSKEY", "NSEC3PARAM")
    soa, ds, keys, parameters = await asyncio.gather(*(port.lookup(domain, rdtype) for rdtype in types))
    if _is_apex(soa) or soa.outcome is LookupOutcome.UNKNOWN:
        return Found(domain), ds, keys, parameters
    above: list[str] = []
    parent = domain.partition(".")[2]
    while parent and len(above) < _ABOVE:
        above.append(parent)
        parent = parent.partition(".")[2]
    for name, soa in zip(above, await asyncio.gather(*(port.lookup(name, "SOA") for name in above)), strict=True):
        if _is_apex(soa):
            ds, keys, parameters = await asyncio.gather(*(port.lookup(name, rdtype) for rdtype in types[1:]))
            return Found(name), ds, keys, parameters
        if soa.outcome is LookupOutcome.UNKNOWN:
            return Unknown(soa.why), None, None, None
    return Absent(f"no zone was found that holds {domain}"), None, None, None


def _is_apex(soa: Lookup) -> bool:
    return soa.outcome is LookupOutcome.FOUND and not soa.aliases and any(isinstance(r, Soa) for r in soa.records)


def _status(own: Iterable[Lookup], *, validating: bool | None) -> Answer[str]:
    """By the MX first, whose name is the domain's own; any other answer tells where that one did not come."""
    lookups = list(own)
    if any(Note.BOGUS in lookup.notes for lookup in lookups):
        return Found("bogus")
    known = [lookup for lookup in lookups if lookup.outcome is not LookupOutcome.UNKNOWN and not lookup.aliases]
    if not known:
        return Unknown(lookups[0].why or not_validating(lookups[0]))
    if known[0].server.startswith("zone "):
        return Unknown(f"{known[0].server} answers for {known[0].name}: a file says nothing of DNSSEC")
    if any(lookup.authenticated for lookup in known):
        return Found("secure")
    return Found("insecure") if validating else Unknown(not_validating(known[0]))


def _bogus(what: str, lookup: Lookup) -> Bogus:
    return Bogus(
        name=lookup.name,
        rdtype=lookup.rdtype,
        what=what,
        why=lookup.why,
        extended=lookup.extended,
        hidden=tuple(sorted(_text(record) for record in lookup.unchecked)[:_MAX_SHOWN]),
    )


def _text(record: Rdata) -> str:
    match record:
        case Txt():
            return record.text
        case Mx(preference, host):
            return f"{preference} {host}."
        case Address(address):
            return address
        case Host(name):
            return f"{name}."
        case Soa(mname, rname, serial, _):
            return f"{mname}. {rname}. {serial}"
        case Other(text):
            return text


def _ds(lookup: Lookup | None) -> Answer[tuple[Ds, ...]]:
    if lookup is None:
        return Absent("not asked for")
    match _others(lookup):
        case Found(texts):
            parsed = tuple(ds for ds in map(parse_ds, texts) if ds is not None)
            return Found(parsed) if parsed else Absent(f"no DS record among the answers for {lookup.name}")
        case other:
            return other


def _keys(lookup: Lookup | None) -> Answer[tuple[Key, ...]]:
    if lookup is None:
        return Absent("not asked for")
    match _others(lookup):
        case Found(texts):
            parsed = tuple(key for key in map(parse_key, texts) if key is not None)
            return Found(parsed) if parsed else Absent(f"no DNSKEY record among the answers for {lookup.name}")
        case other:
            return other


def _others(lookup: Lookup) -> Answer[tuple[str, ...]]:
    """The records as text, sorted; those of a bogus answer as they come unchecked."""
    records = lookup.records
    if Note.BOGUS in lookup.notes and lookup.unchecked:
        records = lookup.unchecked
    elif lookup.outcome is LookupOutcome.UNKNOWN:
        return Unknown(lookup.why)
    texts = tuple(sorted({record.text for record in records if isinstance(record, Other)}))
    return Found(texts) if texts else Absent(lookup.why or f"no {lookup.rdtype} record at {lookup.name}")


def _named(zone: Answer[str], ds: Answer[tuple[Ds, ...]], keys: Answer[tuple[Key, ...]]) -> tuple[bool | None, ...]:
    if not (isinstance(zone, Found) and isinstance(ds, Found)) or isinstance(keys, Unknown):
        return ()
    held = keys.value if isinstance(keys, Found) else ()
    verdicts = [[names(entry, key, zone.value) for key in held] for entry in ds.value]
    return tuple(True if True in of else None if None in of else False for of in verdicts)


def _signatures(seen: Iterable[tuple[str, Lookup]], domain: str, zone: Answer[str], now: float) -> Iterable[Signed]:
    """Those of the domain's own zone, each set of records once."""
    apex = zone.value if isinstance(zone, Found) else domain
    for what, lookup in seen:
        holder = lookup.aliases[-1] if lookup.aliases else lookup.name
        for signature in sorted(lookup.signatures, key=lambda s: (s.key_tag, s.expiration)):
            if signature.signer in (apex, domain):
                yield Signed(
                    name=holder,
                    rdtype=lookup.rdtype,
                    what=what,
                    algorithm=signature.algorithm,
                    key_tag=signature.key_tag,
                    signer=signature.signer,
                    inception=moment(signature.inception, now),
                    expiration=moment(signature.expiration, now),
                )


def _iterations(lookup: Lookup | None) -> Answer[int]:
    if lookup is None:
        return Absent("not asked for")
    match _others(lookup):
        case Found(texts):
            counts = [int(count) for text in texts for count in text.split()[2:3] if count.isdigit()]
            return Found(max(counts)) if counts else Absent("no NSEC3")
        case other:
            return other
