"""Rules of area `mx`: what the records point at, each host judged by its addresses."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.mx import MxFacts, MxHost
from deliverkit.model import Exhibit, Finding, Fix, Found, Inconclusive, Mark, Severity, Unknown, known, need
from deliverkit.records.names import is_internal, is_localhost
from deliverkit.rules.declare import rule
from deliverkit.rules.mx_exhibit import host_exhibit, record_of


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
                host_exhibit(mx, host, what),
                Exhibit(text=getattr(host.ipv4, "why", ""), title=f"{host.host} A"),
                Exhibit(text=getattr(host.ipv6, "why", ""), title=f"{host.host} AAAA"),
            ),
            fix=Fix(
                text=f"Delete the record if {host.host} is gone, or publish its A and AAAA records.",
                name=mx.domain,
                rdtype="MX",
                before=record_of(host),
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
    if is_internal(host.host):
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
                    host_exhibit(mx, host, "address below"),
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
            evidence=tuple(host_exhibit(mx, host, "AAAA only") for host in with_ipv6),
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
            evidence=tuple(host_exhibit(mx, host, "A only") for host in with_ipv4[:4]),
            fix=Fix(text="Publish AAAA records for the MX hosts, if their operator offers IPv6."),
        )
