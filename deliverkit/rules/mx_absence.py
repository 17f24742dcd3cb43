"""Rules of area `mx`: domains without an MX, with a null MX, or that do not exist at all."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.domain import DomainFacts
from deliverkit.facts.mx import MxFacts, denies_all, may_send
from deliverkit.model import (
    Absent,
    Answer,
    Exhibit,
    Finding,
    Fix,
    Inconclusive,
    NotApplicable,
    Severity,
    Unknown,
    known,
)
from deliverkit.rules.declare import rule
from deliverkit.rules.mx_exhibit import spf_exhibits


def _addresses(mx: MxFacts) -> tuple[Exhibit, ...]:
    return tuple(
        Exhibit(text=address, title=f"{mx.domain} {'AAAA' if ':' in address else 'A'}") for address in mx.addresses[:4]
    )


def _need_no_mx(mx: MxFacts) -> None:
    """Go on only where it is sure that there is no MX record."""
    if known(mx.records) is not None:
        raise NotApplicable("MX records are published")


def _address_known(mx: MxFacts) -> bool:
    """Whether the domain has an address; inconclusive where that could not be told."""
    if mx.addresses:
        return True
    for answer in (mx.ipv4, mx.ipv6):
        known(answer)
    return False


def _parked(mx: MxFacts) -> bool:
    """Without an MX, a domain is parked when it says that it sends nothing, or is expected to be."""
    if mx.expected.role is not None:
        return mx.expected.role == "parked"
    spf = known(mx.spf)
    return spf is not None and denies_all(spf)


@rule(Severity.ERROR, "RFC 8020 §2", "RFC 5321 §5.1")
def mx_domain_nonexistent(facts: DomainFacts) -> Iterator[Finding]:
    """The domain does not exist in DNS.

    The authority denies the name itself (NXDOMAIN). Mail to it bounces, and receivers reject mail that
    claims to come from it. Nothing can be published below it, so no other rule applies.

    ## Fix
    Look for a slip in the name. Else see whether the registration has lapsed, or publish a record at the name.

    ## Bad
        $ORIGIN example.net.
        @      MX    10 mx1
        mx1    A     192.0.2.1

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    if facts.inputs.verdicts_only:
        raise NotApplicable("only verdicts were asked for")
    if known(facts.existence) is None:
        yield _nonexistent(facts.inputs.domain, facts.existence)
    served = facts.inputs.sessions.as_mx_of if facts.inputs.sessions is not None else None
    if served is not None and facts.to_serve is not None and known(facts.to_serve) is None:
        yield _nonexistent(served, facts.to_serve)


def _nonexistent(domain: str, denial: Answer[str]) -> Finding:
    return Finding(
        message="the domain does not exist (NXDOMAIN): it gets no mail, and mail in its name is refused",
        subject=domain,
        evidence=(Exhibit(text=getattr(denial, "why", ""), title=f"{domain} MX"),),
        fix=Fix(text="Look for a slip in the name, then whether its registration has lapsed."),
        cause="nxdomain",
    )


