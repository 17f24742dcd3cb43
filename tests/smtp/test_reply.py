"""Octets to replies: whatever the chunks, whatever the octets, within bounds."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.smtp.reply import MAX_LINE, MAX_LINES, MAX_REPLY, Bad, BadReplyError, Defect, Reader, Reply, parse

LINES = st.one_of(
    st.sampled_from([
        b"220 mail.example.com ESMTP\r\n", b"250-a\r\n", b"250 b\r\n", b"250\r\n", b"250-\n", b"550 5.1.1 no\r\n",
        b"\r\n", b"25", b"0 x\r\n", b"HTTP/1.1 400\r\n",
        b"421 4.3.2 bye\r\n", b"220\tx\r\n", b"\x15\x03\x01\x00\x02\x02\x28", b"250-x\ry\0\r\n",
        b"250 " + b"a" * 600 + b"\r\n",
        b"250 " + b"a" * (MAX_LINE - 6) + b"\r\n", b"250 " + b"a" * (MAX_LINE - 5) + b"\r\n",
    ]),
    st.binary(max_size=40),
)  # fmt: skip


def drain(reader: Reader, chunks: list[bytes]) -> tuple[list[Reply], Bad | None, str]:
    replies: list[Reply] = []
    try:
        for chunk in chunks:
            reader.feed(chunk)
            while (reply := reader.next()) is not None:
                replies.append(reply)
    except BadReplyError as bad:
        with pytest.raises(BadReplyError):
            reader.next()  # the stream is lost
        return replies, bad.bad, bad.why
    return replies, None, ""


@given(st.lists(LINES, max_size=12), st.data())
def test_any_chunking_gives_the_same(parts, data):
    octets = b"".join(parts)
    whole = drain(Reader(), [octets])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=12)))
    chunks = [octets[start:end] for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True)]
    assert drain(Reader(), chunks) == whole
    assert drain(Reader(), [octets[place : place + 1] for place in range(len(octets))]) == whole


@given(st.binary(max_size=300))
def test_any_octets_are_a_reply_or_none(octets):
    replies, bad, _ = drain(Reader(), [octets])
    for reply in replies:
        assert 200 <= reply.code <= 599
        assert parse(reply.raw) == reply
    if bad is None:
        assert sum(len(reply.raw) for reply in replies) <= len(octets)


@pytest.mark.parametrize(
    "line", [b"2 0 x", b"22", b"-22 x", b"+220 x",
             b" 220 x", b"22.0 x", b"2200 x", b"220\tx", b"220_x", b"000 x", b"199 x",
             b"600 x", b"999 x", "٢٢٠ x".encode(), b"\xef\xbb\xbf220 x", b"hello"],
)  # fmt: skip
def test_exactly_three_digits_and_then_a_space_a_hyphen_or_the_end(line):
    assert drain(Reader(), [line + b"\r\n"])[:2] == ([], Bad.NOT_A_REPLY)


@pytest.mark.parametrize(
    ("octets", "code", "lines"),
    [
        (b"220\r\n", 220, (b"",)),
        (b"220-\r\n220\r\n", 220, (b"", b"")),
        (b"220-a\r\n250-b\r\n554 c\r\n", 554, (b"a", b"b", b"c")),
        (b"250-a-b\r\n250  c \r\n", 250, (b"a-b", b" c ")),
    ],
)
def test_the_last_line_decides(octets, code, lines):
    reply = parse(octets)
    assert reply is not None
    assert (reply.code, reply.lines, reply.raw) == (code, lines, octets)


@pytest.mark.parametrize(
    ("octets", "defect"),
    [
        (b"220 x\n", Defect.BARE_LF),
        (b"220 x\ry\r\n", Defect.BARE_CR),
        (b"220 x\0\r\n", Defect.NUL),
        (b"220 \x1b[2J\r\n", Defect.CONTROL),
        (b"220 caf\xe9\r\n", Defect.EIGHT_BIT),
        (b"220 " + b"x" * 600 + b"\r\n", Defect.LONG_LINE),
        (b"220-x\r\n250 y\r\n", Defect.MIXED_CODES),
        (b"250 5.1.0 x\r\n", Defect.ENHANCED_MISMATCH),
        (b"\r\n220 x\r\n", Defect.EMPTY_LINE),
        (b"220\r\n", Defect.NO_SEPARATOR),
    ],
)
def test_what_is_odd_is_kept(octets, defect):
    reply = parse(octets)
    assert reply is not None
    assert reply.defects == (defect,)


def test_a_sound_reply_has_no_defects():
    reply = parse(b"250-mail.example.com\r\n250 2.1.0 \tOk\r\n")
    assert reply is not None
    assert reply.defects == ()
    assert (reply.enhanced, reply.ok, reply.shown) == ("2.1.0", True, "250 2.1.0 \tOk")


@pytest.mark.parametrize(("octets", "what"), [
    (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"), (b"SSH-2.0-x\r\n", "SSH"), (b"* OK IMAP4rev1\r\n", "IMAP"),
    (b"+OK POP3\r\n", "POP3"), (b"\x15\x03\x01\x00\x02\x02\x28", "TLS"), (b"\x16\x03\x03\x00", "TLS"),
])  # fmt: skip
def test_other_protocols_are_named(octets, what):
    assert what in drain(Reader(), [octets])[2]


def test_limits():
    assert drain(Reader(), [b"220 " + b"x" * MAX_LINE])[1] is Bad.LINE_TOO_LONG
    assert drain(Reader(), [b"220-x\r\n" * MAX_LINES + b"220 x\r\n"])[1] is Bad.REPLY_TOO_LONG
    assert drain(Reader(), [b"220-x\r\n" * (MAX_LINES - 1) + b"220 x\r\n"])[1] is None
    assert drain(Reader(), [(b"220-" + b"x" * 1000 + b"\r\n") * 100])[1] is Bad.REPLY_TOO_LONG
    assert drain(Reader(), [b"\r\n" * MAX_REPLY])[1] is Bad.REPLY_TOO_LONG


def test_the_work_grows_with_the_octets_and_no_faster():
    began = time.process_time()
    line = b"250-" + b"x" * 120 + b"\r\n"
    octets = line * 500
    assert len(octets) > 60_000
    assert drain(Reader(), [octets[place : place + 1] for place in range(len(octets))])[1] is None
    many = b"250 x\r\n" * 100_000
    replies, bad, _ = drain(Reader(), [many])
    assert (len(replies), bad) == (100_000, None)
    assert time.process_time() - began < 8


def test_what_is_pending_can_be_dropped():
    reader = Reader()
    reader.feed(b"220 x\r\n250-a\r\n250 b")
    assert reader.next() is not None
    assert reader.next() is None
    assert not reader.idle
    assert reader.drop() == b"250-a\r\n250 b"
    assert reader.idle
    reader.feed(b"250 c\r\n")
    assert reader.next() == parse(b"250 c\r\n")
