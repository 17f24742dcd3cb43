"""Rules about what the server offers in its answer to EHLO, and how it writes it (RFC 5321 §4.1.1.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.smtp import Endpoint
from deliverkit.model import Absent, Exhibit, Finding, Fix, Found, Mark, NotApplicable, Severity, Who, known, need
from deliverkit.rules.declare import rule
from deliverkit.rules.smtp_exhibit import SUBMISSION_PORTS, at, peer, staying
from deliverkit.smtp.capabilities import Capabilities

_SMALL: Final = 10_000_000
"""Octets. Base64 adds a third: such a message carries some 7 MB of attachments. Postfix begins at 10,240,000."""
_LOW: Final = 64_000
"""RFC 5321 §4.5.3.1.7: every server takes messages of 64K octets."""


def last_offered(endpoint: Endpoint) -> tuple[str, Capabilities]:
    """What counts in the end: inside TLS where there is TLS, else in clear. Stops the rule where there is neither."""
    peer(endpoint)
    if known(endpoint.extended) is False:
        raise NotApplicable("EHLO is refused")
    if endpoint.after_refused is not None:
        raise NotApplicable("EHLO is refused inside TLS")
    if endpoint.starttls == "failed":
        raise NotApplicable("TLS failed, and what is offered behind it was not seen")
    if isinstance(endpoint.after, Absent):
        return "EHLO", need(endpoint.before)
    return "EHLO inside TLS", need(endpoint.after)


def each_offered(endpoint: Endpoint) -> tuple[tuple[str, Capabilities], ...]:
    """Both lists, in clear and inside TLS, as far as they came."""
    peer(endpoint)
    found = tuple(
        (when, answer.value)
        for when, answer in (("EHLO", endpoint.before), ("EHLO inside TLS", endpoint.after))
        if isinstance(answer, Found)
    )
    if not found:
        need(endpoint.before)
        need(endpoint.after)
    return found


def _line(endpoint: Endpoint, when: str, capabilities: Capabilities, keyword: str, note: str) -> tuple[Exhibit, ...]:
    """The lines of one keyword."""
    return tuple(
        Exhibit(line, title=at(endpoint, f"offered after {when}"), marks=(Mark(0, len(line), note),) if note else ())
        for line in capabilities.lines
        if (line.split() or [""])[0].upper().partition("=")[0] == keyword
    )[:4]


def _listed(endpoint: Endpoint, when: str, capabilities: Capabilities) -> Exhibit:
    return Exhibit(", ".join(capabilities.lines) or "nothing", title=at(endpoint, f"offered after {when}"))


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
                evidence=_line(endpoint, when, capabilities, "SIZE", "no decimal number"),
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
            evidence=_line(endpoint, when, capabilities, "SIZE", "octets, at most"),
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
            evidence=(_listed(endpoint, when, capabilities),),
            fix=Fix(
                f"Offer it; Postfix does unless smtpd_discard_ehlo_keywords names {discarded}. A firewall that "
                "inspects SMTP may take it out."
            ),
            cause=f"no {keyword}",
        )


@rule(Severity.WARNING, "RFC 5321 §4.1.1.1", "RFC 1869 §4.4", who=Who.MAIL_ADMIN)
def smtp_capability_conflicting(endpoint: Endpoint) -> Iterator[Finding]:
    """The server offers one keyword several times, and differently.

    One client goes by the first line and one by the last: they differ in the limit of size or the mechanisms that they
    see.

    ## Fix
    Offer each keyword once. Two filters or a proxy and a server that both add it are the usual reason.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, SIZE 52428800, 8BITMIME, ENHANCEDSTATUSCODES

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES
    """
    for when, capabilities in each_offered(endpoint):
        twice = [d.removeprefix("conflicting ") for d in capabilities.defects if d.startswith("conflicting ")]
        if twice:
            yield Finding(
                message=f"offers {' and '.join(word[:24] for word in twice[:4])} several times, and differently: "
                "clients differ in which line they go by",
                subject=endpoint.where,
                evidence=tuple(
                    exhibit for word in twice[:4] for exhibit in _line(endpoint, when, capabilities, word, "")
                ),
                fix=Fix("Offer each keyword once: look for a filter or proxy that adds its own."),
            )
            return


@rule(Severity.NOTICE, "RFC 5321 §4.1.1.1", who=Who.MAIL_ADMIN)
def smtp_capability_malformed(endpoint: Endpoint) -> Iterator[Finding]:
    r"""The answer to EHLO is not written as the standard has it.

    A line is a keyword and its parameters, each behind one space. Tabs, leading spaces, empty lines and repeated ones
    are passed over by some clients, together with what they offer.

    ## Fix
    Write a keyword, then its parameters, each behind one space, and each keyword once.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES
    """
    for when, capabilities in each_offered(endpoint):
        said = {
            "tab": "tabs",
            "leading-space": "spaces before a keyword",
            "empty": "empty lines",
        }
        found = [said[defect] for defect in capabilities.defects if defect in said]
        found += [
            f"{d.removeprefix('repeated ')[:24]} twice" for d in capabilities.defects if d.startswith("repeated ")
        ][:4]
        if found:
            yield Finding(
                message=f"its answer to EHLO holds {' and '.join(found)}",
                subject=endpoint.where,
                evidence=(_listed(endpoint, when, capabilities),),
                fix=Fix("Write each keyword once, its parameters behind it, each behind one space."),
                cause="malformed",
            )
            return


@rule(Severity.NOTICE, "RFC 4954 §4", "RFC 2554 §4", who=Who.MAIL_ADMIN)
def smtp_auth_old_form(endpoint: Endpoint) -> Iterator[Finding]:
    """The server offers AUTH in the form of a draft as well: `AUTH=PLAIN`.

    It was for mail programs of the nineties. Some of today's take it for a keyword that they do not know, some read the
    mechanisms twice.

    ## Fix
    Take it out. Postfix: `broken_sasl_auth_clients = no`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN LOGIN, AUTH=PLAIN LOGIN

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN LOGIN
    """
    for when, capabilities in each_offered(endpoint):
        if "old-auth" in capabilities.defects:
            line = next((line for line in capabilities.lines if line.upper().startswith("AUTH=")), "AUTH=")
            yield Finding(
                message="offers AUTH= as well, the form of a draft",
                subject=endpoint.where,
                evidence=(Exhibit(line, title=at(endpoint, f"offered after {when}")),),
                fix=Fix("Take it out. Postfix: broken_sasl_auth_clients = no."),
            )
            return


@rule(Severity.NOTICE, "RFC 5321 §7.3", "RFC 2505 §2.11", who=Who.MAIL_ADMIN)
def smtp_vrfy_offered(endpoint: Endpoint) -> Iterator[Finding]:
    """The server offers VRFY or EXPN to strangers.

    Both tell which addresses exist, EXPN who is on a list. Whoever collects addresses asks them.

    ## Fix
    Postfix: `disable_vrfy_command = yes`; Sendmail: `define(`confPRIVACY_FLAGS', `novrfy,noexpn')`; Exim: no
    `acl_smtp_vrfy` or `acl_smtp_expn`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, VRFY

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES
    """
    when, capabilities = last_offered(endpoint)
    found = [word for word in ("VRFY", "EXPN") if capabilities.has(word)]
    if found:
        yield Finding(
            message=f"offers {' and '.join(found)}, by which strangers can ask which addresses exist",
            subject=endpoint.where,
            evidence=tuple(e for word in found for e in _line(endpoint, when, capabilities, word, "offered")),
            fix=Fix(
                "Postfix: disable_vrfy_command = yes; Sendmail: confPRIVACY_FLAGS with novrfy and noexpn; Exim: no "
                "acl_smtp_vrfy or acl_smtp_expn."
            ),
        )


@rule(Severity.WARNING, "RFC 5321 Appendix F.1", who=Who.MAIL_ADMIN)
def smtp_turn_offered(endpoint: Endpoint) -> Iterator[Finding]:
    """The server offers TURN.

    TURN lets a client swap roles and collect the mail of whatever domain it names: nothing proves that it is its own.

    ## Fix
    Take it out; ATRN (RFC 2645) with a login is its safe successor.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, TURN

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES
    """
    when, capabilities = last_offered(endpoint)
    if capabilities.has("TURN"):
        yield Finding(
            message="offers TURN, by which anybody can collect the mail of another domain",
            subject=endpoint.where,
            evidence=_line(endpoint, when, capabilities, "TURN", "offered"),
            fix=Fix("Take TURN out; ATRN with a login is its safe successor."),
        )


@rule(Severity.NOTICE, "RFC 6409 §7", who=Who.MAIL_ADMIN)
def smtp_etrn_on_submission(endpoint: Endpoint) -> Iterator[Finding]:
    """A submission port offers ETRN.

    ETRN starts the delivery of a queue, and must not be on a submission port: nobody there has a queue to be fetched.

    ## Fix
    Postfix, in master.cf below `submission`: `-o smtpd_discard_ehlo_keywords=etrn` and
    `-o smtpd_etrn_restrictions=reject`; Exim: no `acl_smtp_etrn`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN LOGIN, ETRN

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN LOGIN
    """
    if endpoint.role != "submission" or endpoint.port not in SUBMISSION_PORTS:
        raise NotApplicable("no submission port")
    when, capabilities = last_offered(endpoint)
    if capabilities.has("ETRN"):
        yield Finding(
            message="offers ETRN on a submission port, where it must not be",
            subject=endpoint.where,
            evidence=_line(endpoint, when, capabilities, "ETRN", "offered"),
            fix=Fix(
                "Postfix, in master.cf below submission: -o smtpd_discard_ehlo_keywords=etrn; Exim: acl_smtp_etrn."
            ),
        )
