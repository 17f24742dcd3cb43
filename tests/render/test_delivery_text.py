"""A delivery as text: the verdict in plain words, and nothing of a peer's that acts."""

from __future__ import annotations

import re

import msgspec
import pytest
from deliveries import (
    GREYLISTED,
    HOP,
    MESSAGE,
    SIGNED,
    STEPS,
    TAKEN,
    attempt,
    delivery,
    explained,
    result,
)
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from deliverkit.model import Stage, Step
from deliverkit.render.text.delivery import render
from deliverkit.render.text.delivery_live import LiveText
from deliverkit.render.text.sheet import Look
from deliverkit.report.delivery import RetryReport, ScheduleReport, ScheduleRow

SGR = re.compile(r"\x1b\[[0-9;]*m")


def text(report, **look) -> str:
    return render([report], Look(**look))


def verdict(report, **look) -> str:
    return render([report], Look(**look), told=True).removeprefix("\n")


def test_the_whole_of_a_deferral():
    report = explained(delivery(attempt(GREYLISTED, steps=STEPS), message=SIGNED))
    assert re.sub(r"(?m)^    Greylisting: .*\n(    .*\n)*", "    …\n", text(report)) == snapshot("""\
route     example.net → mx.example.net [192.0.2.25]:25
          MTA-STS none · DANE none
message   <1@example.com>
          734 octets · MAIL FROM me@example.com · DKIM example.com (s1)

=== Trying mx.example.net [192.0.2.25]:25                              attempt 1
=== Connected                                                           +0.003 s
<-  220 mx.example.net ESMTP                                            +0.005 s
 -> EHLO client.example.com
<-  250-mx.example.net                                                  +0.006 s
<-  250 PIPELINING
 -> MAIL FROM:<me@example.com>
<-  250 2.1.0 ok                                                        +0.007 s
 -> RCPT TO:<you@example.net>
<** 450 4.2.0 Greylisted, try again in 300 seconds                      +0.310 s
    temporary · greylisting · nobody has to act
    …
 -> QUIT
<-  221 2.0.0 bye                                                       +0.311 s

◷ deferred at RCPT   you@example.net                                       0.4 s
    450 4.2.0 Greylisted, try again in 300 seconds
  temporary · greylisting · nobody has to act   from mx.example.net
  The server wants to see you come back.
  Why   It does not know you yet.
  Do    Come back from the same address.
  RFC 6647 §2
  Then  A mail server would retry in 5 min (--retry-for 1h does).
""")


def test_an_acceptance_after_greylisting():
    report = delivery(attempt(GREYLISTED, at=100.0), attempt(TAKEN, number=2, at=403.0, queue_id="4ABC"))
    assert verdict(report) == snapshot("""\
✓ accepted   you@example.net · queued there as 4ABC                        0.4 s
  Greylisting cost 5 min 3 s: it was accepted at attempt 2.

Next  deliverkit check example.com
      accepted is not yet the inbox: what receivers check
""")


def test_silence_after_the_dot_is_told_in_plain_words():
    lost = result("unknown", Stage.EOD, why="no answer to the final dot within 300 s")
    assert verdict(delivery(attempt(lost))) == snapshot("""\
? unknown at EOD   you@example.net                                         0.4 s
  No answer to the final dot within 300 s. The message may have been delivered:
  do not send it again without looking.
  Do    Ask the recipient, or have the log at mx.example.net searched for
        <1@example.com>. Nothing is tried again by itself (RFC 1047).
""")


def test_what_is_impossible_from_here():
    failed = result("failed", Stage.MAIL, why="the message needs SMTPUTF8, which mx.example.net does not offer")
    assert verdict(delivery(attempt(failed))) == snapshot("""\
✗ failed at MAIL   you@example.net                                         0.4 s
  The message needs SMTPUTF8, which mx.example.net does not offer.
""")


def test_several_recipients_of_which_two_had_the_same_reply():
    report = delivery(
        attempt(
            result("accepted", Stage.EOD, "250 ok", to="a@example.net"),
            result("refused", Stage.RCPT, "550 5.1.1 <b@example.net> unknown", to="b@example.net"),
            result("refused", Stage.RCPT, "550 5.1.1 <c@example.net> unknown", to="c@example.net"),
            queue_id="4ABC",
        )
    )
    shown = verdict(report)
    assert "\n".join(shown.splitlines()[:6]) == snapshot("""\
✗ refused at RCPT   1 of 3 recipients accepted                             0.4 s
  ✓ accepted  EOD      a@example.net  queued there as 4ABC
  ✗ refused   RCPT     b@example.net  550 no-such-user
  ✗ refused   RCPT     c@example.net  550 no-such-user

  For   b@example.net, c@example.net\
""")
    assert shown.count("permanent · no-such-user") == 1


