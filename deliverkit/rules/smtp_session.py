"""Rules about sessions that break off, and about servers out of step.

A timeout, a lost connection and a 421 say nothing: the rule is inconclusive. A server that breaks the protocol is a
finding.
"""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.smtp import Breakage, Endpoint, RelayFacts
from deliverkit.model import (
    Exhibit,
    Finding,
    Fix,
    Found,
    Inconclusive,
    NotApplicable,
    Severity,
    Trouble,
    Unknown,
    Who,
    known,
    need,
)
from deliverkit.rules.declare import rule
from deliverkit.rules.smtp_exhibit import at, octets_exhibit, peer
from deliverkit.rules.smtp_reply import stage_words


def _cut(endpoint: Endpoint, broken: Breakage | None) -> None:
    """Stops the rule where the session was cut off, which nobody can judge."""
    if broken is None:
        return
    if broken.trouble in (Trouble.TIMEOUT, Trouble.CLOSED, Trouble.RESET):
        answers = (endpoint.banner, endpoint.greeting, endpoint.before, endpoint.tls, endpoint.after)
        # The same words as for what lies behind it: one reason, told once.
        behind = next((answer.why for answer in answers if isinstance(answer, Unknown)), None)
        raise Inconclusive(behind or f"{endpoint.where}, {stage_words(broken.stage)}: {broken.why}")
    if broken.trouble is Trouble.TOO_LONG and broken.stage == "banner":
        raise Inconclusive(
            f"{broken.host} port {broken.port}: a banner without an end ({broken.why}), as tarpits send it to "
            "those they mistrust"
        )


@rule(Severity.ERROR, "RFC 5321 §4.3.1", "RFC 5321 §4.5.3.2", who=Who.MAIL_ADMIN)
def smtp_out_of_step(endpoint: Endpoint) -> Iterator[Finding]:
    r"""The server speaks before it is asked.

    SMTP goes in turns: each command has one reply. A reply too many answers the next command, and each one after it the
    command before: a client that does not notice takes a refused recipient for an accepted one, and mail is lost.

    ## Fix
    Update the server, or the proxy before it. A script that stands in for a server has to wait for each command.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP\n250 early

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP
    """
    peer(endpoint)
    broken = known(endpoint.breakage)
    _cut(endpoint, broken)
    early = endpoint.early
    if broken is not None and broken.trouble is Trouble.OUT_OF_STEP:
        if broken.seen.startswith(b"421"):
            raise Inconclusive(f"{endpoint.where} ended the session: {broken.seen.decode('utf-8', 'backslashreplace')}")
        early = early or broken.seen
    if early:
        yield Finding(
            message="speaks before it is asked: each further reply would answer the wrong command, so the session was "
            "ended",
            subject=endpoint.where,
            evidence=(octets_exhibit(at(endpoint, "said unasked"), early),),
            fix=Fix("Update the server or the proxy before it: each command has one reply, and none comes before it."),
            cause="out of step",
        )
        return
    if broken is not None:
        raise NotApplicable(broken.why)
    need(endpoint.banner)


@rule(Severity.ERROR, "RFC 5321 §4.2", who=Who.MAIL_ADMIN)
def smtp_reply_unreadable(endpoint: Endpoint) -> Iterator[Finding]:
    """The server answers a command with something that is no reply.

    A reply begins with three digits, the first of them 2 to 5. Clients end the session, or wait for the rest.

    ## Fix
    Update the server or the proxy before it; look for a script or filter that writes into the session.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        on EHLO  hello yourself

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, STARTTLS
    """
    peer(endpoint)
    broken = known(endpoint.breakage)
    if broken is None:
        need(endpoint.banner)
        return
    _cut(endpoint, broken)
    if broken.trouble is Trouble.NOT_SMTP and broken.stage != "banner":
        yield Finding(
            message=f"answers with something that is no reply: {broken.why}",
            subject=endpoint.where,
            evidence=(octets_exhibit(at(endpoint, stage_words(broken.stage)), broken.seen),),
            fix=Fix("Update the server or the proxy before it; look for a script that writes into the session."),
            cause="unreadable",
        )
        return
    raise NotApplicable(broken.why)


