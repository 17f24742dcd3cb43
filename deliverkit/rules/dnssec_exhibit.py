"""What the rules of area `dnssec` show and how they say it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from deliverkit.facts.dnssec import Bogus, DnssecFacts, Signed
from deliverkit.model import Exhibit, Found
from deliverkit.records.dnssec import algorithm_name

_MOST = 12


def moment(seconds: float) -> str:
    """A moment of a signature's, to the minute."""
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return "an impossible date"


def zone_of(dnssec: DnssecFacts) -> str:
    """The zone that the domain stands in; the domain itself where that could not be told."""
    return dnssec.zone.value if isinstance(dnssec.zone, Found) else dnssec.domain


def whats(items: Iterable[Signed | Bogus]) -> str:
    """What the records are to mail, each once: `MX, SPF, DMARC`."""
    return ", ".join(dict.fromkeys(item.what for item in items))


def signature_exhibits(signatures: Iterable[Signed]) -> tuple[Exhibit, ...]:
    """Each signature: the records it covers, its key and its dates."""
    return tuple(
        Exhibit(
            title=f"{signed.name} RRSIG",
            text=(
                f"{signed.rdtype} by key {signed.key_tag} ({algorithm_name(signed.algorithm)}), "
                f"{moment(signed.inception)} to {moment(signed.expiration)}"
            ),
        )
        for signed in list(signatures)[:_MOST]
    )


def bogus_exhibits(bogus: Iterable[Bogus]) -> tuple[Exhibit, ...]:
    """Each answer that is withheld, what the resolver says of it, and what it would have been."""
    return tuple(
        Exhibit(
            title=f"{entry.name} {entry.rdtype}",
            text="\n".join((entry.why, *(f"withheld: {text}" for text in entry.hidden))),
        )
        for entry in list(bogus)[:_MOST]
    )


def ds_exhibits(dnssec: DnssecFacts) -> tuple[Exhibit, ...]:
    """The DS records of the parent, and the keys of the zone."""
    zone = zone_of(dnssec)
    ds = dnssec.ds.value if isinstance(dnssec.ds, Found) else ()
    keys = dnssec.keys.value if isinstance(dnssec.keys, Found) else ()
    return (
        *(Exhibit(title=f"{zone} DS", text=entry.text) for entry in ds[:_MOST]),
        *(Exhibit(title=f"{zone} DNSKEY", text=key.words) for key in keys[:_MOST]),
    )


def by_set(signatures: Iterable[Signed]) -> list[list[Signed]]:
    """The signatures over each set of records together: one valid one is enough (RFC 4035 §5.3.1)."""
    sets: dict[tuple[str, str], list[Signed]] = {}
    for signed in signatures:
        held = sets.setdefault((signed.name, signed.rdtype), [])
        if signed not in held:
            held.append(signed)
    return list(sets.values())
