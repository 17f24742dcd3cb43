"""Rules about TLS that does not come about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.smtp import Endpoint
from deliverkit.model import Exhibit, Finding, Fix, NotApplicable, Severity, Unknown, Who, need
from deliverkit.rules.declare import rule
from deliverkit.rules.smtp_exhibit import at, not_delivered, octets_exhibit, peer

_SMTPS: Final = 465


@rule(Severity.ERROR, "RFC 3207 §4.1", "RFC 8446 §6.2", "RFC 8314 §3.3", who=Who.MAIL_ADMIN)
def tls_handshake_failed(endpoint: Endpoint) -> Iterator[Finding]:
    """The server says that it is ready for TLS, and then no TLS comes about.

    Mail programs cannot connect. Senders that require TLS do not deliver; others try again in clear, or later.

    ## Fix
    Look into the server's log for the moment of the attempt: a certificate or key that cannot be read, a key that
    does not belong to the certificate, no common version or cipher.
    `openssl s_client -starttls smtp -connect HOST:PORT` shows the same from outside.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        fault TLS  garbage

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        versions  TLSv1.2 TLSv1.3
    """
    peer(endpoint)
    if endpoint.tls_error is None or isinstance(endpoint.tls, Unknown):
        need(endpoint.tls)
        return
    if endpoint.wrong_mode == "clear":
        if endpoint.port == _SMTPS:
            raise NotApplicable("it speaks in clear here")
        yield _in_clear(endpoint)
        return
    yield Finding(
        message=f"no TLS comes about, for the handshake fails{not_delivered(endpoint)}",
        subject=endpoint.where,
        evidence=(
            Exhibit(endpoint.tls_error, title=at(endpoint, "TLS handshake")),
            *((octets_exhibit(at(endpoint, "in place of TLS"), endpoint.injected),) if endpoint.injected else ()),
        ),
        fix=Fix(
            "Look into the server's log: can it read its certificate and key, do they belong together, which versions "
            "and ciphers does it allow? Postfix logs under smtpd_tls_loglevel = 1, Exim in mainlog."
        ),
        part_of="tls-client-certificate-demanded" if endpoint.demands_client else None,
        cause="handshake",
    )


def _in_clear(endpoint: Endpoint) -> Finding:
    """`--tls implicit` was typed for a port that is right to speak in clear first."""
    return Finding(
        message="no TLS comes about at once: the port speaks SMTP in clear first",
        subject=endpoint.where,
        evidence=(octets_exhibit(at(endpoint, "in place of TLS"), endpoint.in_clear),),
        fix=Fix(
            "Use STARTTLS here: --tls starttls, or leave --tls out. TLS at once is what port 465 is for. In a mail "
            "program or application choose STARTTLS for this port."
        ),
        who=Who.SENDER,
        cause="in clear",
    )


@rule(Severity.ERROR, "RFC 8446 §4.3.2", "RFC 3207 §4", who=Who.MAIL_ADMIN)
def tls_client_certificate_demanded(endpoint: Endpoint) -> Iterator[Finding]:
    """The server ends the session unless the client shows a certificate.

    Hardly any sender has one to show, and no mail program: mail from outside does not arrive. Asking for one is
    harmless, demanding one is not.

    ## Fix
    Ask at most. Postfix: `smtpd_tls_req_ccert = no` (`smtpd_tls_ask_ccert = yes` asks); Exim: `tls_try_verify_hosts`
    in place of `tls_verify_hosts`; Dovecot: `auth_ssl_require_client_cert = no`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:465]
        asks-client
        fault BANNER  close

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:465]
        asks-client
    """
    peer(endpoint)
    if endpoint.demands_client:
        yield Finding(
            message="demands a certificate of the client, and ends the session where none comes",
            subject=endpoint.where,
            evidence=(
                *((Exhibit(endpoint.tls_error, title=at(endpoint, "TLS handshake")),) if endpoint.tls_error else ()),
            ),
            fix=Fix(
                "Ask for one at most. Postfix: smtpd_tls_req_ccert = no; Exim: tls_try_verify_hosts in place of "
                "tls_verify_hosts; Dovecot: auth_ssl_require_client_cert = no."
            ),
            cause="client certificate",
        )
        return
    need(endpoint.tls)
