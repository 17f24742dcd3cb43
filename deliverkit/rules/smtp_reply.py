"""Rules about replies that break RFC 5321 and could be read all the same.

Clients differ in what they make of such replies: one goes on, one waits for ever, one takes a part for the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.smtp import Endpoint, OddReply
from deliverkit.model import Finding, Fix, Severity, Who, need
from deliverkit.rules.declare import rule
from deliverkit.rules.smtp_exhibit import at, octets_exhibit, peer
from deliverkit.smtp.reply import Defect

_STAGES: Final = {
    "banner": "banner", "ehlo": "reply to EHLO", "helo": "reply to HELO", "mail-clear": "reply to MAIL",
    "rset-clear": "reply to RSET", "starttls": "reply to STARTTLS", "tls": "TLS handshake",
    "ehlo-tls": "reply to EHLO inside TLS",
    "helo-tls": "reply to HELO inside TLS", "auth": "reply to AUTH", "mail": "reply to MAIL", "rcpt": "reply to RCPT",
    "rset": "reply to RSET", "quit": "reply to QUIT",
}  # fmt: skip
_WORDS: Final = {
    Defect.NUL: "NUL",
    Defect.CONTROL: "control characters",
    Defect.EIGHT_BIT: "octets over 127",
}
_LOOK: Final = "Look for a proxy, a filter or a text of your own in the configuration that writes it so."


def stage_words(stage: str) -> str:
    """What a stage's reply is called."""
    return _STAGES.get(stage, f"reply at {stage}")


def _odd(endpoint: Endpoint, *defects: Defect) -> tuple[OddReply, ...]:
    """The replies that have one of these defects. A session that broke off before its banner shows none."""
    peer(endpoint)
    found = tuple(odd for odd in endpoint.odd if any(defect in odd.reply.defects for defect in defects))
    if not found:
        need(endpoint.banner)
    return found


def _told(endpoint: Endpoint, defect: Defect, message: str, note: str, fix: str) -> Iterator[Finding]:
    """One finding an endpoint, with the first replies that show the defect."""
    found = _odd(endpoint, defect)
    if found:
        yield Finding(
            message=message,
            subject=endpoint.where,
            evidence=tuple(
                octets_exhibit(at(endpoint, stage_words(odd.stage)), odd.reply.raw, note) for odd in found[:3]
            ),
            fix=Fix(fix),
            cause=defect.value,
        )


@rule(Severity.WARNING, "RFC 5321 §2.3.8", "RFC 5321 §4.1.1.4", who=Who.MAIL_ADMIN)
def smtp_reply_bare_lf(endpoint: Endpoint) -> Iterator[Finding]:
    r"""The server ends lines with LF alone.

    A line of SMTP ends in CRLF, and in nothing else. Strict clients wait for the CR until they give up; that a server
    is careless here also hints at careless reading, which lets messages be smuggled.

    ## Fix
    Send CRLF. Look for a script or a multi-line text of your own in the server's configuration, or a proxy that
    rewrites line ends.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220-mail.example.com\x0a220 mail.example.com ESMTP

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220-mail.example.com\n220 mail.example.com ESMTP
    """
    yield from _told(
        endpoint,
        Defect.BARE_LF,
        "ends lines with LF alone: a line of SMTP ends in CRLF",
        "no CR",
        f"Send CRLF. {_LOOK}",
    )


@rule(Severity.WARNING, "RFC 5321 §2.3.8", who=Who.MAIL_ADMIN)
def smtp_reply_bare_cr(endpoint: Endpoint) -> Iterator[Finding]:
    r"""A carriage return stands inside a line of a reply.

    CR may stand before LF alone. Some clients end the line there and read the rest as a further reply.

    ## Fix
    Take it out: look for text of your own in the server's configuration with line ends in it.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP\r220 again

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP
    """
    yield from _told(
        endpoint,
        Defect.BARE_CR,
        "sends a carriage return inside a line: some clients read two replies there",
        "CR inside",
        f"Take it out. {_LOOK}",
    )


