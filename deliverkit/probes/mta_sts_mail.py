"""Which hosts take a domain's mail: what the policies of transport are about."""

from __future__ import annotations

import asyncio

from deliverkit.dns import Port
from deliverkit.model import Absent, Address, Answer, Found, Lookup, LookupOutcome, Mx, Txt, Unknown

MAX_HOSTS = 50


async def mail_hosts(domain: str, port: Port) -> Answer[tuple[str, ...]]:
    """The hosts of the MX records, the domain itself where an address stands for one; Absent: it takes no mail."""
    lookup = await port.lookup(domain, "MX")
    match lookup.of(Mx):
        case Found(records) if records:
            hosts = tuple(sorted({record.host for record in records if record.host}))
            return Found(hosts[:MAX_HOSTS]) if hosts else Absent(f"{domain} takes no mail: its MX is null")
        case Unknown(why):
            return Unknown(why)
    a, aaaa = await asyncio.gather(port.lookup(domain, "A"), port.lookup(domain, "AAAA"))
    for answer in (a.of(Address), aaaa.of(Address)):
        if isinstance(answer, Found) and answer.value:
            return Found((domain,))
    for unknown in (a, aaaa):
        if unknown.outcome is LookupOutcome.UNKNOWN:
            return Unknown(unknown.why)
    return Absent(f"{domain} takes no mail: it has neither MX nor address")


def texts_of(lookup: Lookup) -> Answer[tuple[str, ...]]:
    """The TXT records, sorted: the order of an answer is no fact."""
    match lookup.of(Txt):
        case Found(records) if records:
            return Found(tuple(sorted(record.text for record in records)))
        case Found():
            return Absent(f"no TXT record among the answers for {lookup.name} TXT")
        case other:
            return other
