"""What a world's server takes of a message, and what it says of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.world import mailbox
from deliverkit.world.incoming import Incoming, largest, objection
from deliverkit.world.mailbox import Mailroom
from deliverkit.world.peer import Peer, Then
from deliverkit.world.text import read_world

HOST = "mx.example.com"
OFFER = ("PIPELINING", "SIZE 1000", "8BITMIME", "DSN")


def talked(lines: str, *said: bytes, room: Mailroom | None = None) -> list[bytes | Then]:
    """What a server answers to octets, piece by piece, behind its banner."""
    (section,) = read_world(f"[smtp {HOST}:25]\nmode clear\n{lines}\n").smtp
    peer = Peer(section, tls=False, leaf=bytes, clock=lambda: 0.0, room=room)
    out: list[bytes | Then] = []
    for octets in said:
        out += peer.feed(octets)
    return out


OPEN = b"EHLO a\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\n"


def test_chunks_make_a_message():
    room = Mailroom()
    out = talked("offer CHUNKING", OPEN, b"BDAT 5\r\nab\r\n", b"c", b"BDAT 3 last\r\n.\r\nQUIT\r\n", room=room)
    assert out[3:] == [
        b"250 2.0.0 chunk received\r\n",
        f"250 2.0.0 ok: queued as {room.messages[0].id}\r\n".encode(),
        b"221 2.0.0 bye\r\n",
        Then.CLOSE,
    ]
    assert [(message.octets, message.size) for message in room.messages] == [(b"ab\r\nc.\r\n", 8)]


def test_chunks_out_of_place():
    assert talked("", OPEN, b"BDAT 0 LAST\r\n")[-1] == b"500 5.5.2 command unrecognized\r\n"
    out = talked("offer CHUNKING", b"EHLO a\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")
    assert out[1:] == [b"503 5.5.1 RCPT first\r\n", b"250 2.0.0 ok\r\n"]
    assert talked("offer CHUNKING", OPEN, b"BDAT x\r\n")[-2:] == [b"501 5.5.4 syntax: BDAT size [LAST]\r\n", Then.CLOSE]
    out = talked("offer CHUNKING", OPEN, b"BDAT 1\r\naDATA\r\nRSET\r\nMAIL FROM:<>\r\n")
    assert out[3:] == [
        b"250 2.0.0 chunk received\r\n",
        b"503 5.5.1 in the middle of BDAT\r\n",
        b"250 2.0.0 ok\r\n",
        b"250 2.1.0 ok\r\n",
    ]
    assert talked("offer CHUNKING\non BDAT 500 5.5.1 no", OPEN, b"BDAT 0 LAST\r\n")[-1] == b"500 5.5.1 no\r\n"


@given(st.binary(max_size=300), st.lists(st.integers(1, 50), max_size=20))
def test_a_message_comes_out_as_it_was_stuffed(octets, sizes):
    lines = octets.replace(b"\r", b"").replace(b"\n", b"\r\n") + b"\r\n"
    stuffed = b"".join(b"." * line.startswith(b".") + line + b"\r\n" for line in lines.split(b"\r\n")[:-1])
    wire, buffer, incoming = stuffed + b".\r\nrest", bytearray(), Incoming()
    done = False
    for size in [*sizes, len(wire)]:
        buffer += wire[:size]
        wire = wire[size:]
        done = done or incoming.lines(buffer)
    assert done
    assert bytes(buffer) + wire == b"rest"
    assert (bytes(incoming.octets), incoming.size) == (lines, len(lines))


def test_only_the_first_of_a_large_message_is_kept():
    incoming, buffer = Incoming(), bytearray(b"x" * 100_000 + b"\r\n.\r\n")
    assert incoming.lines(buffer)
    assert (len(incoming.octets), incoming.size) == (mailbox.LARGEST, 100_002)


@pytest.mark.parametrize(
    ("verb", "path", "words", "reply"),
    [
        ("MAIL", "a@b.example", "SIZE=1000 BODY=8BITMIME RET=HDRS ENVID=x", None),
        ("MAIL", "a@b.example", "SIZE=1001", b"552"),
        ("MAIL", "a@b.example", "SIZE=many", b"501"),
        ("MAIL", "a@b.example", "SMTPUTF8", b"555"),
        ("MAIL", "a@b.example", "NOTIFY=NEVER", b"555"),
        ("MAIL", "ä@b.example", "", b"553"),
        ("RCPT", "a@b.example", "NOTIFY=NEVER ORCPT=rfc822;a@b.example", None),
        ("RCPT", "a@b.example", "SIZE=1", b"555"),
        ("RCPT", "a@b.example", "NEW=1", b"555"),
    ],
)
def test_parameters(verb, path, words, reply):
    found = objection(verb, path, words.split(), OFFER)
    assert found is None if reply is None else (found or b"").startswith(reply)
    assert objection("MAIL", "ä@b.example", ["SMTPUTF8"], ("SMTPUTF8",)) is None


def test_how_large_a_message_may_be():
    assert largest(OFFER) == 1000
    assert largest(("SIZE",)) == largest(("SIZE 0", "")) == largest(("SIZE x",)) == 10_485_760
    out = talked("offer SIZE 10", OPEN, b"DATA\r\n12345678901\r\n.\r\n")
    assert out[-1] == b"552 5.3.4 message too big\r\n"


def test_no_two_messages_have_one_name():
    room = Mailroom()
    for _ in range(3):
        talked("", OPEN, b"DATA\r\n.\r\n", room=room)
    assert len({message.id for message in room.messages}) == 3
    assert all(len(message.id) == 10 for message in room.messages)


def test_the_words_for_a_message_are_no_commands():
    out = talked("on EOD 250 mine\non BODY 250 early\nfault RSET close", b"EOD\r\nBODY\r\n")
    assert out == [b"500 5.5.2 command unrecognized\r\n"] * 2


def test_faults_within_a_message_and_at_its_end():
    for fault, then in (("close", Then.CLOSE), ("reset", Then.RESET), ("timeout", Then.SILENT)):
        assert talked(f"fault BODY {fault}", OPEN, b"DATA\r\n", b"S")[-1] is then
        assert talked(f"fault EOD {fault}", OPEN, b"DATA\r\n", b"S: x\r\n.\r\n")[-1] is then
    room = Mailroom()
    assert talked("on EOD 250 2.0.0 mine", OPEN, b"DATA\r\nx\r\n.\r\n", room=room)[-1] == b"250 2.0.0 mine\r\n"
    assert talked("on EOD 451 later", OPEN, b"DATA\r\nx\r\n.\r\n", room=room)[-1] == b"451 later\r\n"
    assert len(room.messages) == 1
