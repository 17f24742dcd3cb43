"""Rules about the SASL mechanisms that a server offers (RFC 4954, RFC 4422)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.smtp import Endpoint
from deliverkit.model import Absent, Exhibit, Finding, Fix, Found, NotApplicable, Severity, Who, need
from deliverkit.rules.declare import rule
from deliverkit.rules.smtp_exhibit import SUBMISSION_PORTS, at, peer, staying
from deliverkit.rules.smtp_offered import last_offered
from deliverkit.smtp.sasl import KNOWN

_BROKEN: Final = {
    "DIGEST-MD5": "is historic (RFC 6331)",
    "NTLM": "is broken: its answers can be relayed and guessed",
    "OTP": "is tried by hardly anybody, and rests on MD5",
    "SKEY": "is obsolete (RFC 2444)",
    "KERBEROS_V4": "is obsolete (RFC 6649)",
}
_MX_PORT: Final = 25


def _auth_line(endpoint: Endpoint, names: tuple[str, ...], what: str = "mechanisms offered") -> Exhibit:
    return Exhibit(" ".join(names) or "none", title=at(endpoint, what))


@rule(Severity.ERROR, "RFC 6409 §7", "RFC 6409 §4.3", "RFC 4954 §4", who=Who.MAIL_ADMIN)
def auth_missing(endpoint: Endpoint) -> Iterator[Finding]:
    """A submission port offers no login.

    Submission needs to know who submits. Without AUTH, mail programs and applications are turned away at the first
    recipient, or anybody may send.

    ## Fix
    Postfix, in master.cf below `submission`: `-o smtpd_sasl_auth_enable=yes`, with `smtpd_sasl_type = dovecot` and
    `smtpd_sasl_path = private/auth`; Exim: an authenticator and `auth_advertise_hosts`; Exchange: basic authentication
    on the receive connector.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN LOGIN
    """
    if endpoint.role != "submission" or endpoint.port not in SUBMISSION_PORTS:
        raise NotApplicable("no submission port")
    if endpoint.starttls == "offered" and isinstance(endpoint.tls, Absent):
        raise NotApplicable("TLS is offered and was not asked for (--tls none): what stands inside was not seen")
    when, capabilities = last_offered(endpoint)
    if capabilities.auth:
        return
    staying(endpoint)
    early = isinstance(endpoint.before, Found) and bool(endpoint.before.value.auth) and when != "EHLO"
    yield Finding(
        message="offers AUTH in clear alone, and none inside TLS"
        if early
        else "offers no login: mail programs and applications cannot submit mail",
        subject=endpoint.where,
        evidence=(Exhibit(", ".join(capabilities.lines) or "nothing", title=at(endpoint, f"offered after {when}")),),
        fix=Fix(
            "Offer AUTH inside TLS. Postfix, in master.cf below submission: -o smtpd_sasl_auth_enable=yes, with "
            "smtpd_sasl_type = dovecot and smtpd_sasl_path = private/auth; Exim: an authenticator and "
            "auth_advertise_hosts; Exchange: basic authentication on the receive connector."
        ),
        part_of="smtp-tls-at-once-missing"
        if endpoint.wrong_mode == "clear"
        else "smtp-starttls-missing"
        if endpoint.starttls == "missing"
        else None,
        cause="no AUTH",
    )


@rule(Severity.WARNING, "RFC 4954 §4", "RFC 4422 §3", who=Who.MAIL_ADMIN)
def auth_mechanisms_unusual(endpoint: Endpoint) -> Iterator[Finding]:
    """The server offers no mechanism that mail programs know.

    Every mail program knows PLAIN, most LOGIN, newer ones OAuth or SCRAM. NTLM, GSSAPI and mechanisms of a vendor's own
    serve single programs in single networks.

    ## Fix
    Offer PLAIN inside TLS. Dovecot: `auth_mechanisms = plain login`; Cyrus SASL: `mech_list: PLAIN LOGIN`; Exchange:
    basic authentication, after TLS.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH GSSAPI X-OWN

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH GSSAPI PLAIN
    """
    _, capabilities = last_offered(endpoint)
    if not capabilities.auth:
        raise NotApplicable("no AUTH")
    if not any(name in KNOWN for name in capabilities.auth):
        yield Finding(
            message="offers no mechanism that mail programs know",
            subject=endpoint.where,
            evidence=(_auth_line(endpoint, capabilities.auth),),
            fix=Fix(
                "Offer PLAIN inside TLS. Dovecot: auth_mechanisms = plain login; Cyrus SASL: mech_list: PLAIN LOGIN."
            ),
        )


@rule(Severity.NOTICE, "RFC 6331 §1", "RFC 2444", "MS-NLMP §5.1", who=Who.MAIL_ADMIN)
def auth_mechanism_weak(endpoint: Endpoint) -> Iterator[Finding]:
    """The server offers a mechanism that is broken or obsolete: NTLM, DIGEST-MD5.

    Inside TLS they protect nothing more than PLAIN does, and they have the server keep passwords in clear or in a form
    as good as clear. NTLM also tells names of the internal network to strangers. CRAM-MD5 is weak too, but no norm has
    withdrawn it: it is let pass.

    ## Fix
    Take them out; offer PLAIN inside TLS, and SCRAM-SHA-256 for those who want challenge-response. Dovecot:
    `auth_mechanisms = plain login scram-sha-256`; Cyrus SASL: `mech_list`; Exchange: no integrated authentication.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN NTLM

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN SCRAM-SHA-256
    """
    _, capabilities = last_offered(endpoint)
    if not capabilities.auth:
        raise NotApplicable("no AUTH")
    found = [name for name in capabilities.auth if name in _BROKEN]
    if found:
        yield Finding(
            message=f"offers {' and '.join(found)}, which {'is' if len(found) == 1 else 'are'} broken or obsolete",
            subject=endpoint.where,
            evidence=tuple(Exhibit(f"{name} {_BROKEN[name]}", title=at(endpoint, "offered")) for name in found),
            fix=Fix(
                "Take it out, and offer PLAIN inside TLS. Dovecot: auth_mechanisms = plain login scram-sha-256; Cyrus "
                "SASL: mech_list; Exchange: no integrated Windows authentication on the receive connector."
            ),
            cause="weak mechanism",
        )


@rule(Severity.NOTICE, "RFC 4954 §4", "RFC 4616", who=Who.MAIL_ADMIN)
def auth_plain_missing(endpoint: Endpoint) -> Iterator[Finding]:
    """The server offers LOGIN and not PLAIN.

    LOGIN was never standardised and takes two round trips more; PLAIN says the same and is the one mechanism that each
    server has to have.

    ## Fix
    Offer PLAIN beside it. Dovecot: `auth_mechanisms = plain login`; Cyrus SASL: `mech_list: PLAIN LOGIN`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH LOGIN

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN LOGIN
    """
    _, capabilities = last_offered(endpoint)
    if not capabilities.auth:
        raise NotApplicable("no AUTH")
    if "LOGIN" in capabilities.auth and "PLAIN" not in capabilities.auth:
        yield Finding(
            message="offers LOGIN and not PLAIN, which every server has to have",
            subject=endpoint.where,
            evidence=(_auth_line(endpoint, capabilities.auth),),
            fix=Fix(
                "Offer PLAIN beside it. Dovecot: auth_mechanisms = plain login; Cyrus SASL: mech_list: PLAIN LOGIN."
            ),
        )


@rule(Severity.NOTICE, "RFC 8314 §3", "RFC 6409 §3.1", who=Who.MAIL_ADMIN)
def auth_on_mx(endpoint: Endpoint) -> Iterator[Finding]:
    """Port 25 offers a login.

    Port 25 is for mail from other servers, which never log in. Whoever guesses passwords tries there first, where
    nobody watches and few limits apply.

    ## Fix
    Offer AUTH on 465 and 587 alone. Postfix: `smtpd_sasl_auth_enable = no` in main.cf, and `=yes` below `submission` in
    master.cf; Exim: `auth_advertise_hosts = ${if eq{$interface_port}{25}{}{*}}`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN LOGIN

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES
    """
    if endpoint.port != _MX_PORT:
        raise NotApplicable("not port 25")
    _, capabilities = last_offered(endpoint)
    if capabilities.auth:
        yield Finding(
            message="offers a login on port 25, where guessing passwords begins",
            subject=endpoint.where,
            evidence=(_auth_line(endpoint, capabilities.auth),),
            fix=Fix(
                "Offer AUTH on 465 and 587 alone. Postfix: smtpd_sasl_auth_enable = no in main.cf, yes below "
                "submission in master.cf; Exim: auth_advertise_hosts by $interface_port."
            ),
        )


@rule(Severity.NOTICE, "RFC 4954 §4", "RFC 3207 §4.2", who=Who.MAIL_ADMIN)
def auth_mechanisms_vanish(endpoint: Endpoint) -> Iterator[Finding]:
    """Inside TLS the server offers fewer mechanisms than in clear.

    What is safe in clear is safe inside TLS, so that mechanisms should come with TLS and not go. Programs that are set
    to one of them fail as soon as they use TLS.

    ## Fix
    Offer inside TLS what is offered in clear, and in clear no more than is safe there. Dovecot: one `auth_mechanisms`
    for both; Exim: the `server_advertise_condition` of each authenticator.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer      PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, STARTTLS, AUTH SCRAM-SHA-256
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN LOGIN

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES, AUTH PLAIN SCRAM-SHA-256
    """
    peer(endpoint)
    before, after = need(endpoint.before), need(endpoint.after)
    gone = [name for name in before.auth if name not in after.auth]
    if gone and after.auth:
        yield Finding(
            message=f"offers {' and '.join(gone[:6])} in clear and not inside TLS",
            subject=endpoint.where,
            evidence=(
                _auth_line(endpoint, before.auth, "mechanisms in clear"),
                _auth_line(endpoint, after.auth, "mechanisms inside TLS"),
            ),
            fix=Fix("Offer inside TLS what is offered in clear, and in clear no more than is safe there."),
            part_of="smtp-auth-before-tls",
            cause="mechanisms vanish",
        )
