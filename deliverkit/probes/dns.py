"""Probes area `dns`: what was odd in the answers of all areas, and whether a wildcard answers any name."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Final

from deliverkit.dns import Port
from deliverkit.dns.port import MAX_LABEL
from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.dns import DnsFacts, MixedAlias, OddAnswer
from deliverkit.model import Absent, Answer, Found, Inputs, Lookup, LookupOutcome, Mx, Note, Txt, Unknown
from deliverkit.records.names import is_subdomain

LONG_CHAIN: Final = 4
"""CNAMEs in a row from which a chain is worth a word."""
_ODD: Final = frozenset({
    Note.TCP_ONLY, Note.EDNS_REFUSED, Note.TTL_INVALID, Note.MALFORMED, Note.BOGUS, Note.CNAME_LOOP,
})  # fmt: skip
_HEADER: Final = 12 + 4  # a message's header, and the type and class of its question
_RECORD: Final = 12  # a record's compressed name, type, class, TTL and length


def wildcard_name(domain: str) -> str:
    """A name below `domain` that nobody publishes, the same each time: evidence must lead to the same facts."""
    digest = hashlib.sha256(domain.encode("utf-8", "surrogatepass")).hexdigest()
    return f"no-such-name-{digest}"[:MAX_LABEL] + f".{domain}"


async def prefetch(inputs: Inputs, port: Port) -> None:
    """Ask beside the other areas what `probe` needs and they do not."""
    if _wanted(inputs):
        name = wildcard_name(inputs.domain)
        await asyncio.gather(port.lookup(name, "TXT"), port.lookup(name, "MX"))


async def probe(inputs: Inputs, port: Recorder) -> DnsFacts:
    """What was odd in the answers that the other areas got; runs after them, and asks nothing new."""
    domain = inputs.domain
    probed = wildcard_name(domain)
    lookups = [
        lookup
        for (name, _, server), lookup in sorted(port.lookups.items(), key=lambda item: (*item[0][:2], item[0][2] or ""))
        if name != probed and server is None and _asked_for(inputs, lookup)
    ]
    txt = port.lookups.get((domain, "TXT", None))
    records = tuple(r for r in txt.records if isinstance(r, Txt)) if txt else ()
    octets: Answer[int] = Absent("not asked for")
    if txt is not None and txt.outcome is LookupOutcome.UNKNOWN:
        octets = Unknown(txt.why)
    elif txt is not None and not txt.aliases:
        sizes = (_RECORD + sum(len(string) + 1 for string in record.strings) for record in records)
        octets = Found(_HEADER + len(domain) + 2 + sum(sizes))
    return DnsFacts(
        domain=domain,
        asked=len(lookups),
        odd=tuple(_odd(inputs, lookup) for lookup in lookups if _is_odd(domain, lookup)),
        mixed=_mixed(domain, lookups),
        wildcard_txt=_wildcard_txt(port.lookups.get((probed, "TXT", None))),
        wildcard_mx=_wildcard_mx(port.lookups.get((probed, "MX", None))),
        txt_octets=octets,
        txt_records=tuple(record.text for record in records),
    )


def _wanted(inputs: Inputs) -> bool:
    return not {"mx", "dns"}.isdisjoint(inputs.areas)


def _asked_for(inputs: Inputs, lookup: Lookup) -> bool:
    """Whether an area wanted the answer: the MX of the domain is asked for always, to tell whether it exists."""
    return _wanted(inputs) or lookup.name != inputs.domain or lookup.rdtype != "MX"


def _is_odd(domain: str, lookup: Lookup) -> bool:
    if not _ODD.isdisjoint(lookup.notes):
        return True
    dangling = bool(lookup.aliases) and lookup.outcome is LookupOutcome.NXDOMAIN
    zero = lookup.outcome is LookupOutcome.FOUND and lookup.ttl == 0
    return is_subdomain(lookup.name, domain) and (dangling or zero or len(lookup.aliases) >= LONG_CHAIN)


def _odd(inputs: Inputs, lookup: Lookup) -> OddAnswer:
    selector, mark, _ = lookup.name.partition("._domainkey.")
    return OddAnswer(
        domain=inputs.domain,
        name=lookup.name,
        rdtype=lookup.rdtype,
        outcome=lookup.outcome,
        notes=lookup.notes,
        aliases=lookup.aliases,
        ttl=lookup.ttl,
        server=lookup.server,
        why=lookup.why,
        guessed=bool(mark) and selector not in inputs.selectors,
    )


def _mixed(domain: str, lookups: list[Lookup]) -> tuple[MixedAlias, ...]:
    """Own names that are an alias for one type and hold data for another (RFC 1034 §3.6.2)."""
    targets: dict[str, str] = {}
    holding: dict[str, list[str]] = {}
    for lookup in lookups:
        if not is_subdomain(lookup.name, domain) or lookup.rdtype == "CNAME":
            continue
        if lookup.aliases:
            targets.setdefault(lookup.name, lookup.aliases[0])
        elif lookup.outcome is LookupOutcome.FOUND:
            holding.setdefault(lookup.name, []).append(lookup.rdtype)
    return tuple(
        MixedAlias(domain=domain, name=name, target=target, rdtypes=tuple(sorted(holding[name])))
        for name, target in sorted(targets.items())
        if name in holding
    )


def _wildcard_txt(lookup: Lookup | None) -> Answer[tuple[str, ...]]:
    if lookup is None:
        return Absent("not asked for")
    match lookup.of(Txt):
        case Found(records):
            return Found(tuple(sorted(record.text for record in records)))
        case other:
            return other


def _wildcard_mx(lookup: Lookup | None) -> Answer[tuple[tuple[int, str], ...]]:
    if lookup is None:
        return Absent("not asked for")
    match lookup.of(Mx):
        case Found(records):
            return Found(tuple(sorted((record.preference, record.host) for record in records)))
        case other:
            return other
