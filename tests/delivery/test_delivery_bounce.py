from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.delivery.bounce import BounceError, bounce
from deliverkit.delivery.notice import Told
from deliverkit.model.delivery import Delivered, Result, Stage

ORIGINAL = (
    b"From: anna@example.org\r\nTo: berta@example.net\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"Message-ID: <1@example.org>\r\n\r\nThe body, which is nobody's business.\r\n"
)
ARRIVED, TRIED, NOW, UNTIL = 1_795_700_000.0, 1_795_704_990.0, 1_795_705_000.0, 1_795_790_000.0
NO_USER = Result(
    address="berta@example.net",
    outcome=Delivered.REFUSED,
    stage=Stage.RCPT,
    reply=b"550-5.1.1 The account does not exist.\r\n550 5.1.1 Look at the spelling\r\n",
)
FULL = Result(address="carl@example.net", outcome=Delivered.DEFERRED, stage=Stage.RCPT, reply=b"452 4.2.2 Full\r\n")


def made(*results: Told, original: bytes = ORIGINAL, until: float | None = None, **more: str) -> bytes:
    arguments: dict[str, str] = {"reporting_mta": "mail.example.org", "sender": "anna@example.org", **more}
    return bounce(
        original=original, results=results, arrived_at=ARRIVED, now=NOW, will_retry_until=until, **arguments
    )  # fmt: skip


def told(result: Result, host: str = "mx.example.net") -> Told:
    return result, host, TRIED


def taken(octets: bytes) -> tuple[EmailMessage, list[EmailMessage]]:
    message = email.message_from_bytes(octets, policy=email.policy.default)
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    assert not message.defects
    assert not any(part.defects for part in parts)
    return message, parts


def blocks(octets: bytes) -> list[dict[str, str]]:
    """The delivery status: of the message first, then of each recipient."""
    return [dict(block.items()) for block in taken(octets)[1][1].get_payload()]


def words(octets: bytes) -> str:
    """The text for a person on one line: where its lines break says nothing."""
    return " ".join(taken(octets)[1][0].get_content().split())


def test_the_notice_as_a_standard_parser_sees_it():
    octets = made(told(NO_USER), envelope_id="e-1")
    message, parts = taken(octets)
    assert octets.isascii()
    assert octets.count(b"\r\n") == octets.count(b"\n") == octets.count(b"\r")
    assert message["Return-Path"] == "<>"
    assert message["From"].addresses[0].addr_spec == "MAILER-DAEMON@mail.example.org"
    assert message["To"] == "anna@example.org"
    assert message["Subject"] == "Undelivered mail: it could not be delivered"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["In-Reply-To"] == message["References"] == "<1@example.org>"
    assert message["Message-ID"].endswith("@mail.example.org>")
    assert parsedate_to_datetime(message["Date"]).timestamp() == NOW
    assert message.get_content_type() == "multipart/report"
    assert message["Content-Type"].params["report-type"] == "delivery-status"
    assert blocks(octets) == [
        {
            "Original-Envelope-Id": "e-1",
            "Reporting-MTA": "dns; mail.example.org",
            "Arrival-Date": "Thu, 26 Nov 2026 13:33:20 +0000",
        },
        {
            "Final-Recipient": "rfc822; berta@example.net",
            "Action": "failed",
            "Status": "5.1.1",
            "Remote-MTA": "dns; mx.example.net",
            "Diagnostic-Code": "smtp; 550-5.1.1 The account does not exist. 550 5.1.1 Look at the spelling",
            "Last-Attempt-Date": "Thu, 26 Nov 2026 14:56:30 +0000",
        },
    ]
    returned = parts[2].get_content()
    assert "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=" in returned
    assert "nobody's business" not in octets.decode()


def test_the_notice_as_a_person_reads_it():
    said = words(made(told(NO_USER)))
    assert "Subject: Grüße" in said
    assert "<berta@example.net> Not delivered: mx.example.net refused it for good, in answer to the recipient's" in said
    assert "550-5.1.1 The account does not exist. 550 5.1.1 Look at the spelling" in said
    assert "That means: " in said
    assert "What to do: " in said


