"""Rules about the certificate of an MTA-STS policy host (RFC 8461 §3.3, RFC 9525 §6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.mta_sts import MtaStsFacts
from deliverkit.model import Exhibit, FetchOutcome, Finding, Fix, NotApplicable, Severity, Who
from deliverkit.rules.declare import rule
from deliverkit.rules.mta_sts_exhibit import fetch_exhibits
from deliverkit.rules.mta_sts_fetched import NO_POLICY, exact_cause, the_fetch

_DAY: Final = 86_400
_LATE: Final = 14


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
    fetch = the_fetch(sts)
    if fetch.outcome is FetchOutcome.UNTRUSTED and not fetch.name_matches and fetch.certificate is not None:
        names = ", ".join(fetch.certificate.names[:8]) or "no names at all"
        yield Finding(
            message=f"the policy host's certificate does not bear the name {sts.policy_host}: {NO_POLICY}",
            subject=sts.policy_host,
            evidence=(*fetch_exhibits(sts, fetch), Exhibit(names, title="names of the certificate")),
            fix=Fix(f"Have a certificate issued for {sts.policy_host}, and show it for that name (SNI)."),
            # Untrusted besides, it is told by what is wrong with it first.
            part_of=None if fetch.trusted else exact_cause(sts),
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
    fetch = the_fetch(sts)
    if fetch.outcome is FetchOutcome.UNTRUSTED and not fetch.trusted and fetch.expired:
        yield Finding(
            message=f"the policy host's certificate is out of its dates: {NO_POLICY}",
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
    fetch = the_fetch(sts)
    if fetch.outcome is FetchOutcome.UNTRUSTED and not fetch.trusted and not fetch.expired:
        why = fetch.trust_error or "it sent none"
        yield Finding(
            message=f"the policy host's certificate is not trusted ({why}): {NO_POLICY}",
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
    fetch = the_fetch(sts)
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