def test_a_list_and_a_link_stand_on_lines_of_their_own():
    report = explained(
        delivery(attempt(result("refused", Stage.RCPT, "554 5.7.1 listed"))),
        class_="permanent",
        category="blocklist",
        who="mail-admin",
        list="Example Block List",
        ticket_url="https://list.example/query?ip=192.0.2.9",
        provider="gmail",
        provider_name="Gmail",
        disagreement="The basic code says permanent, the enhanced one temporary.",
    )
    assert verdict(report) == snapshot("""\
✗ refused at RCPT   you@example.net                                        0.4 s
    450 4.2.0 Greylisted, try again in 300 seconds
  permanent · blocklist · at Gmail · mail administrator acts   from mx.example.net
  The server wants to see you come back.
  The basic code says permanent, the enhanced one temporary.
  Why   It does not know you yet.
  Do    Come back from the same address.
  List  Example Block List
  Link  https://list.example/query?ip=192.0.2.9
  RFC 6647 §2
""")


@pytest.mark.parametrize(
    ("retry", "says"),
    [
        (
            RetryReport(id="7", next_at="2026-11-26T15:00:00Z", give_up_at="2026-11-26T17:00:00Z"),
            "Queued as 7: to be tried again at 2026-11-26T15:00:00Z, until\n  2026-11-26T17:00:00Z.",
        ),
        (
            RetryReport(id=None, next_at=None, give_up_at="2026-11-26T17:00:00Z", why="the time given for it is over"),
            "Not tried again: the time given for it is over.",
        ),
        (None, "Then  A mail server would retry in 5 min (--retry-for 1h does)."),
    ],
)
def test_what_comes_of_a_deferral(retry, says):
    report = explained(delivery(attempt(GREYLISTED), retry=retry))
    assert says in verdict(report)


def test_a_queued_message_names_the_command_that_goes_on():
    report = delivery(attempt(GREYLISTED), retry=RetryReport(id="7", next_at="2026-11-26T15:00:00Z", give_up_at=None))
    assert verdict(report).endswith("Next  deliverkit send --resume 7   goes on with it when it is due\n")


def test_the_bounce_is_shown_where_everything_is():
    report = delivery(attempt(GREYLISTED), bounce=b"From: <>\r\n\r\nsorry\r\n")
    assert "A mail server would now send a bounce to me@example.com; -v shows it." in verdict(report)
    assert "    From: <>\n\n    sorry\n" in verdict(report, verbose=True)


def test_a_dry_run_shows_the_message():
    message = msgspec.structs.replace(MESSAGE, header="From: me@example.com\nSubject: hello", body="One.\nTwo.\n")
    assert text(delivery(message=message, dry_run=True)) == snapshot("""\
route     example.net → mx.example.net [192.0.2.25]:25
          MTA-STS none · DANE none
message   <1@example.com>   734 octets · MAIL FROM me@example.com · not signed

    From: me@example.com
    Subject: hello

    One.
    Two.

· dry run: nothing was sent                                                0.4 s
""")


def test_a_schedule_is_a_table():
    schedule = ScheduleReport(
        server="exim",
        name="Exim",
        events=(),
        rows=(
            ScheduleRow(first_s=0, last_s=0, kind="try", words="the first try"),
            ScheduleRow(first_s=900, last_s=7200, kind="try", words="8 tries, 15 min apart"),
            ScheduleRow(first_s=345_600, last_s=345_600, kind="give-up", words="gives up and bounces"),
        ),
        settings={"retry": "F,2h,15m"},
        notes=("it warns after a day",),
        references=("Exim specification, chapter 32",),
    )
    report = msgspec.structs.replace(delivery(attempt(TAKEN)), schedule=schedule)
    assert verdict(report).partition("Exim")[2] == snapshot("""\
 would, by its documented defaults
    now              the first try
    +15 min to +2 h  8 tries, 15 min apart
    +4 d             gives up and bounces
    It warns after a day.
    Exim specification, chapter 32

Next  deliverkit check example.com
      accepted is not yet the inbox: what receivers check
""")


