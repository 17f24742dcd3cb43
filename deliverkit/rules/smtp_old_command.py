"""Rules about what is offered and ought not to be: VRFY, EXPN, TURN, ETRN, and AUTH in the form of a draft."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.smtp import Endpoint
from deliverkit.model import Exhibit, Finding, Fix, NotApplicable, Severity, Who
from deliverkit.rules.declare import rule
from deliverkit.rules.smtp_exhibit import SUBMISSION_PORTS, at
from deliverkit.rules.smtp_offered import each_offered, last_offered, offered_lines


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
            evidence=tuple(e for word in found for e in offered_lines(endpoint, when, capabilities, word, "offered")),
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
            evidence=offered_lines(endpoint, when, capabilities, "TURN", "offered"),
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
            evidence=offered_lines(endpoint, when, capabilities, "ETRN", "offered"),
            fix=Fix(
                "Postfix, in master.cf below submission: -o smtpd_discard_ehlo_keywords=etrn; Exim: acl_smtp_etrn."
            ),
        )
