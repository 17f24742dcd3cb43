"""Attempts folded into the document: the last word on each recipient, the worst of them, the exit code."""

from __future__ import annotations

import msgspec
import pytest

from deliverkit.model import (
    Attempt,
    Call,
    Delivered,
    Demand,
    Envelope,
    Hop,
    Result,
    Session,
    Stage,
    State,
    Step,
    Trouble,
)
from deliverkit.report.delivery import Course, MessageReport, document, exit_code, route_report

ENVELOPE = Envelope(sender="me@example.com", recipients=("a@example.net",))
HOP = Hop(host="mx.example.net", address="192.0.2.25", preference=10)


def course(*attempts: Attempt, recipients: tuple[str, ...] = ("a@example.net",), **more) -> Course:
    return Course(
        version="1",
        started_at=0.0,
        duration_ms=1.0,
        envelope=msgspec.structs.replace(ENVELOPE, recipients=recipients),
        message=MessageReport(id="<1@example.com>", size=10),
        attempts=attempts,
        **more,
    )


def attempt(number: int, *results: Result, at: float = 0.0, steps: tuple[Step, ...] = (), **more) -> Attempt:
    session = Session(
        call=Call(host=HOP.host, address=HOP.address, port=25, dial_port=25),
        state=State.OPEN,
        steps=steps,
        ours="192.0.2.9",
    )
    return Attempt(
        number=number,
        at=at,
        hop=HOP,
        envelope=ENVELOPE,
        session=session,
        results=results,
        outcome=results[0].outcome,
        stage=results[0].stage,
        **more,
    )


def result(
    outcome: Delivered, stage: Stage = Stage.RCPT, reply: bytes = b"", address: str = "a@example.net", why: str = ""
):
    return Result(address=address, outcome=outcome, stage=stage, reply=reply, why=why)


ACCEPTED = result(Delivered.ACCEPTED, Stage.EOD, b"250 2.0.0 Ok: queued as 4ABC\r\n")
GREY = result(Delivered.DEFERRED, reply=b"450 4.2.0 Greylisted, try again in 300 seconds\r\n")


@pytest.mark.parametrize(
    ("outcome", "code"), [("accepted", 0), ("deferred", 3), ("unknown", 3), ("refused", 1), ("failed", 1)]
)
def test_the_exit_code_is_the_outcome(outcome: str, code: int):
    report = document(course(attempt(1, result(Delivered(outcome)))))
    assert (report.outcome, report.exit_code) == (outcome, code)


@pytest.mark.parametrize(
    ("outcomes", "worst", "code"),
    [
        (("accepted", "deferred"), "deferred", 3),
        (("unknown", "deferred"), "unknown", 3),
        (("refused", "unknown", "accepted"), "refused", 1),
        (("refused", "failed"), "failed", 1),
    ],
)
def test_the_worst_recipient_counts(outcomes: tuple[str, ...], worst: str, code: int):
    addresses = tuple(f"r{number}@example.net" for number in range(len(outcomes)))
    results = [result(Delivered(one), address=to) for one, to in zip(outcomes, addresses, strict=True)]
    report = document(course(attempt(1, *results), recipients=addresses))
    assert (report.outcome, report.exit_code) == (worst, code)
    assert [entry.address for entry in report.recipients] == list(addresses)


def test_the_last_attempt_decides_and_the_delay_is_told():
    report = document(course(attempt(1, GREY, at=100.0), attempt(2, ACCEPTED, at=403.5, queue_id="4ABC")))
    (only,) = report.recipients
    assert (only.outcome, only.attempt, only.queue_id) == ("accepted", 2, "4ABC")
    assert (only.delayed_ms, only.delayed_by) == (303_500.0, "greylisting")
    assert (report.queue_id, report.stage) == ("4ABC", "eod")


def test_what_was_accepted_at_once_was_not_delayed():
    (only,) = document(course(attempt(1, ACCEPTED, at=100.0))).recipients
    assert (only.delayed_ms, only.delayed_by) == (None, None)


def test_a_deferral_before_these_attempts_counts():
    (only,) = document(course(attempt(2, GREY, at=200.0), attempt(3, ACCEPTED, at=400.0), deferred_at=100.0)).recipients
    assert (only.delayed_ms, only.delayed_by) == (300_000.0, "greylisting")


def test_a_deferral_of_others_is_no_delay_of_ones_own():
    (only,) = document(course(attempt(3, ACCEPTED, at=400.0), deferred_at=100.0)).recipients
    assert (only.delayed_ms, only.delayed_by) == (None, None)


def test_what_no_session_decided_outranks_them():
    lost = result(Delivered.UNKNOWN, Stage.EOD, why="in doubt after a crash")
    report = document(course(attempt(1, GREY), decided=(lost,)))
    assert report.recipients[0].why == "in doubt after a crash"
    assert report.recipients[0].attempt is None
    assert report.exit_code == 3


