"""Rules about the extensions that a server offers or lacks: SIZE, 8BITMIME, PIPELINING (RFC 1870, 6152, 2920)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.smtp import Endpoint
from deliverkit.model import Finding, Fix, NotApplicable, Severity, Who
from deliverkit.rules.declare import rule
from deliverkit.rules.smtp_exhibit import SUBMISSION_PORTS, staying
from deliverkit.rules.smtp_offered import each_offered, last_offered, offered_lines, offered_list

_SMALL: Final = 10_000_000
"""Octets. Base64 adds a third: such a message carries some 7 MB of attachments. Postfix begins at 10,240,000."""
_LOW: Final = 64_000
"""RFC 5321 §4.5.3.1.7: every server takes messages of 64K octets."""


@rule(Severity.WARNING, "RFC 1870 §3", who=Who.MAIL_ADMIN)
def smtp_size_malformed(endpoint: Endpoint) -> Iterator[Finding]:
    """The limit that the server gives in SIZE is no number.

    SIZE takes a decimal number of at most twenty digits. Clients pass over anything else, or end the session.

    ## Fix
    Give the number of octets. Postfix: `message_size_limit = 52428800`; Exim: `message_size_limit = 50M`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer      PIPELINING, SIZE 10M, 8BITMIME, ENHANCEDSTATUSCODES, STARTTLS

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer  PIPELINING, SIZE 52428800, 8BITMIME, ENHANCEDSTATUSCODES, STARTTLS
    """
    for when, capabilities in each_offered(endpoint):
        if "bad-size" in capabilities.defects:
            yield Finding(
                message="gives a limit in SIZE that is no number",
                subject=endpoint.where,
                evidence=offered_lines(endpoint, when, capabilities, "SIZE", "no decimal number"),
                fix=Fix(
                    "Give a decimal number of octets. Postfix: message_size_limit = 52428800; Exim: message_size_limit."
                ),
            )
            return


@rule(Severity.NOTICE, "RFC 1870 §4", "RFC 5321 §4.5.3.1.7", who=Who.MAIL_ADMIN)
def smtp_size_small(endpoint: Endpoint) -> Iterator[Finding]:
    """The server takes messages of less than 10 MB alone.

    Ordinary mail with a few pictures is larger, a third of it by its encoding, and bounces.

    ## Fix
    Raise the limit; 25 MB to 50 MB is usual. Postfix: `message_size_limit = 52428800`; Exim:
    `message_size_limit = 50M`; Exchange: `Set-ReceiveConnector -MaxMessageSize 50MB`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 5000000, 8BITMIME, ENHANCEDSTATUSCODES

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 52428800, 8BITMIME, ENHANCEDSTATUSCODES
    """
    when, capabilities = last_offered(endpoint)
    if capabilities.size is None:
        raise NotApplicable("no limit is given")
    if 0 < capabilities.size < _SMALL:
        yield Finding(
            message="takes messages of less than 64 kB alone, which every server has to take"
            if capabilities.size < _LOW
            else "takes messages of less than 10 MB alone: ordinary attachments bounce",
            subject=endpoint.where,
            evidence=offered_lines(endpoint, when, capabilities, "SIZE", "octets, at most"),
            fix=Fix("Raise the limit. Postfix: message_size_limit = 52428800; Exim: message_size_limit = 50M."),
            cause="small SIZE",
        )


@rule(Severity.NOTICE, "RFC 1870 §1", "RFC 5321 §4.5.3.1.7", who=Who.MAIL_ADMIN)
def smtp_size_missing(endpoint: Endpoint) -> Iterator[Finding]:
    """The server does not offer SIZE.

    Clients then learn that a message is too large only after they sent all of it.

    ## Fix
    Offer it. Postfix: take `size` out of `smtpd_discard_ehlo_keywords`; Exim offers it by itself
    (`message_size_limit`); Exchange: `Set-ReceiveConnector -SizeEnabled Enabled`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, 8BITMIME, ENHANCEDSTATUSCODES

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES
    """
    yield from _missing(endpoint, "SIZE", "clients learn too late that a message is too large", "size")


@rule(Severity.NOTICE, "RFC 6152 §3", "RFC 6409 §7", "RFC 5321 §2.4", who=Who.MAIL_ADMIN)
def smtp_8bitmime_missing(endpoint: Endpoint) -> Iterator[Finding]:
    """The server does not offer 8BITMIME.

    Senders must then re-encode mail with letters beyond ASCII. Some cannot and bounce it; and a signature that DKIM put
    on before no longer holds.

    ## Fix
    Offer it. Postfix: take `8bitmime` out of `smtpd_discard_ehlo_keywords`; Exim: `accept_8bitmime = true`; Exchange:
    `Set-ReceiveConnector -EightBitMimeEnabled $true`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, ENHANCEDSTATUSCODES

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES
    """
    yield from _missing(
        endpoint, "8BITMIME", "mail beyond ASCII has to be re-encoded, which breaks DKIM signatures", "8bitmime"
    )


@rule(Severity.NOTICE, "RFC 6409 §7", "RFC 2920 §3", who=Who.MAIL_ADMIN)
def smtp_pipelining_missing(endpoint: Endpoint) -> Iterator[Finding]:
    """A submission port does not offer PIPELINING.

    Clients wait for each reply before they say the next command, which takes a few round trips more for every message.

    ## Fix
    Offer it. Postfix: take `pipelining` out of `smtpd_discard_ehlo_keywords`; Exim: `pipelining_advertise_hosts = *`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN LOGIN

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN LOGIN
    """
    if endpoint.role != "submission" or endpoint.port not in SUBMISSION_PORTS:
        raise NotApplicable("no submission port")
    yield from _missing(endpoint, "PIPELINING", "each message takes more round trips", "pipelining")


def _missing(endpoint: Endpoint, keyword: str, follows: str, discarded: str) -> Iterator[Finding]:
    when, capabilities = last_offered(endpoint)
    if not capabilities.has(keyword):
        staying(endpoint)
        yield Finding(
            message=f"does not offer {keyword}: {follows}",
            subject=endpoint.where,
            evidence=(offered_list(endpoint, when, capabilities),),
            fix=Fix(
                f"Offer it; Postfix does unless smtpd_discard_ehlo_keywords names {discarded}. A firewall that "
                "inspects SMTP may take it out."
            ),
            cause=f"no {keyword}",
        )