@rule(Severity.NOTICE, "RFC 5321 §4.5.3.1.5", who=Who.MAIL_ADMIN)
def smtp_reply_line_too_long(endpoint: Endpoint) -> Iterator[Finding]:
    r"""A line of a reply is longer than 512 octets.

    Clients need to take no more, and some cut the line or end the session.

    ## Fix
    Shorten the text, or break it into several lines (`250-…`).

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP x\*600

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP x\*400
    """
    yield from _told(
        endpoint,
        Defect.LONG_LINE,
        "sends a line of more than 512 octets",
        "",
        "Shorten the text, or break it into several lines.",
    )


@rule(Severity.NOTICE, "RFC 5321 §4.2", "RFC 6531 §3.7.4.1", who=Who.MAIL_ADMIN)
def smtp_reply_octets(endpoint: Endpoint) -> Iterator[Finding]:
    r"""A reply holds octets that are no printable ASCII.

    Replies are printable ASCII; UTF-8 is for clients that asked for SMTPUTF8. Control characters can act on the screen
    of whoever reads a log, and letters with accents turn to rubble.

    ## Fix
    Write replies in ASCII: look for text of your own in the server's configuration.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP\x1b[31m

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP
    """
    odd = _odd(endpoint, *_WORDS)
    if odd:
        found = [words for defect, words in _WORDS.items() if any(defect in one.reply.defects for one in odd)]
        yield Finding(
            message=f"sends {' and '.join(found)} in a reply, which is to be printable ASCII",
            subject=endpoint.where,
            evidence=tuple(octets_exhibit(at(endpoint, stage_words(one.stage)), one.reply.raw) for one in odd[:3]),
            fix=Fix(f"Write replies in ASCII. {_LOOK}"),
            cause="octets",
        )


@rule(Severity.WARNING, "RFC 5321 §4.2.1", who=Who.MAIL_ADMIN)
def smtp_reply_mixed_codes(endpoint: Endpoint) -> Iterator[Finding]:
    r"""The lines of one reply bear different codes.

    All lines of a reply bear the same code. Where they differ one client goes by the first line and one by the last:
    what one takes for a consent another takes for a refusal.

    ## Fix
    Let every line of a reply begin with the same code.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  250-mail.example.com\n220 mail.example.com ESMTP

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220-mail.example.com\n220 mail.example.com ESMTP
    """
    yield from _told(
        endpoint,
        Defect.MIXED_CODES,
        "sends a reply whose lines bear different codes: clients differ in which one counts",
        "codes differ",
        f"Let every line of a reply begin with the same code. {_LOOK}",
    )


@rule(Severity.NOTICE, "RFC 2034 §4", "RFC 3463 §3.1", who=Who.MAIL_ADMIN)
def smtp_reply_enhanced_mismatch(endpoint: Endpoint) -> Iterator[Finding]:
    """A reply's enhanced code says the contrary of its code.

    The first digits of both must be the same. A `550 2.0.0` is a refusal to one program and a success to another, which
    then counts a bounced message as delivered.

    ## Fix
    Correct the enhanced code in the rule or policy service that writes it.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        on MAIL  530 2.7.0 Must issue a STARTTLS command first

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        on MAIL  530 5.7.0 Must issue a STARTTLS command first
    """
    yield from _told(
        endpoint,
        Defect.ENHANCED_MISMATCH,
        "sends an enhanced status code that says the contrary of the reply's code",
        "classes differ",
        "Let the enhanced code begin with the digit of the code, in the rule or policy service that writes it.",
    )


@rule(Severity.WARNING, "RFC 5321 §4.2", who=Who.MAIL_ADMIN)
def smtp_reply_blank_line(endpoint: Endpoint) -> Iterator[Finding]:
    r"""An empty line stands before a reply.

    Every line of a reply begins with a code. Some clients take the empty line for a reply they cannot read, and end the
    session.

    ## Fix
    Take it out: look for a line end at the beginning of a banner file, or a script that prints one.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  \n220 mail.example.com ESMTP

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP
    """
    yield from _told(
        endpoint,
        Defect.EMPTY_LINE,
        "sends an empty line before a reply",
        "an empty line first",
        f"Take it out. {_LOOK}",
    )
