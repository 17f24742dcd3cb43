"""Whatever shape a reply comes in, its text, its stage and who said it are found."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliverkit.replies.inputs import MAX_LINE, Counts, Item, Kind, Outcome, items
from deliverkit.replies.inputs.item import MAX_TEXT


def read(text: str | bytes) -> list[Item]:
    octets = text.encode() if isinstance(text, str) else text
    return list(items(octets.splitlines(True), Counts()))


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


SPOKEN = """\
S 220 mx
C EHLO me
S 250-mx
S 250 SIZE
C MAIL FROM:<a@b.example>
S 250 ok
C RCPT TO:<c@d.example>
S 550 no
C DATA
S 354 go
C text
C .
S 250 taken
C QUIT
S 221 bye
"""


def marked(server: str, client: str, refused: str = "") -> str:
    """The conversation as a program writes it, with its marks for who speaks."""
    lines = SPOKEN.replace("S 550", f"{refused or server}550")
    return re.sub("(?m)^S ", server, re.sub("(?m)^C ", client, lines))


@pytest.mark.parametrize(
    "text",
    [
        marked("<-  ", " -> ", "<** "),
        marked("<~  ", " ~> ", "<~* "),
        marked("S: ", "C: "),
        marked("< ", "> "),
        marked("", ""),
        marked("SERVER -> CLIENT: ", "CLIENT -> SERVER: "),
    ],
    ids=["swaks", "swaks-tls", "marks", "curl", "telnet", "phpmailer"],
)
def test_transcripts(text: str):
    assert [(item.text.replace("\n", "/"), item.stage) for item in read(text)] == [
        ("220 mx", "banner"),
        ("250-mx/250 SIZE", "ehlo"),
        ("250 ok", "mail"),
        ("550 no", "rcpt"),
        ("354 go", "data"),
        ("250 taken", "eod"),
        ("221 bye", "quit"),
    ]


def test_a_pipeline_is_answered_in_turn():
    said = read(
        "C: MAIL FROM:<a@b.example>\nC: RCPT TO:<c@d.example>\nC: DATA\nS: 250 first\nS: 450 second\nS: 503 third\n"
    )
    assert [item.stage for item in said] == ["mail", "rcpt", "data"]


def test_a_line_of_a_transcript_alone_tells_no_stage():
    assert one("<** 554 not you").stage is None


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("Remote Server returned '550 5.1.10 there is no such person'", "550 5.1.10 there is no such person"),
        ("mx1.inbox.example #550 5.1.1 nobody ##", "550 5.1.1 nobody"),
        ("smtplib.SMTPRecipientsRefused: {'a@b.example': (550, b'5.1.1 nobody')}", "550 5.1.1 nobody"),
        ("reply: b'550 5.1.1 nobody\\r\\n'", "550 5.1.1 nobody"),
        ("Remote host said: 554 refused", "554 refused"),
        ("<ada@inbox.example>: 552 full", "552 full"),
        ("SMTP error: 451 4.7.1 later (in reply to RCPT TO command)", "451 4.7.1 later"),
        ("SMTP Error (550): Failed to add recipient", "550 Failed to add recipient"),
        ("Fri 2026-11-06 03:04:05.678: [7:1] <-- 550 nobody", "550 nobody"),
        ("2026-11-06T03:04:05.678Z,out,08DE,4,192.0.2.1:25,198.51.100.1:9,<,550 5.7.1 not you,", "550 5.7.1 not you,"),
        ("smtp; 550 5.1.1 nobody", "550 5.1.1 nobody"),
        ("x-unix; user unknown", "user unknown"),
        ("host mx[192.0.2.25] said: 550 nobody (in reply to RCPT TO command)", "550 nobody"),
        ("status=bounced (host mx[192.0.2.25] said: 550 nobody (in reply to RCPT TO command))", "550 nobody"),
        ("stat=Deferred: 451 4.7.1 later", "451 4.7.1 later"),
        ("** ada@inbox.example R=a T=b: SMTP error from remote mail server after RCPT TO:<x>: 550 no", "550 no"),
        ("host mx [192.0.2.25] SMTP error from remote mail server after initial connection: 554 no", "554 no"),
        ("SMTP error from remote mail server after RCPT TO:<a@b.example>: 550 no", "550 no"),
        ("550: odd but clear", "550: odd but clear"),
        ("  > 550 5.1.1 quoted", "550 5.1.1 quoted"),
        ("5.7.1 no basic code", "5.7.1 no basic code"),
        ("550", "550"),
    ],
)
def test_a_reply_inside_a_sentence(text: str, reply: str):
    assert one(text).text == reply


def test_a_sentence_over_several_lines():
    item = one(
        "<ada@inbox.example>: host mx1.inbox.example[192.0.2.25] said: 550 5.1.1\n"
        "    <ada@inbox.example>: nobody of that name (in reply to RCPT\n    TO command)\n"
    )
    assert item.text == "550 5.1.1 <ada@inbox.example>: nobody of that name"
    assert (item.stage, item.host, item.recipient) == ("rcpt", "mx1.inbox.example", "ada@inbox.example")


def test_what_a_notice_announces_is_the_paragraph_below():
    text = "The response from the remote server was:\n\n550 5.1.1 nobody of\nthat name lives here\n\nGoodbye\n"
    assert one(text).text == "550 5.1.1 nobody of that name lives here"


def test_replies_that_follow_each_other_stay_apart():
    assert [item.text for item in read("550-a\n550 b\n451 c\n452-d\n\n250 e\n")] == [
        "550-a\n550 b",
        "451 c",
        "452-d",
        "250 e",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "Nov  6 03:04:05 relay postfix/qmgr[1]: 4XyZbcdfghjk12: removed",
        "Nov  6 03:04:05 relay kernel: eth0: link up 1000 Mbps",
        '192.0.2.1 - - [06/Nov/2026] "GET / HTTP/1.1" 404 512',
        "Nov  6 03:04:05 relay dovecot: imap: Connection timed out",
    ],
)
def test_a_line_without_a_reply_is_counted(line: str):
    counts = Counts()
    (item,) = items([line.encode() + b"\n", b"550 x\n"], counts)
    assert item.text == "550 x"
    assert (counts.lines, counts.skipped) == (2, 1)


def test_a_line_of_any_length_is_cut():
    counts = Counts()
    (item,) = items([b"550 " + b"x" * (MAX_LINE + 5)], counts)
    assert len(item.text) <= MAX_TEXT
    assert counts.cut == 1


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_any_octets(octets: bytes):
    counts = Counts()
    for item in items(octets.splitlines(True), counts):
        assert len(item.text) > 0
        assert 1 <= item.line <= counts.lines
        item.text.encode()
        item.given.encode()


PIECES = st.sampled_from([
    "550", "550-", "5.1.1", " ", "-", "\n", "\t", ":", "said: ", "host mx[192.0.2.1] ", "status=bounced (", ")",
    "to=<a@b>", "stat=", "reject=550 x", "** a@b", "== a@b", "S: ", "C: ", "DATA", ".", "354 x", "(in reply to ",
    "Diagnostic-Code: smtp; ", "Final-Recipient: rfc822; a@b", "Status: 5.1.1", "Nov  6 03:04:05 h ", "#", "'",
    "2026-01-01 00:00:00 ", "From: a\n", "To: b\n", "Subject: c\n\n", "--x\n", "\x00", "é",
    "Content-Type: multipart/report; boundary=x\n\n", "Content-Type: message/delivery-status\n\n",
    "rejected RCPT <a>: ", "H=x [192.0.2.1]",
])  # fmt: skip


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_mixture_of_shapes(text: str):
    for item in read(text):
        assert item.kind in Kind
        assert len(item.text) <= MAX_TEXT
