"""Rules about fetching an MTA-STS policy: the policy host, its certificate, and its answer (RFC 8461 §3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.mta_sts import MtaStsFacts
from deliverkit.model import Exhibit, FetchOutcome, Finding, Fix, Inconclusive, NotApplicable, Severity, Unknown, Who
from deliverkit.rules.declare import rule
from deliverkit.rules.mta_sts_exhibit import fetch_exhibits
from deliverkit.rules.mta_sts_fetched import NO_POLICY, exact_cause, the_fetch

_SAID: Final = {
    FetchOutcome.REFUSED: "the policy host refuses connections",
    FetchOutcome.UNTRUSTED: "the policy host's certificate is not accepted",
    FetchOutcome.TLS_FAILED: "the policy host gives no TLS 1.2 or later",
    FetchOutcome.TOO_LARGE: "the policy is larger than senders read",
}


@rule(Severity.ERROR, "RFC 8461 §3.3", who=Who.MAIL_ADMIN)
def mta_sts_policy_unreachable(sts: MtaStsFacts) -> Iterator[Finding]:
    """The record says that there is a policy, but it cannot be fetched.

    Senders that hold an older one go by that until it is forgotten; all others deliver without verified TLS.

    ## Fix
    Serve the policy at `https://mta-sts.DOMAIN/.well-known/mta-sts.txt`: status 200, no redirect, and a certificate of
    a public authority for `mta-sts.DOMAIN`. To give MTA-STS up, serve `mode: none` first and delete the record last.

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        status  404

    ## Good
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"

    ## Good
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800
    """
    if sts.from_file:
        raise NotApplicable("the policy is a file")
    if isinstance(sts.policy, Unknown):
        raise Inconclusive(sts.policy.why)
    if not sts.records:
        raise NotApplicable("no record asks for a policy")
    fetch = sts.fetch
    if fetch is not None and fetch.served:
        return
    part_of = exact_cause(sts)
    yield Finding(
        message=f"{_said(sts)}: {NO_POLICY}",
        subject=sts.domain,
        evidence=fetch_exhibits(sts, fetch) if fetch else _addresses(sts),
        fix=Fix(f"Mend what {part_of} tells of.") if part_of else _fix(sts),
        part_of=part_of,
    )


def _said(sts: MtaStsFacts) -> str:
    fetch = sts.fetch
    if fetch is None:
        return (
            "the policy host has no address that others can reach" if sts.special else "the policy host has no address"
        )
    if fetch.outcome is FetchOutcome.ANSWERED:
        return f"the policy host answers with HTTP status {fetch.status}"
    return _SAID.get(fetch.outcome, "the policy host gives no HTTP answer")


def _fix(sts: MtaStsFacts) -> Fix:
    if sts.fetch is None:
        return Fix(
            "Give the policy host an address, and serve the policy there; "
            "where a provider serves it, this is a CNAME to the name it told you.",
            name=sts.policy_host,
            rdtype="A",
        )
    return Fix(f"Serve the policy at {sts.url} with status 200.")


def _addresses(sts: MtaStsFacts) -> tuple[Exhibit, ...]:
    return (
        *(Exhibit(record.text, title=f"{sts.name} TXT") for record in sts.records[:1]),
        *(Exhibit(f"{each.address} ({each.kind})", title=f"{sts.policy_host} address") for each in sts.special[:8]),
    )


@rule(Severity.ERROR, "RFC 8461 §3.3", "RFC 6890 §2.2.2")
def mta_sts_policy_private_address(sts: MtaStsFacts) -> Iterator[Finding]:
    """The policy host's address is one that no sender can reach.

    Addresses of private networks, of the own machine and the like mean another machine everywhere. They are not
    connected to without `--allow-private`.

    ## Fix
    Publish the web server's public address at `mta-sts.DOMAIN`.

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    10.0.0.80

    ## Good
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800
    """
    if sts.from_file or not sts.records:
        raise NotApplicable("no policy to fetch")
    if isinstance(sts.ipv4, Unknown) and isinstance(sts.ipv6, Unknown):
        raise Inconclusive(sts.ipv4.why)
    if sts.special and not any(fetch.served for fetch in sts.fetches if fetch.address in _special(sts)):
        kinds = ", ".join(sorted({each.kind for each in sts.special}))
        yield Finding(
            message=f"the policy host has an address that no sender can reach ({kinds})",
            subject=sts.policy_host,
            severity=None if sts.withheld else Severity.WARNING,
            evidence=_addresses(sts),
            fix=Fix("Publish the web server's public address.", name=sts.policy_host, rdtype="A"),
        )


def _special(sts: MtaStsFacts) -> frozenset[str]:
    return frozenset(each.address for each in sts.special)


@rule(Severity.ERROR, "RFC 8461 §3.3", who=Who.MAIL_ADMIN)
def mta_sts_policy_redirect(sts: MtaStsFacts) -> Iterator[Finding]:
    """The policy host answers with a redirect.

    Senders must not follow it, and get no policy.

    ## Fix
    Serve the policy itself, with status 200, at `https://mta-sts.DOMAIN/.well-known/mta-sts.txt`. Take that path out of
    the rules that send visitors to another host.

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        status    301
        location  https://www.example.com/.well-known/mta-sts.txt

    ## Good
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800
    """
    fetch = the_fetch(sts)
    if exact_cause(sts) == "mta-sts-policy-redirect":
        yield Finding(
            message=f"the policy host answers with a redirect, which senders must not follow: {NO_POLICY}",
            subject=sts.domain,
            evidence=(
                *fetch_exhibits(sts, fetch),
                *((Exhibit(fetch.location, title="Location"),) if fetch.location else ()),
            ),
            fix=Fix(f"Serve the policy itself at {sts.url}, with status 200."),
        )


@rule(Severity.ERROR, "RFC 8461 §3.3", who=Who.MAIL_ADMIN)
def mta_sts_policy_too_large(sts: MtaStsFacts) -> Iterator[Finding]:
    """The policy is larger than the 64 KiB that senders read.

    A policy has a handful of lines. Senders limit what they read, and take what is larger for none.

    ## Fix
    Serve the policy and nothing else at `/.well-known/mta-sts.txt`; cover many hosts of one domain by a `*.` pattern.

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        pad  70000

    ## Good
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800
    """
    fetch = the_fetch(sts)
    if fetch.outcome is FetchOutcome.TOO_LARGE:
        yield Finding(
            message=f"the policy is larger than 64 KiB: {NO_POLICY}",
            subject=sts.domain,
            evidence=(*fetch_exhibits(sts, fetch), Exhibit(fetch.text[:512], title="how it begins")),
            fix=Fix(f"Serve the policy and nothing else at {sts.url}."),
        )


@rule(Severity.WARNING, "RFC 8461 §3.3", who=Who.MAIL_ADMIN)
def mta_sts_policy_addresses_differ(sts: MtaStsFacts) -> Iterator[Finding]:
    """One address of the policy host serves the policy, another does not.

    Which one a sender takes is chance, or hangs on whether it has IPv6: some get no policy, or another one.

    ## Fix
    Have every address of `mta-sts.DOMAIN` serve the same policy, or delete the address that does not.

    ## Bad
        example.com.           MX    10 mx.example.com.
        _mta-sts.example.com.  TXT   "v=STSv1; id=20270101"
        mta-sts.example.com.   A     192.0.2.80
        mta-sts.example.com.   AAAA  2001:db8::80

        [https mta-sts.example.com]
        refuses  2001:db8::80
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800

    ## Good
        example.com.           MX    10 mx.example.com.
        _mta-sts.example.com.  TXT   "v=STSv1; id=20270101"
        mta-sts.example.com.   A     192.0.2.80
        mta-sts.example.com.   AAAA  2001:db8::80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800
    """
    fetch = the_fetch(sts)
    if not fetch.served:
        raise NotApplicable("no address serves a policy")
    for other in sts.fetches[1:]:
        if other.outcome is FetchOutcome.UNKNOWN:
            continue
        if not other.served or other.text.split() != fetch.text.split():
            family = "IPv6" if ":" in other.address else "IPv4"
            yield Finding(
                message=f"an {family} address of the policy host serves "
                + ("another policy" if other.served else "no policy"),
                subject=sts.policy_host,
                evidence=(*fetch_exhibits(sts, fetch)[1:], *fetch_exhibits(sts, other)[1:]),
                fix=Fix(
                    f"Have every address of {sts.policy_host} serve the same policy, or delete the one that does not."
                ),
            )
