"""Rules of area `mx`: what the records point at, each host judged by its name."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.mx import MxFacts
from deliverkit.model import Exhibit, Finding, Fix, Inconclusive, Severity, Unknown, known, need
from deliverkit.records.names import is_hostname, is_internal, is_localhost
from deliverkit.rules.declare import rule
from deliverkit.rules.mx_exhibit import host_exhibit, record_of


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
                host_exhibit(mx, host, "a CNAME"),
                *(
                    Exhibit(text=f"{owner}. CNAME {target}.", title=f"{owner} CNAME")
                    for owner, target in zip((host.host, *aliases[:-1]), aliases, strict=True)
                ),
            ),
            fix=Fix(
                text="Name the host itself in the MX record, not its alias.",
                name=mx.domain,
                rdtype="MX",
                before=record_of(host),
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
                evidence=(host_exhibit(mx, host, "an address, read as a name"),),
                fix=Fix(
                    text=f"Publish mail.{mx.domain} with the address {host.host} and point the MX record at it.",
                    name=mx.domain,
                    rdtype="MX",
                    before=record_of(host),
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
                evidence=(host_exhibit(mx, host, "the sender's own machine"),),
                fix=Fix(
                    text="Name your mail server; or, if the domain takes no mail, publish a null MX.",
                    name=mx.domain,
                    rdtype="MX",
                    before=record_of(host),
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
        if host.literal or is_localhost(host.host) or not is_internal(host.host) or host.resolves:
            continue
        single = "." not in host.host
        yield Finding(
            message=f"the MX host {host.host} is a name that the public DNS does not know; no sender can find it",
            subject=host.host,
            evidence=(host_exhibit(mx, host, "no public name"),),
            fix=Fix(
                text="Write the server's full public name.",
                name=mx.domain,
                rdtype="MX",
                before=record_of(host),
                after=f"{host.preference} {host.host}.{mx.domain}.",
            )
            if single
            else Fix(text="Write the server's full public name."),
        )


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
            evidence=(host_exhibit(mx, host, "letters, digits and hyphens only"),),
            fix=Fix(
                text="Give the host a name of letters, digits and hyphens, and point the MX record at that.",
                name=mx.domain,
                rdtype="MX",
                before=record_of(host),
                after=f"{host.preference} {host.host.replace('_', '-')}.",
            )
            if underscore and is_hostname(host.host.replace("_", "-"))
            else Fix(text="Give the host a name of letters, digits and hyphens, and point the MX record at that."),
            severity=Severity.WARNING if underscore else Severity.ERROR,
        )