@rule(Severity.ERROR, "RFC 5321 §4.5.3.1.5", "RFC 5321 §4.2.1", who=Who.MAIL_ADMIN)
def smtp_reply_too_long(endpoint: Endpoint) -> Iterator[Finding]:
    r"""A reply does not end within any reasonable size.

    Replies were read up to 64 KiB, 512 lines and 8 KiB a line; clients bound them much closer, to protect themselves.

    ## Fix
    Look for a loop in a script or filter that writes replies; keep lists of capabilities to what the server does.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        on EHLO  250 mail.example.com x\*9000

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, STARTTLS
    """
    peer(endpoint)
    broken = known(endpoint.breakage)
    if broken is None:
        need(endpoint.banner)
        return
    _cut(endpoint, broken)
    if broken.trouble is Trouble.TOO_LONG:
        yield Finding(
            message=f"sends a reply that does not end: {broken.why}",
            subject=endpoint.where,
            evidence=(octets_exhibit(at(endpoint, f"{stage_words(broken.stage)}, its beginning"), broken.seen),),
            fix=Fix("Look for a loop in a script or filter that writes replies."),
            cause="too long",
        )
        return
    raise NotApplicable(broken.why)


@rule(Severity.WARNING, "RFC 5321 §3.6.2", "RFC 5321 §7.9", "RFC 2505 §2.1", who=Who.MAIL_ADMIN)
def smtp_relay_possible(relay: RelayFacts) -> Iterator[Finding]:
    """The server takes a recipient outside from a stranger.

    An open relay sends anybody's mail on, and stands on every blocklist within days. That RCPT is accepted proves
    nothing yet: some servers refuse after DATA, some take everything and throw it away. Nothing was sent.

    ## Fix
    Relay for those who logged in, and for your own networks, alone. Postfix:
    `smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination`, and a narrow
    `mynetworks`; Exim: `hostlist relay_from_hosts`; Exchange: no `ms-Exch-SMTP-Accept-Any-Recipient` for anonymous
    users.

    ## Bad
        ; check mail.example.com --relay-test me@example.org
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        on-tls RCPT  250 2.1.5 Ok

    ## Good
        ; check mail.example.com --relay-test me@example.org
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        on-tls RCPT  550 5.7.1 relaying denied
    """
    if relay.outcome == "possible":
        yield Finding(
            message="takes a recipient outside from a stranger: it may be an open relay (nothing was sent to prove it)",
            subject=f"{relay.host} port {relay.port}",
            evidence=tuple(
                Exhibit(reply.shown, title=f"{relay.host} port {relay.port}, reply to RCPT TO:<{form}>")
                for form, reply in relay.tried[-1:]
            ),
            fix=Fix(
                "Relay for logins and your own networks alone. Postfix: smtpd_relay_restrictions = permit_mynetworks, "
                "permit_sasl_authenticated, reject_unauth_destination, and a narrow mynetworks; Exim: "
                "relay_from_hosts; Exchange: take ms-Exch-SMTP-Accept-Any-Recipient from anonymous users."
            ),
            cause="relay",
        )
    elif relay.outcome != "closed":
        raise Inconclusive(f"{relay.host} port {relay.port}: {relay.why or 'the relay test was not tried'}")


@rule(Severity.WARNING, "RFC 5321 §3.1", who=Who.NOBODY)
def smtp_intercepted(endpoint: Endpoint) -> Iterator[Finding]:
    """Something on the way answers in the server's place.

    A network that inspects SMTP answers for servers that it stands before: the same banner everywhere, a banner of
    asterisks. That is no fault of the peer's, and what the rules would say of it is left open.

    ## Fix
    Try from another network. If it shows there too, a firewall before the server does it (Cisco: `no inspect esmtp`);
    else it is your own network or provider.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 ****************************

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP
    """
    if endpoint.state != "open":
        raise NotApplicable(endpoint.why)
    if endpoint.by_us is None:
        need(endpoint.banner)
        return
    if endpoint.stripped:
        raise NotApplicable("told by smtp-starttls-stripped")
    shown = endpoint.banner
    yield Finding(
        message=f"something on the way answers in its place: {endpoint.by_us}",
        subject=endpoint.where,
        evidence=(Exhibit(shown.value.shown, title=at(endpoint, "banner")),) if isinstance(shown, Found) else (),
        fix=Fix(
            "Try from another network. If it shows there too, look at the firewall before the server (Cisco: no "
            "inspect esmtp); else at your own."
        ),
        cause="intercepted",
    )
