"""Sessions as text: written, read, and nothing lost between."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mailer import BODY, CLEAR, Mailer, attempt, deliver, handover
from scripted import CLOSE, call, run

from deliverkit.model import Session, State, Step, Trouble
from deliverkit.smtp.script import ScriptError, Turn, read, write
from deliverkit.smtp.secret import Secret


def test_a_delivery_as_a_person_reads_it():
    made = deliver(Mailer(RCPT=(b"250 2.1.5 ok\r\n", b"550 5.1.1 no\r\n", b"250 2.1.5 ok\r\n")))
    lines = [line for line in write([made.session]).splitlines() if not line.startswith("# +")]
    assert lines == [
        "# session mail.example.com (192.0.2.1) port 25",
        "S: 220 mail.example.com ESMTP",
        "C: EHLO client.example.com",
        "S: 250-mail.example.com",
        "S: 250-PIPELINING",
        "S: 250-SIZE 100000",
        "S: 250 8BITMIME",
        "C: MAIL FROM:<me@example.com> SIZE=38",
        "C: RCPT TO:<a@example.net>",
        "C: RCPT TO:<b@example.net>",
        "C: RCPT TO:<c@example.net>",
        "S: 250 ok",
        "S: 250 2.1.5 ok",
        "S: 550 5.1.1 no",
        "S: 250 2.1.5 ok",
        "C: DATA",
        "S: 354 go on",
        "C: Subject: hello",
        "C:",
        "C: ..one dot",
        "C: the end",
        "C: .",
        "S: 250 2.0.0 Ok: queued as 4F1A2B",
        "C: QUIT",
        "S: 221 bye",
    ]


def test_what_is_odd_stays_to_be_seen():
    steps = (
        Step(stage="banner", reply=b"220-\x1b[31m\xff \\ \xe2\x80\xae\n220 \xc3\xa4\r\n", at_ms=1.0, replied_ms=131.4),
        Step(stage="ehlo", said=b"EHLO x", reply=b"250-ha", trouble=Trouble.CLOSED, why="so\nit is", replied_ms=0.0),
    )
    session = Session(call=call(), state=State.OPEN, steps=steps)
    text = write([session])
    assert text == (
        "# session mail.example.com (192.0.2.1) port 25\n"
        "# +0.130s\n"
        r"S: 220-\x1b[31m\xff \\ \xe2\x80\xae\n" + "\n"
        "S: 220 ä\n"
        "C: EHLO x\n"
        "# +0.000s\n"
        r"S: 250-ha\c" + "\n"
        r"# closed: so\x0ait is" + "\n"
    )
    (script,) = read(text)
    assert b"".join(turn.octets for turn in script.turns if turn.kind == "server") == steps[0].reply + steps[1].reply
    assert script.turns[0] == Turn(kind="wait", seconds=0.13)
    assert script.turns[-1].kind == "closed"


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_every_octet_of_the_server_comes_back(replies):
    steps = [Step(stage="rcpt", said=b"RCPT", reply=reply, at_ms=0.0, replied_ms=5.0) for reply in replies]
    session = Session(call=call(), state=State.OPEN, steps=tuple(steps))
    (script,) = read(write([session]))
    assert b"".join(turn.octets for turn in script.turns if turn.kind == "server") == b"".join(replies)
    assert write([session]).replace("\n", "").isprintable()


@given(st.text(alphabet="CS:#\\xnc 25+0.s\n\tä\u2028\ud800", max_size=80))
def test_any_text_is_read_or_refused_by_its_line(text):
    with contextlib.suppress(ScriptError):
        assert sum(len(script.turns) for script in read(text)) <= text.count("\n") + 1


def test_sessions_one_after_the_other():
    refused = Session(call=call(), state=State.REFUSED, why="no connection")
    late = Session(call=call(), state=State.TIMEOUT, why="no connection within 10 s")
    one, two, three = read(write([refused, deliver(Mailer()).session, late]))
    assert (one.host, one.address, one.port) == ("mail.example.com", "192.0.2.1", 25)
    assert [turn.kind for turn in one.turns] == ["closed"]
    assert [turn.kind for turn in three.turns] == ["silence"]
    assert len(two.turns) > 20
    assert read("") == ()
    assert read("S: 220 hi\n")[0].turns == (Turn(kind="server", octets=b"220 hi\r\n"),)


@pytest.mark.parametrize("line", ["220 hi", "s: 220", "S:220", "C220"])
def test_what_is_no_line_of_a_script(line):
    with pytest.raises(ScriptError, match="script:2"):
        read(f"S: 220 hi\n{line}\n")


def test_no_secret_is_in_a_script():
    offer = CLEAR.replace(b"250 8BIT", b"250-AUTH LOGIN\r\n250 8BIT")
    asks = call(user="alice", insecure_auth=True)
    line = Mailer(EHLO=offer, AUTH=b"535 5.7.8 S2FuYXJpdm9nZWw= is wrong, Kanarivogel\r\n")
    made = deliver(line, wanted=asks, secret=Secret("Kanarivogel"))
    text = write([made.session])
    assert "Kanarivogel" not in text
    assert "S2FuYXJpdm9nZWw" not in text
    assert "S: 535 5.7.8 <redacted> is wrong, <redacted>" in text


def test_a_probe_is_written_too():
    text = write([run(Mailer(EHLO=b"250-x\r\n250 STARTTLS\r\n"))])
    assert "# tls TLSv1.3 TLS_AES_256_GCM_SHA384\n" in text
    assert "# closed: the server closed the connection\n" in write([run(Mailer(EHLO=CLOSE))])


def test_a_message_cut_off_is_written_as_far_as_it_is_known():
    made = deliver(Mailer(BODY=CLOSE))
    assert write([made.session]).endswith("C: the end\n# closed: the server closed the connection\n")
    assert attempt(made.session, handover()) == made
    assert BODY.endswith(b"the end\r\n")
