"""Rules of area `mx`: what the records point at, each host judged by its name and its addresses."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.mx import MxFacts, MxHost
from deliverkit.model import Exhibit, Finding, Fix, Found, Inconclusive, Mark, Severity, Unknown, known, need
from deliverkit.records.names import is_hostname, is_localhost
from deliverkit.rules.declare import rule

_LOCAL_SUFFIXES = (
    "local",
    "localdomain",
    "internal",
    "intranet",
    "private",
    "lan",
    "home",
    "corp",
    "home.arpa",
    "onion",
)


def _record(host: MxHost) -> str:
    return f"{host.preference} {host.host}."


def _exhibit(mx: MxFacts, host: MxHost, note: str) -> Exhibit:
    text = _record(host)
    start = text.index(" ") + 1
    return Exhibit(text=text, title=f"{mx.domain} MX", marks=(Mark(start, len(text) - 1, note),))


def _is_internal(host: str) -> bool:
    """A name that only a private network knows: a single label, or below a suffix kept for such use."""
    return "." not in host or any(host.endswith(f".{suffix}") for suffix in _LOCAL_SUFFIXES)


@rule(Severity.ERROR, "RFC 5321 §5.1", "RFC 2181 §10.3")
def mx_is_cname(mx: MxFacts) -> Iterator[Finding]:
    """An MX record points at a name that is a CNAME.

    The target of an MX must have addresses of its own. Some senders refuse to follow the alias and
    return the mail; others loop, because a server that goes by another name does not know itself.

    ## Fix
    Put the canonical name into the MX record, or give the host A and AAAA records in place of the CNAME.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mail
        mail   CNAME mx1
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
    unknown = ""
    for host in need(mx.hosts):
        if isinstance(host.aliases, Unknown):
            unknown = unknown or host.aliases.why
            continue
        aliases = known(host.aliases)
        if not aliases:
            continue
        final = aliases[-1]
        usable = host.resolves and is_hostname(final)
        yield Finding(
            message=f"the MX host {host.host} is an alias (CNAME) of {final}; some senders will not deliver to it",
            subject=host.host,
            evidence=(
                _exhibit(mx, host, "a CNAME"),
                *(
                    Exhibit(text=f"{owner}. CNAME {target}.", title=f"{owner} CNAME")
                    for owner, target in zip((host.host, *aliases[:-1]), aliases, strict=True)
                ),
            ),
            fix=Fix(
                text="Name the host itself in the MX record, not its alias.",
                name=mx.domain,
                rdtype="MX",
                before=_record(host),
                after=f"{host.preference} {final}.",
            )
            if usable
            else Fix(text="Point the MX record at a host that has A or AAAA records of its own."),
            part_of="dns-cname-loop" if host.looped else None,
        )
    if unknown:
        raise Inconclusive(unknown)


@rule(Severity.ERROR, "RFC 5321 §5.1", "RFC 1035 §3.3.9")
def mx_is_ip(mx: MxFacts) -> Iterator[Finding]:
    """An MX record holds an address where a host name must stand.

    DNS takes `192.0.2.1` in an MX record for a name, which does not exist. Mail is not delivered
    there, however reachable the address may be.

    ## Fix
    Give the address a name (an A or AAAA record) and put that name into the MX record.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 192.0.2.1.

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    for host in need(mx.hosts):
        if host.literal:
            yield Finding(
                message="an MX record holds an address; only a host name works there, so no mail arrives by it",
                subject=host.host,
                evidence=(_exhibit(mx, host, "an address, read as a name"),),
                fix=Fix(
                    text=f"Publish mail.{mx.domain} with the address {host.host} and point the MX record at it.",
                    name=mx.domain,
                    rdtype="MX",
                    before=_record(host),
                    after=f"{host.preference} mail.{mx.domain}.",
                ),
                cause="address",
            )


@rule(Severity.ERROR, "RFC 5321 §5.1", "RFC 6761 §6.3")
def mx_localhost(mx: MxFacts) -> Iterator[Finding]:
    """An MX record points at localhost.

    Every sender takes `localhost` for itself: the mail bounces as a loop, or ends in the sender's own
    queue. It is an old way to say "no mail", for which there is a proper record now.

    ## Fix
    Name your mail server. If the domain takes no mail, publish the null MX `0 .` (RFC 7505).

    ## Bad
        $ORIGIN example.com.
        @      MX    10 localhost.

    ## Good
        $ORIGIN example.com.
        @      MX    0 .
        @      TXT   "v=spf1 -all"

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    for host in need(mx.hosts):
        if is_localhost(host.host):
            yield Finding(
                message=f"the MX host is {host.host}: every sender takes that for itself, and the mail bounces",
                subject=host.host,
                evidence=(_exhibit(mx, host, "the sender's own machine"),),
                fix=Fix(
                    text="Name your mail server; or, if the domain takes no mail, publish a null MX.",
                    name=mx.domain,
                    rdtype="MX",
                    before=_record(host),
                    after="0 .",
                ),
            )