@pytest.mark.parametrize(
    ("category", "stage", "hint"),
    [
        ("auth-spf", Stage.EOD, "deliverkit spf example.com --ip 192.0.2.9"),
        ("auth-dkim", Stage.EOD, "deliverkit dkim example.com --selector s1"),
        ("auth-dmarc", Stage.EOD, "deliverkit dmarc example.com"),
        ("sender-domain", Stage.MAIL, "deliverkit mx example.com"),
        ("recipient-domain", Stage.RCPT, "deliverkit mx example.net"),
        ("tls", Stage.MAIL, "deliverkit smtp mx.example.net:25"),
        ("smtp-auth", Stage.AUTH, "deliverkit smtp mx.example.net:25 --user NAME"),
    ],
)
def test_the_next_command_is_by_the_cause(category: str, stage: Stage, hint: str):
    refused = delivery(attempt(result("refused", stage, "550 no")), message=SIGNED)
    assert f"  {hint}\n" in verdict(explained(refused, category=category)) or f"  {hint}   " in verdict(
        explained(refused, category=category)
    )


HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "\u202egnp.exe",
    "[red]x[/red] [link=file:///etc]y[/link]",
    "<script>alert(1)</script>",
    "::error::x",
    "##[error]x",
    "##vso[task.x]y",
    "| a | b |\n# head",
    "\u2028::stop-commands::x",
)


@pytest.mark.parametrize("evil", HOSTILE)
@pytest.mark.parametrize("look", [{}, {"color": True}, {"ascii": True}, {"verbose": True}, {"wrap": False}])
def test_nothing_of_a_peers_acts(evil: str, look):
    raw = evil.encode()
    steps = (
        Step(stage="banner", reply=b"220 " + raw + b"\r\n", replied_ms=1.0),
        Step(stage="rcpt", said=b"RCPT TO:<you@example.net>", reply=b"550-" + raw + b"\r\n550 " + raw + b"\r\n"),
    )
    refused = result("refused", Stage.RCPT, f"550 5.7.1 {evil}", why=evil)
    report = delivery(
        attempt(refused, steps=steps, notes=(evil,)),
        message=msgspec.structs.replace(MESSAGE, id=evil, notes=(evil,), header=evil, body=evil),
        bounce=raw,
    )
    shown = SGR.sub("", text(report, **look)) if look.get("color") else text(report, **look)
    assert all(char == "\n" or char.isprintable() for char in shown)
    assert not re.search(r"(?m)^\s*::", shown)
    assert "##[" not in shown
    assert "##vso[" not in shown
    assert not look.get("ascii") or shown.isascii()


@given(st.binary(max_size=200), st.sampled_from(["server", "client", "note"]), st.sampled_from(["rcpt", "body", "tls"]))
def test_any_octets_are_shown_live(octets: bytes, direction: str, stage: str):
    live = LiveText(Look(verbose=True))
    shown = live.said(1.0, direction, octets, tls=False, stage=stage)
    assert all(char == "\n" or char.isprintable() for char in shown)


def test_live_and_afterwards_are_the_same():
    live = LiveText(Look())
    report = delivery(attempt(GREYLISTED, steps=STEPS))
    (held,) = report.attempts
    pieces = [live.dialling(1, HOP.host, HOP.address, HOP.port)]
    pieces.append(live.said(3.0, "note", b"connected to mx.example.net", tls=False, stage="connect"))
    for step in STEPS:
        if step.said:
            pieces.append(live.said(step.at_ms, "client", step.said, tls=False, stage=step.stage))
        pieces.append(live.said(step.replied_ms or 0.0, "server", step.reply, tls=False, stage=step.stage))
    pieces.append(live.attempted(held))
    whole = text(report).split("\n\n")[1]
    assert "".join(pieces).strip("\n") == whole


def test_a_long_reply_is_cut_and_its_end_is_shown():
    reply = "".join(f"550-line {number}\r\n" for number in range(300)) + "550 end\r\n"
    live = LiveText(Look()).said(1.0, "server", reply.encode(), tls=False, stage="rcpt")
    assert live.count("<** 550-line") == 100
    assert "\n<** 550 end\n" in live


def test_a_wait_is_told_in_local_time():
    shown = LiveText(Look()).waiting(360.0, 3600.0, 60.0, "7")
    assert shown == "\n◷ next attempt in 5 min, at 00:06:00 (until 01:00:00; Ctrl-C leaves it queued as\n  7)\n"