@rule(Severity.WARNING, "RFC 5321 §5.1")
def mx_missing(mx: MxFacts) -> Iterator[Finding]:
    """The domain has no MX record; mail goes to its web address instead.

    Where there is no MX, senders deliver to the domain's own A or AAAA record. That is usually a web
    server without a mail server: mail then waits for days before it bounces.

    ## Fix
    Publish the MX of your mail server, or the null MX `0 .` if the domain takes no mail (RFC 7505).

    ## Bad
        $ORIGIN example.com.
        @      A     192.0.2.80

    ## Good
        $ORIGIN example.com.
        @      A     192.0.2.80
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    if known(mx.records) is not None:
        return
    if not _address_known(mx):
        raise NotApplicable("no MX and no address: see mx-none")
    if _parked(mx):
        raise NotApplicable("a parked domain: see mx-null-absent")
    if mx.expected.role == "send-only":
        raise NotApplicable("the configuration expects that it takes no mail")
    yield Finding(
        message="the domain has no MX record, so mail goes to its own address, which is often only a web server",
        subject=mx.domain,
        evidence=_addresses(mx),
        fix=Fix(
            text=f"Publish the MX of your mail server; if {mx.domain} is the mail server itself, say so with this "
            "record; if it takes no mail, publish the null MX `0 .`.",
            name=mx.domain,
            rdtype="MX",
            after=f"10 {mx.domain}.",
        ),
    )


@rule(Severity.WARNING, "RFC 7505 §1", "M3AAWG Protecting Parked Domains (2022)")
def mx_null_absent(mx: MxFacts) -> Iterator[Finding]:
    """A parked domain has an address but no null MX, so senders still try to deliver to it.

    The SPF record says that the domain sends nothing. Without an MX its A or AAAA record invites mail
    all the same: what misdirected senders offer piles up in their queues, or on the web server.

    ## Fix
    Publish the null MX `0 .`: senders then give up at once.

    ## Bad
        $ORIGIN example.com.
        @      A     192.0.2.80
        @      TXT   "v=spf1 -all"

    ## Good
        $ORIGIN example.com.
        @      A     192.0.2.80
        @      TXT   "v=spf1 -all"
        @      MX    0 .
    """
    if mx.null:
        return
    _need_no_mx(mx)
    if not _address_known(mx) or not _parked(mx):
        raise NotApplicable("not a parked domain with an address")
    yield Finding(
        message="the domain is parked, but its address still invites mail: a null MX is missing",
        subject=mx.domain,
        evidence=(*_addresses(mx), *spf_exhibits(mx)),
        fix=Fix(text="Publish a null MX.", name=mx.domain, rdtype="MX", after="0 ."),
    )


@rule(Severity.WARNING, "RFC 5321 §2.3.5", "RFC 5321 §5.1", "RFC 7505 §4.2")
def mx_none(mx: MxFacts) -> Iterator[Finding]:
    """The domain has neither an MX nor an address: nobody can send mail to it.

    Replies and bounces to it are lost, and many receivers refuse mail from a domain that cannot be
    answered. Where the domain's SPF authorises nobody to send, this is a notice.

    ## Fix
    Publish an MX record. If the domain is not for mail, say so with a null MX and `v=spf1 -all`.

    ## Bad
        $ORIGIN example.com.
        @      TXT   "v=spf1 ip4:192.0.2.0/24 -all"

    ## Good
        $ORIGIN example.com.
        @      TXT   "v=spf1 ip4:192.0.2.0/24 -all"
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    if known(mx.records) is not None or not isinstance(mx.records, Absent):
        return
    if _address_known(mx):
        raise NotApplicable("mail goes to the domain's own address: see mx-missing")
    if _parked(mx):
        raise NotApplicable("a parked domain without an address takes no mail anyhow")
    spf = known(mx.spf)
    sends = spf is not None and may_send(spf)
    yield Finding(
        message="the domain sends mail (its SPF says so) but can receive none: many receivers refuse such senders"
        if sends
        else "the domain has neither an MX nor an address: mail to it bounces",
        subject=mx.domain,
        evidence=(
            *(
                Exhibit(text=answer.why, title=f"{mx.domain} {rdtype}")
                for rdtype, answer in (("MX", mx.records), ("A", mx.ipv4), ("AAAA", mx.ipv6))
                if isinstance(answer, Absent)
            ),
            *spf_exhibits(mx),
        ),
        fix=Fix(text="Publish an MX record that names your mail server.")
        if sends
        else Fix(
            text="Publish an MX record; or, if the domain is not for mail, the null MX.",
            name=mx.domain,
            rdtype="MX",
            after="0 .",
        ),
        severity=Severity.WARNING if sends else Severity.NOTICE,
        part_of="dns-cname-dangling" if mx.aliases and mx.records.nxdomain else None,
    )


@rule(Severity.ERROR, "deliverkit configuration: domains.*.mx", "RFC 5321 §5.1")
def mx_not_as_expected(mx: MxFacts) -> Iterator[Finding]:
    """The MX records are not the ones the configuration expects.

    A mail host that nobody expects takes the domain's mail elsewhere; one that is missing leaves a gap.
    Either the zone was changed without the configuration, or by somebody who should not have.

    ## Fix
    Restore the expected records; if the change is meant, write it into the configuration.

    ## Bad
        ; check example.com --mx mx1.example.com
        $ORIGIN example.com.
        @      MX    10 mx2
        mx2    A     192.0.2.1
        mx2    A     192.0.2.2
        mx2    AAAA  2001:db8::1

    ## Good
        ; check example.com --mx mx1.example.com
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    expected, role = mx.expected.mx, mx.expected.role
    if expected is None and role is None:
        raise NotApplicable("nothing is expected")
    if isinstance(mx.records, Unknown):
        raise Inconclusive(mx.records.why)
    hosts = tuple(dict.fromkeys(host for _, host in known(mx.records) or () if host))
    shown = tuple(Exhibit(text=f"{p} {host}.", title=f"{mx.domain} MX") for p, host in (known(mx.records) or ())[:16])
    if expected is not None:
        wanted = tuple(dict.fromkeys(host.lower().rstrip(".") for host in expected))
        for host in wanted:
            if host and host not in hosts:
                yield Finding(
                    message=f"{host} is expected among the MX hosts and is not there",
                    subject=host,
                    evidence=shown,
                    fix=Fix(
                        text="Publish it, or change the configuration.",
                        name=mx.domain,
                        rdtype="MX",
                        after=f"10 {host}.",
                    ),
                )
        for host in hosts:
            if host not in wanted:
                yield Finding(
                    message=f"{host} takes mail for the domain, and the configuration does not expect it",
                    subject=host,
                    evidence=shown,
                    fix=Fix(text="Delete the record, or add the host to the configuration."),
                )
    elif role in {"mail", "receive-only"} and not hosts:
        yield Finding(
            message=f"the domain is expected to take mail (role {role}), and no MX names a host",
            subject=mx.domain,
            evidence=shown,
            fix=Fix(text="Publish an MX record, or change the role in the configuration."),
        )
    elif role == "parked" and hosts:
        yield Finding(
            message="the domain is expected to be parked, and its MX takes mail",
            subject=mx.domain,
            evidence=shown,
            fix=Fix(
                text="Publish the null MX alone, or change the role in the configuration.",
                name=mx.domain,
                rdtype="MX",
                after="0 .",
            ),
        )
