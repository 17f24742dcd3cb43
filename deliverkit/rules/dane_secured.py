"""Rules of area `dane`: whether DNSSEC secures what DANE rests on, and whether all hosts take part."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.dane import DaneFacts, DaneHost
from deliverkit.model import (
    Absent,
    Exhibit,
    Finding,
    Fix,
    Found,
    Inconclusive,
    NotApplicable,
    Severity,
    Unknown,
    Who,
    known,
    need,
)
from deliverkit.rules.dane_exhibit import exhibits, mender, records_of
from deliverkit.rules.declare import rule


@rule(Severity.WARNING, "RFC 7672 §2.2.2", "RFC 6698 §4.1", "RFC 7671 §3")
def dane_without_dnssec(host: DaneHost) -> Iterator[Finding]:
    """A host has TLSA records that DNSSEC does not secure.

    Senders use TLSA records only where DNSSEC proves them. In an unsigned zone they are never looked at: they
    protect nothing, and look as if they did.

    ## Fix
    Sign the zone of the mail host and put its DS record at the registrar; or delete the TLSA records.

    ## Bad
        AD
        example.com. INSECURE
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx  TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210

    ## Good
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx  TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210
    """
    records = records_of(host)
    if not records:
        raise NotApplicable("the host has no TLSA records")
    if known(host.secure) is False:
        what = "its addresses" if host.addresses_secure == Found(False) else "these records"
        yield Finding(
            message=f"{host.host} has TLSA records, but DNSSEC does not secure {what}: no sender uses them",
            subject=host.host,
            evidence=exhibits(host, records),
            fix=Fix(text=f"Sign the zone of {host.host}, or delete the TLSA records."),
            who=mender(host),
            cause="insecure",
        )


@rule(Severity.WARNING, "RFC 7672 §2.2.1")
def dane_mx_unsigned(dane: DaneFacts) -> Iterator[Finding]:
    """The mail hosts have DANE, but the MX records that name them are not signed.

    Whoever forges the MX answer names a host of his own, and DANE at the true hosts is never asked for. It protects
    only where DNSSEC secures the domain as well.

    ## Fix
    Sign the domain and put its DS record at the registrar.

    ## Bad
        AD
        example.com. INSECURE
        example.com.             MX    10 mx.example.net.
        mx.example.net.          A     192.0.2.25
        _25._tcp.mx.example.net. TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx.example.net. TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210

    ## Good
        AD
        example.com.             MX    10 mx.example.net.
        mx.example.net.          A     192.0.2.25
        _25._tcp.mx.example.net. TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx.example.net. TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210
    """
    hosts = [host for host in need(dane.hosts) if host.protected]
    if not dane.by_mx or not hosts:
        raise NotApplicable("no mail host has DANE")
    if need(dane.mx_secure) is False:
        yield Finding(
            message=f"{dane.domain} is not signed: its MX records can be forged past the DANE of its mail hosts",
            subject=dane.domain,
            evidence=tuple(Exhibit(title=f"{dane.domain} MX", text=f"{host.host}. (with DANE)") for host in hosts[:8]),
            fix=Fix(text=f"Sign {dane.domain} and put its DS record at the registrar."),
            cause="mx",
        )


@rule(Severity.WARNING, "RFC 7672 §2.1.1", "RFC 7672 §2.2")
def dane_partial(dane: DaneFacts) -> Iterator[Finding]:
    """Some of the mail hosts have DANE and others have not.

    An attacker on the way blocks the hosts that have it, and the sender goes on to the next one, unprotected.

    ## Fix
    Publish TLSA records for every mail host, in signed zones.

    ## Bad
        AD
        $ORIGIN example.com.
        @             MX    10 mx1
        @             MX    20 mx2
        mx1           A     192.0.2.25
        mx2           A     192.0.2.26
        _25._tcp.mx1  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx1  TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210

    ## Good
        AD
        $ORIGIN example.com.
        @             MX    10 mx1
        @             MX    20 mx2
        mx1           A     192.0.2.25
        mx2           A     192.0.2.26
        _25._tcp.mx1  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx1  TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210
        _25._tcp.mx2  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx2  TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210
    """
    hosts = need(dane.hosts)
    having = [host for host in hosts if host.protected]
    if not having:
        raise NotApplicable("no mail host has DANE")
    lacking = [host for host in hosts if isinstance(host.records, Absent) or host.secure == Found(False)]
    if lacking:
        named = ", ".join(host.host for host in lacking[:4])
        yield Finding(
            message=f"{named} {'has' if len(lacking) == 1 else 'have'} no DANE, and other mail hosts of "
            f"{dane.domain} have: blocking these is enough to get around it",
            subject=dane.domain,
            evidence=tuple(Exhibit(title=f"{host.name} TLSA", text=_why(host)) for host in (*lacking[:6], *having[:2])),
            fix=Fix(text=f"Publish TLSA records for {named} too, in a signed zone."),
            cause=f"partial {named}",
        )
    for host in hosts:
        known(host.records)
        need(host.secure)


def _why(host: DaneHost) -> str:
    if isinstance(host.records, Found):
        return "with DANE" if host.protected else "not secured by DNSSEC"
    return host.records.why


@rule(Severity.NOTICE, "RFC 7672 §1.3")
def dane_missing(dane: DaneFacts) -> Iterator[Finding]:
    """The zones of the mail hosts are signed, but the hosts have no TLSA records.

    DNSSEC, the harder half of DANE, is there. Without TLSA records senders encrypt to whoever answers, and an
    attacker on the way can switch encryption off. MTA-STS, where it is published, helps in part.

    ## Fix
    Publish `_25._tcp.HOST TLSA 3 1 1` with the digest of each mail host's public key, and of the next one.

    ## Bad
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25

    ## Good
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx  TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210
    """
    hosts = need(dane.hosts)
    if any(isinstance(host.records, Found) for host in hosts):
        return
    if isinstance(dane.misplaced, Found):
        raise NotApplicable("there are TLSA records, at another name")
    lacking = [host for host in hosts if isinstance(host.records, Absent) and host.addresses_secure == Found(True)]
    if lacking and len(lacking) == len(hosts):
        named = ", ".join(host.host for host in lacking[:4])
        yield Finding(
            message=f"the mail hosts are in signed zones and have no TLSA records: {named}",
            subject=dane.domain,
            evidence=tuple(Exhibit(title=f"{host.name} TLSA", text=_why(host)) for host in lacking[:6]),
            fix=Fix(
                text="Publish the SHA-256 digest of each host's public key, and of the next one.",
                name=lacking[0].name,
                rdtype="TLSA",
                after="3 1 1 (digest of the key in use)\n3 1 1 (digest of the next key)",
            ),
            who=mender(lacking[0]),
            cause="missing",
        )
        return
    for host in hosts:
        known(host.records)
        known(host.addresses_secure)
    raise NotApplicable("the zones of the mail hosts are not signed")


@rule(Severity.WARNING, "RFC 7672 §2.2.3", "RFC 7672 §3.1")
def dane_misplaced(dane: DaneFacts) -> Iterator[Finding]:
    """TLSA records stand at the domain itself, where no sender looks for them.

    They belong to the names of the mail hosts: `_25._tcp.` and the host that the MX names.

    ## Fix
    Publish them at `_25._tcp.` and the name of each mail host.

    ## Bad
        AD
        $ORIGIN example.com.
        @         MX    10 mx
        mx        A     192.0.2.25
        _25._tcp  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

    ## Good
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx  TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210
    """
    if not dane.by_mx or isinstance(dane.misplaced, Unknown):
        raise NotApplicable("nothing stands at the domain itself")
    hosts = need(dane.hosts)
    if isinstance(dane.misplaced, Absent):
        return
    name, records = dane.misplaced.value
    bare = [host for host in hosts if isinstance(host.records, Absent)]
    yield Finding(
        message=f"TLSA records stand at {name}, where no sender looks: they ask at the names of the mail hosts",
        subject=name,
        evidence=tuple(Exhibit(title=f"{name} TLSA", text=record.text) for record in records[:6]),
        fix=Fix(text="Publish them at " + ", ".join(host.name for host in (bare or hosts)[:4]) + "."),
        severity=None if bare else Severity.NOTICE,
        cause="misplaced",
    )


@rule(Severity.ERROR, "RFC 7672 §2.1.1", "RFC 7672 §2.2", who=Who.HOSTER)
def dane_lookup_fails(host: DaneHost) -> Iterator[Finding]:
    """The question for a mail host's TLSA records is not answered as it must be.

    The host's zone is signed, so senders with DANE ask for TLSA, whether there are records or not. Where that
    question fails they cannot tell a broken name server from an attack, and keep the mail back. Name servers and
    firewalls that drop questions of a type they do not know do this, and so do wrong proofs that a name is not there.

    ## Fix
    Update the name server or the firewall before it: every type must get an answer, and every denial a valid proof.

    ## Bad
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  BOGUS

    ## Good
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx  TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210
    """
    if not isinstance(host.records, Unknown):
        return
    if host.addresses_secure == Found(False):
        raise NotApplicable("the host's zone is not signed: senders do not ask for TLSA")
    if not host.bogus:
        raise Inconclusive(host.records.why)
    yield Finding(
        message=f"the answer for {host.name} TLSA fails DNSSEC validation: senders with DANE keep mail for "
        f"{host.host} back",
        subject=host.host,
        evidence=(Exhibit(title=f"{host.name} TLSA", text=host.records.why),),
        fix=Fix(text="Update the name server, or sign its zone again: every denial needs a valid proof."),
        part_of="dnssec-bogus",
        cause="bogus",
    )
