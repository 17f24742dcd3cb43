"""The logs of mail servers: who said what, to whom, at which stage, and what became of it."""

from __future__ import annotations

import pytest

from deliverkit.replies.inputs import Counts, Item, Kind, Outcome, items


def read(text: str) -> list[Item]:
    return list(items(text.encode().splitlines(True), Counts()))


def one(text: str) -> Item:
    (item,) = read(text)
    return item


SYSLOG = "Nov  6 03:04:05 relay "
ISO = "2026-11-06T03:04:05.678901+01:00 relay "
SMTP = (
    "postfix/smtp[812]: 4XyZbcdfghjk12: to=<ada@inbox.example>, relay=mx1.inbox.example[192.0.2.25]:25, delay=2.1, "
    "delays=0/0/1/1, "
)


@pytest.mark.parametrize("stamp", [SYSLOG, ISO, "", "<22>" + SYSLOG])
def test_postfix_bounce(stamp: str):
    item = one(
        f"{stamp}{SMTP}dsn=5.1.1, status=bounced (host mx1.inbox.example[192.0.2.25] said: 550 5.1.1 "
        "<ada@inbox.example>: nobody of that name (in reply to RCPT TO command))"
    )
    assert item.kind is Kind.POSTFIX
    assert item.text == "550 5.1.1 <ada@inbox.example>: nobody of that name"
    assert (item.stage, item.outcome) == ("rcpt", Outcome.BOUNCED)
    assert (item.host, item.peer, item.recipient) == ("mx1.inbox.example", "192.0.2.25", "ada@inbox.example")
    assert item.queue_id == "4XyZbcdfghjk12"
    assert (item.time or "") in stamp
    assert bool(item.time) is bool(stamp)


@pytest.mark.parametrize(
    ("told", "text", "stage"),
    [
        (
            "dsn=4.4.1, status=deferred (connect to mx1.inbox.example[192.0.2.25]:25: Connection timed out)",
            "4.4.1 connect to mx1.inbox.example[192.0.2.25]:25: Connection timed out",
            "connect",
        ),
        (
            (
                "dsn=4.4.3, status=deferred (Host or domain name not found. Name service error for name=inbox.example "
                "type=MX: Host not found, try again)"
            ),
            (
                "4.4.3 Host or domain name not found. Name service error for name=inbox.example type=MX: Host not found"
                ", try again"
            ),
            "route",
        ),
        (
            "dsn=4.7.0, status=deferred (host mx1.inbox.example[192.0.2.25] refused to talk to me: 421 4.7.0 not now)",
            "421 4.7.0 not now",
            "banner",
        ),
        (
            "dsn=4.4.2, status=deferred (lost connection with mx1.inbox.example[192.0.2.25] while sending end of data)",
            "4.4.2 lost connection with mx1.inbox.example[192.0.2.25] while sending end of data",
            "eod",
        ),
        (
            (
                "dsn=4.7.8, status=deferred (SASL authentication failed; server mx1.inbox.example[192.0.2.25] said: "
                "535 5.7.8 wrong)"
            ),
            "535 5.7.8 wrong",
            "auth",
        ),
        ("dsn=2.0.0, status=sent (250 2.0.0 taken as 77)", "250 2.0.0 taken as 77", "eod"),
        ("dsn=2.0.0, status=sent (delivered to maildir)", "2.0.0 delivered to maildir", None),
        (
            (
                "dsn=5.7.26, status=bounced (host mx1.inbox.example[192.0.2.25] said: 550-5.7.26 one 550-5.7.26 two "
                "550 5.7.26 three (in reply to end of DATA command))"
            ),
            "550-5.7.26 one\n550-5.7.26 two\n550 5.7.26 three",
            "eod",
        ),
    ],
)
def test_postfix_says_it_in_many_ways(told: str, text: str, stage: str | None):
    item = one(f"{SYSLOG}{SMTP}{told}")
    assert (item.text, item.stage) == (text, stage)


def test_what_a_filter_on_this_machine_took_is_no_delivery():
    local = SMTP.replace("mx1.inbox.example[192.0.2.25]:25", "127.0.0.1[127.0.0.1]:10024")
    assert one(f"{SYSLOG}{local}dsn=2.0.0, status=sent (250 2.0.0 from MTA)").outcome is None


def test_what_waited_too_long():
    item = one(f"{SYSLOG}postfix/qmgr[3]: 9F8E7D6C5B: from=<me@here.example>, status=expired, returned to sender")
    assert (item.text[:5], item.outcome, item.queue_id) == ("5.4.7", Outcome.BOUNCED, "9F8E7D6C5B")


@pytest.mark.parametrize(
    ("line", "text", "stage", "recipient"),
    [
        (
            (
                "postfix/smtpd[3]: NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 450 4.7.25 no name for you; "
                "from=<eve@out.example> to=<ada@here.example> proto=ESMTP helo=<out>"
            ),
            "450 4.7.25 no name for you",
            "rcpt",
            "ada@here.example",
        ),
        (
            (
                "postfix/cleanup[3]: 9F8E7D6C5B: milter-reject: END-OF-MESSAGE from out.example[198.51.100.7]: "
                "5.7.1 that is spam; from=<eve@out.example> to=<ada@here.example> proto=ESMTP helo=<out>"
            ),
            "5.7.1 that is spam",
            "eod",
            "ada@here.example",
        ),
        (
            (
                "postfix/postscreen[3]: NOQUEUE: reject: RCPT from [198.51.100.7]:4711: 550 5.7.1 Service unavailable; "
                "client [198.51.100.7] blocked using dnsbl.example; from=<e@out.example>, to=<ada@here.example>, "
                "proto=ESMTP, helo=<out>"
            ),
            "550 5.7.1 Service unavailable; client [198.51.100.7] blocked using dnsbl.example",
            "rcpt",
            "ada@here.example",
        ),
    ],
)
def test_what_postfix_refused_itself(line: str, text: str, stage: str, recipient: str):
    item = one(SYSLOG + line)
    assert (item.text, item.stage, item.recipient) == (text, stage, recipient)
    assert (item.peer, item.host, item.outcome) == ("198.51.100.7", None, Outcome.REJECTED)


