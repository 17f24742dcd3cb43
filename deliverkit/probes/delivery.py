"""Probes area `delivery`: asks of the sender what a receiver asks, side by side.

Nothing is asked in a way of its own: SPF, DKIM, DMARC, mail hosts and PTR are looked at by the probes of their areas.
"""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Final

from deliverkit.dns.port import Port
from deliverkit.facts.delivery import DeliveryFacts, DkimSignature, Helo, Policy, Source, SpfVerdict
from deliverkit.facts.dmarc import DmarcFacts
from deliverkit.model import (
    Absent,
    Address,
    Answer,
    DeliveryInputs,
    Found,
    Inputs,
    LookupOutcome,
    SignedBy,
    Unknown,
)
from deliverkit.probes import dkim, dmarc
from deliverkit.probes.smtp_where import mail_hosts, pointed
from deliverkit.probes.spf_check import check_host
from deliverkit.probes.spf_harvest import resolved, select
from deliverkit.records.dkim import KeyRecord, looks_like_key
from deliverkit.records.dmarc_psl import registrable_domain
from deliverkit.records.names import is_address, is_hostname, is_internal, is_localhost, special_address

MOST_SOURCES: Final = 8
MOST_SIGNATURES: Final = 8
MOST_NAMES: Final = 10
"""Names of one address that are confirmed, as receivers do (RFC 7208 §5.5)."""
_LEAST_BITS: Final = 1024
_NOBODY: Final = Absent("there is no domain to ask about")


async def probe(inputs: Inputs, port: Port) -> DeliveryFacts:
    """Gather what is known of one delivery's sender. `inputs.delivery` says which."""
    asked = inputs.delivery or DeliveryInputs()
    helo = asked.helo.lower().removesuffix(".")
    identity = _identity(asked, helo)
    policy, record, exists, mailable, said, sources = await asyncio.gather(
        _policy(asked.from_domain, port),
        _record(identity, port),
        _exists(asked.from_domain, port),
        _mailable(asked.sender_domain, port),
        _helo(asked.helo, port),
        asyncio.gather(*(_source(each, asked, identity, port) for each in asked.sources[:MOST_SOURCES])),
    )
    applied, facts = policy
    aligned, signatures = await asyncio.gather(
        _aligned(identity, applied, facts, port, strict=isinstance(applied, Found) and applied.value.strict_spf),
        asyncio.gather(*(_signature(each, applied, facts, port) for each in asked.signatures[:MOST_SIGNATURES])),
    )
    elsewhere = Absent(f"submitted with a login: the receiver sees {asked.server or 'the server'}, not this machine")
    known: Answer[tuple[Source, ...]] = Found(tuple(sources)) if sources else Unknown(_UNSEEN)
    return DeliveryFacts(
        sender=asked.sender,
        sender_domain=asked.sender_domain,
        from_domain=asked.from_domain,
        from_exists=exists,
        mailable=mailable,
        spf_record=record,
        spf_domain=identity,
        spf_aligned=aligned,
        dmarc=applied,
        helo=elsewhere if asked.authenticated else said,
        sources=elsewhere if asked.authenticated else known,
        signatures=tuple(signatures),
        submitted=(asked.server or "the server") if asked.authenticated else None,
    )


_UNSEEN: Final = "the address that the receiver sees is not known"


def _identity(asked: DeliveryInputs, helo: str) -> str | None:
    """The domain that SPF is checked for: of the reverse-path, or HELO where that is null (RFC 7208 §2.4)."""
    if asked.sender:
        return asked.sender_domain
    return helo if is_hostname(helo) and "." in helo and not asked.authenticated else None


async def _policy(domain: str | None, port: Port) -> tuple[Answer[Policy], DmarcFacts | None]:
    if domain is None:
        return Absent("the message has no From domain"), None
    facts = await dmarc.probe(Inputs(domain=domain), port)
    match facts.applied:
        case Found(applied):
            record = applied.record
            return Found(
                Policy(
                    domain=applied.domain,
                    text=record.text,
                    policy=applied.policy,
                    strict_spf=record.aspf == "strict",
                    strict_dkim=record.adkim == "strict",
                )
            ), facts
        case other:
            return other, facts


