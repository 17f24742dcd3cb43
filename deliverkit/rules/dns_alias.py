"""Rules of area `dns`: aliases (CNAME) that lead nowhere, in circles, or stand beside other data."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.dns import DnsFacts
from deliverkit.model import Exhibit, Finding, Fix, LookupOutcome, Note, Severity
from deliverkit.rules.declare import rule
from deliverkit.rules.dns_exhibit import chain_exhibits, exhibits_of, noted, who_mends, whose


@rule(Severity.ERROR, "RFC 1034 §3.6.2", "RFC 1034 §5.2.2")
def dns_cname_loop(dns: DnsFacts) -> Iterator[Finding]:
    """A chain of CNAMEs comes back to itself, or does not end.

    No resolver can answer for such a name: whatever was to be published there is not. Where the name is
    a provider's, the finding is a warning.

    ## Fix
    Follow the chain, and let its last name hold the records.

    ## Bad
        ; check example.com --areas mx,dns
        $ORIGIN example.com.
        @      MX    10 mx1
        @      TXT   "v=spf1 -all"
        mx1    CNAME mx2
        mx2    CNAME mx1

    ## Good
        ; check example.com --areas mx,dns
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    for answers in noted(dns, Note.CNAME_LOOP):
        odd = answers[0]
        yield Finding(
            message=f"the CNAMEs at {whose(odd)} lead in a circle or do not end; nothing can be looked up there",
            subject=odd.name,
            evidence=(*exhibits_of(answers, "a CNAME loop"), *chain_exhibits(odd)[:17]),
            fix=Fix(text="Break the circle: let the last name of the chain hold the records."),
            severity=Severity.ERROR if odd.own else Severity.WARNING,
            who=who_mends(odd),
        )


@rule(Severity.ERROR, "RFC 1034 §3.6.2", "RFC 2181 §10.1")
def dns_cname_with_other_data(dns: DnsFacts) -> Iterator[Finding]:
    """A name holds a CNAME beside other records.

    A CNAME says "look elsewhere for everything". Which records a resolver then sees depends on what it
    asked for first: mail works for some senders and not for others. It happens most at the top of a zone,
    where a web host asks for a CNAME.

    ## Fix
    Replace the CNAME by A and AAAA records (or your provider's ALIAS or flattening), or move all records to its target.

    ## Bad
        ; check example.com --areas mx,dns
        $ORIGIN example.com.
        @      CNAME shop.example.net.
        @      TXT   "v=spf1 -all"
        $ORIGIN example.net.
        shop   MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1

    ## Good
        ; check example.com --areas mx,dns
        $ORIGIN example.com.
        @      TXT   "v=spf1 mx -all"
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    for mixed in dns.mixed:
        yield Finding(
            message=f"{mixed.name} holds a CNAME to {mixed.target} beside other records; which are seen is chance",
            subject=mixed.name,
            evidence=(
                Exhibit(text=f"{mixed.name}. CNAME {mixed.target}.", title=f"{mixed.name} CNAME"),
                Exhibit(text=f"records of its own: {', '.join(mixed.rdtypes)}", title=mixed.name),
            ),
            fix=Fix(text="Replace the CNAME by A and AAAA records, or move all the records to its target."),
        )


@rule(Severity.WARNING, "RFC 6604 §3", "RFC 1034 §3.6.2")
def dns_cname_dangling(dns: DnsFacts) -> Iterator[Finding]:
    """A CNAME leads to a name that does not exist.

    Usually a service was given up and the alias left behind. What it was to publish is missing; and whoever
    gets hold of the target's name speaks for your domain.

    ## Fix
    Delete the CNAME, or set the service up again.

    ## Bad
        ; check www.example.com --areas mx,dns
        $ORIGIN example.com.
        www    CNAME gone.example.net.
        $ORIGIN example.net.
        other  A     192.0.2.1

    ## Good
        ; check example.com --areas mx,dns
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    told: set[str] = set()
    for odd in dns.odd:
        if not odd.own or not odd.aliases or odd.outcome is not LookupOutcome.NXDOMAIN or odd.name in told:
            continue
        told.add(odd.name)
        yield Finding(
            message=f"{odd.name} is an alias (CNAME) of {odd.aliases[-1]}, which does not exist",
            subject=odd.name,
            evidence=chain_exhibits(odd),
            fix=Fix(
                text="Delete the CNAME, or set the service up again.",
                name=odd.name,
                rdtype="CNAME",
                before=f"{odd.aliases[0]}.",
            ),
            severity=Severity.NOTICE if odd.guessed else None,
        )


@rule(Severity.NOTICE, "RFC 1034 §3.6.2")
def dns_cname_chain_long(dns: DnsFacts) -> Iterator[Finding]:
    """A name is reached by four or more CNAMEs in a row.

    Each step may cost a question to another server, and fail with it. Resolvers give up after some
    eight to sixteen.

    ## Fix
    Point the first CNAME nearer to the end of the chain.

    ## Bad
        ; check news.example.com --areas mx,dns
        $ORIGIN example.com.
        news   CNAME a
        a      CNAME b
        b      CNAME c
        c      CNAME d
        d      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1

    ## Good
        ; check example.com --areas mx,dns
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    told: set[str] = set()
    for odd in dns.odd:
        if len(odd.aliases) < 4 or Note.CNAME_LOOP in odd.notes or not odd.own or odd.name in told:  # noqa: PLR2004 - said above
            continue
        told.add(odd.name)
        yield Finding(
            message=f"{odd.name} is reached by {len(odd.aliases)} CNAMEs in a row",
            subject=odd.name,
            evidence=chain_exhibits(odd),
            fix=Fix(text="Point the first CNAME nearer to the end of the chain."),
        )