def test_replies_are_explained_by_their_stage():
    steps = (
        Step(stage="banner", reply=b"220 mx ESMTP\r\n", replied_ms=1.0),
        Step(
            stage="ehlo-tls",
            said=b"EHLO me.example.com",
            reply=b"250-mx\r\n250 SIZE 1000\r\n",
            at_ms=2.0,
            replied_ms=3.0,
        ),
        Step(stage="rcpt", said=b"RCPT TO:<a@example.net>", at_ms=4.0, reply=GREY.reply, replied_ms=5.0),
        Step(stage="quit", said=b"QUIT", at_ms=6.0, replied_ms=7.0, trouble=Trouble.CLOSED, why="the server closed"),
    )
    (only,) = document(course(attempt(1, GREY, steps=steps))).attempts
    assert [(reply.stage, reply.code, reply.category) for reply in only.replies] == [
        ("banner", 220, "success"),
        ("ehlo", 250, "success"),
        ("rcpt", 450, "greylisting"),
    ]
    assert [(line.direction, line.text) for line in only.transcript] == [
        ("server", "220 mx ESMTP"),
        ("client", "EHLO me.example.com"),
        ("server", "250-mx"),
        ("server", "250 SIZE 1000"),
        ("client", "RCPT TO:<a@example.net>"),
        ("server", "450 4.2.0 Greylisted, try again in 300 seconds"),
        ("client", "QUIT"),
        ("note", "closed: the server closed"),
    ]
    assert (only.helo, only.from_address, only.duration_ms) == ("me.example.com", "192.0.2.9", 7.0)


def test_a_pipelined_transcript_is_in_the_order_of_time():
    steps = (
        Step(stage="mail", said=b"MAIL FROM:<me@example.com>", at_ms=1.0, reply=b"250 ok\r\n", replied_ms=4.0),
        Step(stage="rcpt", said=b"RCPT TO:<a@example.net>", at_ms=1.0, reply=b"250 ok\r\n", replied_ms=4.1),
    )
    (only,) = document(course(attempt(1, ACCEPTED, steps=steps))).attempts
    assert [line.direction for line in only.transcript] == ["client", "client", "server", "server"]


def test_a_session_stopped_as_asked_has_no_outcome():
    stopped = attempt(1, result(Delivered.DEFERRED, Stage.RCPT, why="stopped after RCPT"), stopped=True)
    report = document(course(stopped))
    assert (report.outcome, report.exit_code, report.stage, report.stopped_after) == (None, 0, "rcpt", "rcpt")


def test_a_refusal_before_the_stop_counts():
    report = document(course(attempt(1, result(Delivered.REFUSED, reply=b"550 no\r\n"), stopped=True)))
    assert (report.outcome, report.exit_code) == ("refused", 1)


def test_a_dry_run_has_no_outcome_but_a_route_that_leads_nowhere():
    assert document(course(dry_run=True)).exit_code == 0
    null = result(Delivered.REFUSED, Stage.ROUTE, why="example.net takes no mail: null MX")
    report = document(course(dry_run=True, decided=(null,)))
    assert (report.outcome, report.stage, report.exit_code) == ("refused", "route", 1)


def test_exit_zero():
    assert document(course(attempt(1, GREY), exit_zero=True)).exit_code == 0


def test_several_deliveries_come_to_the_worst():
    reports = [document(course(attempt(1, one))) for one in (ACCEPTED, GREY, result(Delivered.REFUSED))]
    assert exit_code(reports) == 1
    assert exit_code(reports[:2]) == 3
    assert exit_code([]) == 0


def test_octets_that_are_no_text_are_json():
    odd = result(Delivered.REFUSED, reply=b"550 \xff\x00\x1b[31m\r\n")
    report = document(course(attempt(1, odd, steps=(Step(stage="rcpt", reply=odd.reply),)), bounce=b"\xfe"))
    assert msgspec.json.decode(msgspec.json.encode(report))["recipients"][0]["reply"]["input"].startswith("550 \\xff")
    assert report.bounce == "\\xfe"


def test_a_route_names_each_host_and_what_holds_it():
    held = msgspec.structs.replace(
        HOP, demand=Demand(source="mta-sts", tls=True, verified=True, words="MTA-STS enforce")
    )
    report = route_report(
        domain="example.net", recipients=("a@example.net",), via="mx", hops=(held, HOP), mta_sts="enforce", dane="none"
    )
    assert [(hop.host, hop.preference, hop.demand) for hop in report.hops] == [
        ("mx.example.net", 10, "MTA-STS enforce"),
        ("mx.example.net", 10, None),
    ]
