"""What a session comes to for each recipient: cut off at each phase, refused, put off, out of step."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.delivery.outcome import attempt_of, queue_id
from deliverkit.model import Call, Mode, Session, State, Step, Trouble
from deliverkit.model.delivery import Attempt, Delivered, Envelope, Hop, Stage
from deliverkit.smtp.secret import Secret
from deliverkit.smtp.transaction import Handover, transaction
from deliverkit.world import World

BODY = b"Subject: hello\r\n\r\nthe end\r\n"
HOST = "mx.example.com"
MOST = {"EHLO": "PIPELINING, SIZE 1000, 8BITMIME"}


def sent(text: str = "", *names: str, port: int = 25, world: World | None = None, **words: Any) -> Attempt:
    """One attempt at `names` of example.com, at a server that the lines of a section describe."""
    world = world or World(f"{HOST}. A 192.0.2.25\n[smtp {HOST}:{port}]\nmode clear\n{text}\n")
    said = {"sender": "me@example.org", "recipients": tuple(f"{name}@example.com" for name in names or ("anna",))}
    envelope = Envelope(**said, size=len(BODY), **words.pop("envelope", {}))
    delivery = Handover(envelope=envelope, body=words.pop("body", BODY), **words.pop("handover", {}))
    given = {"host": HOST, "address": "192.0.2.25", "port": port, "dial_port": port, "helo": "client.example.org"}
    call = Call(**{**given, **words})
    secret = Secret("secret") if call.user else None
    session = asyncio.run(world.session(call, lambda hello: transaction(call, hello, delivery, secret)))
    return attempt_of(1, 0.0, Hop(host=HOST, address="192.0.2.25", port=port), envelope, session)


def fates(attempt: Attempt) -> list[str]:
    return [f"{result.outcome}@{result.stage}" for result in attempt.results]


CUTS = [
    ("BANNER", "banner", "deferred"),
    ("EHLO", "ehlo", "deferred"),
    ("MAIL", "mail", "deferred"),
    ("RCPT", "rcpt", "deferred"),
    ("DATA", "data", "deferred"),
    ("BODY", "data", "deferred"),
    ("EOD", "eod", "unknown"),
]


@pytest.mark.parametrize(("verb", "stage", "outcome"), CUTS, ids=[verb for verb, _, _ in CUTS])
@pytest.mark.parametrize("fault", ["close", "reset", "timeout"])
@pytest.mark.parametrize("pipelining", [True, False])
def test_cut_off_at_each_phase(verb, stage, outcome, fault, pipelining):
    if (verb, fault) == ("BODY", "timeout"):  # nobody waits for a word there, and the dot is said
        stage, outcome = "eod", "unknown"
    made = sent(f"fault {verb} {fault}", "anna", "bert", handover={"pipelining": pipelining})
    assert fates(made) == [f"{outcome}@{stage}"] * 2
    assert (made.outcome, made.stage) == (Delivered(outcome), Stage(stage))
    assert all(result.why and not result.reply for result in made.results)
    assert made.try_next == (outcome == "deferred")
    words = {"deferred": "not accepted", "unknown": "may have been delivered"}
    if stage in ("eod", "data") and verb != "DATA":
        assert words[outcome] in made.results[0].why


@pytest.mark.parametrize(("verb", "stage", "_"), CUTS, ids=[verb for verb, _, _ in CUTS])
def test_a_421_is_temporary_wherever_it_comes(verb, stage, _):
    line = "banner 421 4.3.2 bye" if verb == "BANNER" else f"on {verb} 421 4.3.2 bye"
    made = sent(line, "anna", "bert")
    assert fates(made) == [f"deferred@{stage}"] * 2
    assert made.results[0].reply.startswith(b"421 4.3.2 bye")
    assert made.try_next
    assert made.session.steps[-1].stage != "quit"


@pytest.mark.parametrize(("verb", "stage", "_"), CUTS, ids=[verb for verb, _, _ in CUTS])
@pytest.mark.parametrize(("code", "outcome"), [(550, "refused"), (450, "deferred")])
def test_a_refusal_is_what_its_class_says(verb, stage, _, code, outcome):
    said = f"{code} {code // 100}.7.1 no"
    line = f"banner {said}" if verb == "BANNER" else f"on {verb} {said}\non HELO {said}"
    made = sent(line, "anna", "bert")
    assert fates(made) == [f"{outcome}@{stage}"] * 2
    assert made.results[0].reply == f"{said}\r\n".encode()
    assert made.try_next == (outcome == "deferred" and stage in ("banner", "ehlo"))
    assert made.queue_id is None


@pytest.mark.parametrize("fault", ["close", "reset", "timeout", "garbage"])
def test_quit_changes_nothing(fault):
    made = sent(f"fault QUIT {fault}")
    assert (made.outcome, made.stage) == (Delivered.ACCEPTED, Stage.QUIT)
    assert made.notes[0].startswith("QUIT")
    assert sent("on QUIT 500 never").notes == ("QUIT was answered by 500 never",)
    assert sent("on RSET 500 no\non RCPT 550 5.1.1 no").outcome is Delivered.REFUSED


def test_each_recipient_has_a_fate_of_its_own():
    world = World(f"{HOST}. A 192.0.2.25\n[smtp {HOST}:25]\nmode clear\n")
    names = ("anna", "user-unknown", "mailbox-full", "greylist", "blocked", "bert")
    made = sent("", *names, world=world)
    assert fates(made) == [
        "accepted@eod", "refused@rcpt", "deferred@rcpt", "deferred@rcpt", "refused@rcpt", "accepted@eod",
    ]  # fmt: skip
    assert (made.outcome, made.stage, made.try_next) == (Delivered.REFUSED, Stage.RCPT, False)
    assert [message.recipients for message in world.room.messages] == [("anna@example.com", "bert@example.com")]
    assert world.room.messages[0].octets == BODY
    assert made.queue_id == world.room.messages[0].id
    assert made.results[0].reply == f"250 2.0.0 ok: queued as {made.queue_id}\r\n".encode()
    assert made.results[3].reply.startswith(b"450 4.2.0 greylisted")
    assert [result.address for result in made.results] == list(made.envelope.recipients)


def test_whom_the_421_of_another_keeps_out_is_put_off():
    for pipelining in (True, False):
        made = sent("", "anna", "user-unknown", "closing", "bert", handover={"pipelining": pipelining})
        assert fates(made) == ["deferred@rcpt", "refused@rcpt", "deferred@rcpt", "deferred@rcpt"]
        assert made.results[0].reply == made.results[3].reply == b"421 4.3.2 service shutting down\r\n"


def test_a_refusal_of_the_content_is_everybodys_who_was_accepted():
    made = sent("", "anna", "content", "user-unknown")
    assert fates(made) == ["refused@eod", "refused@eod", "refused@rcpt"]
    assert fates(sent("", "anna", "deferred")) == ["deferred@eod"] * 2


@pytest.mark.parametrize(
    ("line", "fate", "why"),
    [
        ("banner 250 hi", "failed@banner", "250 is no answer to a connection"),
        ("on MAIL 354 what", "failed@mail", "354 is no answer to MAIL"),
        ("on RCPT 354 what", "failed@rcpt", "354 is no answer to RCPT"),
        ("on DATA 250 ok", "failed@data", "250 is no answer to DATA"),
        ("on DATA 334 ok", "failed@data", "334 is no answer to DATA"),
        ("on BODY 250 2.0.0 queued", "failed@data", "said 250 before the message had been sent"),
        ("on EOD 354 go on", "unknown@eod", "354 is no answer to the final dot"),
        (r"banner 220 hi\n250 and\n250 so on", "failed@ehlo", "spoke before it was asked"),
        ("banner HTTP/1.1 400 Bad Request", "failed@banner", "this is not SMTP: it looks like HTTP"),
        (r"banner \x15\x03\x01\0\x02\x02(", "failed@banner", "--tls implicit"),
        ("fault BANNER garbage", "failed@banner", "does not begin with a three-digit reply code"),
        ("fault MAIL garbage", "deferred@mail", "does not begin with"),
        ("fault EOD garbage", "unknown@eod", "may have been delivered"),
        (r"on EOD 250-x\*9000", "unknown@eod", "octets: the message may have been delivered"),
    ],
)
def test_what_is_no_answer(line, fate, why):
    made = sent(line)
    assert fates(made) == [fate]
    assert why in made.results[0].why


@pytest.mark.parametrize(
    ("line", "fate", "note"),
    [
        (r"on EOD 250 2.1.5 <a> ok\n250 2.1.5 <b> ok", "accepted@eod", "more replies than there were commands"),
        (r"on EOD 250-queued\n550 no", "refused@eod", "the lines of the reply to EOD disagree"),
        ("on MAIL 250 5.1.0 no", "accepted@eod", "both codes of the reply to MAIL disagree"),
        (r"on EOD 250 ok\n421 bye", "accepted@eod", "before QUIT the server said 421 bye"),
        ("mode starttls\non STARTTLS 454 4.7.0 not now", "accepted@eod", "STARTTLS was refused (454 4.7.0 not now)"),
        ("mode starttls\ninject 250 injected", "accepted@eod", "octets in clear stood behind"),
        ("mode starttls\nfault TLS close", "deferred@starttls", "TLS failed: the server closed the connection"),
        ("mode starttls\noffer SIZE 1, XXXXXXXA\noffer-tls SIZE 1", "refused@mail", "STARTTLS was taken out"),
    ],
)
def test_what_is_odd_is_noted_and_decides_nothing(line, fate, note):
    made = sent(line)
    assert fates(made) == [fate]
    assert any(note in each for each in made.notes), made.notes


def test_one_reply_too_many_never_makes_an_acceptance():
    for extra in ("MAIL", "RCPT"):
        for end in ("on DATA 554 no valid recipients", "on EOD 250 ok", ""):
            line = rf"on {extra} 250 ok\n250 unsolicited"
            made = sent(f"{line}\n{end}", "anna", "bert", handover={"pipelining": extra == "MAIL"})
            assert made.outcome is not Delivered.ACCEPTED, (extra, end)


def test_silence_for_what_came_together_is_noted():
    made = sent("fault RCPT timeout", "anna", "bert")
    assert "PIPELINING" in made.notes[0]
    assert sent("fault RCPT timeout", handover={"pipelining": False}).notes == ()


def test_logins():
    made = sent("mode implicit", port=465, user="alice", body=BODY)
    assert made.outcome is Delivered.ACCEPTED
    for lines, fate in (
        ("on AUTH 535 5.7.8 no", "failed@auth"),
        ("on AUTH 454 4.7.0 later", "deferred@auth"),
        ("on AUTH 421 4.7.0 bye", "deferred@auth"),
        ("fault AUTH close", "deferred@auth"),
        ("fault AUTH timeout", "deferred@auth"),
        ("offer-tls AUTH NTLM", "failed@auth"),
        ("certificate issuer=unknown", "failed@auth"),
    ):
        made = sent(f"mode implicit\n{lines}", port=465, user="alice")
        assert fates(made) == [fate], lines
    assert made.results[0].why.startswith("the login was not tried: the certificate is not trusted")


def test_tls_that_fails_leaves_another_try():
    for mode, port in ((Mode.AUTO, 25), (Mode.IMPLICIT, 465)):
        made = sent(
            "mode starttls\nfault TLS reset" if port == 25 else "mode implicit\nfault TLS reset", port=port, mode=mode
        )
        assert fates(made) == ["deferred@starttls"]
        assert made.try_next
        assert made.notes == ("TLS failed: connection reset by peer",)
        assert made.results[0].why == made.notes[0]


@pytest.mark.parametrize("state", [State.REFUSED, State.TIMEOUT, State.UNREACHABLE, State.ERROR])
def test_no_connection(state):
    call = Call(host=HOST, address="192.0.2.25", port=25, dial_port=25)
    envelope = Envelope(sender="", recipients=("a@example.com", "b@example.com"))
    session = Session(call=call, state=state, why="no connection to 192.0.2.25 port 25: so it is")
    made = attempt_of(3, 7.0, Hop(host=HOST, address="192.0.2.25"), envelope, session)
    assert fates(made) == ["deferred@connect"] * 2
    assert (made.number, made.at, made.try_next, made.stage) == (3, 7.0, True, Stage.CONNECT)
    assert made.results[0].why == session.why
    nothing = attempt_of(1, 0.0, made.hop, envelope, Session(call=call, state=State.OPEN))
    assert fates(nothing) == ["deferred@connect"] * 2


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("250 2.0.0 Ok: queued as 4F1A2B3C4D", "4F1A2B3C4D"),
        ("250 2.0.0 Ok: queued as 4ZbC3x2Tj7z1Xy9", "4ZbC3x2Tj7z1Xy9"),
        ("250 OK id=1tABCd-0000001xyz-2Q3r", "1tABCd-0000001xyz-2Q3r"),
        ("250 2.0.0 4AB1cD2e003456 Message accepted for delivery", "4AB1cD2e003456"),
        ("250 2.0.0 OK  1700000000 a1-20020a170902b58100b001-18si1234567plb.123 - gsmtp",
         "a1-20020a170902b58100b001-18si1234567plb.123"),
        ("250 2.6.0 <m1@example.com> [InternalId=12345678901234, Hostname=X.example] 1 bytes Queued mail for delivery",
         "12345678901234"),
        ("250-2.1.0 fine\r\n250 2.0.0 Ok: queued as ABCDEF", "ABCDEF"),
        ("250 ok 1700000000 qp 12345", "12345"),
        ("250 Ok 0100018c1a2b3c4d-aaaabbbb-cccc-dddd-eeee-ffff00001111-000000",
         "0100018c1a2b3c4d-aaaabbbb-cccc-dddd-eeee-ffff00001111-000000"),
        ("250 Ok. 0000000000A1.0000000065B2.00000A1B", "0000000000A1.0000000065B2.00000A1B"),
        ("250 2.0.0 the id will follow", None),
        ("250 2.0.0 queued", None),
        ("250 ok", None),
        ("250 2.0.0 Ok: queued as 1", None),
        ("250 2.0.0 Ok: queued as </pre><script>", None),
        ("250 2.0.0 Ok: queued as abcd\x1b[31m", "abcd"),
        ("250 2.0.0 Ok: queued as " + "a" * 65, None),
        ("550 5.7.1 no", None),
        ("nonsense", None),
    ],
)  # fmt: skip
def test_queue_ids(reply, found):
    assert queue_id(f"{reply}\r\n".encode()) == found


@given(st.binary(max_size=200))
def test_a_queue_id_is_safe_to_print_whatever_came(octets):
    found = queue_id(b"250 2.0.0 Ok: queued as " + octets + b"\r\n")
    assert found is None or re.fullmatch(r"[A-Za-z0-9._-]{4,64}", found)


STEPS = st.builds(
    Step,
    stage=st.sampled_from(
        [
            "banner",
            "ehlo",
            "helo",
            "starttls",
            "tls",
            "ehlo-tls",
            "auth",
            "mail",
            "rcpt",
            "data",
            "body",
            "eod",
            "rset",
            "quit",
        ]
    ),
    said=st.sampled_from([b"", b"x"]),
    reply=st.sampled_from(
        [b"", b"220 a\r\n", b"250 a\r\n", b"354 a\r\n", b"421 a\r\n", b"450 a\r\n", b"550 a\r\n", b"?"]
    ),
    trouble=st.sampled_from([None, *Trouble]),
)


@given(st.lists(STEPS, max_size=12), st.sampled_from([{}, {"login": "failed"}, {"failed": "so"}, {"stopped": "rcpt"}]))
def test_any_session_comes_to_something_and_only_a_dot_to_acceptance(steps, remarks):
    call = Call(host=HOST, address="192.0.2.25", port=25, dial_port=25)
    session = Session(call=call, state=State.OPEN, steps=tuple(steps), remarks=remarks)
    envelope = Envelope(sender="", recipients=("a@example.com", "b@example.com"))
    made = attempt_of(1, 0.0, Hop(host=HOST, address="192.0.2.25"), envelope, session)
    assert len(made.results) == 2
    assert made.outcome in {result.outcome for result in made.results}
    if any(result.outcome is Delivered.ACCEPTED for result in made.results):
        dot = [step for step in steps if step.stage == "eod"][-1]
        assert dot.said
        assert dot.trouble is None
        assert dot.reply.startswith(b"2")
