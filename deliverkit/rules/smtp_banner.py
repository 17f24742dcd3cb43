"""Rules about the banner: whether the server serves, and how it names itself (RFC 5321 §3.1, §4.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from deliverkit.facts.smtp import Endpoint
from deliverkit.model import Exhibit, Finding, Fix, Inconclusive, Mark, NotApplicable, Severity, Who, known, need
from deliverkit.rules.declare import rule
from deliverkit.rules.smtp_exhibit import at, octets_exhibit, peer, reply_exhibit
from deliverkit.rules.smtp_name import first_word, internal, stands_as_name
from deliverkit.smtp.reply import Reply

_READY: Final = 220
_SLOW: Final = 10_000.0
"""Milliseconds; RFC 5321 §4.5.3.2.1 gives a client five minutes, mail programs wait for some 10 s to 30 s."""
_SOFTWARE: Final = re.compile(
    r"(?<![\w.-])(Postfix|Exim|Sendmail|Exchange|MailEnable|MDaemon|hMailServer|Zimbra|Haraka|qmail|OpenSMTPD|Kerio|IceWarp|"
    r"Dovecot|SmarterMail|Microsoft ESMTP MAIL Service)(?![\w.-])[^0-9]{0,24}(\d+(?:\.\d+)+\S*)",
    re.ASCII | re.IGNORECASE,
)


def banner_of(endpoint: Endpoint) -> Reply:
    """The banner of a server that serves; stops the rule where there is none."""
    banner = need(endpoint.banner)
    if banner.code != _READY:
        raise NotApplicable("it does not serve")
    return banner


@rule(Severity.ERROR, "RFC 5321 §3.1", "RFC 7504 §3", who=Who.MAIL_ADMIN)
def smtp_service_refused(endpoint: Endpoint) -> Iterator[Finding]:
    """The server answers, and refuses service at once.

    It says 554 or 521 in place of its banner: to everybody, or to addresses that it mistrusts, such as those on a
    blocklist, without a PTR record, or not on its own list.

    ## Fix
    Read its words: they mostly say whom it refuses. If it is your server, look at what stands before the banner.
    Postfix: `smtpd_client_restrictions` with `smtpd_delay_reject = no`, `postscreen_access_list`; Exim:
    `acl_smtp_connect`. If it refuses your address, have that taken off the list it names.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  554 5.7.1 no service here

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP
    """
    peer(endpoint)
    banner = need(endpoint.banner)
    if banner.temporary:
        raise Inconclusive(f"{endpoint.where} puts it off: {banner.shown}")
    if banner.permanent:
        yield Finding(
            message="refuses service: its banner says so, and it takes no mail from here",
            subject=endpoint.where,
            evidence=(reply_exhibit(endpoint, "banner", banner, "220 is what a server that serves says"),),
            fix=Fix(
                "Read its words: they say whom it refuses. On your own server look at what stands before the banner "
                "(Postfix: postscreen_access_list, smtpd_client_restrictions; Exim: acl_smtp_connect); else have your "
                "address taken off the list it names."
            ),
        )


@rule(Severity.WARNING, "RFC 5321 §4.3.2", who=Who.MAIL_ADMIN)
def smtp_banner_code(endpoint: Endpoint) -> Iterator[Finding]:
    """The banner begins with another code than 220.

    A server that serves says 220, one that does not says 554 or 421. Clients take any other code for an error and
    turn away.

    ## Fix
    Let the banner begin with 220. Look for a proxy or a script that answers in the server's place.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  250 mail.example.com ESMTP

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP
    """
    peer(endpoint)
    banner = need(endpoint.banner)
    if banner.code != _READY and not banner.temporary and not banner.permanent:
        yield Finding(
            message="greets with a code that is not 220: clients take it for an error",
            subject=endpoint.where,
            evidence=(reply_exhibit(endpoint, "banner", banner, "220 is expected"),),
            fix=Fix("Let the banner begin with 220; look for a proxy or script that answers in the server's place."),
        )


@rule(Severity.NOTICE, "RFC 5321 §4.2", "RFC 5321 §2.3.5", who=Who.MAIL_ADMIN)
def smtp_banner_not_fqdn(endpoint: Endpoint) -> Iterator[Finding]:
    """The banner does not begin with the server's full name.

    The first word behind 220 is the server's name: a fully qualified domain name, or an address in brackets. Loop
    detection and people who search logs rely on it; `localhost` or a bare host name says that the server was never
    told its name.

    ## Fix
    Postfix: `myhostname = mail.example.com` and `smtpd_banner = $myhostname ESMTP`; Exim: `primary_hostname`;
    Sendmail: `define(`confDOMAIN_NAME', `mail.example.com')`; Exchange: `Set-ReceiveConnector -Fqdn`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 localhost ESMTP

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP
    """
    peer(endpoint)
    banner = banner_of(endpoint)
    name = first_word(banner)
    if not name:
        raise NotApplicable("the banner has no text")
    if stands_as_name(name) and not internal(name):
        return
    mark = banner.shown.find(name) if len(banner.lines) == 1 else -1
    text = banner.shown if mark >= 0 else f"{banner.code} {banner.first}"
    start = max(text.find(name), 0)
    yield Finding(
        message="its banner does not begin with a fully qualified name",
        subject=endpoint.where,
        evidence=(
            Exhibit(
                text, title=at(endpoint, "banner"), marks=(Mark(start, start + len(name), "no fully qualified name"),)
            ),
        ),
        fix=Fix(
            f"Tell the server its name. Postfix: myhostname = {endpoint.host}, smtpd_banner = $myhostname ESMTP; Exim: "
            f"primary_hostname = {endpoint.host}; Sendmail: confDOMAIN_NAME; Exchange: Set-ReceiveConnector -Fqdn."
        ),
    )


@rule(Severity.NOTICE, "RFC 5321 §4.2", "M3AAWG Sender Best Common Practices", who=Who.MAIL_ADMIN)
def smtp_banner_not_ptr(endpoint: Endpoint) -> Iterator[Finding]:
    """The banner names another host than the PTR record of the address.

    Senders do not mind. Where the same machine also sends, its name, the PTR record and the address belong together,
    and receivers look at them.

    ## Fix
    Have the PTR record name the host that the banner names, or the other way round. Postfix: `myhostname`; Exim:
    `primary_hostname`. The PTR record is set by whoever gave you the address.

    ## Bad
        mail.example.com.          A    192.0.2.25
        25.2.0.192.in-addr.arpa.   PTR  host25.example.net.

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP

    ## Good
        mail.example.com.          A    192.0.2.25
        25.2.0.192.in-addr.arpa.   PTR  mail.example.com.

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP
    """
    peer(endpoint)
    name = first_word(banner_of(endpoint)).lower().removesuffix(".")
    if not stands_as_name(name) or name.startswith("["):
        raise NotApplicable("the banner names no host")
    pointed = [host.lower().removesuffix(".") for host in need(endpoint.ptr)]
    if not pointed:
        raise NotApplicable("no PTR record")
    if name in pointed:
        return
    yield Finding(
        message="its banner names another host than its PTR record",
        subject=endpoint.where,
        evidence=(
            Exhibit(name, title=at(endpoint, "named in the banner")),
            *(Exhibit(host, title=f"PTR of {endpoint.address}") for host in pointed[:4]),
        ),
        fix=Fix(
            "Let both name one host: ask whoever gave you the address for the PTR record, or set myhostname (Postfix), "
            "primary_hostname (Exim)."
        ),
        who=Who.HOSTER,
        cause="banner and PTR",
    )


@rule(Severity.NOTICE, "RFC 5321 §7.5", who=Who.MAIL_ADMIN)
def smtp_banner_reveals_version(endpoint: Endpoint) -> Iterator[Finding]:
    """The banner tells which version of which software runs.

    Whoever looks for servers with a known hole finds them by their banners. Hiding it mends no hole; it is one search
    result less.

    ## Fix
    Postfix: `smtpd_banner = $myhostname ESMTP`; Exim: `smtp_banner = $smtp_active_hostname ESMTP`; Sendmail:
    `define(`confSMTP_LOGIN_MSG', `$j')`; Exchange: `Set-ReceiveConnector -Banner "220 mail.example.com"`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP Exim 4.94.2

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP Exim
    """
    peer(endpoint)
    banner = banner_of(endpoint)
    for line in banner.text.split("\n")[:16]:
        match = _SOFTWARE.search(line[:512])
        if match:
            yield Finding(
                message="its banner tells the version of its software",
                subject=endpoint.where,
                evidence=(
                    Exhibit(
                        line[:512], title=at(endpoint, "banner"), marks=(Mark(*match.span(), "tells the version"),)
                    ),
                ),
                fix=Fix(
                    "Leave it out. Postfix: smtpd_banner = $myhostname ESMTP; Exim: smtp_banner = "
                    "$smtp_active_hostname ESMTP; Sendmail: confSMTP_LOGIN_MSG; Exchange: Set-ReceiveConnector -Banner."
                ),
            )
            return


@rule(Severity.WARNING, "RFC 5321 §4.5.3.2.1", who=Who.MAIL_ADMIN)
def smtp_banner_slow(endpoint: Endpoint) -> Iterator[Finding]:
    """The banner takes longer than ten seconds.

    Mail servers wait for minutes, applications and mail programs often for ten seconds or less: to them the server is
    down. Usual causes: a resolver that does not answer, so that the server waits for the client's PTR record or a
    blocklist; or a delay that is meant to put off spammers.

    ## Fix
    Look at the resolver of the server first (`dig -x` of a client's address, there). On submission ports take delays
    off. Postfix: `postscreen_greet_wait`, on port 25 alone; Exim: `delay` in `acl_smtp_connect`, `rfc1413_query_timeout
    = 0s`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        slow  12

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        slow  1
    """
    peer(endpoint)
    need(endpoint.banner)
    if endpoint.banner_ms is not None and endpoint.banner_ms > _SLOW:
        yield Finding(
            message="takes longer than ten seconds for its banner: applications take it for down",
            subject=endpoint.where,
            evidence=(Exhibit(f"after {endpoint.banner_ms / 1000:.1f} s", title=at(endpoint, "banner")),),
            fix=Fix(
                "Look at the server's resolver first: it may wait for PTR records or blocklists that do not answer."
                " Take greet delays off submission ports (Postfix: postscreen_greet_wait; Exim: acl_smtp_connect)."
            ),
            severity=Severity.NOTICE if endpoint.role == "mx" else None,
        )


@rule(Severity.ERROR, "RFC 5321 §4.2", who=Who.MAIL_ADMIN)
def smtp_not_smtp(endpoint: Endpoint) -> Iterator[Finding]:
    """What answers on the port is not SMTP.

    Another service listens there (HTTP, SSH, IMAP), or something answers that no client can read as a reply: a reply
    begins with three digits.

    ## Fix
    Look at what listens (`ss -ltnp`), and at where the firewall or load balancer forwards the port to.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  SSH-2.0-OpenSSH_9.9

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        banner  220 mail.example.com ESMTP
    """
    peer(endpoint)
    broken = known(endpoint.breakage)
    if broken is None or broken.stage != "banner" or broken.trouble != "not-smtp":
        need(endpoint.banner)
        return
    yield Finding(
        message=f"does not speak SMTP: {broken.why.removeprefix('this is not SMTP: ')}",
        subject=endpoint.where,
        evidence=(octets_exhibit(at(endpoint, "in place of a banner"), broken.seen),),
        fix=Fix(
            "Look at what listens there (ss -ltnp), and at where a firewall or load balancer forwards the port to."
        ),
        cause="not SMTP",
    )