@pytest.mark.parametrize(
    ("outcome", "reply", "until", "action", "status", "says"),
    [
        (Delivered.REFUSED, b"550 5.7.1 no\r\n", None, "failed", "5.7.1", "refused it for good"),
        (Delivered.REFUSED, b"554 no\r\n", None, "failed", "5.0.0", "refused it for good"),
        (Delivered.REFUSED, b"550 4.7.1 codes differ\r\n", None, "failed", "5.0.0", "refused it for good"),
        (Delivered.REFUSED, b"550 said: 5.7.1\r\n", None, "failed", "5.0.0", "refused it for good"),
        (Delivered.FAILED, b"", None, "failed", "5.0.0", "could not be handed over to mx.example.net"),
        (Delivered.FAILED, b"535 5.7.8 who?\r\n", None, "failed", "5.7.8", "could not be handed over"),
        (Delivered.DEFERRED, b"451 4.7.1 greylisted\r\n", UNTIL, "delayed", "4.7.1", "It is tried again until Fri, 27"),
        (Delivered.DEFERRED, b"451 later\r\n", UNTIL, "delayed", "4.0.0", "You need not send it again"),
        (Delivered.DEFERRED, b"", UNTIL, "delayed", "4.0.0", "mx.example.net did not take it"),
        (Delivered.DEFERRED, b"451 4.7.1 greylisted\r\n", None, "failed", "4.7.1", "The time for trying is over"),
        (Delivered.DEFERRED, b"451 later\r\n", None, "failed", "4.4.7", "The time for trying is over"),
        (Delivered.UNKNOWN, b"", None, "failed", "4.4.2", "Perhaps delivered"),
        (Delivered.ACCEPTED, b"250 2.0.0 ok\r\n", None, "relayed", "2.0.0", "mx.example.net took the message"),
    ],
)
def test_each_outcome(outcome: Delivered, reply: bytes, until: float | None, action: str, status: str, says: str):
    result = Result(address="berta@example.net", outcome=outcome, stage=Stage.RCPT, reply=reply, why="so it is")
    octets = made(told(result), until=until)
    block = blocks(octets)[1]
    assert (block["Action"], block["Status"]) == (action, status)
    assert ("Will-Retry-Until" in block) is (action == "delayed")
    assert block["Diagnostic-Code"].startswith("smtp; " if reply else "X-Deliverkit; so it is")
    assert says in words(octets)
    assert "Why: so it is" in words(octets)


def test_each_recipient_has_a_block_and_a_paragraph():
    octets = made(told(NO_USER), told(FULL, "mx2.example.net"), until=UNTIL)
    found = blocks(octets)
    assert [block.get("Final-Recipient") for block in found] == [
        None,
        "rfc822; berta@example.net",
        "rfc822; carl@example.net",
    ]
    assert [block.get("Action") for block in found] == [None, "failed", "delayed"]
    assert parsedate_to_datetime(found[2]["Will-Retry-Until"]).timestamp() == UNTIL
    assert taken(octets)[0]["Subject"].startswith("Undelivered")
    assert "<carl@example.net> Delayed: mx2.example.net would not take it yet, in answer" in words(octets)


@pytest.mark.parametrize(
    ("result", "subject"),
    [
        (FULL, "Delayed mail"),
        (Result(address="a@b.example", outcome=Delivered.ACCEPTED, stage=Stage.EOD), "Delivery"),
        (Result(address="a@b.example", outcome=Delivered.UNKNOWN, stage=Stage.EOD), "Mail that may not"),
    ],
)
def test_a_notice_of_no_failure_does_not_call_itself_one(result: Result, subject: str):
    assert taken(made(told(result), until=UNTIL))[0]["Subject"].startswith(subject)


def test_a_host_that_was_never_reached():
    result = Result(
        address="berta@example.net", outcome=Delivered.DEFERRED, stage=Stage.CONNECT, why="no answer within 30 s"
    )
    octets = made((result, "", None))
    block = blocks(octets)[1]
    assert "Remote-MTA" not in block
    assert "Last-Attempt-Date" not in block
    assert block["Diagnostic-Code"] == "X-Deliverkit; no answer within 30 s"
    assert "no server could be reached. The time for trying is over" in words(octets)


def test_what_helps_a_message_that_waits_is_not_said_of_one_given_up():
    grey = Result(
        address="berta@example.net",
        outcome=Delivered.DEFERRED,
        stage=Stage.RCPT,
        reply=b"450 4.2.0 Greylisted, try again in 300 seconds\r\n",
    )
    assert "What to do: Send it again" in words(made(told(grey)))
    assert "What to do: Send it again" not in words(made(told(grey), until=UNTIL))


def test_an_utf8_recipient_is_written_in_ascii():
    result = Result(address="jürgen+x@example.net", outcome=Delivered.REFUSED, stage=Stage.RCPT, reply=b"550 no\r\n")
    octets = made(told(result))
    assert octets.isascii()
    assert blocks(octets)[1]["Final-Recipient"] == r"utf-8; j\x{FC}rgen\x{2B}x@example.net"
    assert "<jürgen+x@example.net>" in words(octets)