async def _aligned(
    domain: str | None, policy: Answer[Policy], facts: DmarcFacts | None, port: Port, *, strict: bool
) -> Answer[bool]:
    """Whether a domain is aligned with From (RFC 9989 §4.10.2); where no record applies, by the list (RFC 7489)."""
    if domain is None or facts is None:
        return _NOBODY
    if domain == facts.domain:
        return Found(value=True)
    if isinstance(policy, Unknown):
        return policy
    if isinstance(policy, Absent):
        ours = registrable_domain(facts.domain)
        return Found(ours is not None and registrable_domain(domain) == ours)
    if strict:
        return Found(value=False)
    return _same(facts.organizational_domain, await dmarc.organization(domain, port))


def _same(ours: Answer[str], theirs: Answer[str]) -> Answer[bool]:
    unknown = next((answer for answer in (ours, theirs) if isinstance(answer, Unknown)), None)
    return unknown or Found(ours == theirs)


async def _record(domain: str | None, port: Port) -> Answer[str]:
    if domain is None:
        return _NOBODY
    match select(await port.lookup(domain, "TXT")).record:
        case Found(record):
            return Found(record.text)
        case other:
            return other


async def _exists(domain: str | None, port: Port) -> Answer[str]:
    """Whether a name exists: any answer that is not NXDOMAIN says so (RFC 8020)."""
    if domain is None:
        return Absent("the message has no From domain")
    lookups = await asyncio.gather(*(port.lookup(domain, kind) for kind in ("MX", "A", "AAAA", "TXT")))
    if any(lookup.exists or lookup.aliases for lookup in lookups):
        return Found(domain)
    unknown = next((lookup for lookup in lookups if lookup.outcome is LookupOutcome.UNKNOWN), None)
    return Unknown(unknown.why) if unknown is not None else Absent(lookups[0].why, nxdomain=True)


async def _mailable(domain: str | None, port: Port) -> Answer[tuple[str, ...]]:
    return _NOBODY if domain is None else await mail_hosts(domain, port)


async def _helo(said: str, port: Port) -> Answer[Helo]:
    name = said.lower().removesuffix(".")
    if not name:
        return Unknown("what EHLO says is not known")
    if name.startswith("["):
        return Found(Helo(name=said, literal=True, addresses=_NOBODY))
    if not is_hostname(name) or is_address(name) or is_localhost(name) or is_internal(name):
        return Found(Helo(name=said, addresses=_NOBODY))
    return Found(Helo(name=said, qualified=True, addresses=await _addresses(name, port)))


async def _addresses(name: str, port: Port) -> Answer[tuple[str, ...]]:
    """All of them or none: of a name of which one family is not known it cannot be told whether an address is its."""
    pair = tuple(await asyncio.gather(*(port.lookup(name, kind) for kind in ("A", "AAAA"))))
    unknown = next((answer for lookup in pair if isinstance(answer := lookup.of(Address), Unknown)), None)
    return unknown or resolved(pair)


async def _source(text: str, asked: DeliveryInputs, identity: str | None, port: Port) -> Source:
    address = _plain(text)
    hidden = special_address(address)
    if hidden is not None:
        unseen = Unknown(f"{address} is {hidden}: which address the receiver sees instead is not known")
        return Source(address=address, hidden=hidden, spf=unseen, helo_spf=unseen, names=unseen, confirmed=unseen)
    helo = asked.helo.lower().removesuffix(".")
    named = is_hostname(helo) and "." in helo
    apart = named and asked.sender != ""
    verdict, of_helo, names = await asyncio.gather(
        _verdict(address, asked.sender or f"postmaster@{helo}", helo, identity, port),
        _verdict(address, f"postmaster@{helo}", helo, helo if apart else None, port),
        pointed(address, port),
    )
    return Source(
        address=address, spf=verdict, helo_spf=of_helo, names=names, confirmed=await _confirmed(address, names, port)
    )


