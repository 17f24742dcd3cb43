"""Rules about EHLO: whether it is taken, and how the server names itself in its answer (RFC 5321 §4.1.1.1)."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.smtp import Endpoint
from deliverkit.model import Exhibit, Finding, Fix, Found, Inconclusive, Mark, NotApplicable, Severity, Who, need
from deliverkit.rules.declare import rule
from deliverkit.rules.smtp_exhibit import at, peer, reply_exhibit
from deliverkit.rules.smtp_name import first_word, stands_as_name


@rule(Severity.WARNING, "RFC 5321 §2.2.1", "RFC 5321 §3.2", who=Who.MAIL_ADMIN)
def smtp_ehlo_refused(endpoint: Endpoint) -> Iterator[Finding]:
    """The server refuses EHLO and takes HELO.

    Without EHLO there are no extensions: no TLS, no login, no 8-bit mail, no limit of size to know beforehand. Every
    server since 1995 must support it; most often a firewall that inspects SMTP is the reason.

    ## Fix
    Switch the inspection off (Cisco: `no fixup protocol smtp`, `no inspect esmtp`), or update the server. Postfix:
    take `ehlo` out of `smtpd_discard_ehlo_keywords` and of `smtpd_command_filter`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        on EHLO  502 5.5.1 command not implemented

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, STARTTLS
    """
    peer(endpoint)
    if need(endpoint.extended):
        return
    greeting = need(endpoint.greeting)
    if greeting.ok:
        yield Finding(
            message="refuses EHLO and takes HELO alone: no TLS, no login and no other extension is possible",
            subject=endpoint.where,
            evidence=(reply_exhibit(endpoint, "reply to HELO, after EHLO was refused", greeting),),
            fix=Fix("Switch a firewall's SMTP inspection off (Cisco: no inspect esmtp), or update the server."),
        )


@rule(Severity.ERROR, "RFC 5321 §3.2", "RFC 5321 §4.1.4", who=Who.MAIL_ADMIN)
def smtp_hello_refused(endpoint: Endpoint) -> Iterator[Finding]:
    """The server refuses EHLO and HELO.

    No session comes about. Often it mistrusts the name that was said, or the address it came from; what it says
    tells which.

    ## Fix
    Say another name with `--helo`: the full name of this machine, with an address record. If your own server refuses
    too much: Postfix: `smtpd_helo_restrictions`; Exim: `acl_smtp_helo`, `helo_verify_hosts`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        on EHLO  550 5.7.1 go away
        on HELO  550 5.7.1 go away

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, STARTTLS
    """
    peer(endpoint)
    greeting = need(endpoint.greeting)
    if greeting.temporary:
        raise Inconclusive(f"{endpoint.where} puts EHLO off: {greeting.shown}")
    if greeting.permanent:
        yield Finding(
            message="refuses both EHLO and HELO: no session comes about",
            subject=endpoint.where,
            evidence=(reply_exhibit(endpoint, "reply to the greeting", greeting),),
            fix=Fix(
                "Say another name with --helo: the full name of this machine. On your own server: Postfix: "
                "smtpd_helo_restrictions; Exim: acl_smtp_helo, helo_verify_hosts."
            ),
        )


@rule(Severity.NOTICE, "RFC 5321 §4.1.1.1", "RFC 5321 §2.3.5", who=Who.MAIL_ADMIN)
def smtp_ehlo_name_not_fqdn(endpoint: Endpoint) -> Iterator[Finding]:
    r"""The server does not give its full name in its answer to EHLO.

    The first word of the answer is the server's name, as in the banner. It shows in clients' logs and in trace
    headers.

    ## Fix
    Postfix: `myhostname = mail.example.com`; Exim: `primary_hostname = mail.example.com`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        on-clear EHLO  250-localhost\n250-SIZE 10485760\n250-8BITMIME\n250 STARTTLS

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP
    """
    peer(endpoint)
    greeting = need(endpoint.greeting)
    if not greeting.ok:
        raise NotApplicable("it was refused")
    name = first_word(greeting)
    if not name or stands_as_name(name):
        return
    text = f"{greeting.code} {greeting.first}"
    start = text.find(name)
    yield Finding(
        message="its answer to EHLO does not begin with a fully qualified name",
        subject=endpoint.where,
        evidence=(
            Exhibit(
                text,
                title=at(endpoint, "reply to EHLO"),
                marks=(Mark(start, start + len(name), "no fully qualified name"),),
            ),
        ),
        fix=Fix(f"Postfix: myhostname = {endpoint.host}; Exim: primary_hostname = {endpoint.host}."),
        part_of="smtp-banner-not-fqdn"
        if isinstance(endpoint.banner, Found) and first_word(endpoint.banner.value) == name
        else None,
    )
