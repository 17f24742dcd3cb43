"""Rules of area `dns`: how the answers came, whatever they said."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.dns import DnsFacts, OddAnswer
from deliverkit.model import Exhibit, Finding, Fix, LookupOutcome, Mark, Note, Severity, Who, need
from deliverkit.rules.declare import rule
from deliverkit.rules.dns_exhibit import exhibits_of, noted, types_of, who_mends, whose


@rule(Severity.WARNING, "RFC 1035 §4.1")
def dns_malformed_answer(dns: DnsFacts) -> Iterator[Finding]:
    """An answer came that cannot be read.

    The bytes do not form a DNS message, so a resolver drops it, and the sender is left without the record.
    A broken name server does this, or a firewall on the way.

    ## Fix
    Ask each authoritative server for the name, and update or replace the one whose answer is broken.

    ## Bad
        ; check example.com --areas mx,dns
        $ORIGIN example.com.
        @      MX    10 mx1
        @      TXT   MALFORMED
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
    for answers in noted(dns, Note.MALFORMED):
        odd = answers[0]
        yield Finding(
            message=f"the answer for {whose(odd)} ({types_of(answers)}) is malformed and cannot be read",
            subject=odd.name,
            evidence=exhibits_of(answers, "a malformed answer"),
            fix=Fix(text="Ask each authoritative server for the name; mend the one whose answer is broken."),
            severity=Severity.WARNING if odd.own else Severity.NOTICE,
            who=who_mends(odd),
        )


@rule(Severity.NOTICE, "RFC 6891 §7", "DNS flag day 2019", who=Who.HOSTER)
def dns_edns_refused(dns: DnsFacts) -> Iterator[Finding]:
    """A name server refuses questions with EDNS.

    It answers only when asked again without. Every such answer costs a further round trip, is limited to
    512 octets over UDP, and cannot carry DNSSEC.

    ## Fix
    Update the name server, or the firewall before it, to one that knows EDNS.

    ## Bad
        ; check example.com --areas mx,dns
        $ORIGIN example.com.
        @      MX    10 mx1
        @      MX    NOEDNS
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
    for answers in noted(dns, Note.EDNS_REFUSED):
        odd = answers[0]
        yield Finding(
            message=f"the name server asked for {whose(odd)} refuses EDNS and had to be asked again without",
            subject=odd.name,
            evidence=exhibits_of(answers, "answered only without EDNS"),
            fix=Fix(text="Update the name server, or the firewall before it."),
            who=Who.HOSTER if odd.own else Who.PROVIDER,
        )


@rule(Severity.NOTICE, "RFC 7766 §5", "RFC 1035 §4.2.1", who=Who.HOSTER)
def dns_tcp_only(dns: DnsFacts) -> Iterator[Finding]:
    """A name server is silent over UDP and answers only over TCP.

    Resolvers ask over UDP first and wait; many do not try TCP unless told to. Lookups are slow or fail.
    Often a firewall drops large or all UDP answers.

    ## Fix
    Let UDP port 53 through in both directions, fragments included, and keep answers under 1232 octets.

    ## Bad
        ; check example.com --areas mx,dns
        $ORIGIN example.com.
        @      MX    10 mx1
        @      MX    TCPONLY
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
    for answers in noted(dns, Note.TCP_ONLY):
        odd = answers[0]
        yield Finding(
            message=f"{whose(odd)} ({types_of(answers)}) was answered over TCP only; UDP stayed silent",
            subject=odd.name,
            evidence=exhibits_of(answers, "silent over UDP, answered over TCP"),
            fix=Fix(text="Let UDP port 53 through in both directions, and keep answers under 1232 octets."),
            who=Who.HOSTER if odd.own else Who.PROVIDER,
        )


@rule(Severity.NOTICE, "RFC 1912 §2.2", "RFC 1035 §3.2.1")
def dns_ttl_zero(dns: DnsFacts) -> Iterator[Finding]:
    """A record's lifetime (TTL) is zero.

    Nobody may keep it, so every delivery asks anew: slower, and lost whenever a question is. A resolver that
    counts lifetimes down may show zero for an instant; ask again before you change anything.

    ## Fix
    Set a TTL of an hour or more, and five minutes before a planned change.

    ## Bad
        ; check example.com --areas mx,dns
        $ORIGIN example.com.
        @    0 MX    10 mx1
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
    by_name: dict[str, list[OddAnswer]] = {}
    for odd in dns.odd:
        if odd.own and odd.outcome is LookupOutcome.FOUND and odd.ttl == 0 and Note.TTL_INVALID not in odd.notes:
            by_name.setdefault(odd.name, []).append(odd)
    for name, answers in by_name.items():
        yield Finding(
            message=f"the records at {name} ({types_of(answers)}) have a TTL of zero: every delivery must ask anew",
            subject=name,
            evidence=exhibits_of(answers, "TTL 0"),
            fix=Fix(text="Set a TTL of an hour or more."),
        )


@rule(Severity.WARNING, "RFC 2181 §8")
def dns_ttl_invalid(dns: DnsFacts) -> Iterator[Finding]:
    """A record's lifetime (TTL) is out of range.

    A TTL may be at most 2147483647. What is larger counts as zero for resolvers that follow the standard,
    and as anything for the others.

    ## Fix
    Set a TTL between five minutes and a day.

    ## Bad
        ; check example.com --areas mx,dns
        $ORIGIN example.com.
        @      4294967295 MX 10 mx1
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
    for answers in noted(dns, Note.TTL_INVALID):
        odd = answers[0]
        yield Finding(
            message=f"the records at {whose(odd)} ({types_of(answers)}) have a TTL out of range, which counts as zero",
            subject=odd.name,
            evidence=exhibits_of(answers, "a TTL with the top bit set"),
            fix=Fix(text="Set a TTL between five minutes and a day."),
            severity=Severity.WARNING if odd.own else Severity.NOTICE,
            who=who_mends(odd),
        )


@rule(Severity.NOTICE, "RFC 7208 §3.4", "RFC 9715 §3")
def dns_txt_oversized(dns: DnsFacts) -> Iterator[Finding]:
    """The domain's TXT records do not fit into one UDP answer.

    Everybody who asks for SPF gets all TXT records of the name. Over 1232 octets the answer is cut and asked
    for again over TCP, which some networks block: SPF then fails there.

    ## Fix
    Delete the verification records of services you no longer use; move others to the names below that they allow.

    ## Bad
        ; check example.com --areas mx,spf,dns
        $ORIGIN example.com.
        @      MX    10 mx1
        @      TXT   "v=spf1 mx -all"
        $GENERATE 10-60 @ TXT site-verification=00000000000000$
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1

    ## Good
        ; check example.com --areas mx,dns
        $ORIGIN example.com.
        @      MX    10 mx1
        @      TXT   "v=spf1 mx -all"
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    if need(dns.txt_octets) > 1232:  # noqa: PLR2004 - the size that passes every path (RFC 9715 §3.1)
        yield Finding(
            message="the domain's TXT records do not fit into one UDP answer; where TCP is blocked, SPF fails",
            subject=dns.domain,
            evidence=tuple(
                Exhibit(text=text, title=f"{dns.domain} TXT", marks=(Mark(0, 0, f"{len(text)} characters"),))
                for text in sorted(dns.txt_records, key=len, reverse=True)[:8]
            ),
            fix=Fix(text="Delete the verification records of services you no longer use."),
        )
