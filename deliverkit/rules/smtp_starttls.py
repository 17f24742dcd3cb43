"""Rules about STARTTLS: whether it is there, works, and begins with a clean slate (RFC 3207)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.smtp import Endpoint
from deliverkit.model import Exhibit, Finding, Fix, Inconclusive, Mark, NotApplicable, Severity, Who, known, need
from deliverkit.rules.declare import rule
from deliverkit.rules.smtp_exhibit import at, not_delivered, octets_exhibit, peer, reply_exhibit, staying
from deliverkit.smtp.capabilities import Capabilities

OFFER: Final = (
    "Postfix: smtpd_tls_security_level = may (encrypt on submission ports) with smtpd_tls_chain_files; Exim: "
    "tls_advertise_hosts = * with tls_certificate; Exchange: give the receive connector a certificate."
)


def offered(endpoint: Endpoint, capabilities: Capabilities, when: str = "EHLO") -> Exhibit:
    """What a server offers, in one line."""
    return Exhibit(", ".join(capabilities.lines) or "nothing", title=at(endpoint, f"offered after {when}"))


@rule(Severity.ERROR, "RFC 3207 §4", "RFC 8314 §3", "RFC 7435 §3", who=Who.MAIL_ADMIN)
def smtp_starttls_missing(endpoint: Endpoint) -> Iterator[Finding]:
    """The server does not offer STARTTLS.

    Everything goes in clear: anybody on the way reads and alters it. On an MX mail still arrives from most senders, but
    those that require TLS turn away, and receivers' mail programs mark it as not encrypted. On a submission port
    passwords go in clear, or nobody can log in.

    ## Fix
    Give the server a certificate and switch TLS on. Postfix: `smtpd_tls_security_level = may` and
    `smtpd_tls_chain_files = KEY.pem, FULLCHAIN.pem`; Exim: `tls_advertise_hosts = *`, `tls_certificate`,
    `tls_privatekey`; Exchange: assign a certificate to the receive connector.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, STARTTLS
    """
    peer(endpoint)
    if endpoint.starttls == "implicit":
        raise NotApplicable("TLS comes at once")
    if endpoint.wrong_mode == "clear":
        raise NotApplicable("a port for TLS at once, which has no use for STARTTLS (RFC 8314 §3.3)")
    capabilities = need(endpoint.before)
    if capabilities.has("STARTTLS"):
        return
    staying(endpoint)
    if capabilities.stripped or endpoint.stripped:
        raise Inconclusive(f"{endpoint.where}: something on the way took out what may have been STARTTLS")
    explained = "smtp-ehlo-refused" if known(endpoint.extended) is False else None
    if endpoint.required_by is not None:
        follows = f"senders that honour the policy of {endpoint.required_by}, which requires TLS, will not deliver"
    elif endpoint.role == "mx":
        follows = "mail arrives in clear, and senders that require TLS do not deliver"
    else:
        follows = "what is submitted goes in clear, passwords too"
    yield Finding(
        message=f"does not offer STARTTLS: {follows}",
        subject=endpoint.where,
        evidence=(offered(endpoint, capabilities),),
        fix=Fix(f"Give the server a certificate and offer STARTTLS. {OFFER}"),
        part_of=explained,
        cause="no STARTTLS",
    )


@rule(Severity.ERROR, "RFC 3207 §4", who=Who.MAIL_ADMIN)
def smtp_starttls_refused(endpoint: Endpoint) -> Iterator[Finding]:
    """The server offers STARTTLS and then refuses it.

    Most often it cannot read its certificate or key. Senders that require TLS do not deliver, mail programs cannot
    log in. A temporary refusal (454) says nothing yet.

    ## Fix
    Look into the server's log, and make the certificate and key readable for it. Postfix: `postfix check` and
    `smtpd_tls_chain_files`; Exim: `tls_privatekey` readable for the user Debian-exim.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        on STARTTLS  500 5.5.1 TLS is not available

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        on STARTTLS  220 2.0.0 Ready to start TLS
    """
    peer(endpoint)
    reply = endpoint.starttls_reply
    if reply is None:
        if endpoint.starttls in ("missing", "implicit"):
            raise NotApplicable("STARTTLS is not offered")
        need(endpoint.before)
        return
    if reply.temporary:
        raise Inconclusive(f"{endpoint.where} puts STARTTLS off: {reply.shown}")
    yield Finding(
        message=f"offers STARTTLS and refuses it{not_delivered(endpoint)}",
        subject=endpoint.where,
        evidence=(reply_exhibit(endpoint, "reply to STARTTLS", reply, "220 is what begins TLS"),),
        fix=Fix(
            "Look into the server's log: its certificate or key is usually missing or not readable. Postfix: postfix "
            "check, smtpd_tls_chain_files; Exim: tls_certificate and tls_privatekey."
        ),
    )


@rule(Severity.WARNING, "RFC 3207 §6", "RFC 8461 §1", who=Who.NOBODY)
def smtp_starttls_stripped(endpoint: Endpoint) -> Iterator[Finding]:
    """Something on the way takes STARTTLS out.

    Where STARTTLS belongs there are X's: so a firewall that inspects SMTP overwrites it (Cisco's `inspect esmtp`, for
    one). It may stand here or there. The server itself may be sound, and nothing can be told of its TLS from here.

    ## Fix
    Try from another network. If it shows there too, switch the inspection off in the firewall before the server
    (Cisco ASA: `no inspect esmtp`, or `allow-tls` in its policy map); else in your own.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, XXXXXXXA

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, STARTTLS
    """
    if endpoint.state != "open":
        raise NotApplicable(endpoint.why)
    capabilities = need(endpoint.before)
    if endpoint.stripped or capabilities.stripped:
        line = next((line for line in capabilities.lines if line.upper().startswith("XXXX")), "")
        yield Finding(
            message="something on the way takes STARTTLS out: a firewall here or there, perhaps not the server",
            subject=endpoint.where,
            evidence=(
                Exhibit(line, title=at(endpoint, "in place of STARTTLS"), marks=(Mark(0, len(line), "overwritten"),)),
            ),
            fix=Fix(
                "Try from another network. If it shows there too, switch the SMTP inspection of the firewall before "
                "the server off (Cisco ASA: no inspect esmtp), else that of your own network."
            ),
        )


@rule(Severity.ERROR, "RFC 3207 §4.2", "CVE-2011-0411", "CVE-2021-38084", who=Who.MAIL_ADMIN)
def smtp_starttls_injection(endpoint: Endpoint) -> Iterator[Finding]:
    """Text in clear stands between the reply to STARTTLS and the handshake.

    Whoever sits on the way can put replies there, and a client that keeps them takes them for the server's, said inside
    TLS. No sound server sends anything there: either it is broken, or somebody is at it. What came was dropped here
    and not believed.

    ## Fix
    Update the server, and any proxy before it. If it comes from nowhere on your side, somebody on the way injects it:
    try from another network.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        inject  250 injected

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        on STARTTLS  220 2.0.0 Ready to start TLS
    """
    if endpoint.starttls in ("missing", "implicit") or endpoint.state != "open":
        raise NotApplicable("STARTTLS was not begun")
    if endpoint.starttls == "failed":
        raise NotApplicable("no TLS came about, and nothing was taken for said inside it")
    if endpoint.injected:
        yield Finding(
            message="sends text in clear behind its reply to STARTTLS: a client that keeps it believes what anybody on "
            "the way wrote",
            subject=endpoint.where,
            evidence=(octets_exhibit(at(endpoint, "in clear before the handshake"), endpoint.injected, "dropped"),),
            fix=Fix(
                "Update the server and any proxy before it (Postfix 2.8.3, Exim 4.94.2 and later drop such text); try "
                "from another network to see whether somebody on the way puts it there."
            ),
        )
        return
    if endpoint.starttls is None:
        need(endpoint.before)


@rule(Severity.WARNING, "RFC 3207 §4.2", who=Who.MAIL_ADMIN)
def smtp_starttls_offered_again(endpoint: Endpoint) -> Iterator[Finding]:
    """The server offers STARTTLS once more inside TLS.

    It must not: a client that takes the offer breaks the session. It points at a proxy that ends TLS and passes the
    server's own greeting through.

    ## Fix
    Take STARTTLS out of what is offered inside TLS: let the server itself end TLS, or tell the proxy to (haproxy in
    front of Postfix: the `smtps` service with `smtpd_tls_wrappermode = yes`).

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, STARTTLS

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES
    """
    peer(endpoint)
    capabilities = need(endpoint.after)
    if capabilities.has("STARTTLS"):
        yield Finding(
            message="offers STARTTLS once more inside TLS",
            subject=endpoint.where,
            evidence=(offered(endpoint, capabilities, "TLS"),),
            fix=Fix("Offer it in clear alone: look for a proxy that ends TLS and passes the greeting through."),
        )


@rule(Severity.WARNING, "RFC 3207 §4.2", who=Who.MAIL_ADMIN)
def smtp_banner_inside_tls(endpoint: Endpoint) -> Iterator[Finding]:
    r"""The server greets with its banner once more inside TLS.

    After STARTTLS the client speaks first. A banner in its place answers the client's EHLO, and each further reply
    comes one too early: clients that do not notice take a refusal for a consent.

    ## Fix
    A proxy that ends TLS opens a new connection to the server, and passes its banner on: let it read the banner
    itself, or end TLS at the server.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        on-tls EHLO  220 mail.example.com ESMTP\n250-mail.example.com\n250-SIZE 10485760\n250 8BITMIME

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES
    """
    peer(endpoint)
    if endpoint.starttls != "offered":
        need(endpoint.after)
        raise NotApplicable("STARTTLS was not begun")
    if endpoint.banner_again is not None:
        yield Finding(
            message="greets with its banner once more inside TLS, so that each reply comes one too early",
            subject=endpoint.where,
            evidence=(reply_exhibit(endpoint, "first inside TLS", endpoint.banner_again, "nobody asked for it"),),
            fix=Fix("End TLS at the server itself, or let the proxy before it read the server's banner and keep it."),
        )


@rule(Severity.ERROR, "RFC 3207 §4.2", "RFC 5321 §4.1.1.1", who=Who.MAIL_ADMIN)
def smtp_ehlo_refused_inside_tls(endpoint: Endpoint) -> Iterator[Finding]:
    """The server takes EHLO in clear and refuses it inside TLS.

    The client must ask anew after STARTTLS what is offered. Where that is refused, no mail can be sent inside TLS.

    ## Fix
    Look for a rule that is applied to TLS alone, or a proxy that has no server behind it.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        on-tls EHLO  550 5.7.1 not you
        on-tls HELO  550 5.7.1 not you

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES
    """
    peer(endpoint)
    if endpoint.starttls != "offered":
        need(endpoint.after)
        raise NotApplicable("STARTTLS was not begun")
    reply = endpoint.after_refused
    if reply is None:
        known(endpoint.after)
        return
    if reply.temporary:
        raise Inconclusive(f"{endpoint.where} puts EHLO off inside TLS: {reply.shown}")
    if endpoint.banner_again is not None:
        raise NotApplicable("a banner came in its place")
    yield Finding(
        message="refuses EHLO inside TLS: no mail can be sent there",
        subject=endpoint.where,
        evidence=(reply_exhibit(endpoint, "reply to EHLO inside TLS", reply),),
        fix=Fix("Look in the server's log for why it refuses inside TLS what it takes in clear."),
    )
