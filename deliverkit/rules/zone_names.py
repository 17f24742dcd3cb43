"""Rules of area `zone`: names that are not where they were meant to be, since a dot is missing or a label is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from deliverkit.facts.zone import ZoneFile, ZoneName, ZoneSet
from deliverkit.model import Finding, Fix, NotApplicable, Severity, SourceRecord, Word
from deliverkit.rules.declare import rule
from deliverkit.rules.zone_exhibit import as_written, place_of, version_of

_TOPS: Final = frozenset(
    {"com", "net", "org", "io", "eu", "de", "uk", "fr", "nl", "ch", "at", "it", "es", "info", "biz"}
)
_LABELS: Final = {
    b"v=dmarc1": ("DMARC", "_dmarc."),
    b"v=dkim1": ("DKIM", "SELECTOR._domainkey."),
    b"v=tlsrptv1": ("TLS-RPT", "_smtp._tls."),
    b"v=stsv1": ("MTA-STS", "_mta-sts."),
}
_MARKS: Final = {
    b"v=dmarc1": "_dmarc",
    b"v=dkim1": "_domainkey",
    b"v=tlsrptv1": "_smtp._tls",
    b"v=stsv1": "_mta-sts",
}
_POINTING: Final = frozenset({"MX", "CNAME", "NS", "PTR"})


@rule(Severity.ERROR, "RFC 1035 §5.1")
def zone_missing_trailing_dot(held: ZoneSet) -> Iterator[Finding]:
    """A record leads to a name without the dot at its end, so the zone's own name is appended to it.

    A name in a zone file is complete only with a dot at its end. `mail.example.com` in the zone `example.com` means
    `mail.example.com.example.com`, which does not exist: mail to the domain is lost, or the alias leads nowhere.

    ## Fix
    End the name with a dot.

    ## Bad
        @      SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @      NS    ns1.example.net.
        @      MX    10 mail.example.com
        mail   A     192.0.2.1

    ## Good
        @      SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @      NS    ns1.example.net.
        @      MX    10 mail.example.com.
        mail   A     192.0.2.1
    """
    for record in held.records:
        if held.rdtype not in _POINTING or not record.words:
            continue
        word = record.words[-1]
        meant = word.text.lower()
        if meant.endswith(".") or meant == "@" or not _complete(meant, held, record):
            continue
        yield Finding(
            message=f"{held.rdtype} of {held.name} leads to {meant}.{record.origin}: a dot is missing after {meant}",
            subject=held.name,
            evidence=(as_written(record, "no dot at its end", word),),
            fix=Fix(
                text="End the name with a dot.",
                name=held.name,
                rdtype=held.rdtype,
                before=record.text,
                after=f"{record.text}.",
            ),
            place=place_of(record, word),
        )


def _complete(meant: str, held: ZoneSet, record: SourceRecord) -> bool:
    """Whether a name without a dot was meant as it stands: what it becomes exists nowhere in the files."""
    origin = record.origin
    if not origin or f"{meant}.{origin}" not in held.unmet:
        return False
    apex = held.apex or origin
    return meant == apex or meant.endswith((f".{apex}", f".{origin}")) or _foreign(meant)


def _foreign(meant: str) -> bool:
    return meant.count(".") >= 2 and meant.rpartition(".")[2] in _TOPS  # noqa: PLR2004 - host, domain, top


@rule(Severity.ERROR, "RFC 1035 §5.1")
def zone_domain_doubled(held: ZoneName) -> Iterator[Finding]:
    """A record stands at a name in which the domain occurs twice.

    Names in a zone file, and in the forms of most DNS hosters, are completed with the zone's name. Whoever writes the
    whole name without a dot at its end publishes `_dmarc.example.com.example.com`, where nobody looks.

    ## Fix
    Write the name without the domain, or with a dot at its end.

    ## Bad
        @                   SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @                   NS    ns1.example.net.
        _dmarc.example.com  TXT   "v=DMARC1; p=reject"

    ## Good
        @                   SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @                   NS    ns1.example.net.
        _dmarc              TXT   "v=DMARC1; p=reject"
    """
    apex = held.apex
    if not apex or "." not in apex:
        raise NotApplicable("in no zone")
    doubled = f"{apex}.{apex}"
    if held.name != doubled and not held.name.endswith(f".{doubled}"):
        return
    first = held.sets[0].records[0]
    meant = held.name.removesuffix(f".{apex}")
    owner = next((record.owner for each in held.sets for record in each.records if record.owner), "")
    yield Finding(
        message=f"{held.name} holds the domain twice; {meant} was meant",
        subject=meant,
        evidence=tuple(as_written(each.records[0]) for each in held.sets),
        fix=Fix(text=f"Write {owner}. with a dot at its end." if owner else f"Put the record at {meant}."),
        place=first.place,
    )


@rule(Severity.ERROR, "RFC 1035 §5.2")
def zone_outside(held: ZoneFile) -> Iterator[Finding]:
    """A record's name lies outside the zone that the file holds.

    A name server loads only what lies in its zone and ignores the rest with a line in its log, so this record is
    published nowhere.

    ## Fix
    Move the record to the zone of its name, or mend its name.

    ## Bad
        @                    SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @                    NS    ns1.example.net.
        _dmarc.example.org.  TXT   "v=DMARC1; p=reject"

    ## Good
        @                    SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @                    NS    ns1.example.net.
        _dmarc.example.com.  TXT   "v=DMARC1; p=reject"
    """
    if len(held.apexes) != 1:
        raise NotApplicable("not one zone")
    for record in held.outside:
        yield Finding(
            message=f"{record.name} {record.rdtype} lies outside the zone {held.apexes[0]}, and is not published",
            subject=record.name,
            evidence=(as_written(record),),
            place=record.place,
        )


@rule(Severity.ERROR, "RFC 9989 §4.5", "RFC 6376 §3.6.2.1", "RFC 8460 §3", "RFC 8461 §3.1", "RFC 7208 §3")
def zone_record_at_wrong_name(held: ZoneSet) -> Iterator[Finding]:
    """A mail record stands at a name where nobody looks for it.

    DMARC records are looked for at `_dmarc`, DKIM keys at a selector below `_domainkey`, TLS-RPT at `_smtp._tls`,
    MTA-STS at `_mta-sts`. At any other name they are texts without a meaning.

    ## Fix
    Move the record to its name.

    ## Bad
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        @        TXT   "v=DMARC1; p=reject"

    ## Good
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        _dmarc   TXT   "v=DMARC1; p=reject"
    """
    if held.rdtype != "TXT":
        raise NotApplicable("no TXT")
    if held.pointed_at or "*" in held.name:
        return
    for record in held.records:
        if (version := version_of(record)) is None:
            continue
        word = _word(record)
        if version == b"v=spf1":
            yield from _policy_elsewhere(held, record, word)
        elif version in _LABELS and not _labelled(held.name, _MARKS[version]):
            what, label = _LABELS[version]
            domain = re.sub(r"^(?:_[\w-]+\.)+", "", held.name)
            yield Finding(
                message=f"a {what} record stands at {held.name}, where nobody looks; its name is {label}{domain}",
                subject=held.name,
                evidence=(as_written(record, f"a {what} record", word),),
                fix=Fix(text=f"Move the record to {label}{domain}."),
                severity=Severity.WARNING if held.right_name else None,
                place=record.place,
            )


def _policy_elsewhere(held: ZoneSet, record: SourceRecord, word: Word | None) -> Iterator[Finding]:
    """An SPF record at `_spf` that nothing includes, with none above: it was meant for the domain."""
    label, _, domain = held.name.partition(".")
    if label not in ("_spf", "spf") or domain != held.apex or held.right_name:
        return
    yield Finding(
        message=f"an SPF record stands at {held.name}, which no record here includes, and {domain} has none",
        subject=held.name,
        evidence=(as_written(record, "an SPF record", word),),
        fix=Fix(text=f"Move the record to {domain}, or include {held.name} there."),
        severity=Severity.WARNING,
        place=record.place,
    )


def _labelled(name: str, label: str) -> bool:
    return f".{label}." in f".{name}."


def _word(record: SourceRecord) -> Word | None:
    return record.words[0] if record.words else None
