"""What a certificate's fault means where it stands: who verifies it, and what follows.

A certificate is verified by everybody who submits mail, and on an MX by senders that honour an enforce-mode MTA-STS
policy (RFC 8461 §4) or DANE records of usage DANE-TA (RFC 7672 §3.1.2). DANE-EE pins the key: names and dates count
for nothing then (RFC 7672 §3.1.1). On any other MX nobody verifies: TLS is opportunistic (RFC 7435 §3).
"""

from __future__ import annotations

from typing import Final

from deliverkit.facts.tls import TlsFacts
from deliverkit.model import Exhibit, Inconclusive, Mark, NotApplicable, Severity
from deliverkit.records.certificate import Certificate, day

INSTALL: Final = (
    "Postfix: smtpd_tls_chain_files = KEY.pem, FULLCHAIN.pem; Exim: tls_certificate and tls_privatekey; Dovecot: "
    "ssl_server_cert_file (ssl_cert before 2.4); Exchange: Enable-ExchangeCertificate -Services SMTP; then reload."
)
"""Where a certificate is set."""


def weight(tls: TlsFacts) -> Severity:
    """How much a fault of names, dates or trust weighs. Raises `NotApplicable` where DANE-EE pins the key."""
    if tls.submission or tls.enforced_by is not None:
        return Severity.ERROR
    if tls.dane == "match" and tls.dane_ee:
        raise NotApplicable("a DANE-EE record pins the key: names, dates and issuers count for nothing")
    if tls.dane in ("match", "mismatch") or tls.missed_mode == "enforce":
        return Severity.ERROR
    return Severity.WARNING if tls.testing_by is not None or tls.missed_by is not None else Severity.NOTICE


def settled(tls: TlsFacts) -> None:
    """Stops a rule whose fault weighs as much as a policy that could not be told. Raises `Inconclusive`."""
    if tls.submission or tls.enforced_by is not None or tls.dane in ("match", "mismatch"):
        return
    if tls.policy_unknown is not None:
        raise Inconclusive(tls.policy_unknown)
    if tls.dane == "unknown" and tls.dane_why:
        raise Inconclusive(tls.dane_why)


def weaker(tls: TlsFacts, most: Severity) -> Severity:
    """`weight`, `most` at the highest."""
    found = weight(tls)
    return found if found.rank > most.rank else most


def consequence(tls: TlsFacts) -> str:
    """What follows from a certificate that does not hold, for a sentence."""
    if tls.submission:
        return "mail programs and applications refuse to go on"
    if tls.enforced_by is not None:
        return f"senders that honour the MTA-STS policy of {tls.enforced_by}, which is enforced, will not deliver"
    if tls.dane in ("match", "mismatch"):
        return "senders that do DANE will not deliver"
    if tls.testing_by is not None:
        return (
            f"senders report it to {tls.testing_by}, and will not deliver once its MTA-STS policy leaves testing mode"
        )
    if tls.missed_by is not None:
        return f"once the MTA-STS policy of {tls.missed_by} covers this host, senders that honour it verify it"
    return "nobody verifies an MX without a policy, and mail still arrives"


def certificate_exhibit(tls: TlsFacts, certificate: Certificate, note: str = "", mark: str = "") -> Exhibit:
    """A certificate in one line; `mark` is the part of it that is marked with `note`."""
    text = described(certificate)
    start = text.find(mark) if mark else -1
    marks = (Mark(start, start + len(mark), note),) if start >= 0 else ()
    return Exhibit(text, title=f"certificate of {tls.host} [{tls.address}] port {tls.port}", marks=marks)


def described(certificate: Certificate) -> str:
    """Names, issuer, dates and key, for a line of evidence."""
    if certificate.problem is not None:
        return f"unreadable: {certificate.problem}"
    names = ", ".join(certificate.names[:8]) or f"no names (subject {certificate.subject or 'empty'})"
    more = f" and {len(certificate.names) - 8} more" if len(certificate.names) > 8 else ""  # noqa: PLR2004 - as shown
    return (
        f"{names}{more}; issued by {certificate.issuer or 'nobody'}; {day(certificate.not_before)} to "
        f"{day(certificate.not_after)}; {certificate.key or 'no key'}, {certificate.signature or 'unsigned'}"
    )


def hangs_on_dane(tls: TlsFacts) -> str | None:
    """The rule that tells why mail fails already: DANE that does not match outranks all else (RFC 8461 §2)."""
    return "dane-mismatch" if tls.dane == "mismatch" and not tls.submission else None
