"""Rules of area `dns`: how the answers came, whatever they said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from deliverkit.facts.dns import DnsFacts, OddAnswer
from deliverkit.model import Exhibit, Finding, Fix, LookupOutcome, Mark, Note, Severity, Who, need
from deliverkit.rules.declare import rule


def _noted(dns: DnsFacts, note: Note) -> list[list[OddAnswer]]:
    """The answers with a note, those about one name together."""
    by_name: dict[str, list[OddAnswer]] = {}
    for odd in dns.odd:
        if note in odd.notes:
            by_name.setdefault(odd.name, []).append(odd)
    return list(by_name.values())


def _types(answers: Iterable[OddAnswer]) -> str:
    return ", ".join(sorted({odd.rdtype for odd in answers}))


def _exhibits(answers: Iterable[OddAnswer], what: str) -> tuple[Exhibit, ...]:
    return tuple(
        Exhibit(text=odd.why or f"{what}, from {odd.server}", title=f"{odd.name} {odd.rdtype}") for odd in answers
    )


def _whose(odd: OddAnswer) -> str:
    return odd.name if odd.own else f"{odd.name} (not this domain's own name)"


def _who(odd: OddAnswer) -> Who:
    return Who.DNS_ADMIN if odd.own else Who.PROVIDER


def _chain(odd: OddAnswer) -> tuple[Exhibit, ...]:
    owners = (odd.name, *odd.aliases)
    return tuple(
        Exhibit(text=f"{owner}. CNAME {target}.", title=f"{owner} CNAME")
        for owner, target in zip(owners, odd.aliases, strict=False)
    )


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
    for answers in _noted(dns, Note.CNAME_LOOP):
        odd = answers[0]
        yield Finding(
            message=f"the CNAMEs at {_whose(odd)} lead in a circle or do not end; nothing can be looked up there",
            subject=odd.name,
            evidence=(*_exhibits(answers, "a CNAME loop"), *_chain(odd)[:17]),
            fix=Fix(text="Break the circle: let the last name of the chain hold the records."),
            severity=Severity.ERROR if odd.own else Severity.WARNING,
            who=_who(odd),
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
            evidence=_chain(odd),
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
            evidence=_chain(odd),
            fix=Fix(text="Point the first CNAME nearer to the end of the chain."),
        )


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
    for answers in _noted(dns, Note.MALFORMED):
        odd = answers[0]
        yield Finding(
            message=f"the answer for {_whose(odd)} ({_types(answers)}) is malformed and cannot be read",
            subject=odd.name,
            evidence=_exhibits(answers, "a malformed answer"),
            fix=Fix(text="Ask each authoritative server for the name; mend the one whose answer is broken."),
            severity=Severity.WARNING if odd.own else Severity.NOTICE,
            who=_who(odd),
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
    for answers in _noted(dns, Note.EDNS_REFUSED):
        odd = answers[0]
        yield Finding(
            message=f"the name server asked for {_whose(odd)} refuses EDNS and had to be asked again without",
            subject=odd.name,
            evidence=_exhibits(answers, "answered only without EDNS"),
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
    for answers in _noted(dns, Note.TCP_ONLY):
        odd = answers[0]
        yield Finding(
            message=f"{_whose(odd)} ({_types(answers)}) was answered over TCP only; UDP stayed silent",
            subject=odd.name,
            evidence=_exhibits(answers, "silent over UDP, answered over TCP"),
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
            message=f"the records at {name} ({_types(answers)}) have a TTL of zero: every delivery must ask anew",
            subject=name,
            evidence=_exhibits(answers, "TTL 0"),
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
    for answers in _noted(dns, Note.TTL_INVALID):
        odd = answers[0]
        yield Finding(
            message=f"the records at {_whose(odd)} ({_types(answers)}) have a TTL out of range, which counts as zero",
            subject=odd.name,
            evidence=_exhibits(answers, "a TTL with the top bit set"),
            fix=Fix(text="Set a TTL between five minutes and a day."),
            severity=Severity.WARNING if odd.own else Severity.NOTICE,
            who=_who(odd),
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
