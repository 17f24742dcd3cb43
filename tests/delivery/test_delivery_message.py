from __future__ import annotations

import email
import email.policy
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit import __version__
from deliverkit.delivery.message import (
    Message,
    MessageError,
    compose,
    parse_header,
    stuffed,
)
from deliverkit.records.mailbox import Mailbox, parse_mailbox

ANNA = parse_mailbox("anna@example.org")
BERTA = parse_mailbox("berta@example.net")
NOW = 1_795_705_000.75  # 2026-11-26 14:56:40 UTC


def composed(
    sender: Mailbox | None = ANNA,
    to: tuple[Mailbox, ...] = (BERTA,),
    subject: str | None = None,
    body: str | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Message:
    return compose(
        sender=sender,
        recipients=to,
        subject=subject,
        body=body,
        headers=headers,
        now=NOW,
        host="mail.example.org",
        entropy=lambda n: b"\xa5" * n,
    )


def parsed(message: Message) -> email.message.EmailMessage:
    return email.message_from_bytes(message.octets, policy=email.policy.default)  # type: ignore[return-value]


def text_of(message: Message) -> str:
    return parsed(message).get_content().replace("\r\n", "\n")


def only_crlf(octets: bytes) -> bool:
    return octets.count(b"\r") == octets.count(b"\n") == octets.count(b"\r\n") and octets.endswith(b"\r\n")


def test_a_composed_message_whole():
    message = composed()
    assert message.octets.decode("ascii").split("\r\n") == [
        "From: anna@example.org",
        "To: berta@example.net",
        "Subject: deliverkit test, 2026-11-26 14:56:40 UTC",
        "Date: Thu, 26 Nov 2026 14:56:40 +0000",
        "Message-ID: <20261126145640.a5a5a5a5a5a5a5a5@example.org>",
        f"User-Agent: deliverkit/{__version__}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 7bit",
        "",
        "This is a test message. You need not do anything about it.",
        f"It was sent by deliverkit {__version__} on mail.example.org",
        "for anna@example.org",
        "on Thu, 26 Nov 2026 14:56:40 +0000.",
        "Message-ID: <20261126145640.a5a5a5a5a5a5a5a5@example.org>",
        "",
    ]
    assert message.message_id == "<20261126145640.a5a5a5a5a5a5a5a5@example.org>"
    assert (message.from_domain, message.from_address) == ("example.org", "anna@example.org")
    assert (message.eight_bit, message.utf8, message.signed_by, message.notes) == (False, False, (), ())
    assert message.longest == 58


def test_two_messages_of_one_moment_have_two_ids():
    arguments = {"sender": ANNA, "recipients": (BERTA,), "subject": None, "body": None, "headers": (), "now": NOW}
    ids = {compose(**arguments, host="mail.example.org").message_id for _ in range(50)}
    assert len(ids) == 50


def test_the_null_sender_and_an_address_literal():
    message = composed(sender=None, to=())
    assert parsed(message)["From"] == "MAILER-DAEMON@mail.example.org"
    assert parsed(message)["To"] == "undisclosed-recipients:;"
    assert "for the null sender <>" in message.octets.decode()
    literal = composed(sender=parse_mailbox("root@[IPv6:2001:db8::1]"))
    assert literal.from_address == "root@[IPv6:2001:db8::1]"
    assert literal.message_id.endswith("@[IPv6:2001:db8::1]>")


def test_a_subject_that_is_not_ascii_is_encoded_and_comes_back():
    subject = "Grüße aus Köln, 你好 – " * 8
    message = composed(subject=subject)
    assert message.octets.isascii()
    assert not message.utf8
    assert parsed(message)["Subject"] == subject.strip()
    assert message.longest <= 78


def test_a_subject_of_one_endless_word_is_encoded():
    message = composed(subject="x" * 3000)
    assert message.longest <= 78
    assert parsed(message)["Subject"] == "x" * 3000


def test_many_recipients_are_folded_and_none_is_cut():
    to = tuple(parse_mailbox(f"{'r' * 50}{n}@example.net") for n in range(10))
    message = composed(to=to)
    assert message.longest <= 78
    assert [a.addr_spec for a in parsed(message)["To"].addresses] == [mailbox.address for mailbox in to]


def test_a_long_address_is_never_cut():
    long = parse_mailbox(f"{'l' * 64}@{'d' * 60}.{'e' * 60}.{'f' * 59}.example")
    message = composed(sender=long, to=(long,))
    assert f"From: {long.address}\r\n".encode() in message.octets
    assert message.from_address == long.address


def test_an_utf8_local_part_stands_raw_and_needs_smtputf8():
    message = composed(sender=parse_mailbox("jürgen@bücher.example"), body="Hallo Jürgen")
    assert "From: jürgen@xn--bcher-kva.example\r\n".encode() in message.octets
    assert message.utf8
    assert message.eight_bit
    assert message.octets.partition(b"\r\n\r\n")[2].isascii()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        ("plain\nand short\n", "7bit"),
        ("Grüße", "quoted-printable"),
        ("x" * 79, "quoted-printable"),
        ("y" * 5000, "quoted-printable"),
        ("bell \x07", "quoted-printable"),
        ("nul \0 and del \x7f", "quoted-printable"),
        ("line \u2028 separators \x85 \x0b \x0c \x1c", "quoted-printable"),
    ],
)
def test_a_body_comes_back_and_is_seven_bit_on_the_wire(body: str, encoding: str):
    message = composed(body=body)
    assert message.octets.isascii()
    assert message.longest <= 78
    assert only_crlf(message.octets)
    part = parsed(message)
    assert part["Content-Transfer-Encoding"] == encoding
    assert text_of(message).startswith(body.rstrip("\n") + "\n\n----")
    assert "This is a test message" in part.get_content()


