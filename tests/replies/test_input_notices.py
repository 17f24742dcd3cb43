"""A whole bounce, and the fields of one: each recipient with what was said of it."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliverkit.replies.inputs import Counts, Item, Kind, Outcome, items


def read(text: str | bytes) -> list[Item]:
    octets = textwrap.dedent(text).encode() if isinstance(text, str) else text
    return list(items(octets.splitlines(True), Counts()))


HEAD = """\
From: MAILER-DAEMON@relay.example
To: me@here.example
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="cut"

--cut
Content-Type: text/plain

It did not work out.

--cut
"""
STATUS = """\
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example
Arrival-Date: Fri, 6 Nov 2026 03:04:05 +0100

Final-Recipient: rfc822; ada@inbox.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx1.inbox.example
Diagnostic-Code: smtp; 550-5.1.1 nobody of that
    550 5.1.1 name is here

Original-Recipient: rfc822;bob@inbox.example
Final-Recipient: rfc822;bob@inbox.example
Action: delayed
Status: 4.2.2
Diagnostic-Code: smtp;452 4.2.2 full

"""
RETURNED = """\
--cut
Content-Type: message/rfc822

From: me@here.example
Subject: 550 5.7.1 is not the reason

550 5.7.1 nor is this
--cut--
"""


def test_each_recipient_of_a_notice():
    ada, bob = read(HEAD + STATUS + RETURNED)
    assert ada.text == "550-5.1.1 nobody of that\n550 5.1.1 name is here"
    assert (ada.kind, ada.host, ada.recipient, ada.outcome) == (
        Kind.DSN,
        "mx1.inbox.example",
        "ada@inbox.example",
        Outcome.BOUNCED,
    )
    assert (bob.text, bob.recipient, bob.outcome) == ("452 4.2.2 full", "bob@inbox.example", Outcome.DEFERRED)
    assert bob.host == "relay.example"  # who reports is who spoke, where no other is named


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (
            "X-Postfix; host mx1.inbox.example[192.0.2.25] said: 550 5.7.1 no (in reply to RCPT TO command)",
            "550 5.7.1 no",
        ),
        ("smtp; mailbox is full", "5.1.1 mailbox is full"),
        ("smtp; <mx1.inbox.example #5.1.1 smtp;550 5.1.1 nobody>", "550 5.1.1 nobody"),
        ("550 5.1.1 without a type", "550 5.1.1 without a type"),
    ],
)
def test_diagnostics(code: str, text: str):
    status = STATUS.replace("smtp; 550-5.1.1 nobody of that\n    550 5.1.1 name is here", code)
    assert read(HEAD + status + RETURNED)[0].text.rstrip(">") == text


def test_a_status_alone_is_something():
    status = "".join(line for line in STATUS.splitlines(True) if "Diagnostic" not in line and "    550" not in line)
    assert [item.text for item in read(HEAD + status + RETURNED)] == ["5.1.1", "4.2.2"]


def test_a_bounce_for_people_is_read_up_to_what_it_returns():
    (item,) = read("""\
        From: Mail Delivery <postmaster@relay.example>
        To: me@here.example
        Subject: failure

        Your message to ada@inbox.example could not be delivered.

        The response from the remote server was:
        550 5.1.1 nobody of that
        name is here

        ----- Original message -----

        From: me@here.example

        550 5.7.1 this was in my own text
        """)
    assert item.text == "550 5.1.1 nobody of that name is here"


def test_a_bounce_in_html():
    (item,) = read("""\
        From: postmaster@relay.example
        To: me@here.example
        Content-Type: text/html

        <p>Remote server returned:<br>550 5.4.1 access denied &lt;ada&gt;</p><script>x</script>
        """)
    assert item.text == "550 5.4.1 access denied <ada>"


def test_a_notice_whose_parts_cannot_be_told_apart():
    whole = (HEAD + STATUS + RETURNED).replace('boundary="cut"', 'boundary="other"')
    assert [item.recipient for item in read(whole)] == ["ada@inbox.example", "bob@inbox.example"]


def test_the_fields_alone():
    (item,) = read("Remote-MTA: dns; mx1.inbox.example\nDiagnostic-Code: smtp; 550 5.1.1\n    nobody\n")
    assert (item.text, item.host, item.kind) == ("550 5.1.1 nobody", "mx1.inbox.example", Kind.DSN)


def test_the_messages_of_an_mbox():
    mbox = "From MAILER-DAEMON Fri Nov  6 03:04:05 2026\n" + HEAD + STATUS + RETURNED + "\n"
    assert len(read(mbox * 2)) == 4


@pytest.mark.parametrize("depth", [3, 400])
def test_parts_within_parts(depth: int):
    text = "From: a@b.example\nTo: c@d.example\n"
    for level in range(depth):
        text += f"Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"
    text += "Content-Type: text/plain\n\n550 5.1.1 deep down\n"
    assert [item.text for item in read(text)] in ([], ["550 5.1.1 deep down"])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 900), st.integers(0, 900))
def test_any_octets_in_a_notice(octets: bytes, start: int, length: int):
    whole = (HEAD + STATUS + RETURNED).encode()
    broken = whole[:start] + octets + whole[start + length :]
    for item in read(broken):
        item.text.encode()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_octets_after_a_header(octets: bytes):
    read(b"From: a@b.example\nTo: c@d.example\nContent-Type: multipart/report; boundary=x\n\n--x\n" + octets)
