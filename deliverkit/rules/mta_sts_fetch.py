"""Rules about fetching an MTA-STS policy: the policy host, its certificate, and its answer (RFC 8461 §3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.mta_sts import FetchFacts, MtaStsFacts
from deliverkit.model import Exhibit, FetchOutcome, Finding, Fix, Inconclusive, NotApplicable, Severity, Unknown, Who
from deliverkit.rules.declare import rule
from deliverkit.rules.mta_sts_exhibit import fetch_exhibits

_DAY: Final = 86_400
_LATE: Final = 14
_SAID: Final = {
    FetchOutcome.REFUSED: "the policy host refuses connections",
    FetchOutcome.UNTRUSTED: "the policy host's certificate is not accepted",
    FetchOutcome.TLS_FAILED: "the policy host gives no TLS 1.2 or later",
    FetchOutcome.TOO_LARGE: "the policy is larger than senders read",
}
_GONE: Final = "senders get no policy, and those that hold none deliver without verified TLS"


def _fetch(sts: MtaStsFacts) -> FetchFacts:
    """The answer that counts, where there is a record that asks for it; stops the rule where there is none."""
    if sts.from_file:
        raise NotApplicable("the policy is a file")
    if sts.fetch is None:
        if isinstance(sts.policy, Unknown):
            raise Inconclusive(sts.policy.why)
        raise NotApplicable("no policy was fetched")
    if sts.fetch.outcome is FetchOutcome.UNKNOWN:
        raise Inconclusive(sts.fetch.why)
    return sts.fetch


def _cause(sts: MtaStsFacts) -> str | None:
    """The rule that says more exactly why there is no policy."""
    fetch = sts.fetch
    if fetch is None:
        return "mta-sts-policy-private-address" if sts.withheld else None
    match fetch.outcome:
        case FetchOutcome.UNTRUSTED if not fetch.trusted:
            return "mta-sts-certificate-expired" if fetch.expired else "mta-sts-certificate-untrusted"
        case FetchOutcome.UNTRUSTED:
            return "mta-sts-certificate-name-mismatch"
        case FetchOutcome.TOO_LARGE:
            return "mta-sts-policy-too-large"
        case FetchOutcome.ANSWERED if 300 <= fetch.status < 400:  # noqa: PLR2004 - the class of redirects
            return "mta-sts-policy-redirect"
    return None


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
    part_of = _cause(sts)
    yield Finding(
        message=f"{_said(sts)}: {_GONE}",
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
    fetch = _fetch(sts)
    if _cause(sts) == "mta-sts-policy-redirect":
        yield Finding(
            message=f"the policy host answers with a redirect, which senders must not follow: {_GONE}",
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
    fetch = _fetch(sts)
    if fetch.outcome is FetchOutcome.TOO_LARGE:
        yield Finding(
            message=f"the policy is larger than 64 KiB: {_GONE}",
            subject=sts.domain,
            evidence=(*fetch_exhibits(sts, fetch), Exhibit(fetch.text[:512], title="how it begins")),
            fix=Fix(f"Serve the policy and nothing else at {sts.url}."),
        )


@rule(Severity.ERROR, "RFC 8461 §3.3", "RFC 9525 §6", who=Who.MAIL_ADMIN)
def mta_sts_certificate_name_mismatch(sts: MtaStsFacts) -> Iterator[Finding]:
    """The policy host's certificate is for other names.

    Senders then take no policy from it. A certificate for `DOMAIN` does not cover `mta-sts.DOMAIN`.

    ## Fix
    Have a certificate issued for `mta-sts.DOMAIN`, and the web server show it for that name (SNI).

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        certificate  names=www.example.com

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
    fetch = _fetch(sts)
    if fetch.outcome is FetchOutcome.UNTRUSTED and not fetch.name_matches and fetch.certificate is not None:
        names = ", ".join(fetch.certificate.names[:8]) or "no names at all"
        yield Finding(
            message=f"the policy host's certificate does not bear the name {sts.policy_host}: {_GONE}",
            subject=sts.policy_host,
            evidence=(*fetch_exhibits(sts, fetch), Exhibit(names, title="names of the certificate")),
            fix=Fix(f"Have a certificate issued for {sts.policy_host}, and show it for that name (SNI)."),
            # Untrusted besides, it is told by what is wrong with it first.
            part_of=None if fetch.trusted else _cause(sts),
        )


@rule(Severity.ERROR, "RFC 8461 §3.3", who=Who.MAIL_ADMIN)
def mta_sts_certificate_expired(sts: MtaStsFacts) -> Iterator[Finding]:
    """The policy host's certificate has expired, or is not valid yet.

    Senders then take no policy from it.

    ## Fix
    Renew it, and see to it that renewal covers `mta-sts.DOMAIN` and reloads the web server.

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        certificate  names=mta-sts.example.com days=-3 age=90

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
    fetch = _fetch(sts)
    if fetch.outcome is FetchOutcome.UNTRUSTED and not fetch.trusted and fetch.expired:
        yield Finding(
            message=f"the policy host's certificate is out of its dates: {_GONE}",
            subject=sts.policy_host,
            evidence=fetch_exhibits(sts, fetch),
            fix=Fix("Renew the certificate, and check that renewal reloads the web server."),
        )


@rule(Severity.ERROR, "RFC 8461 §3.3", who=Who.MAIL_ADMIN)
def mta_sts_certificate_untrusted(sts: MtaStsFacts) -> Iterator[Finding]:
    """The policy host's certificate is not trusted.

    It is self-signed, of an authority that senders do not know, or comes without the certificate of its issuer.
    Senders then take no policy from it; DANE does not help here.

    ## Fix
    Use a certificate of a public authority, and serve it with its intermediate certificates (the "full chain").

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        certificate  names=mta-sts.example.com issuer=self

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
    fetch = _fetch(sts)
    if fetch.outcome is FetchOutcome.UNTRUSTED and not fetch.trusted and not fetch.expired:
        why = fetch.trust_error or "it sent none"
        yield Finding(
            message=f"the policy host's certificate is not trusted ({why}): {_GONE}",
            subject=sts.policy_host,
            evidence=fetch_exhibits(sts, fetch),
            fix=Fix("Use a certificate of a public authority, and serve it with its intermediate certificates."),
            cause=f"untrusted {fetch.trust_code}",
        )


@rule(Severity.WARNING, "RFC 8461 §3.3", who=Who.MAIL_ADMIN)
def mta_sts_certificate_expiring(sts: MtaStsFacts) -> Iterator[Finding]:
    """The policy host's certificate expires soon.

    Less than a fifth of its lifetime is left, 14 days at most: renewal should have come by now. Once it has expired,
    senders get no policy.

    ## Fix
    Find out why it was not renewed, and renew it.

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        certificate  names=mta-sts.example.com days=3 age=87
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800

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
    fetch = _fetch(sts)
    certificate = fetch.certificate
    if certificate is None or not fetch.trusted:
        raise NotApplicable("no trusted certificate")
    left = certificate.not_after - fetch.now
    if 0 <= left < min(certificate.lifetime / 5, _LATE * _DAY):
        yield Finding(
            message="the policy host's certificate expires soon, and has not been renewed",
            subject=sts.policy_host,
            evidence=(Exhibit(f"{left / _DAY:.0f} days left", title=f"certificate of {sts.policy_host}"),),
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
    fetch = _fetch(sts)
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
