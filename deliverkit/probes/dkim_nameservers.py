"""Asks every authoritative server of a selector's zone, as a key's rotation needs it."""

from __future__ import annotations

import asyncio

from deliverkit.dns import Port
from deliverkit.facts.dkim import ServerAnswer
from deliverkit.model import Address, Host, Lookup, LookupOutcome, Other, Txt

MAX_SERVERS = 16
MAX_HOSTS = 8


async def ask_each(selector: str, domain: str, lookup: Lookup, port: Port) -> tuple[ServerAnswer, ...]:
    """Each server's answer, by host and address; none where the zone's servers are not known."""
    labels = domain.split(".")
    zones = [f"_domainkey.{domain}", *(".".join(labels[n:]) for n in range(len(labels)))][:6]
    found = await asyncio.gather(*(port.lookup(zone, "NS") for zone in zones))
    # The deepest zone that has servers of its own holds the selector.
    hosts: list[str] = []
    for answer in found:
        names = sorted(record.name for record in answer.records if isinstance(record, Host))
        if answer.outcome is LookupOutcome.FOUND and names:
            hosts = names[:MAX_HOSTS]
            break
    pairs = await asyncio.gather(*(port.lookup(host, rdtype) for host in hosts for rdtype in ("A", "AAAA")))
    servers = [
        (host, address.address)
        for host, answer in zip((h for h in hosts for _ in range(2)), pairs, strict=True)
        for address in sorted((r for r in answer.records if isinstance(r, Address)), key=lambda record: record.address)
    ][:MAX_SERVERS]
    # A server of this zone has the CNAME and not what it leads to.
    rdtype = "CNAME" if lookup.aliases else "TXT"
    name = f"{selector}._domainkey.{domain}"
    answers = await asyncio.gather(*(port.lookup(name, rdtype, server=address) for _, address in servers))
    return tuple(_answer(host, address, answer) for (host, address), answer in zip(servers, answers, strict=True))


def _answer(host: str, address: str, lookup: Lookup) -> ServerAnswer:
    if lookup.outcome is LookupOutcome.UNKNOWN:
        return ServerAnswer(host=host, address=address, ttl=None, answer=None, why=lookup.why)
    texts = []
    for record in lookup.records:
        match record:
            case Txt():
                texts.append(record.text)
            case Host(name):
                texts.append(f"CNAME {name}")
            case Other(text):
                texts.append(text)
            case _:
                continue
    return ServerAnswer(host=host, address=address, ttl=lookup.ttl, answer=tuple(sorted(texts)))
