"""Rules about what a certificate and its chain show, where nothing fails on it."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.smtp import HostFacts
from deliverkit.facts.tls import TlsFacts
from deliverkit.model import Exhibit, Finding, Fix, Found, NotApplicable, Severity, Who, escaped, need
from deliverkit.records.certificate import bears
from deliverkit.rules.declare import rule
from deliverkit.rules.tls_context import certificate_exhibit, described


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


@rule(Severity.NOTICE, "RFC 8446 §4.4.2", "RFC 5246 §7.4.2", who=Who.MAIL_ADMIN)
def tls_chain_disordered(tls: TlsFacts) -> Iterator[Finding]:
    """The certificates of the chain are not in order, or some do not belong to it.

    Each is to certify the one before it. Current clients sort the chain by themselves, older libraries and devices do
    not, and take it for broken.

    ## Fix
    Put the server's own certificate first, then the one that issued it, and so on: `cat cert.pem chain.pem >
    fullchain.pem`. The root may be left out.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com send=disordered

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com send=root
    """
    if len(tls.chain) < 2:  # noqa: PLR2004 - one alone is in order
        raise NotApplicable("no chain")
    if any(certificate.problem is not None for certificate in tls.chain):
        raise NotApplicable("a certificate of the chain cannot be read")
    stray = [after for before, after in zip(tls.chain, tls.chain[1:], strict=False) if before.issuer != after.subject]
    if stray:
        yield Finding(
            message="sends its chain out of order, or with certificates that do not belong to it",
            subject=tls.where,
            evidence=tuple(
                Exhibit(f"{c.subject or 'no subject'}, issued by {c.issuer or 'nobody'}", title=f"certificate {n} sent")
                for n, c in enumerate(tls.chain[:8], 1)
            ),
            fix=Fix(
                "Send the server's own certificate first, then the one that issued it, and so on; the root may be left "
                "out (cat cert.pem chain.pem > fullchain.pem)."
            ),
        )


def _stands_for_something(pattern: str) -> bool:
    return pattern.startswith("*.") and "*" not in pattern[2:] and "." in pattern[2:]


@rule(Severity.NOTICE, "RFC 5280 §4.1.2.6", "CWE-150", who=Who.MAIL_ADMIN)
def tls_certificate_control_characters(tls: TlsFacts) -> Iterator[Finding]:
    r"""The certificate holds characters that act on the screen of whoever looks at it.

    Control characters and marks that turn the direction of writing have no place in a name. Somebody may want those who
    read logs and reports to see something else than there is.

    ## Fix
    Have the certificate issued with names of plain letters. Public authorities issue none like this.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com cn=mail\x1b[2Jexample

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com cn=mail.example.com
    """
    if not tls.chain:
        raise NotApplicable("no certificate")
    for certificate in tls.chain:
        if any(escaped(text) != text for text in (certificate.subject, certificate.issuer, *certificate.names)):
            yield Finding(
                message="sends a certificate that holds control characters, which act on the reader's screen",
                subject=tls.where,
                evidence=(
                    Exhibit(certificate.subject, title="subject, escaped"),
                    certificate_exhibit(tls, certificate),
                ),
                fix=Fix("Have it issued with names of plain letters."),
                cause="control characters",
            )
            return


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