@pytest.mark.parametrize("body", ["a\n.\nb", "a\r.\rb", "a\r\n.\r\nb", "a\r.\nb", "a\n.\r\n.\r.\n\r\nb"])
def test_no_body_smuggles_a_message(body: str):
    message = composed(body=body)
    assert only_crlf(message.octets)
    wire = stuffed(message.octets)
    assert b"\r\n.\r\n" not in wire
    assert b"\r\n..\r\n" in wire


@given(st.text(max_size=300))
def test_any_body_and_subject_or_one_line_that_refuses_it(text: str):
    try:
        message = composed(body=text, subject=text)
    except MessageError as error:
        assert str(error).isprintable()  # noqa: PT017 - the other outcome is as good
        return
    assert message.octets.isascii()
    assert only_crlf(message.octets)
    assert message.longest <= 998
    said = text.rstrip("\n").replace("\r\n", "\n").replace("\r", "\n")
    assert text_of(message).startswith(said.rstrip("\n"))
    assert "\n" not in str(parsed(message)["Subject"])
    assert set(parsed(message).keys()) == set(parsed(composed()).keys())


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=60)), max_size=4))
def test_any_headers_or_one_line_that_refuses_them(headers: list[tuple[str, str]]):
    try:
        message = composed(headers=tuple(headers))
    except MessageError as error:
        assert str(error).isprintable()  # noqa: PT017 - the other outcome is as good
        return
    assert only_crlf(message.octets)
    assert len(parsed(message).keys()) >= 9


KNOWN = [
    "From",
    "to",
    "Cc",
    "Sender",
    "Date",
    "Message-ID",
    "Content-Type",
    "MIME-Version",
    "Subject",
    "X-A",
    "References",
]
PIECES = [
    "a@b.example", "ü@bücher.example", "Jürgen", "<", ">", ",", ":", ";", '"', "\\", "(", ")", " ", "@", "[", "]", ".",
    "text/html", "; charset=utf-8", "=?utf-8?q?=C3?=", "=", "?", "\udcff", "1.0", "Thu, 26 Nov 2026", "%",
]  # fmt: skip


@given(st.dictionaries(st.sampled_from(KNOWN), st.lists(st.sampled_from(PIECES), max_size=8).map("".join), max_size=3))
def test_known_fields_of_any_sense_or_one_line_that_refuses_them(headers: dict[str, str]):
    try:
        message = composed(headers=tuple(headers.items()))
    except MessageError as error:
        assert str(error).isprintable()  # noqa: PT017 - the other outcome is as good
        return
    assert only_crlf(message.octets)
    assert message.longest <= 998
    assert message.message_id
    assert message.from_domain
    assert message.utf8 is not message.octets.partition(b"\r\n\r\n")[0].isascii()
    assert b"\r\n\r\n" in message.octets


def test_headers_replace_and_add():
    message = composed(
        headers=(
            ("from", "Anna Berg <anna@other.example>"),
            ("X-Campaign", "42"),
            ("Subject", "Mine"),
            ("X-Campaign", "43"),
            ("List-Unsubscribe", "<mailto:off@example.org>"),
        )
    )
    found = parsed(message)
    assert found.get_all("From") == ["Anna Berg <anna@other.example>"]
    assert found.get_all("Subject") == ["Mine"]
    assert found.get_all("X-Campaign") == ["42", "43"]
    assert (message.from_domain, message.from_address) == ("other.example", "anna@other.example")
    assert message.message_id.endswith("@other.example>")
    assert "for anna@example.org" in message.octets.decode()


