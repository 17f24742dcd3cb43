"""Rules about reaching a host: its addresses, one by one.

A port that answers nobody is no finding of its own: a firewall, here or there, gives the same picture. A port that one
address opens and another refuses is one, for the host is shown to serve.
"""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.smtp import Endpoint, HostFacts
from deliverkit.model import (
    Absent,
    Exhibit,
    Finding,
    Fix,
    Found,
    Inconclusive,
    NotApplicable,
    Severity,
    Who,
    known,
    need,
)
from deliverkit.records.names import special_address
from deliverkit.rules.declare import rule


def _by_port(host: HostFacts) -> dict[int, list[Endpoint]]:
    found: dict[int, list[Endpoint]] = {}
    for endpoint in host.endpoints:
        found.setdefault(endpoint.port, []).append(endpoint)
    return dict(sorted(found.items()))


@rule(Severity.ERROR, "RFC 5321 §5.1", who=Who.MAIL_ADMIN)
def smtp_address_refuses(host: HostFacts) -> Iterator[Finding]:
    """One address of the host refuses what another takes.

    Clients choose among the addresses, IPv6 mostly first. Whoever meets the closed one loses time, or gives up. A
    server that listens on IPv4 alone under a name with an AAAA record is the usual reason.

    ## Fix
    Let the server listen on every address (Postfix: `inet_protocols = all`, `inet_interfaces = all`; Exim:
    `local_interfaces`; then the firewall of both families), or take the address out of the DNS.

    ## Bad
        ; check mail.example.com --port 25
        mail.example.com.  A     192.0.2.25
        mail.example.com.  AAAA  2001:db8::25

        [smtp mail.example.com:25]

        [smtp [2001:db8::25]:25]
        fault CONNECT  refused

    ## Good
        ; check mail.example.com --port 25
        mail.example.com.  A     192.0.2.25
        mail.example.com.  AAAA  2001:db8::25

        [smtp mail.example.com:25]
    """
    if not host.endpoints:
        need(host.addresses)
        raise NotApplicable("nothing was dialled")
    states = {endpoint.state for endpoint in host.endpoints}
    if "open" not in states:
        # Refused or silent everywhere: nothing tells the server's fault from a firewall's, or from a restart.
        why = next((e.by_us for e in host.endpoints if e.by_us), None) or host.endpoints[0].why
        raise Inconclusive(why or "no port answers")
    silent = ""
    for port, endpoints in _by_port(host).items():
        if not any(endpoint.state == "open" for endpoint in endpoints):
            continue
        refusing = [endpoint for endpoint in endpoints if endpoint.state == "refused"]
        if refusing:
            yield Finding(
                message="one of its addresses refuses connections on a port that another opens",
                subject=f"{host.host} port {port}",
                evidence=tuple(Exhibit(e.why, title=f"{e.host} [{e.address}] port {e.port}") for e in refusing[:8]),
                fix=Fix(
                    "Let the server listen on every address (Postfix: inet_protocols = all, inet_interfaces = all; "
                    "Exim: local_interfaces), open the firewall for both families, or take the address out of the DNS."
                ),
                severity=Severity.WARNING if not host.mx else None,
            )
        silent = silent or next((e.why for e in endpoints if e.state not in ("open", "refused") and not e.by_us), "")
    if silent:
        raise Inconclusive(silent)


@rule(Severity.ERROR, "RFC 1918 §3", "RFC 6890 §2.2", who=Who.DNS_ADMIN)
def smtp_address_not_public(host: HostFacts) -> Iterator[Finding]:
    """An MX host has an address that nobody outside can reach, and it was not connected to.

    Loopback, private and reserved addresses mean something else in each sender's own network. So that a name in
    somebody's DNS cannot make this tool connect into your network, they are not dialled without `--allow-private`.

    ## Fix
    Publish the server's public address. To test an internal server, say `--allow-private`, or type its address.

    ## Bad
        ; check example.com --mx
        example.com.     MX  10 mx.example.com.
        mx.example.com.  A   192.0.2.25
        mx.example.com.  A   10.1.2.3

        [smtp mx.example.com:25]

    ## Good
        ; check example.com --mx
        example.com.     MX  10 mx.example.com.
        mx.example.com.  A   192.0.2.25

        [smtp mx.example.com:25]
    """
    if not host.refused_addresses:
        need(host.addresses)
        return
    if not host.mx:
        raise Inconclusive(
            f"{host.host} has an address that nobody outside can reach, and was not connected to there "
            "(--allow-private connects all the same)"
        )
    kinds = " and ".join(dict.fromkeys(special_address(a) or "reserved" for a in host.refused_addresses))
    yield Finding(
        message=f"has an address that nobody outside can reach ({kinds}); it was not connected to",
        subject=host.host,
        evidence=tuple(Exhibit(address, title=f"address of {host.host}") for address in host.refused_addresses[:8]),
        fix=Fix(f"Publish the public address of {host.host} alone; --allow-private tests an internal server."),
        part_of="mx-private-address",
        cause="not public",
    )