@rule(Severity.ERROR, "RFC 5321 §2.3.5", "RFC 6762 §3", "RFC 8375 §3")
def mx_internal_name(mx: MxFacts) -> Iterator[Finding]:
    """An MX record points at a name that only a private network knows.

    A single label such as `mail`, or a name under `.local`, `.internal` or `.lan`, does not exist in
    the public DNS. The sender looks it up, finds nothing, and returns the mail. Often the domain was
    simply left out of the record.

    ## Fix
    Use the server's full public name.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 exchange01.corp.

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    for host in need(mx.hosts):
        if host.literal or is_localhost(host.host) or not _is_internal(host.host) or host.resolves:
            continue
        single = "." not in host.host
        yield Finding(
            message=f"the MX host {host.host} is a name that the public DNS does not know; no sender can find it",
            subject=host.host,
            evidence=(_exhibit(mx, host, "no public name"),),
            fix=Fix(
                text="Write the server's full public name.",
                name=mx.domain,
                rdtype="MX",
                before=_record(host),
                after=f"{host.preference} {host.host}.{mx.domain}.",
            )
            if single
            else Fix(text="Write the server's full public name."),
        )


@rule(Severity.ERROR, "RFC 5321 §5.1")
def mx_unresolvable(mx: MxFacts) -> Iterator[Finding]:
    """An MX record points at a host that has no address.

    The name does not exist, or has neither an A nor an AAAA record. Mail cannot be delivered to it; if
    no other host of the domain resolves, no mail arrives at all. While others do, senders lose time
    on it, and some give up: the finding is then a warning.

    ## Fix
    Publish the host's addresses, or take the record away if the server is gone.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx1

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    hosts = need(mx.hosts)
    others = any(host.resolves for host in hosts)
    severity = Severity.WARNING if others else Severity.ERROR
    unknown = ""
    for host in hosts:
        if host.skipped or host.literal or host.resolves:
            continue
        if host.resolves is None:
            unknown = unknown or next(a.why for a in (host.ipv4, host.ipv6) if isinstance(a, Unknown))
            continue
        gone = getattr(host.ipv4, "nxdomain", False)
        what = "does not exist" if gone else "has no address"
        end = "senders must fall back on the others" if others else "no mail can be delivered"
        yield Finding(
            message=f"the MX host {host.host} {what}; {end}",
            subject=host.host,
            evidence=(
                _exhibit(mx, host, what),
                Exhibit(text=getattr(host.ipv4, "why", ""), title=f"{host.host} A"),
                Exhibit(text=getattr(host.ipv6, "why", ""), title=f"{host.host} AAAA"),
            ),
            fix=Fix(
                text=f"Delete the record if {host.host} is gone, or publish its A and AAAA records.",
                name=mx.domain,
                rdtype="MX",
                before=_record(host),
            )
            if others
            else Fix(text=f"Publish A or AAAA records for {host.host}, or name a host that has them."),
            severity=severity,
            part_of=_explained(host),
            cause=what,
        )
    if unknown:
        raise Inconclusive(unknown, severity.value)


def _explained(host: MxHost) -> str | None:
    """The rule that says why such a name has no address."""
    if is_localhost(host.host):
        return "mx-localhost"
    if _is_internal(host.host):
        return "mx-internal-name"
    return None if host.hostname else "mx-host-invalid"


