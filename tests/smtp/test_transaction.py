"""The dialog of a delivery: what is said, in which order, and when nothing may be."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mailer import BODY, CLEAR, TO, Mailer, deliver, fates, handover
from scripted import CLOSE, ESTABLISHED, HANG, RESET, call, stages

from deliverkit.model import Handshake, Mode, Trouble
from deliverkit.model.delivery import Delivered, Envelope, Stage
from deliverkit.smtp.capabilities import Capabilities, read_capabilities
from deliverkit.smtp.driver import Event
from deliverkit.smtp.reply import parse
from deliverkit.smtp.secret import Secret
from deliverkit.smtp.transaction import Handover, mail_line, rcpt_line, unfit, xtext

WHOLE = ["banner:220", "ehlo:250", "mail:250", *["rcpt:250"] * 3, "data:354", "body", "eod:250", "quit:221"]
TLS = CLEAR.replace(b"250 8BIT", b"250-STARTTLS\r\n250 8BIT")


def offering(*keywords: str) -> Capabilities:
    reply = parse("".join(f"250-{line}\r\n" for line in ("mail.example.com", *keywords)).encode() + b"250 HELP\r\n")
    assert reply is not None
    return read_capabilities(reply)


def test_a_whole_delivery_in_as_few_round_trips_as_may_be():
    line = Mailer()
    made = deliver(line)
    assert stages(made.session) == WHOLE
    assert line.said == [
        b"EHLO client.example.com\r\n",
        b"MAIL FROM:<me@example.com> SIZE=38\r\n" + b"".join(f"RCPT TO:<{to}>\r\n".encode() for to in TO),
        b"DATA\r\n",
        BODY,
        b".\r\n",
        b"QUIT\r\n",
    ]
    assert fates(made) == ["accepted@eod"] * 3
    assert (made.outcome, made.stage, made.queue_id, made.notes) == (Delivered.ACCEPTED, Stage.QUIT, "4F1A2B", ())
    steps = {step.stage: step for step in made.session.steps}
    assert (steps["body"].said, steps["eod"].said) == (BODY, b".")
    assert [step.together for step in made.session.steps if step.stage in ("mail", "rcpt")] == [False, True, True, True]


@pytest.mark.parametrize(
    ("line", "words"),
    [(Mailer(EHLO=CLEAR.replace(b"250-PIPELINING\r\n", b"")), {}), (Mailer(), {"pipelining": False})],
    ids=["not-offered", "not-wanted"],
)
def test_one_command_at_a_time(line, words):
    made = deliver(line, handover(**words))
    assert stages(made.session) == WHOLE
    assert not any(step.together for step in made.session.steps)
    assert all(octets.count(b"\r\n") == 1 for octets in line.said if octets != BODY)


def test_starttls_comes_first_where_it_is_offered():
    line = Mailer(EHLO=TLS, **{"EHLO/tls": CLEAR})
    made = deliver(line)
    assert stages(made.session)[:5] == ["banner:220", "ehlo:250", "starttls:220", "tls", "ehlo-tls:250"]
    assert all(step.tls for step in made.session.steps[3:])
    assert made.outcome is Delivered.ACCEPTED
    clear = deliver(Mailer(EHLO=TLS), wanted=call(mode=Mode.NONE))
    assert stages(clear.session) == WHOLE
    at_once = deliver(Mailer(), wanted=call(port=465))
    assert stages(at_once.session)[:3] == ["tls", "banner:220", "ehlo-tls:250"]


def test_helo_takes_no_parameters():
    line = Mailer(EHLO=b"502 no\r\n")
    made = deliver(line)
    assert line.commands[2] == b"MAIL FROM:<me@example.com>"
    assert made.outcome is Delivered.ACCEPTED


@pytest.mark.parametrize(
    ("words", "offered", "mail", "rcpt"),
    [
        ({}, (), "MAIL FROM:<me@example.com>", "RCPT TO:<a@b.example>"),
        ({"sender": ""}, ("SIZE",), "MAIL FROM:<> SIZE=9", "RCPT TO:<a@b.example>"),
        ({"eight_bit": True}, ("8BITMIME",), "MAIL FROM:<me@example.com> BODY=8BITMIME", None),
        (
            {"utf8": True, "eight_bit": True},
            ("8bitmime", "smtputf8", "size 0"),
            "MAIL FROM:<me@example.com> SIZE=9 BODY=8BITMIME SMTPUTF8",
            None,
        ),
        ({"require_tls": True}, ("REQUIRETLS",), "MAIL FROM:<me@example.com> REQUIRETLS", None),
        ({"dsn": True, "envelope_id": "a=1+b"}, (), "MAIL FROM:<me@example.com>", "RCPT TO:<a@b.example>"),
        ({"dsn": True, "envelope_id": "a" * 101}, ("DSN",), "MAIL FROM:<me@example.com> RET=HDRS", None),
        (
            {"dsn": True, "envelope_id": "a=1+b"},
            ("DSN",),
            "MAIL FROM:<me@example.com> RET=HDRS ENVID=a+3D1+2Bb",
            "RCPT TO:<a@b.example> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;a@b.example",
        ),
    ],
)
def test_parameters_are_said_where_they_are_offered(words, offered, mail, rcpt):
    envelope = Envelope(**{"sender": "me@example.com", "recipients": ("a@b.example",), "size": 9, **words})
    assert mail_line(envelope, offering(*offered)) == mail.encode()
    if rcpt is not None:
        assert rcpt_line("a@b.example", envelope, offering(*offered)) == rcpt.encode()


def test_an_original_recipient_in_utf8():
    envelope = Envelope(sender="", recipients=("jörg+x@b.example",), dsn=True, utf8=True)
    line = rcpt_line("jörg+x@b.example", envelope, offering("DSN", "SMTPUTF8"))
    assert line.decode().endswith(r"ORCPT=utf-8;jörg\x{2B}x@b.example")


@given(st.text())
def test_xtext_is_one_word_that_is_read_back(text):
    said = xtext(text.encode("utf-8", "replace").decode())
    assert re.fullmatch(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*", said)
    back = re.sub(rb"\+([0-9A-F]{2})", lambda match: bytes.fromhex(match[1].decode()), said.encode())
    assert back.decode() == text.encode("utf-8", "replace").decode()


@pytest.mark.parametrize(
    ("words", "offered", "handshake", "why"),
    [
        ({"utf8": True}, ("8BITMIME",), None, "SMTPUTF8"),
        ({"eight_bit": True}, ("SMTPUTF8",), None, "8BITMIME"),
        ({"require_tls": True}, ("REQUIRETLS",), None, "no TLS"),
        ({"require_tls": True}, (), ESTABLISHED, "does not offer it"),
        ({"require_tls": True}, ("REQUIRETLS",), ESTABLISHED, None),
        ({"utf8": True, "eight_bit": True}, ("8BITMIME", "SMTPUTF8"), None, None),
    ],
)
def test_what_a_message_needs(words, offered, handshake, why):
    found = unfit(
        Envelope(sender="", recipients=("a@b.example",), **words), offering(*offered), handshake, "mx.example"
    )
    assert found is None if why is None else why in (found or "")


@pytest.mark.parametrize(
    ("envelope", "outcome", "why"),
    [
        ({"utf8": True}, Delivered.FAILED, "needs SMTPUTF8, which mail.example.com does not offer"),
        ({"require_tls": True}, Delivered.FAILED, "REQUIRETLS"),
        ({"size": 100_001}, Delivered.REFUSED, "the message has 100001 octets, and mail.example.com takes 100000"),
    ],
)
def test_what_cannot_go_is_not_begun(envelope, outcome, why):
    line = Mailer()
    made = deliver(line, handover(envelope=envelope))
    assert line.commands == [b"EHLO client.example.com", b"QUIT"]
    assert (made.outcome, made.stage, made.try_next) == (outcome, Stage.MAIL, False)
    assert all(why in result.why for result in made.results)


def test_size_without_a_limit_lets_all_pass():
    made = deliver(Mailer(EHLO=CLEAR.replace(b"100000", b"0")), handover(envelope={"size": 10**9}))
    assert made.outcome is Delivered.ACCEPTED


def test_a_notice_that_cannot_be_asked_for_is_told():
    made = deliver(Mailer(), handover(envelope={"dsn": True}))
    assert made.outcome is Delivered.ACCEPTED
    assert made.notes == ("mail.example.com does not offer DSN: no delivery notice was asked for",)


def test_leave_is_asked_once_of_the_session_as_it_will_be():
    asked: list[tuple[Handshake | None, bool]] = []

    def allow(handshake: Handshake | None, offered: Capabilities) -> str | None:
        asked.append((handshake, offered.has("SIZE")))
        return None if handshake else "TLS is demanded"

    made = deliver(Mailer(EHLO=TLS, **{"EHLO/tls": b"250 hi\r\n"}), handover(allow=allow))
    assert (asked, made.outcome) == ([(ESTABLISHED, False)], Delivered.ACCEPTED)
    asked.clear()
    line = Mailer(EHLO=TLS, STARTTLS=b"454 4.7.0 not now\r\n")
    made = deliver(line, handover(allow=allow))
    assert asked == [(None, True)]
    assert fates(made) == ["failed@starttls"] * 3
    assert made.results[0].why == "TLS is demanded"
    assert line.commands[-1] == b"QUIT"


@pytest.mark.parametrize(
    ("answers", "why"), [({}, "does not offer it"), ({"EHLO": TLS, "STARTTLS": b"454 no\r\n"}, "454 no")]
)
def test_starttls_that_is_wanted_and_cannot_be_had(answers, why):
    line = Mailer(**answers)
    made = deliver(line, wanted=call(mode=Mode.STARTTLS))
    assert fates(made) == ["failed@starttls"] * 3
    assert why in made.results[0].why
    assert not any(said.startswith(b"MAIL") for said in line.commands)


def test_a_login_comes_before_mail_or_nothing_does():
    offer = CLEAR.replace(b"250 8BIT", b"250-AUTH PLAIN\r\n250 8BIT")
    asks = call(user="alice", insecure_auth=True)
    secret = Secret("Kanarivogel")
    assert stages(deliver(Mailer(EHLO=offer), wanted=asks, secret=secret).session)[2] == "auth:235"
    for answer, outcome in ((b"535 5.7.8 no\r\n", Delivered.FAILED), (b"454 4.7.0 later\r\n", Delivered.DEFERRED)):
        line = Mailer(EHLO=offer, AUTH=answer)
        made = deliver(line, wanted=asks, secret=secret)
        assert (made.outcome, made.stage) == (outcome, Stage.AUTH)
        assert made.results[0].reply == answer
        assert line.commands[-1] == b"QUIT"
        assert not any(said.startswith(b"MAIL") for said in line.commands)
    for wanted, key in ((call(user="alice"), secret), (asks, None)):
        made = deliver(Mailer(EHLO=offer), wanted=wanted, secret=key)
        assert (made.outcome, made.stage) == (Delivered.FAILED, Stage.AUTH)
        assert "not tried" in made.results[0].why


STOPS = [
    (Stage.CONNECT, [], None),
    (Stage.BANNER, ["banner:220"], "quit"),
    (Stage.EHLO, ["ehlo:250"], "quit"),
    (Stage.STARTTLS, ["ehlo-tls:250"], "quit"),
    (Stage.AUTH, ["ehlo-tls:250"], "quit"),
    (Stage.MAIL, ["mail:250"], "rset"),
    (Stage.RCPT, ["rcpt:250"], "rset"),
    (Stage.DATA, ["data:354"], None),
]


@pytest.mark.parametrize(("stop", "last", "leave"), STOPS, ids=[stop for stop, _, _ in STOPS])
def test_it_stops_where_it_is_told_to(stop, last, leave):
    line = Mailer(EHLO=TLS, **{"EHLO/tls": CLEAR})
    made = deliver(line, handover(stop_after=stop))
    seen = stages(made.session)
    end = {None: [], "quit": ["quit:221"], "rset": ["rset:250", "quit:221"]}[leave]
    assert seen[len(seen) - len(last) - len(end) :] == last + end
    assert made.stopped
    assert fates(made) == [f"deferred@{stop}"] * 3
    assert not made.try_next
    assert line.body == b""


@pytest.mark.parametrize("stop", [Stage.EOD, Stage.QUIT])
def test_nothing_is_left_to_stop_behind_the_dot(stop):
    made = deliver(Mailer(), handover(stop_after=stop))
    assert (made.outcome, made.stopped) == (Delivered.ACCEPTED, False)


def test_who_is_refused_before_the_stop_stays_refused():
    answers = (b"250 ok\r\n", b"550 5.1.1 no\r\n", b"450 later\r\n")
    made = deliver(Mailer(RCPT=answers), handover(stop_after=Stage.RCPT))
    assert fates(made) == ["deferred@rcpt", "refused@rcpt", "deferred@rcpt"]
    assert made.stopped


@pytest.mark.parametrize(
    "body", [b"no end", b"bare\n", b"cr\r\r\n", b".\r\n", b"a\r\n.\r\nb\r\n", b"a\rb\r\n", b"\n\r\n"]
)
def test_a_body_that_would_end_before_its_end_is_none(body):
    with pytest.raises(ValueError, match="a message"):
        handover(body=body)


def test_a_message_goes_to_somebody_and_says_nothing_of_itself():
    with pytest.raises(ValueError, match="somebody"):
        handover(to=())
    assert "Subject" not in repr(handover())
    made = deliver(Mailer(), handover(body=b""))
    assert made.outcome is Delivered.ACCEPTED


@pytest.mark.parametrize("recipient", ["a@b.example>\r\nDATA", "a\0@b.example"])
def test_an_address_that_is_two_lines_is_never_said(recipient):
    line = Mailer()
    with pytest.raises(ValueError, match="one line"):
        deliver(line, handover(to=(recipient,)))
    assert line.commands == [b"EHLO client.example.com"]


def committed(line: Mailer, **words: Any) -> tuple[list[tuple[str, ...]], Any]:
    told: list[tuple[str, ...]] = []
    made = deliver(
        line, handover(committing=lambda accepted: (told.append(accepted), words.get("then", int)())), seconds=0.5
    )
    return told, made


def test_the_dot_is_announced_with_whom_it_concerns_and_nothing_else_is():
    answers = (b"250 ok\r\n", b"550 5.1.1 no\r\n", b"252 ok\r\n")
    line = Mailer(RCPT=answers)
    told, made = committed(line)
    assert told == [("a@example.net", "c@example.net")]
    assert fates(made) == ["accepted@eod", "refused@rcpt", "accepted@eod"]
    for answers_ in ({"RCPT": b"550 no\r\n"}, {"DATA": b"554 no\r\n"}, {"BODY": b"552 too big\r\n"}, {"BODY": CLOSE}):
        line = Mailer(**answers_)
        told, _ = committed(line)
        assert told == []
        assert b".\r\n" not in line.said


def test_a_dot_that_the_connection_did_not_take_is_not_in_doubt():
    line = Mailer(EOD=HANG)

    def gone() -> None:
        line.full = True
        line._put(RESET)

    told, made = committed(line, then=gone)
    assert len(told) == 1
    assert made.session.steps[-1].stage == "eod"
    assert (made.session.steps[-1].trouble, made.session.steps[-1].said) == (Trouble.RESET, b"")
    assert fates(made) == ["deferred@data"] * 3
    line = Mailer(EOD=HANG)
    told, made = committed(line, then=lambda: setattr(line, "full", True))
    assert (made.session.steps[-1].trouble, made.session.steps[-1].said) == (Trouble.TIMEOUT, b"")
    assert made.outcome is Delivered.DEFERRED


def test_what_comes_between_the_message_and_its_dot_is_heard_first():
    line = Mailer()
    told, made = committed(line, then=lambda: line._put(b"451 4.3.0 disk full\r\n"))
    assert len(told) == 1
    assert b".\r\n" not in line.said
    assert fates(made) == ["deferred@data"] * 3
    assert made.results[0].reply == b"451 4.3.0 disk full\r\n"


def test_nobody_listening_is_no_reason_to_lose_a_message():
    told: list[Event] = []

    def tell(event: Event) -> None:
        told.append(event)
        raise BrokenPipeError

    made = deliver(Mailer(), tell=tell)
    assert (made.outcome, len(told)) == (Delivered.ACCEPTED, 1)


def test_a_handover_is_compared_and_not_changed():
    with pytest.raises(AttributeError):
        handover().pipelining = False  # type: ignore[misc]
    assert isinstance(handover(), Handover)
