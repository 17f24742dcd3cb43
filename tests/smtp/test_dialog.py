"""The conversation at each of its steps: refused, broken, out of step, injected into."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import CLOSE, EHLO, EHLO_TLS, ESTABLISHED, HANG, RESET, Scripted, call, run, stages

from deliverkit.model import Handshake, Mode, Purpose, Session, Trouble
from deliverkit.smtp.dialog import dialog_of, relay_forms
from deliverkit.smtp.driver import Limit, converse
from deliverkit.smtp.secret import Secret

WHOLE = ["banner:220", "ehlo:250", "starttls:220", "tls", "ehlo-tls:250", "quit:221"]


def test_the_whole_conversation_and_no_more_round_trips():
    line = Scripted()
    session = run(line)
    assert stages(session) == WHOLE
    said = [octets.rstrip() for octets in line.said]
    assert said == [b"EHLO client.example.com", b"STARTTLS", b"EHLO client.example.com", b"QUIT"]
    assert line.names == ["mail.example.com"]
    assert session.handshake == ESTABLISHED
    assert session.steps[0].said == b""
    assert [step.tls for step in session.steps] == [False, False, False, True, True, True]
    assert session.ours == "192.0.2.99"
    assert (session.injected, session.remarks) == (b"", {})


def test_implicit_tls():
    line = Scripted()
    session = run(line, call(port=465))
    assert stages(session) == ["tls", "banner:220", "ehlo-tls:250", "quit:221"]
    session = run(Scripted(Handshake(error="what the server sent is no TLS", plaintext=b"220 hi\r\n")), call(port=465))
    assert stages(session) == ["tls!tls"]
    assert session.handshake is not None
    assert session.handshake.plaintext == b"220 hi\r\n"


def test_modes():
    assert "starttls:220" not in stages(run(Scripted(), call(mode=Mode.NONE)))
    assert stages(run(Scripted(), call(port=465, mode=Mode.STARTTLS)))[0] == "banner:220"
    assert stages(run(Scripted(), call(mode=Mode.IMPLICIT)))[0] == "tls"


def test_no_name_is_sent_for_an_address_or_where_none_is_wanted():
    for wanted, names in (
        (call(host="192.0.2.1"), [""]),
        (call(purpose=Purpose.NO_NAME), [""]),
        (call(host="mail.example.com."), ["mail.example.com"]),
    ):  # fmt: skip
        line = Scripted()
        run(line, wanted)
        assert line.names == names


@pytest.mark.parametrize("purpose", [Purpose.SCAN, Purpose.NO_NAME])
def test_a_glance_goes_to_the_handshake_and_takes_leave(purpose):
    line = Scripted()
    assert stages(run(line, call(purpose=purpose))) == ["banner:220", "ehlo:250", "starttls:220", "tls", "quit:221"]
    assert stages(run(Scripted(), call(purpose=purpose, port=465))) == ["tls", "banner:220", "quit:221"]
    assert stages(run(Scripted(banner=b"554 no\r\n"), call(purpose=purpose))) == ["banner:554", "quit:221"]
    assert stages(run(Scripted(STARTTLS=b"454 no\r\n"), call(purpose=purpose)))[-2:] == ["starttls:454", "quit:221"]


SCRIPTS = [
    ("banner", {}, "banner"),
    ("EHLO", {}, "ehlo"),
    ("HELO", {"EHLO": b"502 no\r\n"}, "helo"),
    ("MAIL", {}, "mail-clear"),
    ("RSET", {}, "rset-clear"),
    ("STARTTLS", {}, "starttls"),
    ("EHLO_tls", {}, "ehlo-tls"),
    ("MAIL_tls", {}, "mail"),
    ("RCPT", {}, "rcpt"),
    ("RSET_tls", {}, "rset"),
    ("QUIT", {}, "quit"),
]
FAULTS = [
    (HANG, Trouble.TIMEOUT, b""),
    ([b"250-ha", HANG], Trouble.TIMEOUT, b"250-ha"),
    (CLOSE, Trouble.CLOSED, b""),
    ([b"25", b"0-half\r\n", CLOSE], Trouble.CLOSED, b"250-half\r\n"),
    (RESET, Trouble.RESET, b""),
    (b"hello\r\n", Trouble.NOT_SMTP, b"hello\r\n"),
    (b"250-x\r\n" * 600, Trouble.TOO_LONG, b"250-x\r\n" * 73 + b"2"),
]


@pytest.mark.parametrize(("verb", "others", "stage"), SCRIPTS, ids=[stage for _, _, stage in SCRIPTS])
@pytest.mark.parametrize(
    ("fault", "trouble", "seen"), FAULTS, ids=["silent", "half", "close", "half-close", "reset", "junk", "long"]
)
def test_a_step_that_breaks_is_the_last(verb, others, stage, fault, trouble, seen):
    line = Scripted(**{**others, verb: fault})
    session = run(line, call(try_mail=True, relay_to="user@example.net"), seconds=0.1)
    last = session.steps[-1]
    assert (last.stage, last.trouble) == (stage, trouble)
    assert last.reply == seen[:512]
    assert last.why
    assert all(step.trouble is None for step in session.steps[:-1])


@pytest.mark.parametrize(("verb", "others", "stage"), SCRIPTS, ids=[stage for _, _, stage in SCRIPTS])
def test_after_a_421_nothing_more_is_said(verb, others, stage):
    line = Scripted(**{**others, verb: b"421 4.3.2 shutting down\r\n"})
    session = run(line, call(try_mail=True, relay_to="user@example.net"))
    assert stages(session)[-1] == f"{stage}:421"
    assert session.remarks["ended"] == stage
    assert not line.said or stage == "quit" or line.said[-1] != b"QUIT\r\n"


def test_a_421_that_came_unasked_is_heard_before_the_next_command():
    line = Scripted(EHLO=EHLO + b"421 4.4.2 idle\r\n")
    session = run(line)
    assert stages(session) == ["banner:220", "ehlo:250", "starttls:421"]
    assert session.steps[-1].said == b""
    assert line.said == [b"EHLO client.example.com\r\n"]


@pytest.mark.parametrize(("verb", "stage"), [("banner", "ehlo"), ("EHLO", "mail-clear"), ("MAIL", "rset-clear")])
def test_who_talks_ahead_is_not_believed(verb, stage):
    line = Scripted()
    line = Scripted(**{verb: line.answers[verb] + b"250 and this\r\n"})
    session = run(line, call(try_mail=True))
    last = session.steps[-1]
    assert (last.stage, last.trouble, last.reply, last.said) == (stage, Trouble.OUT_OF_STEP, b"250 and this\r\n", b"")


def test_what_is_injected_behind_starttls_is_dropped_and_kept():
    line = Scripted(
        STARTTLS=[b"220 go\r\n250-injected\r\n", b"250 AUTH EVIL\r\n"], EHLO_tls=b"250 mail.example.com\r\n"
    )
    session = run(line)
    assert session.injected == b"250-injected\r\n250 AUTH EVIL\r\n"
    assert stages(session) == WHOLE
    assert session.steps[-2].reply == b"250 mail.example.com\r\n"


@pytest.mark.parametrize("answer", [[b"220 again\r\n", EHLO_TLS], b"220 again\r\n" + EHLO_TLS])
def test_a_banner_once_more_inside_tls(answer):
    session = run(Scripted(EHLO_tls=answer))
    assert stages(session) == [*WHOLE[:4], "ehlo-tls:220", "ehlo-tls:250", "quit:221"]


def test_another_reply_inside_tls_before_it_is_asked():
    class Early(Scripted):
        async def start_tls(self, name: str, version: str) -> Handshake:
            self._inbox.append(b"250 AUTH EVIL\r\n")
            return await super().start_tls(name, version)

    assert stages(run(Early()))[-1] == "ehlo-tls!out-of-step"


def test_ehlo_refused():
    assert stages(run(Scripted(EHLO=b"502 no\r\n"))) == ["banner:220", "ehlo:502", "helo:250", "quit:221"]
    assert stages(run(Scripted(EHLO=b"502 no\r\n", HELO=b"550 no\r\n"))) == [
        "banner:220",
        "ehlo:502",
        "helo:550",
        "quit:221",
    ]
    assert stages(run(Scripted(EHLO=b"451 later\r\n"))) == ["banner:220", "ehlo:451", "quit:221"]
    inside = run(Scripted(EHLO_tls=b"502 no\r\n", HELO=b"550 no\r\n"), call(relay_to="user@example.net"))
    assert stages(inside) == [*WHOLE[:4], "ehlo-tls:502", "helo-tls:550", "quit:221"]
    assert inside.remarks == {}


@pytest.mark.parametrize("code", [b"554", b"450", b"250"])
def test_a_banner_that_is_no_welcome(code):
    assert stages(run(Scripted(banner=code + b" no\r\n"))) == [f"banner:{code.decode()}", "quit:221"]


@pytest.mark.parametrize("code", [b"454", b"500", b"250"])
def test_starttls_refused(code):
    line = Scripted(STARTTLS=code + b" no\r\n")
    assert stages(run(line)) == ["banner:220", "ehlo:250", f"starttls:{code.decode()}", "quit:221"]
    assert line.names == []


def test_a_handshake_that_fails_or_never_ends():
    session = run(Scripted(Handshake(error="the server found nothing in common")))
    assert stages(session)[-1] == "tls!tls"
    assert session.steps[-1].why == "the server found nothing in common"
    session = run(Scripted(TLS=HANG), seconds=0.1)
    assert stages(session)[-1] == "tls!timeout"
    assert session.handshake is not None
    assert session.handshake.error == "no TLS handshake before the run's end"


def test_a_silent_port_is_given_up_early_where_tls_may_come_at_once(monkeypatch):
    monkeypatch.setattr("deliverkit.smtp.dialog.SILENCE", 0.05)
    session = run(Scripted(banner=HANG), call(port=587))
    assert (stages(session), session.steps[0].why) == (["banner!timeout"], "no banner within 0.05 s")
    typed = run(Scripted(banner=HANG), call(port=465, mode=Mode.STARTTLS))
    assert typed.steps[0].why == "no banner within 0.05 s"
    for patient in (call(port=25), call(port=25, mode=Mode.STARTTLS), call(port=587, mode=Mode.STARTTLS)):
        assert run(Scripted(banner=HANG), patient, seconds=0.2).steps[0].why == "no banner before the run's end"
    assert stages(run(Scripted(banner=[b"2", b"20 x\r\n"]), call(port=587)))[0] == "banner:220"


def test_one_deadline_for_a_step_however_it_drips(monkeypatch):
    monkeypatch.setattr("deliverkit.smtp.driver.BANNER", 0.2)

    class Drip(Scripted):
        async def receive(self) -> bytes:
            await asyncio.sleep(0.01)
            return b"2"

    began = time.monotonic()
    session = run(Drip())
    assert time.monotonic() - began < 1
    assert (stages(session), session.steps[0].why) == (["banner!timeout"], "no whole banner within 0.2 s")


def test_a_peer_that_never_stops_cannot_outrun_the_deadline():
    class Flood(Scripted):
        async def receive(self) -> bytes:
            return b"" if self.closed else b"\r\n" * 2

    began = time.monotonic()
    assert stages(run(Flood(banner=HANG), seconds=0.1))[0] in ("banner!timeout", "banner!too-long")
    assert time.monotonic() - began < 2


def test_quit_is_waited_for_two_seconds_at_most_and_loses_nothing(monkeypatch):
    monkeypatch.setattr("deliverkit.smtp.dialog.QUIT", 0.05)
    session = run(Scripted(QUIT=HANG))
    assert stages(session) == [*WHOLE[:-1], "quit!timeout"]
    assert session.handshake == ESTABLISHED


@pytest.mark.parametrize(
    ("answers", "tail", "remarks"),
    [
        ({}, ["mail:250", "rcpt:550", "rcpt:550", "rcpt:550", "rset:250"], {"relay": "closed"}),
        ({"RCPT": b"250 ok\r\n"}, ["mail:250", "rcpt:250", "rset:250"], {"relay": "possible"}),
        ({"RCPT": b"450 later\r\n"}, ["mail:250", "rcpt:450", "rset:250"],
         {"relay": "not-tried", "relay-why": "the server puts it off: the answer is temporary"}),
        ({"MAIL": b"530 5.7.0 login first\r\n"}, ["mail:530"],
         {"relay": "closed", "relay-why": "MAIL FROM was refused already"}),
        ({"MAIL": b"451 later\r\n"}, ["mail:451"],
         {"relay": "not-tried", "relay-why": "MAIL FROM was put off already"}),
    ],
)  # fmt: skip
def test_the_relay_test_never_goes_on_to_data(answers, tail, remarks):
    line = Scripted(**answers)
    session = run(line, call(relay_to="user@example.net"))
    assert stages(session) == [*WHOLE[:-1], *tail, "quit:221"]
    assert session.remarks == remarks
    assert not any(octets.startswith(b"DATA") for octets in line.said)


def test_three_forms_of_a_recipient():
    assert relay_forms("user@example.net", "mail.example.com") == (
        "user@example.net", "user%example.net@mail.example.com", "@mail.example.com:user@example.net",
    )  # fmt: skip


def test_mail_before_tls():
    session = run(Scripted(MAIL=b"530 5.7.0 STARTTLS first\r\n"), call(try_mail=True))
    assert stages(session) == ["banner:220", "ehlo:250", "mail-clear:530", *WHOLE[2:]]
    session = run(Scripted(), call(try_mail=True))
    assert stages(session) == ["banner:220", "ehlo:250", "mail-clear:250", "rset-clear:250", *WHOLE[2:]]


def test_a_command_is_one_line():
    with pytest.raises(ValueError, match="one line"):
        run(Scripted(), call(helo="x\r\nRCPT TO:<a@example.net>"))


def test_an_interruption_goes_through():
    async def main() -> None:
        wanted = call()
        task: asyncio.Task[Session] = asyncio.create_task(
            converse(wanted, dialog_of(wanted, "x"), Scripted(EHLO=HANG), Limit(time.monotonic() + 60, "never"))
        )
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_each_stage_is_told_as_it_comes():
    told: list[str] = []

    async def main() -> Any:
        wanted = call()
        limit = Limit(time.monotonic() + 5, "never")
        return await converse(wanted, dialog_of(wanted, "x"), Scripted(), limit, watch=told.append)

    asyncio.run(main())
    assert told == ["banner", "ehlo", "starttls", "tls", "ehlo-tls", "quit"]


ANSWERS = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([
        b"220 x\r\n", b"250 x\r\n", EHLO, b"334 eA==\r\n", b"421 x\r\n", b"550 x\r\n", b"250-x\r\n", CLOSE, RESET,
        b"250 x\r\n250 y\r\n",
    ]),
)  # fmt: skip


VERBS = ("banner", "EHLO", "STARTTLS", "EHLO_tls", "MAIL", "RCPT", "RSET", "AUTH", "QUIT")


@given(st.dictionaries(st.sampled_from(VERBS), st.lists(ANSWERS, max_size=3)))
def test_whatever_a_server_says_the_session_ends(answers):
    # What follows the script is the end of the connection, so that nothing has to be waited for.
    line = Scripted(AUTH_more=CLOSE, **{verb: [*said, CLOSE] for verb, said in answers.items()})
    session = run(
        line,
        call(try_mail=True, relay_to="user@example.net", user="alice", insecure_auth=True),
        secret=Secret("Kanarivogel"),
    )
    assert session.steps
    assert not any(octets.startswith(b"DATA") for octets in line.said)
    assert sum(octets.startswith(b"AUTH") for octets in line.said) <= 1