def test_an_utf8_sender_is_answered():
    octets = made(told(NO_USER), sender="jürgen@example.org")
    assert "\r\nTo: jürgen@example.org\r\n".encode() in octets
    assert octets.replace("ü".encode(), b"u").isascii()
    assert len(blocks(octets)) == 2


@pytest.mark.parametrize(
    "head",
    [
        b"Subject: Gr\xc3\xbc\xc3\x9fe\r\nX: \xff\0\x1b\r\n",
        b"X: " + b"long" * 1000 + b"\r\n",
        b"\r\n\r\n",
        b"",
        b"no header at all\n\n",
        b"Message-ID: <a@b>\nX: y\rZ: q\n\n",
        b"Message-ID: <a b\xff>\r\n\r\n",
        b"--boundary\r\nSubject: =?x?y?z?=\r\n\r\n",
        b"From x\r\n" + b"A: b\r\n" * 50_000,
    ],
)
def test_whatever_the_original_is_its_header_goes_back(head: bytes):
    octets = made(told(NO_USER), original=head)
    assert octets.isascii()
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert len(octets) < 100_000
    returned = taken(octets)[1][2].get_payload(decode=True)
    expected = head.replace(b"\r\n", b"\n").replace(b"\r", b"\n").partition(b"\n\n")[0].rstrip(b"\n")
    assert expected.startswith(returned.replace(b"\r\n", b"\n").rstrip(b"\n")[:60_000])


def test_an_evil_reply_ends_nothing():
    evil = (
        b"550 5.1.1 x\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; other@example.net\r\n--=_00\r\n"
        b"\x1b]0;title\x07 \xe2\x80\xae <script> \0 \xff\r\n"
    )
    result = Result(address="berta@example.net", outcome=Delivered.REFUSED, stage=Stage.EOD, reply=evil, why="\x1b\n")
    octets = made(told(result, "mx.exa\r\nmple.net"))
    assert len(blocks(octets)) == 2
    assert blocks(octets)[1]["Action"] == "failed"
    assert blocks(octets)[1]["Remote-MTA"] == "dns; mx.example.net"
    assert r"\x1b]0;title\x07 \u202e <script> \x00 \xff" in blocks(octets)[1]["Diagnostic-Code"]
    assert not any(octet < 32 and octet not in b"\r\n" for octet in octets)


@given(st.binary(max_size=400), st.text(max_size=40), st.text(max_size=40), st.sampled_from(list(Delivered)))
def test_whatever_a_server_says_the_notice_parses(reply: bytes, why: str, host: str, outcome: Delivered):
    result = Result(address="berta@example.net", outcome=outcome, stage=Stage.EOD, reply=reply, why=why)
    octets = made((result, host, TRIED), told(FULL))
    assert octets.isascii()
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert octets.count(b"\r\n") == octets.count(b"\n") == octets.count(b"\r")
    found = blocks(octets)
    assert [block.get("Final-Recipient") for block in found[1:]] == [
        "rfc822; berta@example.net",
        "rfc822; carl@example.net",
    ]
    assert "<carl@example.net>" in words(octets)


@given(st.binary(max_size=400))
def test_whatever_the_original_says_the_notice_parses(original: bytes):
    octets = made(told(NO_USER), original=original)
    assert octets.isascii()
    assert len(blocks(octets)) == 2


def test_a_reply_of_any_length_is_cut_and_folded():
    result = Result(
        address="berta@example.net", outcome=Delivered.REFUSED, stage=Stage.RCPT, reply=b"550 " + b"x" * 60_000
    )
    octets = made(told(result))
    assert len(octets) < 12_000
    assert max(map(len, octets.split(b"\r\n"))) <= 78
    assert "(60004 octets in all)" in words(octets)


def test_no_notice_about_a_notice():
    with pytest.raises(BounceError, match="null sender"):
        made(told(NO_USER), sender="")
    with pytest.raises(BounceError, match="recipient"):
        made()


def test_the_same_randomness_makes_the_same_notice():
    arguments = {"reporting_mta": "h.example", "sender": "a@b.example", "original": ORIGINAL, "results": [told(FULL)]}
    once, again = (
        bounce(**arguments, arrived_at=ARRIVED, now=NOW, entropy=lambda n: b"\1" * n)  # type: ignore[arg-type]
        for _ in range(2)
    )
    assert once == again