EXIM = "2026-11-06 03:04:05 1tAbCd-00000001234-5EfG "


@pytest.mark.parametrize(
    ("line", "text", "stage", "outcome"),
    [
        (
            (
                "** ada@inbox.example R=dnslookup T=remote_smtp H=mx1.inbox.example [192.0.2.25] X=TLS1.3:AES CV=yes: "
                "SMTP error from remote mail server after RCPT TO:<ada@inbox.example>: 550 5.1.1 nobody"
            ),
            "550 5.1.1 nobody",
            "rcpt",
            Outcome.BOUNCED,
        ),
        (
            (
                "== ada@inbox.example R=dnslookup T=remote_smtp defer (-45) H=mx1.inbox.example [192.0.2.25]: SMTP "
                "error from remote mail server after initial connection: 421-4.7.0 wait\\n421 4.7.0 a while"
            ),
            "421-4.7.0 wait\n421 4.7.0 a while",
            "banner",
            Outcome.DEFERRED,
        ),
        (
            "== ada@inbox.example R=dnslookup T=remote_smtp H=mx1 [192.0.2.25] defer (111): Connection refused",
            "4.0.0 Connection refused",
            "connect",
            Outcome.DEFERRED,
        ),
        ("** ada@inbox.example: Unrouteable address", "5.0.0 Unrouteable address", "route", Outcome.BOUNCED),
        (
            '=> ada@inbox.example R=dnslookup T=remote_smtp H=mx1.inbox.example [192.0.2.25] C="250 OK \\"7\\""',
            '250 OK "7"',
            "eod",
            Outcome.DELIVERED,
        ),
    ],
)
def test_exim(line: str, text: str, stage: str, outcome: Outcome):
    item = one(EXIM + line)
    assert (item.text, item.stage, item.outcome, item.recipient) == (text, stage, outcome, "ada@inbox.example")
    assert item.queue_id == "1tAbCd-00000001234-5EfG"


@pytest.mark.parametrize(
    ("told", "text"),
    [("rejected RCPT", "550 we do not relay"), ("temporarily rejected RCPT", "451 we do not relay")],
)
def test_what_exim_refused_itself_has_the_code_that_it_gives(told: str, text: str):
    line = f"2026-11-06 03:04:05 H=(out) [198.51.100.7] F=<eve@out.example> {told} <ada@else.example>: we do not relay"
    item = one(line)
    assert (item.text, item.stage, item.peer) == (text, "rcpt", "198.51.100.7")


@pytest.mark.parametrize(
    ("line", "text", "outcome"),
    [
        (
            (
                "sendmail[5]: 1A2B3C4D5E6F: to=<ada@inbox.example>, ctladdr=<me@here.example>, mailer=esmtp, "
                "relay=mx1.inbox.example. [192.0.2.25], dsn=4.7.1, stat=Deferred: 451 4.7.1 come back"
            ),
            "451 4.7.1 come back",
            Outcome.DEFERRED,
        ),
        (
            (
                "sm-mta[5]: 1A2B3C4D5E6F: to=<ada@inbox.example>, relay=mx1.inbox.example. [192.0.2.25], dsn=5.1.1, "
                "stat=User unknown"
            ),
            "5.1.1 User unknown",
            Outcome.BOUNCED,
        ),
        (
            (
                "sendmail[5]: 1A2B3C4D5E6F: to=<ada@inbox.example>, relay=mx1.inbox.example. [192.0.2.25], dsn=2.0.0, "
                "stat=Sent (2.0.0 taken)"
            ),
            "2.0.0 taken",
            Outcome.DELIVERED,
        ),
        (
            (
                "sendmail[5]: ruleset=check_rcpt, arg1=<ada@inbox.example>, relay=out.example [192.0.2.25], "
                "reject=550 5.7.1 <ada@inbox.example>... no relay"
            ),
            "550 5.7.1 <ada@inbox.example>... no relay",
            Outcome.REJECTED,
        ),
    ],
)
def test_sendmail(line: str, text: str, outcome: Outcome):
    item = one(SYSLOG + line)
    assert (item.text, item.outcome, item.recipient) == (text, outcome, "ada@inbox.example")
    assert item.peer == "192.0.2.25"


def test_opensmtpd_and_qmail():
    smtpd, qmail = read(
        "smtpd[7]: a1 mta delivery evpid=b2 from=<m@here.example> to=<ada@inbox.example> rcpt=<-> "
        'relay="192.0.2.25 (mx1.inbox.example)" delay=1s result="TempFail" stat="451 4.2.0 later"\n'
        "@40000000 delivery 12: failure: 192.0.2.25_does_not_like_recipient./Remote_host_said:_550_5.1.1_nobody"
        "/Giving_up_on_192.0.2.25./\n"
    )
    assert (smtpd.text, smtpd.host, smtpd.outcome) == ("451 4.2.0 later", "mx1.inbox.example", Outcome.DEFERRED)
    assert (qmail.text, qmail.peer, qmail.outcome) == ("550 5.1.1 nobody", "192.0.2.25", Outcome.BOUNCED)