@rule(Severity.ERROR, "RFC 1918 §3", "RFC 6890 §2.2", "RFC 5321 §5.1")
def mx_private_address(mx: MxFacts) -> Iterator[Finding]:
    """An MX host has an address that nobody outside can reach.

    Loopback, private, link-local, carrier-grade NAT, multicast and reserved addresses mean something
    else in each sender's own network: the mail bounces, loops, or is offered to a stranger's machine.

    ## Fix
    Publish the server's public address. Keep internal addresses in an internal view of the zone.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     10.1.2.3
        mx1    A     10.1.2.4
        mx1    AAAA  2001:db8::1

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  ::ffff:127.0.0.1

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    unknown = ""
    for host in need(mx.hosts):
        if host.special:
            kinds = " and ".join(dict.fromkeys(item.kind for item in host.special))
            yield Finding(
                message=f"the MX host {host.host} has an address that nobody outside can reach ({kinds})",
                subject=host.host,
                evidence=(
                    _exhibit(mx, host, "address below"),
                    *(
                        Exhibit(
                            text=item.address,
                            title=f"{host.host} {_family(item.address)}",
                            marks=(Mark(0, len(item.address), item.kind),),
                        )
                        for item in host.special[:8]
                    ),
                ),
                fix=Fix(text=f"Publish the public address of {host.host}, and take this one out of the public zone."),
            )
        for answer in (host.ipv4, host.ipv6):
            if isinstance(answer, Unknown):
                unknown = unknown or answer.why
    if unknown:
        raise Inconclusive(unknown)


def _family(address: str) -> str:
    return "AAAA" if ":" in address else "A"


@rule(Severity.ERROR, "RFC 5321 §2.3.5", "RFC 1123 §2.1")
def mx_host_invalid(mx: MxFacts) -> Iterator[Finding]:
    """An MX record points at a name that no host may have.

    A mail host's name is made of letters, digits and hyphens. With a wildcard, a space or stranger
    characters in it, servers refuse the name or cannot find it; an underscore works with most, not
    with all, and is a warning.

    ## Fix
    Rename the host, and change the MX record with it.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx_1
        mx_1   A     192.0.2.1
        mx_1   A     192.0.2.2
        mx_1   AAAA  2001:db8::1

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx-1
        mx-1   A     192.0.2.1
        mx-1   A     192.0.2.2
        mx-1   AAAA  2001:db8::1
    """
    for host in need(mx.hosts):
        if host.hostname or host.literal:
            continue
        underscore = is_hostname(host.host.replace("_", "x"))
        yield Finding(
            message=f"the MX host {host.host} is not a valid host name; "
            + ("some servers refuse the underscore" if underscore else "servers cannot deliver to it"),
            subject=host.host,
            evidence=(_exhibit(mx, host, "letters, digits and hyphens only"),),
            fix=Fix(
                text="Give the host a name of letters, digits and hyphens, and point the MX record at that.",
                name=mx.domain,
                rdtype="MX",
                before=_record(host),
                after=f"{host.preference} {host.host.replace('_', '-')}.",
            )
            if underscore and is_hostname(host.host.replace("_", "-"))
            else Fix(text="Give the host a name of letters, digits and hyphens, and point the MX record at that."),
            severity=Severity.WARNING if underscore else Severity.ERROR,
        )


@rule(Severity.WARNING, "RFC 5321 §5.2", "RFC 3974 §3")
def mx_ipv4_missing(mx: MxFacts) -> Iterator[Finding]:
    """No MX host can be reached over IPv4.

    Many senders still have no IPv6, or do not use it for mail. To them the domain does not exist.

    ## Fix
    Give at least one MX host an A record.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    AAAA  2001:db8::1
        mx1    AAAA  2001:db8::2

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    hosts = need(mx.hosts)
    if any(isinstance(host.ipv4, Found) for host in hosts):
        return
    for host in hosts:
        known(host.ipv4)
    with_ipv6 = [host for host in hosts if isinstance(host.ipv6, Found)]
    if with_ipv6:
        yield Finding(
            message="no MX host has an IPv4 address; senders without IPv6 cannot deliver",
            subject=mx.domain,
            evidence=tuple(_exhibit(mx, host, "AAAA only") for host in with_ipv6),
            fix=Fix(text=f"Publish an A record for {with_ipv6[0].host}.", name=with_ipv6[0].host, rdtype="A"),
        )


@rule(Severity.NOTICE, "RFC 5321 §5.2", "RFC 3974 §2")
def mx_no_ipv6(mx: MxFacts) -> Iterator[Finding]:
    """No MX host can be reached over IPv6.

    Mail still arrives, since every sender of any size has IPv4. A growing number of networks reach
    IPv4 only through translators, and some national checks ask for IPv6.

    ## Fix
    Give the MX hosts AAAA records, once the server answers on port 25 over IPv6.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    hosts = need(mx.hosts)
    if any(isinstance(host.ipv6, Found) for host in hosts):
        return
    for host in hosts:
        known(host.ipv6)
    with_ipv4 = [host for host in hosts if isinstance(host.ipv4, Found)]
    if with_ipv4:
        yield Finding(
            message="no MX host has an IPv6 address",
            subject=mx.domain,
            evidence=tuple(_exhibit(mx, host, "A only") for host in with_ipv4[:4]),
            fix=Fix(text="Publish AAAA records for the MX hosts, if their operator offers IPv6."),
        )
