from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.delivery.message import MAX_MESSAGE, MessageError, from_file, signatures, stuffed

PLAIN = b"From: Anna <anna@Example.ORG>\r\nDate: x\r\nMessage-ID: <1@example.org>\r\n\r\nHello\r\n"


def only_crlf(octets: bytes) -> bool:
    return octets.count(b"\r") == octets.count(b"\n") == octets.count(b"\r\n") and octets.endswith(b"\r\n")


def test_a_file_byte_for_byte():
    message = from_file(PLAIN)
    assert message.octets == PLAIN
    assert (message.from_domain, message.from_address) == ("example.org", "anna@example.org")
    assert message.message_id == "<1@example.org>"
    assert message.notes == ()


@pytest.mark.parametrize(
    ("octets", "notes"),
    [
        (PLAIN.replace(b"\r\n", b"\n"), ["5 line ends were a bare LF: sent as CRLF"]),
        (PLAIN.replace(b"\r\n", b"\r"), ["5 line ends were a bare CR: sent as CRLF"]),
        (PLAIN[:-2] + b"\n", ["1 line end was a bare LF: sent as CRLF"]),
        (PLAIN[:-2], ["its last line had no end: CRLF was added"]),
        (PLAIN[:-11] + b"\n\rHello\n", ["2 line ends were a bare LF", "1 line end was a bare CR"]),
    ],
)
def test_line_ends_are_made_crlf_and_told(octets: bytes, notes: list[str]):
    message = from_file(octets)
    assert message.octets == PLAIN
    assert len(message.notes) == len(notes)
    assert all(note.startswith(start) for note, start in zip(message.notes, notes, strict=True))


@given(st.text("ab.\r\n :", max_size=60).map(str.encode))
def test_no_file_smuggles_a_message(body: bytes):
    message = from_file(b"From: a@b.example\n\n" + body)
    assert only_crlf(message.octets)
    wire = stuffed(message.octets)
    assert b"\r\n.\r\n" not in wire
    assert not wire.startswith(b".\r\n")
    unstuffed = b"\r\n".join(line.removeprefix(b".") for line in wire.split(b"\r\n"))
    assert unstuffed == message.octets


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"", "empty"),
        (b"\r\n \r\n", "empty"),
        (b"just a text\n\nand more\n", "first line is not a header field"),
        (b"\r\nFrom: a@b.example\r\n\r\n", "first line is not a header field"),
        (b" folded: from: nowhere\r\n\r\n", "first line is not a header field"),
        (b"From: a@b.example\nSubject: x\n", "no empty line"),
        (b"From anna Thu Nov 26 2026\nFrom: a@b.example\n\nx\n", "separator"),
        (b"\xef\xbb\xbfFrom: a@b.example\n\nx\n", "byte order mark"),
        ("From: a@b.example\n\nx\n".encode("utf-16"), "byte order mark"),
        (b"From: a@b.example\n\nx\0y\n", "octet 21 is a NUL"),
        (b"From: a@b.example\n\n" + b"x" * MAX_MESSAGE, "50 MiB"),
        (b"X: " + b"y\n " * 400_000 + b"\n\nx", "header is larger"),
    ],
)
def test_what_is_no_message_and_why(octets: bytes, says: str):
    with pytest.raises(MessageError) as caught:
        from_file(octets)
    assert says in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("octets", "note"),
    [
        (b"Subject: x\n\nx\n", "it has no From field"),
        (b"From: a@b.example\n\nx\n", "it has no Date field"),
        (b"From: a@b.example\n\nx\n", "it has no Message-ID field"),
        (PLAIN.replace(b"Date: x", b"From: b@example.net"), "more than one from field"),
        (PLAIN.replace(b"Date: x", b"no field here"), "line 2 is no header field"),
        (PLAIN.replace(b"Date: x", b"Bcc: carl@example.org"), "Bcc"),
        (PLAIN.replace(b"Date: x", b"X: \xff"), "neither ASCII nor UTF-8"),
        (PLAIN.replace(b"Anna <anna@Example.ORG>", b"Anna"), "no mail address that can be read"),
        (PLAIN.replace(b"Anna <", b"b@example.net, <"), "more than one domain"),
        (PLAIN + b"x" * 999 + b"\r\n", "its longest line has 999 octets"),
    ],
)
def test_what_servers_may_object_to_is_noted(octets: bytes, note: str):
    assert any(note in said for said in from_file(octets).notes)


