"""Rules about the one login that was tried."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.smtp import Endpoint, LoginFacts
from deliverkit.model import Exhibit, Finding, Fix, Found, Inconclusive, NotApplicable, Severity, Who, need
from deliverkit.rules.auth_cause import cause_of
from deliverkit.rules.declare import rule
from deliverkit.rules.smtp_exhibit import SUBMISSION_PORTS
from deliverkit.rules.tls_fault import faults
from deliverkit.smtp.sasl import KNOWN


def _where(login: LoginFacts) -> str:
    return f"{login.host} port {login.port}"


def _answer(login: LoginFacts) -> tuple[Exhibit, ...]:
    """What the server answered, and what it said in its OAuth error."""
    found: list[Exhibit] = []
    if login.reply is not None:
        found.append(
            Exhibit(login.reply.shown, title=f"{_where(login)}, reply to AUTH {login.mechanism or ''}".rstrip())
        )
    if login.detail is not None:
        found.append(Exhibit(login.detail, title="the OAuth error, decoded (RFC 7628 §3.2.2)"))
    return tuple(found)


def _tried(login: LoginFacts) -> None:
    """Stops the rule where the login came to no answer."""
    if login.outcome == "not-tried":
        raise Inconclusive(f"{_where(login)}: no login was tried: {login.why}")
    if login.outcome == "failed" and not login.protocol_fault:
        said = login.why or (login.reply.shown if login.reply is not None else "it broke off")
        raise Inconclusive(f"{_where(login)}: the login came to no answer: {said}")


@rule(Severity.ERROR, "RFC 4954 §4", "RFC 4954 §6", "RFC 7628 §3.2.2", who=Who.SENDER)
def auth_login_refused(login: LoginFacts) -> Iterator[Finding]:
    """The server refuses the login.

    Its code says why, mostly: 535 wrong credentials, 534 a mechanism that is too weak or an account that needs an app
    password, 538 and 530 TLS first, 504 an unknown mechanism. A temporary answer (454, 421) says nothing.

    ## Fix
    535: check the user name (often the whole address) and the password; Google, Yahoo and Apple want an app password.
    Microsoft: SMTP AUTH has to be on for the mailbox, and many organisations take OAuth alone. Log in inside TLS.

    ## Bad
        ; check mail.example.com --port 587 --user alice
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        on-tls AUTH  535 5.7.8 authentication failed

    ## Good
        ; check mail.example.com --port 587 --user alice
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        user  alice secret
    """
    _tried(login)
    if login.outcome != "refused":
        return
    cause = cause_of(login)
    yield Finding(
        message=f"the login by {login.mechanism} was refused: {cause.message}",
        subject=_where(login),
        evidence=_answer(login),
        fix=Fix(cause.fix),
        who=cause.who,
        cause=cause.message,
    )


@rule(Severity.ERROR, "RFC 4954 §4", "RFC 5802 §3", "RFC 4422 §3", who=Who.MAIL_ADMIN)
def auth_exchange_broken(login: LoginFacts) -> Iterator[Finding]:
    """The server breaks the protocol of the mechanism.

    Its challenge is not base64, it asks for more than the mechanism has, or its proof that it knows the password is
    wrong. The login was given up, and nothing can be said of the credentials.

    ## Fix
    Try `--mechanism PLAIN`, which has no challenge. On the server look at what does SASL: Dovecot or Cyrus SASL, and a
    proxy in between. A wrong proof can also mean that somebody stands in for the server.

    ## Bad
        ; check mail.example.com --port 587 --user alice --mechanism SCRAM-SHA-256
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls    PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN SCRAM-SHA-256
        on-tls AUTH  334 !!! not base64 !!!

    ## Good
        ; check mail.example.com --port 587 --user alice
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        user  alice secret
    """
    _tried(login)
    if login.outcome == "failed" and login.protocol_fault:
        yield Finding(
            message=f"breaks the protocol of {login.mechanism}: {login.why}",
            subject=_where(login),
            evidence=_answer(login),
            fix=Fix(
                "Try --mechanism PLAIN. On the server look at what does SASL (Dovecot, Cyrus SASL), and at a proxy in "
                "between."
            ),
            cause="exchange broken",
        )


@rule(Severity.ERROR, "RFC 4954 §4", who=Who.SENDER)
def auth_mechanism_not_offered(login: LoginFacts) -> Iterator[Finding]:
    """No login was tried, since the server offers none, or not the mechanism, or none that is known here.

    Nothing was sent: a client that falls back on another mechanism than the one it was told to use gives more away than
    its user meant to. Port 25 rightly offers no login: it is for mail from other servers.

    ## Fix
    Log in on 465 or 587; name one of the mechanisms offered with `--mechanism`. On the server: Dovecot:
    `auth_mechanisms = plain login`; Cyrus SASL: `mech_list: PLAIN LOGIN` in `smtpd.conf`; Exim: an authenticator for
    each mechanism.

    ## Bad
        ; check mail.example.com --port 587 --user alice --mechanism SCRAM-SHA-256
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN LOGIN

    ## Good
        ; check mail.example.com --port 587 --user alice --mechanism PLAIN
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN LOGIN
    """
    if login.outcome != "not-tried":
        return
    if not login.offered and not login.heard:
        raise Inconclusive(f"{_where(login)}: no login was tried: {login.why}")
    if not login.offered:
        yield _no_login(login)
        return
    wanted = (login.asked_for or "").upper()
    common = [name for name in login.offered if name in KNOWN]
    if wanted and wanted not in login.offered:
        message = f"does not offer {wanted}: no login was tried"
    elif not wanted and not common:
        message = "offers no mechanism that is known here: no login was tried"
    else:
        raise NotApplicable(login.why)
    yield Finding(
        message=message,
        subject=_where(login),
        evidence=(Exhibit(" ".join(login.offered), title=f"{_where(login)}, mechanisms offered"),),
        fix=Fix(
            (f"Name one of those it offers: --mechanism {common[0]}. " if common else "")
            + "On the server: Dovecot: auth_mechanisms; Cyrus SASL: mech_list in smtpd.conf; Exim: authenticators."
        ),
        cause=f"mechanism {wanted or 'unknown'}",
    )


def _no_login(login: LoginFacts) -> Finding:
    """The server offers no AUTH at all: what was asked for cannot be done here, whichever mechanism was named."""
    submission = login.port in SUBMISSION_PORTS
    elsewhere = "" if submission else "Log in on a submission port: 465, or 587 with STARTTLS. "
    return Finding(
        message="offers no login: none was tried",
        subject=_where(login),
        fix=Fix(
            f"{elsewhere}If a login is wanted here, offer AUTH inside TLS: Postfix: smtpd_sasl_auth_enable = yes; "
            "Exim: authenticators and auth_advertise_hosts."
        ),
        part_of="auth-missing" if submission else None,
        cause="no AUTH",
    )


@rule(Severity.WARNING, "RFC 4954 §4", "RFC 4422 §3.6", "RFC 5802 §3", who=Who.MAIL_ADMIN)
def auth_accepted_without_proof(login: LoginFacts) -> Iterator[Finding]:
    """The server accepts the login before it has asked for the credentials.

    Whoever says 235 at once has verified nothing: it takes anybody, or it only plays a server. With SCRAM the server
    has to prove that it knows the password, and this one did not.

    ## Fix
    Look at what does SASL on the server, and whether a wrong password is refused.

    ## Bad
        ; check mail.example.com --port 587 --user alice --mechanism LOGIN
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        on-tls AUTH  235 2.7.0 welcome

    ## Good
        ; check mail.example.com --port 587 --user alice --mechanism LOGIN
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        user  alice secret
    """
    if login.outcome != "accepted":
        _tried(login)
        raise NotApplicable("the login was not accepted")
    if login.why:
        yield Finding(
            message="accepts the login before it has verified anything",
            subject=_where(login),
            evidence=_answer(login),
            fix=Fix("Try a wrong password: is it refused? Look at what does SASL (Dovecot, Cyrus SASL) on the server."),
            cause="no proof",
        )


@rule(Severity.WARNING, "RFC 8314 §3.3", "RFC 4954 §9", who=Who.SENDER)
def auth_login_insecure(endpoint: Endpoint) -> Iterator[Finding]:
    """The credentials were sent where others may have read them.

    `--insecure-auth` sends them without TLS, or to a server whose certificate was not verified.

    ## Fix
    Mend the server's TLS, log in without `--insecure-auth`, and change the password if the network in between is not
    yours.

    ## Bad
        ; check mail.example.com --port 587 --user alice --insecure-auth
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com issuer=self

    ## Good
        ; check mail.example.com --port 587 --user alice --insecure-auth
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com
    """
    login = need(endpoint.login)
    if login.outcome == "not-tried":
        raise NotApplicable(login.why)
    if login.encrypted and login.trusted:
        return
    yield Finding(
        message="credentials were sent "
        + ("to a server whose certificate does not hold" if login.encrypted else "in clear"),
        subject=_where(login),
        fix=Fix(
            "Mend the server's TLS and log in without --insecure-auth; change the password if the network in between "
            "is not yours."
        ),
        part_of=_why_insecure(endpoint),
        cause="insecure",
    )


def _why_insecure(endpoint: Endpoint) -> str | None:
    """The rule that says what is wrong with the TLS, where one does."""
    if isinstance(endpoint.tls, Found):
        return next(iter(faults(endpoint.tls.value)), None)
    return "smtp-starttls-missing" if endpoint.starttls == "missing" else None
