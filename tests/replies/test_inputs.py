"""Whatever shape a reply comes in, its text, its stage and who said it are found."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliverkit.replies.inputs import MAX_LINE, Counts, Item, Kind, items
from deliverkit.replies.inputs.item import MAX_TEXT


def read(text: str | bytes) -> list[Item]:
    octets = text.encode() if isinstance(text, str) else text
    return list(items(octets.splitlines(True), Counts()))


def one(text: str) -> Item:
    (item,) = read(text)
    return item


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
        ("a@b.example, ERROR_CODE :550, ERROR_CODE :5.2.1 nobody", "550 5.2.1 nobody"),
        ("    host mx1.inbox.example [192.0.2.25]: 550 nobody", "550 nobody"),
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
