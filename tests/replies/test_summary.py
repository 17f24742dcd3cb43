"""A log in numbers, in bounded space; and which replies count as the same."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.replies.alike import Tally, alike
from deliverkit.replies.inputs import Counts, moment
from deliverkit.replies.stream import explained, explained_text
from deliverkit.replies.summary import Collector, Summary

NOW = dt.datetime(2026, 3, 10, 12, tzinfo=dt.timezone(dt.timedelta(hours=1)))


def line(queue: str, to: str, told: str, time: str = "Mar 10 03:04:05") -> str:
    return f"{time} relay postfix/smtp[8]: {queue}: to=<{to}>, relay=mx.inbox.example[192.0.2.25]:25, delay=1, {told}\n"


def said(status: str, reply: str, dsn: str) -> str:
    return f"dsn={dsn}, status={status} (host mx.inbox.example[192.0.2.25] said: {reply} (in reply to RCPT TO command))"


SENT = "dsn=2.0.0, status=sent (250 2.0.0 taken)"
UNKNOWN = said("bounced", "550 5.1.1 <x@inbox.example>: User unknown", "5.1.1")
LATER = said("deferred", "450 4.2.0 <x@inbox.example>: Greylisted, try again later", "4.2.0")


def summed(text: str) -> Summary:
    counts = Counts()
    collector = Collector(NOW)
    for item, decoded in explained(text.encode().splitlines(True), counts):
        collector.add(item, decoded)
    return collector.summary(counts)


LOG = (
    line("4XA1B2C3D4", "ann@one.example", SENT, "Mar 10 01:00:00")
    + line("4XA1B2C3D5", "bob@one.example", LATER, "Mar 10 02:00:00")
    + line("4XA1B2C3D6", "cyd@two.example", LATER)
    + "Mar 10 03:04:05 relay postfix/qmgr[8]: 4XA1B2C3D4: removed\n"
    + line("4XA1B2C3D7", "dan@two.example", UNKNOWN)
    + line("4XA1B2C3D8", "eve@Two.example", UNKNOWN)
    + line("4XA1B2C3D5", "bob@one.example", SENT, "Mar 10 04:00:00")
    + "Mar 10 05:00:00 relay postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 554 5.7.1 "
    "<z@far.example>: Relay access denied; from=<s@x.example> to=<z@far.example> proto=ESMTP helo=<x>\n"
    + "Mar 10 05:00:01 relay postfix/smtp[9]: connect to mx.inbox.example[192.0.2.25]:25: Connection refused\n"
)


def test_what_became_of_the_mail():
    found = summed(LOG)
    assert (found.delivered, found.deferred, found.bounced, found.rejected) == (2, 2, 2, 1)
    assert (found.waiting, found.delivered_late) == (1, 1)
    assert (found.lines, found.skipped) == (9, 1)
    assert found.replies == 7  # the host that refused a connection is not the end of any recipient


def test_when():
    found = summed(LOG)
    assert (found.first_seen, found.last_seen) == ("2026-03-10T00:00:00Z", "2026-03-10T04:00:00Z")


def test_what_failed_and_where():
    found = summed(LOG)
    unknown = next(row for row in found.by_category if row.category == "no-such-user")
    assert (unknown.count, unknown.permanent, unknown.temporary) == (2, 2, 0)
    assert [(share.name, share.count) for share in unknown.domains] == [("two.example", 2)]
    assert {row.domain: (row.success, row.permanent, row.temporary) for row in found.by_domain} == {
        "one.example": (2, 0, 1),
        "two.example": (0, 2, 1),
    }


def test_whose_move_is_first():
    first, *_ = summed(LOG).do_first
    assert (first.who, first.category, first.permanent) == ("sender", "no-such-user", 2)
    assert first.action
    assert all(move.who != "nobody" for move in summed(LOG).do_first)


def test_what_was_refused_here_is_apart():
    found = summed(LOG)
    assert sum(share.count for share in found.refused_here) == 1
    assert all(row.domain != "far.example" for row in found.by_domain)


def test_texts_that_differ_in_names_alone_are_one():
    found = summed(LOG)
    assert [(text.count, text.text) for text in found.texts if text.category == "no-such-user"] == [
        (2, "550 5.1.1 <…>: User unknown")
    ]


def test_replies_without_a_log_have_no_outcome():
    found = summed("550 5.1.1 unknown user\n250 ok\n")
    assert (found.waiting, found.other, found.replies) == (None, 2, 2)


def test_nothing_at_all():
    found = summed("")
    assert (found.replies, found.first_seen, found.do_first) == (0, None, ())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("550 5.1.1 <a@b.example>: no", "550 5.1.1 <c@d.example>: no"),
        ("554 5.7.1 [192.0.2.1] blocked", "554 5.7.1 [198.51.100.22] blocked"),
        ("554 5.7.1 2001:db8::1 blocked", "554 5.7.1 2001:db8:7::22 blocked"),
        ("421 4.7.0 wait a1b2c3d4e5 - gsmtp", "421 4.7.0 wait f6a7b8c9d0 - gsmtp"),
        ("550 see https://x.example/?ip=192.0.2.1", "550 see https://x.example/?ip=192.0.2.7"),
    ],
)
def test_alike(one: str, other: str):
    assert alike(one) == alike(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("550 5.1.1 no", "550 5.2.1 no"),
        ("550 no", "554 no"),
        ("421 4.7.0 [TSS04] wait", "421 4.7.0 [TSS09] wait"),
        ("550 5.7.1 (S3140)", "550 5.7.1 (S3150)"),
    ],
)
def test_not_alike(one: str, other: str):
    assert alike(one) != alike(other)


@given(st.text())
def test_alike_takes_any_text(text: str):
    assert len(alike(text)) <= 1000


def test_a_tally_keeps_what_comes_most_and_counts_the_rest():
    tally: Tally[int] = Tally(10)
    for number in range(5000):
        tally.add(-1)
        tally.add(number)
    assert tally.most(1) == [(-1, 5000)]
    assert len(tally) <= 20
    assert tally.others + sum(count for _, count in tally.most()) == 10_000


@pytest.mark.parametrize(
    ("time", "iso"),
    [
        ("Mar 10 03:04:05", "2026-03-10T03:04:05+01:00"),
        ("Dec 31 23:59:59", "2025-12-31T23:59:59+01:00"),
        ("Mar 11 03:04:05", "2026-03-11T03:04:05+01:00"),
        ("Mar 13 03:04:05", "2025-03-13T03:04:05+01:00"),
        ("2026-03-10T03:04:05.123Z", "2026-03-10T03:04:05+00:00"),
        ("2026-03-10T03:04:05-0730", "2026-03-10T03:04:05-07:30"),
        ("2026-03-10 03:04:05", "2026-03-10T03:04:05+01:00"),
        ("2026-06-30 23:59:60", "2026-06-30T23:59:59+01:00"),
    ],
)
def test_moments(time: str, iso: str):
    found = moment(time, NOW)
    assert found is not None
    assert found.isoformat() == iso


@pytest.mark.parametrize(
    "time", ["", "Foo 10 03:04:05", "Mar 41 03:04:05", "2026-13-10T03:04:05Z", "2026-03-10T25:00:00"]
)
def test_no_moments(time: str):
    assert moment(time, NOW) is None


@given(st.text(max_size=40))
def test_any_time(time: str):
    moment(time, NOW)


def test_a_line_alone_is_taken_for_a_reply_and_several_are_not():
    counts = Counts()
    assert [item.text for item, _ in explained([b"no way to get there\n"], counts)] == ["no way to get there"]
    assert counts.skipped == 0
    assert list(explained([b"no way\n", b"to get there\n"], counts)) == []


def test_what_is_typed_is_always_explained():
    for text in ("", " ", "hello", "a\nb", "x" * 100_000, "\x00\x1b", "550"):
        (pair,) = explained_text(text)
        assert pair[1].meaning


@given(st.text(max_size=200))
def test_any_text_that_is_typed_is_explained(text: str):
    for _, decoded in explained_text(text):
        assert decoded.meaning
        assert decoded.cause
        assert decoded.action


def test_a_stage_that_the_input_tells_stands():
    (_, told), (_, untold) = explained(
        [line("4XA1B2C3D4", "a@b.example", UNKNOWN).encode(), b"550 x\n"], Counts(), stage="eod"
    )
    assert (told.stage, untold.stage) == ("rcpt", "eod")
