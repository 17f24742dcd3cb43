"""Rules of area `mx`: the set of mail hosts as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from deliverkit.facts.mx import MxFacts, MxHost
from deliverkit.model import Absent, Exhibit, Finding, Fix, Inconclusive, NotApplicable, Severity, Unknown, need
from deliverkit.rules.declare import rule

LONG_CHAIN = 4
MANY = 16
"""More hosts than this help nobody: senders give up after a few (Postfix tries five addresses)."""


def _exhibits(mx: MxFacts, hosts: tuple[MxHost, ...]) -> tuple[Exhibit, ...]:
    return tuple(Exhibit(text=f"{host.preference} {host.host}.", title=f"{mx.domain} MX") for host in hosts[:16])


def _several(mx: MxFacts) -> tuple[MxHost, ...]:
    hosts = need(mx.hosts)
    if not hosts:
        raise NotApplicable("a null MX")
    return hosts


@rule(Severity.NOTICE, "RFC 5321 §5.1")
def mx_duplicate(mx: MxFacts) -> Iterator[Finding]:
    """The same host is named by several MX records.

    Senders try the same server again under the same name: the further records add no safety, and
    they hide which preference was meant.

    ## Fix
    Keep one record for each host.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx1
        @      MX    20 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx1
        @      MX    20 mx2
        mx1    A     192.0.2.1
        mx1    AAAA  2001:db8::1
        mx2    A     192.0.2.2
        mx2    AAAA  2001:db8::2
    """
    records = need(mx.records)
    for host, count in sorted(Counter(host for _, host in records if host).items()):
        if count > 1:
            preferences = [preference for preference, name in records if name == host]
            yield Finding(
                message=f"{host} is named by several MX records; one is enough",
                subject=host,
                evidence=tuple(Exhibit(text=f"{p} {host}.", title=f"{mx.domain} MX") for p in preferences[:16]),
                fix=Fix(text=f"Keep `{min(preferences)} {host}.` and delete the other records of that host."),
            )


@rule(Severity.NOTICE, "RFC 5321 §5.1", "RFC 2182 §3.1")
def mx_single_point_of_failure(mx: MxFacts) -> Iterator[Finding]:
    """All mail depends on one address.

    While that one machine or its line is down, mail waits at its senders, for some hours or days.
    Nothing is lost at once, but nothing arrives either. Hosts of the large providers stand for many
    machines and are not meant here.

    ## Fix
    Publish a second MX host, at another site, with the same filtering and the same list of recipients.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    AAAA  2001:db8::1

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx1
        @      MX    20 mx2
        mx1    A     192.0.2.1
        mx1    AAAA  2001:db8::1
        mx2    A     198.51.100.2
        mx2    AAAA  2001:db8::2

    ## Good
        $ORIGIN example.com.
        @      MX    0 example-com.mail.protection.outlook.com.
        example-com.mail.protection.outlook.com.  A     192.0.2.1
        example-com.mail.protection.outlook.com.  AAAA  2001:db8::1
    """
    hosts = _several(mx)
    usable = [host for host in hosts if host.resolves]
    if len(usable) > 1 or any(host.redundant for host in usable):
        return
    for host in hosts:
        for answer in (host.ipv4, host.ipv6):
            if isinstance(answer, Unknown):
                raise Inconclusive(answer.why)
    if not usable:
        raise NotApplicable("no MX host has an address")
    (only,) = usable
    if only.special:
        raise NotApplicable("its address is none: see mx-private-address")
    if sum(":" not in a for a in only.addresses) > 1 or sum(":" in a for a in only.addresses) > 1:
        return
    yield Finding(
        message=f"all mail depends on one machine, {only.host}",
        subject=only.host,
        evidence=_exhibits(mx, (only,)),
        fix=Fix(text="Publish a second MX host at another site, or accept that mail waits while this one is down."),
    )


@rule(Severity.NOTICE, "RFC 5321 §5.1", "RFC 2182 §3.1")
def mx_same_address(mx: MxFacts) -> Iterator[Finding]:
    """Several MX hosts are one and the same machine.

    The records look like a spare, and there is none: all the names have the same addresses.

    ## Fix
    Point one of them at another machine, or keep one record only.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx1
        @      MX    20 mx2
        mx1    A     192.0.2.1
        mx1    AAAA  2001:db8::1
        mx2    A     192.0.2.1
        mx2    AAAA  2001:db8::1

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx1
        @      MX    20 mx2
        mx1    A     192.0.2.1
        mx1    AAAA  2001:db8::1
        mx2    A     198.51.100.2
        mx2    AAAA  2001:db8::2
    """
    hosts = _several(mx)
    groups: dict[tuple[str, ...], list[MxHost]] = {}
    for host in hosts:
        for answer in (host.ipv4, host.ipv6):
            if isinstance(answer, Unknown):
                raise Inconclusive(answer.why)
        if host.addresses and not host.redundant:
            groups.setdefault(host.addresses, []).append(host)
    for addresses, group in sorted(groups.items()):
        if len(group) > 1:
            names = ", ".join(host.host for host in group[:8])
            yield Finding(
                message=f"{names} are one machine under several names; there is no spare",
                subject=mx.domain,
                evidence=(
                    *_exhibits(mx, tuple(group)),
                    *(
                        Exhibit(text=address, title=f"{group[0].host} {'AAAA' if ':' in address else 'A'}")
                        for address in addresses[:4]
                    ),
                ),
                fix=Fix(text="Point one of the names at another machine, or keep one MX record."),
            )


@rule(Severity.NOTICE, "RFC 5321 §5.1")
def mx_too_many(mx: MxFacts) -> Iterator[Finding]:
    """The domain names more mail hosts than any sender tries.

    Senders try a handful of addresses and then wait. A long list makes the answer too large for one
    datagram and delays the discovery of a fault. Of more than fifty hosts only fifty were looked up here.

    ## Fix
    Keep a few records; put machines of the same rank behind one name with several addresses.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx10
        @      MX    10 mx11
        @      MX    10 mx12
        @      MX    10 mx13
        @      MX    10 mx14
        @      MX    10 mx15
        @      MX    10 mx16
        @      MX    10 mx17
        @      MX    10 mx18
        @      MX    10 mx19
        @      MX    10 mx20
        @      MX    10 mx21
        @      MX    10 mx22
        @      MX    10 mx23
        @      MX    10 mx24
        @      MX    10 mx25
        @      MX    10 mx26
        $GENERATE 10-26 mx$  A    192.0.2.$
        $GENERATE 10-26 mx$  AAAA 2001:db8::$

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx1
        @      MX    20 mx2
        mx1    A     192.0.2.1
        mx1    AAAA  2001:db8::1
        mx2    A     198.51.100.2
        mx2    AAAA  2001:db8::2
    """
    hosts = _several(mx)
    if mx.total > MANY:
        yield Finding(
            message=f"the domain names {mx.total} mail hosts; senders try only a few of them",
            subject=mx.domain,
            evidence=_exhibits(mx, hosts),
            fix=Fix(text="Keep a few MX records; give a name several addresses where machines are of the same rank."),
        )


@rule(Severity.NOTICE, "RFC 5321 §5.1")
def mx_provider_mixed(mx: MxFacts) -> Iterator[Finding]:
    """The MX records name hosts of several mailbox providers.

    Each provider keeps what it is given: mail that falls to the other one lands in mailboxes nobody
    reads. This is usually left over from a move.

    ## Fix
    Delete the records of the provider you have left.

    ## Bad
        $ORIGIN example.com.
        @      MX    0 example-com.mail.protection.outlook.com.
        @      MX    10 smtp.google.com.
        example-com.mail.protection.outlook.com.  A     192.0.2.1
        example-com.mail.protection.outlook.com.  AAAA  2001:db8::1
        smtp.google.com.                          A     198.51.100.1
        smtp.google.com.                          AAAA  2001:db8::2

    ## Good
        $ORIGIN example.com.
        @      MX    10 smtp.google.com.
        smtp.google.com.  A     198.51.100.1
        smtp.google.com.  AAAA  2001:db8::2
    """
    hosts = [host for host in _several(mx) if host.provider_kind == "mailbox"]
    providers = sorted({host.provider for host in hosts if host.provider})
    if len(providers) > 1:
        yield Finding(
            message=f"mail goes to several mailbox providers at once: {', '.join(providers)}",
            subject=mx.domain,
            evidence=_exhibits(mx, tuple(hosts)),
            fix=Fix(text="Delete the MX records of the provider you no longer use."),
        )


@rule(Severity.NOTICE, "RFC 5321 §5.1")
def mx_gateway_bypass(mx: MxFacts) -> Iterator[Finding]:
    """A filtering gateway and the mailbox provider behind it are both named as MX.

    Spammers pick the record with the highest number on purpose: what goes to the mailbox provider
    directly is never seen by the gateway.

    ## Fix
    Name the gateway's hosts only, and let the provider accept mail from the gateway alone.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mxa-00000001.gslb.pphosted.com.
        @      MX    50 example-com.mail.protection.outlook.com.
        mxa-00000001.gslb.pphosted.com.           A     198.51.100.1
        mxa-00000001.gslb.pphosted.com.           AAAA  2001:db8::1
        example-com.mail.protection.outlook.com.  A     192.0.2.1

    ## Good
        $ORIGIN example.com.
        @      MX    10 mxa-00000001.gslb.pphosted.com.
        @      MX    10 mxb-00000001.gslb.pphosted.com.
        mxa-00000001.gslb.pphosted.com.  A     198.51.100.1
        mxa-00000001.gslb.pphosted.com.  AAAA  2001:db8::1
        mxb-00000001.gslb.pphosted.com.  A     198.51.100.2
        mxb-00000001.gslb.pphosted.com.  AAAA  2001:db8::2
    """
    hosts = _several(mx)
    gateways = sorted({host.provider for host in hosts if host.provider and host.provider_kind == "gateway"})
    mailboxes = tuple(host for host in hosts if host.provider_kind == "mailbox")
    if gateways and mailboxes:
        yield Finding(
            message=f"mail can go around the filter of {' and '.join(gateways)}, straight to {mailboxes[0].provider}",
            subject=mailboxes[0].host,
            evidence=_exhibits(mx, hosts),
            fix=Fix(
                text="Delete the mailbox provider's MX record; let it take mail from the gateway only.",
                name=mx.domain,
                rdtype="MX",
                before=f"{mailboxes[0].preference} {mailboxes[0].host}.",
            ),
        )


@rule(Severity.WARNING, "RFC 5321 §5.1")
def mx_provider_retired(mx: MxFacts) -> Iterator[Finding]:
    """An MX record names a host of a service that was shut down.

    Nobody answers there for you any more. Mail that falls to it waits or bounces; and whoever comes by
    the name can read it.

    ## Fix
    Delete the record.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx1
        @      MX    20 example.com.s8a1.psmtp.com.
        mx1    A     192.0.2.1
        mx1    AAAA  2001:db8::1
        example.com.s8a1.psmtp.com.  A  198.51.100.9

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx1
        @      MX    20 mx2
        mx1    A     192.0.2.1
        mx1    AAAA  2001:db8::1
        mx2    A     198.51.100.2
        mx2    AAAA  2001:db8::2
    """
    for host in _several(mx):
        if host.provider_kind == "retired":
            yield Finding(
                message=f"{host.host} belongs to {host.provider}, a service that was shut down",
                subject=host.host,
                evidence=_exhibits(mx, (host,)),
                fix=Fix(
                    text="Delete the record.", name=mx.domain, rdtype="MX", before=f"{host.preference} {host.host}."
                ),
            )


@rule(Severity.NOTICE, "RFC 5321 §5.1", "RFC 2181 §10.1")
def mx_domain_is_alias(mx: MxFacts) -> Iterator[Finding]:
    """The mail domain itself is a CNAME.

    Mail, SPF and everything else at the name are then what the target publishes, also when it changes
    without you. Names below (`_dmarc`, `_domainkey`) are not carried along.

    ## Fix
    Publish the domain's own MX and TXT records in place of the CNAME, unless the borrowing is meant.

    ## Bad
        $ORIGIN example.com.
        @      CNAME shared.example.net.
        $ORIGIN example.net.
        shared MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    if isinstance(mx.records, Unknown) and not mx.aliases:
        raise Inconclusive(mx.records.why)
    if mx.aliases:
        yield Finding(
            message=f"the domain is an alias (CNAME) of {mx.aliases[-1]}: its mail goes by what that name publishes",
            subject=mx.domain,
            evidence=tuple(
                Exhibit(text=f"{owner}. CNAME {target}.", title=f"{owner} CNAME")
                for owner, target in zip((mx.domain, *mx.aliases[:-1]), mx.aliases, strict=True)
            ),
            fix=Fix(text="Publish the domain's own records instead of the CNAME, unless this is meant."),
            part_of=_explained(mx),
        )


def _explained(mx: MxFacts) -> str | None:
    """The rule of area `dns` that tells of the same CNAME with more at stake."""
    if mx.looped:
        return "dns-cname-loop"
    if mx.beside_alias:
        return "dns-cname-with-other-data"
    if isinstance(mx.records, Absent) and mx.records.nxdomain:
        return "dns-cname-dangling"
    return "dns-cname-chain-long" if len(mx.aliases) >= LONG_CHAIN else None