def test_a_display_name_is_encoded_and_its_domain_is_ascii():
    message = composed(headers=(("From", '"Jürgen, Öl & Co" <j@bücher.example>'),))
    assert message.octets.isascii()
    author = parsed(message)["From"].addresses[0]
    assert (author.display_name, author.addr_spec) == ("Jürgen, Öl & Co", "j@xn--bcher-kva.example")
    assert message.from_domain == "xn--bcher-kva.example"


def test_a_group_keeps_its_members():
    message = composed(headers=(("To", "Köche: a@example.org, Bä <b@example.org>;, c@example.org"),))
    groups = parsed(message)["To"].groups
    assert [(g.display_name, len(g.addresses)) for g in groups] == [("Köche", 2), (None, 1)]


def test_html_shows_the_note_too():
    message = composed(body="<h1>Grüße</h1>", headers=(("Content-Type", "text/html"),))
    part = parsed(message)
    assert part.get_content_type() == "text/html"
    assert part.get_content_charset() == "utf-8"
    assert "<p>This is a test message." in part.get_content()
    assert f"Message-ID: &lt;{message.message_id[1:-1]}&gt;" in part.get_content()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("Bcc", "carl@example.org", "hidden"),
        ("bcc", "carl@example.org", "hidden"),
        ("Resent-Bcc", "carl@example.org", "hidden"),
        ("X-Evil", "a\r\nBcc: carl@example.org", "U+000D"),
        ("X-Evil", "a\nb", "U+000A"),
        ("X-Evil", "a\0b", "U+0000"),
        ("X-Evil", "a\tb", "U+0009"),
        ("X-Evil", "a\x7fb", "U+007F"),
        ("X-Evil", "a\x85b", "U+0085"),
        ("X-Evil", "a\u2028b", "U+2028"),
        ("X-Evil", "a\udcffb", "not UTF-8"),
        ("X-Evil", "a" * 20_000, "longer"),
        ("X Evil", "a", "name of a header field"),
        ("X-Evil\r\nBcc", "a", "name of a header field"),
        ("Fröm", "a", "name of a header field"),
        ("", "a", "name of a header field"),
        ("A" * 100, "a", "name of a header field"),
        ("From", "nobody", "no mail address"),
        ("From", "", "no mail address"),
        ("From", "Jürgen", "no mail address"),
        ("From", "(" * 3000, "no mail address"),
        ("Reply-To", "a b c", "no mail address"),
        ("To", "ü", "mail address"),
        ("Date", "yesterday", "not a date"),
        ("Message-ID", "abc", "<unique@domain>"),
        ("Message-ID", "<a@b> <c@d>", "<unique@domain>"),
        ("References", "<ü@example.org>", "not ASCII"),
        ("References", f"<{'a' * 1000}@example.org>", "998"),
        ("MIME-Version", "2.0", "1.0"),
        ("Content-Transfer-Encoding", "base64", "not for setting"),
        ("Content-Type", "multipart/mixed; boundary=x", "--body is text"),
        ("Content-Type", "text/plain; charset=latin1", "utf-8"),
        ("Content-Type", "nonsense", "--body is text"),
    ],
)
def test_a_field_that_may_not_stand(name: str, value: str, says: str):
    with pytest.raises(MessageError) as caught:
        composed(headers=((name, value),))
    assert says in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_field_that_stands_once_is_given_once():
    with pytest.raises(MessageError, match="from twice"):
        composed(headers=(("From", "a@example.org"), ("FROM", "b@example.org")))


@pytest.mark.parametrize("subject", ["a\nb", "a\rb", "a\0b", "a\x1bb", "a\x7fb"])
def test_a_subject_holds_no_control(subject: str):
    with pytest.raises(MessageError, match="Subject: holds U"):
        composed(subject=subject)


def test_a_body_that_is_not_text_is_refused():
    with pytest.raises(MessageError, match="not UTF-8"):
        composed(body="a\udcffb")


def test_a_field_as_it_is_typed():
    assert parse_header("X-Foo:  bar: baz ") == ("X-Foo", "bar: baz")
    for typed, says in (("X-Foo bar", "write 'Name: value'"), ("X Foo: bar", "name of"), ("X: a\r\nB: c", "U+000D")):
        with pytest.raises(MessageError, match=re.escape(says)):
            parse_header(typed)