@rule(Severity.ERROR, "RFC 5321 §5.1", who=Who.DNS_ADMIN)
def smtp_host_without_address(host: HostFacts) -> Iterator[Finding]:
    """The host has no address.

    Its name does not exist, or has neither an A nor an AAAA record: there is nothing to connect to.

    ## Fix
    Correct the name, or publish the host's addresses.

    ## Bad
        ; check mail.example.com --port 25
        example.com.  A  192.0.2.25

    ## Good
        ; check mail.example.com --port 25
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
    """
    if isinstance(host.addresses, Absent):
        gone = host.addresses.nxdomain
        yield Finding(
            message=f"{host.host} does not exist" if gone else f"{host.host} has no address",
            subject=host.host,
            evidence=(Exhibit(host.addresses.why, title=f"{host.host} A and AAAA"),),
            fix=Fix(f"Correct the name, or publish A and AAAA records for {host.host}."),
            cause="no address",
        )
        return
    need(host.addresses)


@rule(Severity.ERROR, "RFC 8461 §4.1", "RFC 8461 §5", who=Who.DNS_ADMIN)
def smtp_candidate_not_covered(host: HostFacts) -> Iterator[Finding]:
    """The host is to become an MX, and the domain's MTA-STS policy does not cover it.

    Senders that honour an enforced policy deliver to no host that it does not name. They keep the policy for as long as
    its `max_age` says, so that it has to be changed first and the MX published afterwards.

    ## Fix
    Add the host to the policy's `mx` lines and change the `id` of the record at `_mta-sts`; publish the MX once senders
    have fetched the new policy, which they do when they see the new `id`.

    ## Bad
        ; check mail.example.com --port 25 --as-mx-of example.com
        mail.example.com.      A    192.0.2.25
        example.com.           MX   10 old.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=1"
        mta-sts.example.com.   A    192.0.2.44

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: old.example.com
          max_age: 604800

        [smtp mail.example.com:25]

    ## Good
        ; check mail.example.com --port 25 --as-mx-of example.com
        mail.example.com.      A    192.0.2.25
        example.com.           MX   10 old.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=1"
        mta-sts.example.com.   A    192.0.2.44

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: old.example.com
          mx: mail.example.com
          max_age: 604800

        [smtp mail.example.com:25]
    """
    found = known(host.uncovered_by)
    if found is None:
        if host.uncovered_by == Absent("covered"):
            return
        raise NotApplicable("no candidate, or no policy")
    domain, mode = found
    yield Finding(
        message=f"is not covered by the MTA-STS policy of {domain}, whose mode is {mode}: senders that honour it "
        + ("would not deliver here" if mode == "enforce" else "would report it, and not deliver once it is enforced"),
        subject=host.host,
        fix=Fix(
            f"Before {host.host} is published as an MX, add the line `mx: {host.host}` to the policy at "
            f"https://mta-sts.{domain}/.well-known/mta-sts.txt and change the id at _mta-sts.{domain} TXT."
        ),
        severity=Severity.ERROR if mode == "enforce" else Severity.WARNING,
        cause="not covered",
    )


@rule(Severity.WARNING, "RFC 5321 §5.1", "RFC 8461 §4", who=Who.MAIL_ADMIN)
def smtp_addresses_differ(host: HostFacts) -> Iterator[Finding]:
    """The addresses of a host offer different things on one port.

    Which server a client meets hangs on the address that it happens to use: one offers TLS or a login, the other does
    not. Such faults come and go, and are hard to find.

    ## Fix
    Configure all servers behind the name alike; often IPv6, or one node of several, was left out.

    ## Bad
        ; check mail.example.com --port 587
        mail.example.com.  A     192.0.2.25
        mail.example.com.  AAAA  2001:db8::25

        [smtp mail.example.com:587]

        [smtp [2001:db8::25]:587]
        name         mail.example.com
        certificate  names=mail.example.com
        offer-tls    PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN

    ## Good
        ; check mail.example.com --port 587
        mail.example.com.  A     192.0.2.25
        mail.example.com.  AAAA  2001:db8::25

        [smtp mail.example.com:587]
    """
    compared = False
    for port, endpoints in _by_port(host).items():
        served = [endpoint for endpoint in endpoints if endpoint.state == "open" and endpoint.by_us is None]
        offers = {endpoint.address: _offer(endpoint) for endpoint in served}
        told = {address: offer for address, offer in offers.items() if offer is not None}
        compared = compared or len(told) > 1
        if len(set(told.values())) > 1:
            every, common = (
                frozenset[str]().union(*told.values()),
                next(iter(told.values())).intersection(*told.values()),
            )
            differing = sorted(every - common)
            yield Finding(
                message=f"its addresses do not all offer the same: {', '.join(word[:24] for word in differing[:6])}",
                subject=f"{host.host} port {port}",
                evidence=tuple(
                    Exhibit(", ".join(sorted(offer)), title=f"{host.host} [{address}] port {port}, offered")
                    for address, offer in list(told.items())[:8]
                ),
                fix=Fix("Configure all servers behind the name alike; often IPv6 or one node of several was left out."),
                cause="addresses differ",
            )
    if not compared:
        raise NotApplicable("no port on more than one address")


def _offer(endpoint: Endpoint) -> frozenset[str] | None:
    """Keywords and mechanisms that an endpoint offers, in clear and inside TLS; None where that is not known."""
    if endpoint.starttls is None or endpoint.starttls == "failed":
        return None
    found: set[str] = {"STARTTLS"} if endpoint.starttls == "offered" else set()
    for answer in (endpoint.before, endpoint.after):
        if isinstance(answer, Found):
            found.update(word for word in answer.value.keywords if word not in ("AUTH", "STARTTLS"))
            found.update(f"AUTH {name}" for name in answer.value.auth)
    return frozenset(found)
