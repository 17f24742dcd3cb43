"""Why a login was refused, and what to do: read from the code, the enhanced code and the provider's words.

Codes: RFC 4954 §4 and §6, RFC 5248, RFC 3848. The words of providers are matched loosely and in lower case; where none
fits, the code alone decides.
"""

from __future__ import annotations

from typing import Final

import msgspec

from deliverkit.facts.smtp import LoginFacts
from deliverkit.model import Who


class Cause(msgspec.Struct, frozen=True):
    """What a refusal means, as the end of "the login was refused: …", how to mend it, and who can."""

    message: str
    fix: str
    who: Who = Who.SENDER


_APP_PASSWORD: Final = Cause(
    "the account needs an app password, or OAuth, in place of its own password",
    "Google: turn 2-step verification on and make an app password (myaccount.google.com/apppasswords), and use that; "
    "or log in by OAuth (--mechanism XOAUTH2, a token for the scope https://mail.google.com/).",
)
_SMTP_AUTH_OFF: Final = Cause(
    "SMTP AUTH is switched off for this mailbox or organisation",
    "Microsoft 365: Set-CASMailbox USER -SmtpClientAuthenticationDisabled $false (admin centre: the user, Mail, Manage "
    "email apps, Authenticated SMTP); security defaults and conditional access must allow it too. Better: OAuth "
    "(--mechanism XOAUTH2).",
    Who.MAIL_ADMIN,
)
_BASIC_OFF: Final = Cause(
    "the provider takes no passwords here any more, OAuth alone",
    "Log in by OAuth: --mechanism XOAUTH2 with a token for the scope SMTP.Send (Microsoft: "
    "https://outlook.office.com/SMTP.Send); programs that know passwords alone need another way to send.",
)
_BLOCKED: Final = Cause(
    "the provider has locked the account or this address out for now",
    "Wait, and log in once by the provider's web page: it says there what it wants. Do not try again and again: that "
    "prolongs it.",
)
_TOKEN: Final = Cause(
    "the token was not taken: it has expired, is for another account, or lacks the scope",
    "Fetch a new access token (they live for about an hour) for this user with the scope for sending: Google "
    "https://mail.google.com/, Microsoft https://outlook.office.com/SMTP.Send. A refresh token does not go here.",
)
_WRONG: Final = Cause(
    "the user name or password is wrong",
    "Check both. Many servers want the whole address as the user name; a copied password may hold a space or a line "
    "end. With two-factor login most providers want an app password.",
)
_WRONG_CRAM: Final = Cause(
    "the user name or password is wrong, or the server cannot do this mechanism for the account",
    "Check both, then try --mechanism PLAIN: challenge-response needs a password that the server keeps in clear or in "
    "a form of its own (Dovecot: auth_mechanisms, the scheme of the passdb), and hashed ones do not do.",
)
_WORDS: Final = (
    ("application-specific password", _APP_PASSWORD),
    ("invalidsecondfactor", _APP_PASSWORD),
    ("app password", _APP_PASSWORD),
    ("smtpclientauthentication is disabled", _SMTP_AUTH_OFF),
    ("basic authentication is disabled", _BASIC_OFF),
    ("5.7.139", _BASIC_OFF),
    ("webloginrequired", _BLOCKED),
    ("please log in via your web browser", _BLOCKED),
    ("too many login attempts", _BLOCKED),
    ("too many failed", _BLOCKED),
    ("account is locked", _BLOCKED),
    ("temporarily blocked", _BLOCKED),
)
_CODES: Final = {
    530: Cause(
        "the server wants TLS, or something else, before it",
        "Log in inside TLS: --tls starttls on 587, --tls implicit on 465.",
    ),
    538: Cause(
        "the server takes this mechanism inside TLS alone",
        "Log in inside TLS: port 587 with STARTTLS, or 465.",
    ),
    534: Cause(
        "the mechanism is too weak for the server, or the account needs an app password",
        "Name a stronger mechanism with --mechanism (SCRAM-SHA-256, XOAUTH2), or make an app password at the provider.",
    ),
    504: Cause(
        "the server does not know the mechanism, though it may offer it",
        "Name another with --mechanism. On the server: Dovecot: auth_mechanisms; Cyrus SASL: mech_list and the "
        "plug-ins that are installed (libsasl2-modules).",
        Who.MAIL_ADMIN,
    ),
    525: Cause("the account is disabled", "Have the account enabled by who runs the server.", Who.MAIL_ADMIN),
    501: Cause(
        "the server could not read what the mechanism says",
        "Try --mechanism PLAIN. On the server look at its log: an empty or non-ASCII user name is a usual reason.",
        Who.MAIL_ADMIN,
    ),
    502: Cause(
        "the server knows no AUTH here",
        "Log in on a submission port (587 or 465). On the server: Postfix: smtpd_sasl_auth_enable = yes.",
        Who.MAIL_ADMIN,
    ),
    503: Cause(
        "the server allows no AUTH at this point",
        "Log in inside TLS, on a submission port. On the server: Postfix: smtpd_sasl_auth_enable = yes with "
        "smtpd_tls_auth_only = yes.",
        Who.MAIL_ADMIN,
    ),
}
_TOKENS: Final = ("XOAUTH2", "OAUTHBEARER")


def cause_of(login: LoginFacts) -> Cause:
    """What the refusal means."""
    reply = login.reply
    text = reply.text.lower()[:2048] if reply is not None else ""
    for words, cause in _WORDS:
        if words in text:
            return cause
    if login.mechanism in _TOKENS and (login.detail is not None or reply is None or reply.code not in _CODES):
        return _TOKEN
    if reply is not None and reply.code in _CODES:
        return _CODES[reply.code]
    if reply is not None and reply.enhanced == "5.7.13":
        return _CODES[525]
    if login.mechanism is not None and login.mechanism.startswith(("CRAM", "SCRAM", "DIGEST")):
        return _WRONG_CRAM
    return _WRONG
