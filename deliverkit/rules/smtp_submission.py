"""Rules about what a server lets happen before TLS, and about ports that speak in the wrong mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.smtp import Endpoint
from deliverkit.model import Exhibit, Finding, Fix, Found, Mark, NotApplicable, Severity, Who, known, need
from deliverkit.rules.declare import rule
from deliverkit.rules.smtp_exhibit import SUBMISSION_PORTS, at, octets_exhibit, peer, reply_exhibit

PLAIN: Final = ("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER")
"""Mechanisms that say the password or token itself (RFC 4616 §4, RFC 7628 §5)."""
_SMTPS: Final = 465
_IN_CLEAR: Final = (25, 587, 2525)


@rule(Severity.ERROR, "RFC 4954 §4", "RFC 8314 §3.3", "RFC 4616 §4", who=Who.MAIL_ADMIN)
def smtp_auth_before_tls(endpoint: Endpoint) -> Iterator[Finding]:
    """The server offers AUTH before TLS.

    A mail program that is set up carelessly then sends its password in clear, and anybody on the way reads it. Whoever
    strips STARTTLS gets passwords from careful ones too. Where only challenge-response mechanisms are offered (SCRAM,
    CRAM-MD5) the password itself is not said, and it is a warning.

    ## Fix
    Offer AUTH inside TLS alone. Postfix: `smtpd_tls_auth_only = yes`; Exim:
    `auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}`; Dovecot submission: `auth_allow_cleartext = no`
    (`disable_plaintext_auth = yes` before 2.4); Sendmail: `define(`confAUTH_OPTIONS', `A p')`; Exchange:
    `Set-ReceiveConnector -AuthMechanism Tls, BasicAuth, BasicAuthRequireTLS`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, STARTTLS, AUTH PLAIN LOGIN

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, STARTTLS
    """
    peer(endpoint)
    capabilities = need(endpoint.before)
    if not capabilities.auth:
        return
    said = [name for name in capabilities.auth if name in PLAIN]
    line = next((line for line in capabilities.lines if line.upper().startswith("AUTH")), "")
    yield Finding(
        message="offers AUTH before TLS: "
        + ("passwords can be sent in clear" if said else "logins can be watched, though they do not say the password"),
        subject=endpoint.where,
        evidence=(Exhibit(line, title=at(endpoint, "offered in clear"), marks=(Mark(0, len(line), "before TLS"),)),),
        fix=Fix(
            "Offer AUTH inside TLS alone. Postfix: smtpd_tls_auth_only = yes; Exim: auth_advertise_hosts = ${if "
            "eq{$tls_in_cipher}{}{}{*}}; Dovecot submission: auth_allow_cleartext = no (disable_plaintext_auth = yes "
            "before 2.4); Exchange: BasicAuthRequireTLS on the receive connector."
        ),
        severity=Severity.ERROR if said else Severity.WARNING,
        cause="AUTH in clear",
    )


@rule(Severity.WARNING, "RFC 3207 §4", "RFC 8314 §3.3", "RFC 6409 §4.3", who=Who.MAIL_ADMIN)
def smtp_mail_before_tls_accepted(endpoint: Endpoint) -> Iterator[Finding]:
    """A submission port takes MAIL FROM before TLS.

    A mail program without TLS, or one whose STARTTLS was stripped on the way, submits its mail in clear and nobody
    notices. A submission server that requires TLS answers `530 5.7.0 Must issue a STARTTLS command first`.

    ## Fix
    Require TLS on submission ports. Postfix, in master.cf below `submission`: `-o smtpd_tls_security_level=encrypt`;
    Exim: `acl_smtp_mail` with `deny !encrypted = *`; Dovecot submission: `ssl = required`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        on MAIL  250 2.1.0 Ok

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        on MAIL  530 5.7.0 Must issue a STARTTLS command first
    """
    if endpoint.role != "submission" or endpoint.port not in SUBMISSION_PORTS:
        raise NotApplicable("no submission port")
    peer(endpoint)
    reply = need(endpoint.mail_before_tls)
    if reply.ok:
        yield Finding(
            message="takes MAIL FROM before TLS, in place of answering 530: mail can be submitted in clear",
            subject=endpoint.where,
            evidence=(reply_exhibit(endpoint, "reply to MAIL FROM in clear", reply, "530 is expected"),),
            fix=Fix(
                "Require TLS. Postfix, in master.cf below submission: -o smtpd_tls_security_level=encrypt; Exim: deny "
                "!encrypted = * in acl_smtp_mail; Dovecot submission: ssl = required."
            ),
        )


@rule(Severity.ERROR, "RFC 8314 §3.3", "RFC 6409 §3.1", "RFC 3207 §4", who=Who.MAIL_ADMIN)
def smtp_tls_at_once_unexpected(endpoint: Endpoint) -> Iterator[Finding]:
    """A port that ought to begin in clear speaks TLS at once.

    Mail programs and senders expect a banner on 25 and 587, and wait for it in vain: the server waits for their
    handshake. TLS at once belongs on 465.

    ## Fix
    Take the wrapper off this port, and put it on 465. Postfix: no `-o smtpd_tls_wrappermode=yes` below `submission`;
    Exim: `tls_on_connect_ports = 465`; Dovecot submission: `ssl = yes` on the listener of 465 alone.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        mode  implicit

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        mode  starttls
    """
    peer(endpoint)
    if endpoint.port not in _IN_CLEAR:
        if endpoint.wrong_mode == "implicit" and endpoint.asked_starttls:
            yield _at_once(endpoint)
            return
        raise NotApplicable("no port that has to begin in clear")
    if endpoint.wrong_mode == "implicit":
        yield Finding(
            message="speaks TLS at once, where clients expect a banner in clear: they wait in vain",
            subject=endpoint.where,
            fix=Fix(
                "Take TLS at once off this port: it belongs on 465. Postfix: no -o smtpd_tls_wrappermode=yes here; "
                "Exim: tls_on_connect_ports = 465."
            ),
        )
        return
    need(endpoint.banner)


def _at_once(endpoint: Endpoint) -> Finding:
    """`--tls starttls` was typed for a port that is right to speak TLS at once."""
    return Finding(
        message="speaks TLS at once, where STARTTLS was asked for: no banner comes in clear",
        subject=endpoint.where,
        fix=Fix(
            "Use TLS at once here: --tls implicit, or leave --tls out. In a mail program or application choose SSL/TLS "
            "for this port; STARTTLS is for 587."
        ),
        who=Who.SENDER,
    )


@rule(Severity.ERROR, "RFC 8314 §3.3", "RFC 8314 §7.3", who=Who.MAIL_ADMIN)
def smtp_tls_at_once_missing(endpoint: Endpoint) -> Iterator[Finding]:
    """Port 465 speaks in clear.

    465 is for TLS from the first octet. Mail programs begin with a handshake, get a banner for an answer, and give up.

    ## Fix
    Put the wrapper on. Postfix, in master.cf below `submissions` (`smtps`): `-o smtpd_tls_wrappermode=yes`; Exim:
    `tls_on_connect_ports = 465`; Dovecot submission: `ssl = yes` on that listener.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:465]
        mode  starttls

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:465]
        mode  implicit
    """
    if endpoint.port != _SMTPS:
        raise NotApplicable("not port 465")
    peer(endpoint)
    if endpoint.wrong_mode == "clear":
        yield Finding(
            message="speaks in clear on 465, where clients begin with TLS: they cannot connect",
            subject=endpoint.where,
            evidence=(
                reply_exhibit(endpoint, "banner in clear", endpoint.banner.value)
                if isinstance(endpoint.banner, Found)
                else octets_exhibit(at(endpoint, "in place of TLS"), endpoint.in_clear),
            ),
            fix=Fix(
                "Let TLS begin at once. Postfix, in master.cf below submissions: -o smtpd_tls_wrappermode=yes; Exim: "
                "tls_on_connect_ports = 465."
            ),
        )
        return
    known(endpoint.tls)
