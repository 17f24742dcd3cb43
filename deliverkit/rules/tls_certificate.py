"""Rules about a certificate's dates, name and trust: errors where it is verified, notices on an MX without a policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.tls import TlsFacts
from deliverkit.model import Exhibit, Finding, Fix, NotApplicable, Severity, Who
from deliverkit.records.certificate import day
from deliverkit.rules.declare import rule
from deliverkit.rules.tls_context import INSTALL, certificate_exhibit, consequence, described, settled, weaker
from deliverkit.rules.tls_fault import incomplete, told, vouched

_DAY: Final = 86_400
_SOON: Final = 14 * _DAY


@rule(Severity.ERROR, "RFC 5280 §4.1.2.5", "RFC 8461 §4.2", "RFC 8314 §3", who=Who.MAIL_ADMIN)
def tls_certificate_expired(tls: TlsFacts) -> Iterator[Finding]:
    """The server's certificate has expired.

    Mail programs and applications refuse to submit mail, and senders that honour an enforced MTA-STS policy do not
    deliver. On an MX without a policy nobody verifies, and it is a notice; under DANE-EE dates count for nothing.

    ## Fix
    Renew the certificate and reload the server: most servers read it only when they start. Let the renewal do so by
    itself (`certbot renew --deploy-hook 'systemctl reload postfix'`).

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com days=-3 age=93

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com days=60 age=30
    """
    yield from told(
        tls,
        "tls-certificate-expired",
        Fix(
            "Renew the certificate, and reload the server if the new one is already there: "
            f"`openssl s_client -connect {tls.host}:{tls.port}"
            f"{'' if tls.implicit else ' -starttls smtp'} </dev/null | openssl x509 -noout -enddate` shows which "
            "one is served."
        ),
    )


@rule(Severity.ERROR, "RFC 5280 §4.1.2.5", who=Who.MAIL_ADMIN)
def tls_certificate_not_yet_valid(tls: TlsFacts) -> Iterator[Finding]:
    """The server's certificate is not valid yet.

    Whoever verifies it refuses it until its first moment. Either it was installed too early, or the clock of the
    machine that issued it runs ahead.

    ## Fix
    Install the certificate that is valid now; set the clock of the machine that issues certificates.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com days=90 age=-2

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com days=90 age=1
    """
    yield from told(
        tls,
        "tls-certificate-not-yet-valid",
        Fix(f"Install a certificate that is valid now, or mend the clock of the machine that issued it. {INSTALL}"),
    )


@rule(Severity.WARNING, "RFC 5280 §4.1.2.5", "https://letsencrypt.org/docs/integration-guide/", who=Who.MAIL_ADMIN)
def tls_certificate_expiring(tls: TlsFacts) -> Iterator[Finding]:
    """The server's certificate expires soon, and has not been renewed.

    Less than a fifth of its lifetime is left, and less than two weeks: whatever renews it should have done so.

    ## Fix
    Renew it now, and look at why the renewal did not run: `certbot renew --dry-run`, `systemctl list-timers`. If the
    new one is there already, reload the server.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com days=5 age=85

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com days=5 age=2
    """
    leaf = tls.leaf
    if leaf is None or leaf.problem is not None:
        raise NotApplicable("no certificate that can be read")
    severity = weaker(tls, Severity.WARNING)
    left = leaf.not_after - tls.now
    if left < 0 or tls.now < leaf.not_before:
        raise NotApplicable("it is not valid now")
    if left < min(leaf.lifetime / 5, _SOON):
        settled(tls)
        yield Finding(
            message=f"the certificate expires soon and has not been renewed: after that, {consequence(tls)}",
            subject=tls.where,
            evidence=(certificate_exhibit(tls, leaf, "its last day", day(leaf.not_after)),),
            fix=Fix("Renew it now, and find out why that did not happen by itself; reload the server afterwards."),
            severity=severity,
            cause="expiring",
        )


@rule(Severity.ERROR, "RFC 9525 §6", "RFC 8461 §4.1", "RFC 7817 §3", who=Who.MAIL_ADMIN)
def tls_certificate_name_mismatch(tls: TlsFacts) -> Iterator[Finding]:
    """The server's certificate does not bear the name that clients connect to.

    Mail programs and applications compare the name they were configured with, and senders that honour an enforced
    MTA-STS policy compare the MX host's. Only the subject's alternative names count, not its common name. On an MX
    without a policy nobody compares, and it is a notice; under DANE-EE names count for nothing.

    ## Fix
    Have a certificate issued that lists the host's name among its alternative names
    (`certbot certonly -d mail.example.com`), or connect to a name that it does bear.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=www.example.com

    ## Bad
        ; check example.com --mx
        example.com.           MX   10 mx.example.com.
        mx.example.com.        A    192.0.2.25
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        path  /.well-known/mta-sts.txt
        type  text/plain
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800

        [smtp mx.example.com:25]
        certificate  names=www.example.com

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=www.example.com,mail.example.com
    """
    leaf = tls.leaf
    instead = "" if leaf is None or not leaf.names else f", or have clients connect to {_plain(leaf.names)}"
    yield from told(
        tls,
        "tls-certificate-name-mismatch",
        Fix(f"Have a certificate issued for {tls.host} (certbot certonly -d {tls.host}){instead}. {INSTALL}"),
    )


def _plain(names: tuple[str, ...]) -> str:
    """A name that clients could use in its place: the first that is no wildcard."""
    return next((name for name in names if "*" not in name), names[0])


@rule(Severity.ERROR, "RFC 5280 §6", "RFC 8461 §4.2", "RFC 8314 §4.3", who=Who.MAIL_ADMIN)
def tls_certificate_untrusted(tls: TlsFacts) -> Iterator[Finding]:
    """The server's certificate leads to no authority that is trusted.

    It is self-signed, an intermediate certificate was left out, or a private authority issued it. Mail programs
    refuse it or ask the user, and senders that honour an enforced MTA-STS policy do not deliver. On an MX without a
    policy nobody verifies, and it is a notice; under DANE an authority is not needed.

    ## Fix
    Have it issued by a public authority (`certbot certonly -d mail.example.com`), and let the server send the whole
    chain: `fullchain.pem`, not `cert.pem`. For a private authority name its certificate with `--ca-file`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com issuer=self

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com send=leaf

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com issuer=ca send=chain
    """
    if vouched(tls):
        raise NotApplicable("DANE vouches for it, and no authority is needed")
    yield from told(tls, "tls-certificate-untrusted", Fix(f"{_what_to_send(tls)} {INSTALL}"))


def _what_to_send(tls: TlsFacts) -> str:
    leaf = tls.leaf
    if leaf is None:
        return "Give the server a certificate, and switch anonymous ciphers off."
    if leaf.self_signed:
        return f"Replace it with one that a public authority issues (certbot certonly -d {tls.host})."
    if incomplete(tls):
        return (
            "Let the server send the whole chain, the intermediate certificate behind its own (fullchain.pem, not "
            f"cert.pem). If a private authority issued it, name that with --ca-file: {leaf.issuer}."
        )
    return (
        "Have it issued by a public authority, or renew what expired in the chain; name a private authority's "
        "certificate with --ca-file."
    )


@rule(Severity.ERROR, "RFC 5280 §4.2.1.12", who=Who.MAIL_ADMIN)
def tls_certificate_not_for_servers(tls: TlsFacts) -> Iterator[Finding]:
    """The certificate's extended key usage does not allow it for a server.

    It was issued for clients, signing or another use. Whoever verifies it refuses it.

    ## Fix
    Have it issued with the usage `serverAuth` (extendedKeyUsage = serverAuth).

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com purpose=client

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com
    """
    yield from told(
        tls, "tls-certificate-not-for-servers", Fix(f"Have it issued with extendedKeyUsage = serverAuth. {INSTALL}")
    )


@rule(Severity.ERROR, "CA/Browser Forum BR §6.1.5", "RFC 9325 §4.5", "NIST SP 800-57 part 1", who=Who.MAIL_ADMIN)
def tls_certificate_weak_key(tls: TlsFacts) -> Iterator[Finding]:
    """The certificate's key is too short.

    RSA keys of less than 2048 bits can be broken with effort; current libraries refuse them, so that those
    clients cannot connect at all.

    ## Fix
    Make a new key and have it certified: ECDSA P-256 or RSA 2048 (`certbot certonly --key-type ecdsa`).

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com key=rsa-1024

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com key=rsa-2048
    """
    yield from told(
        tls,
        "tls-certificate-weak-key",
        Fix(f"Make a new key of ECDSA P-256 or RSA 2048 bits and have it certified. {INSTALL}"),
    )


@rule(Severity.ERROR, "RFC 9155 §3", "CA/Browser Forum BR §7.1.3.2", who=Who.MAIL_ADMIN)
def tls_certificate_weak_signature(tls: TlsFacts) -> Iterator[Finding]:
    """The certificate is signed with SHA-1 or MD5.

    Signatures by these digests can be forged. Current libraries refuse the certificate.

    ## Fix
    Have it issued again: every public authority signs with SHA-256 today. A private one needs `default_md = sha256`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com signature=sha1

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com signature=sha256
    """
    yield from told(
        tls,
        "tls-certificate-weak-signature",
        Fix(f"Have it issued again with SHA-256 (openssl.cnf of a private authority: default_md = sha256). {INSTALL}"),
    )


@rule(Severity.ERROR, "RFC 5280 §4.1.2.2", who=Who.MAIL_ADMIN)
def tls_certificate_not_as_expected(tls: TlsFacts) -> Iterator[Finding]:
    """The server serves another certificate than the one that is expected.

    `--expect-certificate` names the certificate that should be there. The usual reason for another: it was renewed
    on disk, and the server still holds the old one in memory; or one address of several was forgotten.

    ## Fix
    Reload the server (`postfix reload`, `systemctl restart exim4`), and look at each address by itself.

    ## Bad
        ; check mail.example.com --port 587 --expect-certificate mail.example.com:465
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:465]
        certificate  names=mail.example.com days=89 age=1

        [smtp mail.example.com:587]
        certificate  names=mail.example.com days=29 age=61

    ## Good
        ; check mail.example.com --port 587 --expect-certificate mail.example.com:587
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com days=89 age=1
    """
    if tls.expected is None:
        raise NotApplicable("no certificate is expected")
    leaf = tls.leaf
    if leaf is not None and leaf.sha256 == tls.expected.sha256:
        return
    older = leaf is not None and leaf.not_before < tls.expected.not_before
    yield Finding(
        message="serves an older certificate than the one that is expected"
        if older
        else "serves another certificate than the one that is expected",
        subject=tls.where,
        evidence=(
            *((certificate_exhibit(tls, leaf),) if leaf is not None else ()),
            Exhibit(described(tls.expected), title="the certificate that is expected"),
        ),
        fix=Fix(
            "Reload the server: it still holds the old certificate in memory (postfix reload; systemctl restart exim4)."
            if older
            else "Install the certificate that is expected, and reload the server."
        ),
        cause="other certificate",
    )
