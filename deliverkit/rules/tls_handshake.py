"""Rules about TLS that does not come about, and about what it shows to others."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.smtp import Endpoint, HostFacts
from deliverkit.facts.tls import TlsFacts
from deliverkit.model import Exhibit, Finding, Fix, Found, NotApplicable, Severity, Who, need
from deliverkit.records.certificate import bears
from deliverkit.rules.declare import rule
from deliverkit.rules.smtp_exhibit import at, peer
from deliverkit.rules.tls_context import certificate_exhibit, described


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
    if endpoint.tls_error is None:
        need(endpoint.tls)
        return
    if endpoint.wrong_mode == "clear":
        raise NotApplicable("it speaks in clear here")
    yield Finding(
        message="no TLS comes about: the handshake fails",
        subject=endpoint.where,
        evidence=(Exhibit(endpoint.tls_error, title=at(endpoint, "TLS handshake")),),
        fix=Fix(
            "Look into the server's log: can it read its certificate and key, do they belong together, which versions "
            "and ciphers does it allow? Postfix logs under smtpd_tls_loglevel = 1, Exim in mainlog."
        ),
        part_of="tls-client-certificate-demanded" if endpoint.demands_client else None,
        cause="handshake",
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


@rule(Severity.NOTICE, "RFC 6066 §3", "RFC 8461 §4", who=Who.MAIL_ADMIN)
def tls_certificate_needs_server_name(tls: TlsFacts) -> Iterator[Finding]:
    """A client that names no host gets a certificate that does not fit.

    The server chooses its certificate by the name that the client sends (SNI). Old mail programs, printers and some
    senders send none, and get one that they refuse.

    ## Fix
    Make the certificate of the host's name the default one. Postfix: `smtpd_tls_chain_files` (`tls_server_sni_maps` is
    for further names); Exim: the default of `tls_certificate`; Dovecot: `ssl_server_cert_file` outside `local_name`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com
        unnamed      names=other.example

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com
        unnamed      names=mail.example.com
    """
    if not tls.name_matches:
        raise NotApplicable("not even the named certificate fits")
    default = need(tls.unnamed)
    if default.problem is None and any(bears(default, name) for name in tls.names):
        return
    yield Finding(
        message="a client that sends no server name (SNI) gets a certificate for another name",
        subject=tls.where,
        evidence=(Exhibit(described(default), title=f"certificate of {tls.host} [{tls.address}] without SNI"),),
        fix=Fix(
            f"Make the certificate of {tls.host} the default one. Postfix: smtpd_tls_chain_files, with "
            "tls_server_sni_maps for further names alone; Exim: the default of tls_certificate."
        ),
    )


@rule(Severity.NOTICE, "RFC 9525 §6.3", "CA/Browser Forum BR §7.1.4.2.1", who=Who.MAIL_ADMIN)
def tls_certificate_wildcard_void(tls: TlsFacts) -> Iterator[Finding]:
    """The certificate lists a wildcard that stands for nothing.

    A wildcard is the whole of the leftmost label and stands for exactly one. `*`, `mx*.example.com` and
    `*.*.example.com` match no name in current clients.

    ## Fix
    List the names themselves, or `*.example.com` for the names directly below a domain.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com,mx*.example.com

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=*.example.com
    """
    leaf = tls.leaf
    if leaf is None:
        raise NotApplicable("no certificate")
    void = [name for name in leaf.names if "*" in name and not _stands_for_something(name)]
    if void:
        yield Finding(
            message="the certificate lists a wildcard that no client takes: it stands for no name",
            subject=tls.where,
            evidence=tuple(certificate_exhibit(tls, leaf, "stands for nothing", name) for name in void[:4]),
            fix=Fix("List the names themselves, or a wildcard for the whole leftmost label (*.example.com)."),
        )


def _stands_for_something(pattern: str) -> bool:
    return pattern.startswith("*.") and "*" not in pattern[2:] and "." in pattern[2:]


@rule(Severity.NOTICE, "RFC 5321 §5.1", "RFC 8461 §4", who=Who.MAIL_ADMIN)
def tls_certificate_differs_by_address(host: HostFacts) -> Iterator[Finding]:
    """The addresses of a host serve different certificates on one port.

    Which one a client gets hangs on the address it happens to use. Often one machine, or IPv6, was left out when the
    certificate was renewed. Where another rule finds fault with one of them, that is the finding to mend.

    ## Fix
    Install the same certificate everywhere, and reload every server.

    ## Bad
        mail.example.com.  A     192.0.2.25
        mail.example.com.  AAAA  2001:db8::25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com

        [smtp [2001:db8::25]:587]
        name         mail.example.com
        certificate  names=mail.example.com,imap.example.com

    ## Good
        mail.example.com.  A     192.0.2.25
        mail.example.com.  AAAA  2001:db8::25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com
    """
    by_port: dict[int, list[TlsFacts]] = {}
    for endpoint in host.endpoints:
        if isinstance(endpoint.tls, Found) and endpoint.tls.value.leaf is not None:
            by_port.setdefault(endpoint.port, []).append(endpoint.tls.value)
    several = {port: served for port, served in by_port.items() if len(served) > 1}
    if not several:
        raise NotApplicable("no port with TLS on more than one address")
    for port, served in sorted(several.items()):
        leaves = {tls.leaf.sha256: tls for tls in served if tls.leaf is not None}
        if len(leaves) > 1:
            yield Finding(
                message="its addresses serve different certificates",
                subject=f"{host.host} port {port}",
                evidence=tuple(certificate_exhibit(tls, tls.leaf) for tls in leaves.values() if tls.leaf is not None),
                fix=Fix("Install the same certificate on every address, and reload each server."),
            )
