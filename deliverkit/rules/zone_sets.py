"""Rules of area `zone`: records that do not go together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.zone import ZoneName, ZoneSet
from deliverkit.model import Finding, Fix, NotApplicable, Rdata, Severity, SourceRecord
from deliverkit.rules.declare import rule
from deliverkit.rules.zone_exhibit import as_written

_BESIDE: Final = frozenset({"CNAME", "RRSIG", "NSEC", "KEY", "SIG", "NXT"})
"""What may stand beside a CNAME (RFC 4034 §2.5, RFC 2181 §10.1)."""


@rule(Severity.ERROR, "RFC 1034 §3.6.2", "RFC 2181 §10.1")
def zone_cname_with_other_data(held: ZoneName) -> Iterator[Finding]:
    """A name holds a CNAME beside other records, or two CNAMEs.

    A CNAME says "look elsewhere for everything". Name servers refuse such a zone, or answer now the one and now the
    other.

    ## Fix
    Replace the CNAME by A and AAAA records (or your provider's ALIAS), or move all the records to its target.

    ## Bad
        @      SOA    ns1.example.net. hostmaster 1 3600 900 604800 300
        @      NS     ns1.example.net.
        news   CNAME  vendor.example.net.
        news   TXT    "v=spf1 -all"

    ## Good
        @      SOA    ns1.example.net. hostmaster 1 3600 900 604800 300
        @      NS     ns1.example.net.
        news   CNAME  vendor.example.net.
    """
    aliases = next((each.records for each in held.sets if each.rdtype == "CNAME"), ())
    if not aliases:
        raise NotApplicable("no CNAME")
    others = [each for each in held.sets if each.rdtype not in _BESIDE]
    several = len({record.rdata for record in aliases}) > 1
    if not others and not several:
        return
    beside = ", ".join(each.rdtype for each in others) or "another CNAME"
    yield Finding(
        message=f"{held.name} holds a CNAME beside other records ({beside})",
        subject=held.name,
        evidence=(
            *(as_written(record) for record in aliases[:4]),
            *(as_written(each.records[0]) for each in others[:8]),
        ),
        fix=Fix(text="Replace the CNAME by A and AAAA records, or move all the records to its target."),
        cause="cname",
        place=aliases[0].place,
    )


@rule(Severity.NOTICE, "RFC 2181 §5")
def zone_duplicate_record(held: ZoneSet) -> Iterator[Finding]:
    """The same record is written twice.

    A set holds no record twice: one of the two has no effect, and whoever changes the other will wonder why nothing
    happens.

    ## Fix
    Delete one of them.

    ## Bad
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        @        TXT   "v=spf1 mx -all"
        @        TXT   "v=spf1 mx -all"

    ## Good
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        @        TXT   "v=spf1 mx -all"
    """
    seen: dict[Rdata, SourceRecord] = {}
    for record in held.records:
        if record.rdata is None:
            continue
        first = seen.setdefault(record.rdata, record)
        if first is record:
            continue
        yield Finding(
            message=f"{held.name} {held.rdtype} is written twice with the same data",
            subject=held.name,
            evidence=(as_written(first), as_written(record)),
            fix=Fix(text="Delete one of them."),
            cause=f"{held.rdtype} {record.text}",
            place=record.place,
        )


@rule(Severity.WARNING, "RFC 2181 §5.2")
def zone_ttl_mismatch(held: ZoneSet) -> Iterator[Finding]:
    """Records of one name and type have different TTLs.

    A set has one TTL. Name servers take one of them, which is not always the one that was just changed before a move.

    ## Fix
    Give all of them the same TTL.

    ## Bad
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        @   300  MX    10 mx1.example.net.
        @   3600 MX    20 mx2.example.net.

    ## Good
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        @   300  MX    10 mx1.example.net.
        @   300  MX    20 mx2.example.net.
    """
    if held.rdtype == "RRSIG":
        raise NotApplicable("of as many sets as there are types")
    told = [record for record in held.records if record.ttl is not None]
    odd = next((record for record in told if record.ttl != told[0].ttl), None)
    if odd is None:
        return
    yield Finding(
        message=f"the {held.rdtype} records of {held.name} have different TTLs",
        subject=held.name,
        evidence=(as_written(told[0]), as_written(odd)),
        fix=Fix(text="Give all of them the same TTL."),
        cause=held.rdtype,
        place=odd.place,
    )
