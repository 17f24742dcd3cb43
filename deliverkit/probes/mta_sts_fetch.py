"""Fetches an MTA-STS policy: from which addresses, and what became of it.

Of each family the first address is asked, both side by side, as senders may use either; the second ones only
where neither served a document. An address that no stranger can reach is asked only where the user allowed or named
it: the address that was vetted is the one that is connected to, whatever the name resolves to by then.
"""

from __future__ import annotations

import asyncio
from typing import Final

from deliverkit.dns.options import connected, parse_connect_to
from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.mta_sts import FetchFacts
from deliverkit.model import Address, Fetch, FetchOutcome, Inputs, Lookup, Request
from deliverkit.records.certificate import bears, read_certificate
from deliverkit.records.names import is_address, special_address

PATH: Final = "/.well-known/mta-sts.txt"
HTTPS: Final = 443
_ROUNDS: Final = 2
_ORDER: Final = {
    FetchOutcome.ANSWERED: 1,
    FetchOutcome.TOO_LARGE: 1,
    FetchOutcome.UNTRUSTED: 2,
    FetchOutcome.BROKEN: 3,
    FetchOutcome.TLS_FAILED: 3,
    FetchOutcome.REFUSED: 4,
    FetchOutcome.UNKNOWN: 5,
}


def dialled(inputs: Inputs, host: str) -> tuple[str, int] | None:
    """Where `--connect-to` sends requests for the host; None where it does not."""
    where = connected(parse_connect_to(inputs.connect_to), host, HTTPS)
    return None if where == (host, HTTPS) else where


def addresses_of(inputs: Inputs, lookup: Lookup, *, usable: bool = True) -> tuple[str, ...]:
    """The addresses of one family, sorted; with `usable` those that may be connected to."""
    if not (inputs.ipv4 if lookup.rdtype == "A" else inputs.ipv6):
        return ()
    found = sorted({record.address for record in lookup.records if isinstance(record, Address)})
    return tuple(a for a in found if not usable or inputs.allow_private or special_address(a) is None)


async def fetched(
    host: str, addresses: tuple[tuple[str, ...], ...], port: Recorder, number: int = HTTPS
) -> tuple[Fetch, ...]:
    """What the addresses of each family answered, the one that counts first."""
    found: list[Fetch] = []
    for round_ in range(_ROUNDS):
        chosen = [family[round_] for family in addresses if len(family) > round_]
        requests = [Request(host=host, path=PATH, address=address, port=number) for address in chosen]
        found.extend(await asyncio.gather(*(port.fetch(request) for request in requests)))
        if any(fetch.outcome is FetchOutcome.ANSWERED for fetch in found):
            break
    return tuple(sorted(found, key=_rank))


async def targets(
    inputs: Inputs, host: str, a: Lookup, aaaa: Lookup, port: Recorder
) -> tuple[tuple[tuple[str, ...], ...], int]:
    """The addresses to ask, by family, and the port number."""
    there = dialled(inputs, host)
    if there is None:
        return (addresses_of(inputs, a), addresses_of(inputs, aaaa)), HTTPS
    address, number = there
    if is_address(address):
        return ((address,),), number  # named by the user: connected to, wherever it is
    if address != host:
        a, aaaa = await asyncio.gather(port.lookup(address, "A"), port.lookup(address, "AAAA"))
        return (addresses_of(inputs, a, usable=False), addresses_of(inputs, aaaa, usable=False)), number
    return (addresses_of(inputs, a), addresses_of(inputs, aaaa)), number


def _rank(fetch: Fetch) -> int:
    served = fetch.outcome is FetchOutcome.ANSWERED and fetch.status == 200  # noqa: PLR2004 - RFC 8461 §3.3
    return 0 if served else _ORDER[fetch.outcome]


def facts_of(domain: str, fetch: Fetch, now: float) -> FetchFacts:
    """The same, as rules judge it."""
    text, utf8 = decoded(fetch.body)
    shake = fetch.handshake
    certificate = read_certificate(shake.chain[0]) if shake is not None and shake.chain else None
    return FetchFacts(
        domain=domain,
        host=fetch.request.host,
        url=fetch.request.url,
        address=fetch.request.address,
        now=now,
        outcome=fetch.outcome,
        why=fetch.why,
        status=fetch.status,
        media_type=fetch.media_type,
        location=fetch.location,
        text=text,
        utf8=utf8,
        certificate=certificate,
        trusted=shake.trusted if shake is not None else None,
        trust_error=shake.trust_error if shake is not None else None,
        trust_code=shake.trust_code if shake is not None else 0,
        name_matches=certificate is None or bears(certificate, fetch.request.host),
    )


def decoded(octets: bytes) -> tuple[str, bool]:
    """A policy's text, and whether it is UTF-8."""
    try:
        return octets.decode("utf-8"), True
    except UnicodeDecodeError:
        return octets.decode("utf-8", "backslashreplace"), False