def test_a_line_of_998_octets_is_none_too_long():
    message = from_file(PLAIN + b"x" * 998 + b"\r\n")
    assert message.longest == 998
    assert message.notes == ()


def test_eight_bits_in_body_and_header():
    body = from_file(PLAIN + "Grüße\r\n".encode())
    assert (body.eight_bit, body.utf8) == (True, False)
    header = from_file(PLAIN.replace(b"Date: x", "X: Grüße".encode()))
    assert (header.eight_bit, header.utf8) == (True, True)
    latin = from_file(PLAIN.replace(b"Date: x", b"X: Gr\xfc\xdfe"))
    assert (latin.eight_bit, latin.utf8) == (True, False)


@pytest.mark.parametrize(
    ("author", "address"),
    [
        ("anna@example.org", "anna@example.org"),
        ("Anna (work (really)) <anna@example.org>", "anna@example.org"),
        ('"Berg, Anna <x@evil.example>" <anna@example.org>', "anna@example.org"),
        ('"an na"@example.org', '"an na"@example.org'),
        ("anna@example.org, berta@example.net", "anna@example.org"),
        ("Team: anna@example.org, berta@example.net;", "anna@example.org"),
        ("=?utf-8?q?J=C3=BC?= <anna@example.org>", "anna@example.org"),
        ("Anna\r\n <anna@example.org>", "anna@example.org"),
        ("jü@bücher.example", "jü@xn--bcher-kva.example"),
        ("anna@[192.0.2.1]", "anna@[192.0.2.1]"),
        ("undisclosed:;", None),
        ("", None),
        ("anna", None),
        ("(" * 4000, None),
        ("[" * 4000, None),
        ("a@b.example," * 2000, None),
        ('"' * 4001, None),
    ],
)
def test_the_author_of_a_message(author: str, address: str | None):
    began = time.monotonic()
    message = from_file(f"From: {author}\r\n\r\nx\r\n".encode())
    assert message.from_address == address
    assert message.from_domain == (address.rpartition("@")[2] if address else None)
    assert time.monotonic() - began < 5


@given(st.binary(max_size=200) | st.from_regex(rb'[a-z<>@(),:;"\[\]\\.=? ]{0,60}', fullmatch=True))
def test_any_author_at_all(author: bytes):
    try:
        message = from_file(b"From: " + author + b"\r\n\r\nx\r\n")
    except MessageError as error:
        assert str(error).isprintable()  # noqa: PT017 - the other outcome is as good
        return
    assert (message.from_domain is None) == (message.from_address is None)


def test_the_signatures_a_message_has():
    octets = (
        b"DKIM-Signature: v=1; d=Example.ORG;\r\n s=s1;\r\n b=abc\r\n"
        b"dkim-signature: v=1; s=s2; d=example.net; b=abc\r\n"
        b"DKIM-Signature: v=1; d=example.com; b=no selector\r\n"
        b"DKIM-Signature: \xff;;;=\r\n"
        b"X-DKIM-Signature: d=other.example; s=x\r\n" + PLAIN + b"DKIM-Signature: d=body.example; s=x\r\n"
    )
    assert signatures(octets) == from_file(octets).signed_by == (("example.org", "s1"), ("example.net", "s2"))


def test_leading_dots_are_doubled():
    assert stuffed(b".\r\na.\r\n..b\r\n") == b"..\r\na.\r\n...b\r\n"
    assert stuffed(b"a\r\n") == b"a\r\n"