def _plain(text: str) -> str:
    """An address without its zone, and an IPv4-mapped one as the IPv4 address that goes over the wire."""
    made = ipaddress.ip_address(text.partition("%")[0])
    return str(getattr(made, "ipv4_mapped", None) or made)


async def _verdict(address: str, sender: str, helo: str, domain: str | None, port: Port) -> Answer[SpfVerdict]:
    if domain is None:
        return _NOBODY
    said = await check_host(address, sender, helo or domain, domain, port)
    if said.result == "temperror":
        return Unknown(said.problem or f"SPF of {domain} could not be evaluated")
    return Found(
        SpfVerdict(
            domain=domain,
            sender=sender,
            result=said.result,
            mechanism=said.mechanism,
            explanation=said.explanation,
            problem=said.problem,
        )
    )


async def _confirmed(address: str, names: Answer[tuple[str, ...]], port: Port) -> Answer[tuple[str, ...]]:
    """Names of an address that lead back to it."""
    if not isinstance(names, Found):
        return names
    listed = names.value[:MOST_NAMES]
    kind = "AAAA" if ":" in address else "A"
    lookups = await asyncio.gather(*(port.lookup(name, kind) for name in listed))
    back: list[str] = []
    unknown: Unknown | None = None
    for name, lookup in zip(listed, lookups, strict=True):
        match lookup.of(Address):
            case Found(records):
                if any(_plain(record.address) == address for record in records):
                    back.append(name)
            case Unknown() as untold:
                unknown = untold
            case Absent():
                pass
    if back:
        return Found(tuple(back))
    return unknown or Absent(f"no name of {address} leads back to it")


async def _signature(by: SignedBy, policy: Answer[Policy], facts: DmarcFacts | None, port: Port) -> DkimSignature:
    domain = by.domain.lower().removesuffix(".")
    strict = isinstance(policy, Found) and policy.value.strict_dkim
    found, aligned = await asyncio.gather(
        dkim.probe(Inputs(domain=domain, selectors=(by.selector,), key=by.key), port),
        _aligned(domain, policy, facts, port, strict=strict),
    )
    (selector,) = found.selectors
    return DkimSignature(
        domain=domain,
        selector=selector.selector,
        texts=selector.texts,
        record=selector.record,
        unusable=_unusable(selector.texts, selector.record, selector.refused),
        made_with=selector.given,
        verified=by.verified,
        aligned=aligned,
    )


def _unusable(texts: Answer[tuple[str, ...]], record: KeyRecord | None, refused: str | None) -> str | None:
    """Why no verifier takes what is published (RFC 6376 §6.1.2); None too where nothing is."""
    if not isinstance(texts, Found) or record is None:
        return None
    key, services, hashes = record.key, record.services, record.hashes
    several = sum(looks_like_key(text) for text in texts.value) > 1
    short = key is not None and key.kind == "rsa" and (key.bits or 0) < _LEAST_BITS
    faults = (
        (several, "several keys stand at the selector, and which one a verifier takes is left open"),
        (record.revoked, "the key is revoked: p= is empty"),
        (bool(record.errors), record.errors[0].message if record.errors else ""),
        (key is None, f"verifiers know no keys of type {record.key_type[:20]}"),
        (short, f"the key is shorter than {_LEAST_BITS} bits (RFC 8301)"),
        (services is not None and not {"*", "email"} & set(services), "the key is not for mail: s= names other uses"),
        (hashes is not None and "sha256" not in hashes, "the key does not allow SHA-256: h= names other hashes"),
        (refused is not None, f"verifiers refuse the key ({refused})"),
    )
    return next((words for wrong, words in faults if wrong), None)
