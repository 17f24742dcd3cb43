"""Replies to what was said in one go: counted exactly, however they come in pieces."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mailer import Mailer, deliver, fates, handover
from scripted import CLOSE, HANG, RESET, stages

from deliverkit.model import Trouble
from deliverkit.model.delivery import Delivered

CODES = st.sampled_from(
    [b"250 ok\r\n", b"250-a\r\n250 b\r\n", b"252 x\r\n", b"550 5.1.1 no\r\n", b"450 4.2.1 later\r\n"]
)


def cut(octets: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(octets) + 1) for place in places} | {0, len(octets)})
    return [octets[start:end] for start, end in itertools.pairwise(ends)]


@pytest.fixture(autouse=True, scope="module")
def _no_hush() -> Iterator[None]:
    """Hundreds of messages need not wait for what a script does not say."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deliverkit.smtp.driver.HUSH", 0.0)
        yield


@given(st.lists(CODES, min_size=4, max_size=4), st.lists(st.integers(0, 200), max_size=12))
def test_pieces_make_no_difference(replies, places):
    pieces = cut(b"".join(replies), places)
    together = deliver(Mailer(MAIL=pieces, RCPT=None))
    apart = deliver(Mailer(MAIL=replies[0], RCPT=tuple(replies[1:])))
    assert [(step.stage, step.said, step.reply) for step in together.session.steps] == [
        (step.stage, step.said, step.reply) for step in apart.session.steps
    ]
    assert fates(together) == fates(apart)
    alone = deliver(Mailer(MAIL=replies[0], RCPT=tuple(replies[1:])), handover(pipelining=False))
    assert fates(alone) == fates(apart)


def test_replies_too_few_break_at_the_one_that_is_missing():
    for end, trouble in ((CLOSE, Trouble.CLOSED), (RESET, Trouble.RESET), (HANG, Trouble.TIMEOUT)):
        line = Mailer(RCPT=(b"250 ok\r\n", b"550 no\r\n", end))
        made = deliver(line, seconds=0.1)
        assert stages(made.session)[2:] == ["mail:250", "rcpt:250", "rcpt:550", f"rcpt!{trouble}"]
        assert fates(made) == ["deferred@rcpt", "refused@rcpt", "deferred@rcpt"]


def test_replies_too_many_are_noticed_before_data():
    for extra in (b"250 one more\r\n", b"354 go on\r\n", b"hello\r\n"):
        line = Mailer(RCPT=(b"250 ok\r\n", b"250 ok\r\n", [b"250 ok\r\n", extra]))
        made = deliver(line)
        assert made.session.steps[-1].trouble is Trouble.OUT_OF_STEP
        assert fates(made) == ["failed@data"] * 3
        assert b"DATA\r\n" not in line.said


def test_a_421_that_stood_there_keeps_all_from_being_said():
    line = Mailer()
    line = Mailer(EHLO=[line.answers["EHLO"], b"421 4.4.2 idle\r\n"])
    made = deliver(line)
    assert stages(made.session)[-1] == "mail:421"
    assert line.commands == [b"EHLO client.example.com"]
    assert fates(made) == ["deferred@mail"] * 3


def test_what_stood_there_and_is_no_421_ends_it():
    line = Mailer()
    made = deliver(Mailer(EHLO=[line.answers["EHLO"], b"250 ok\r\n"]))
    assert (made.session.steps[-1].stage, made.session.steps[-1].said) == ("mail", b"")
    assert made.outcome is Delivered.FAILED


def test_a_refused_sender_decides_whatever_rcpt_says():
    made = deliver(Mailer(MAIL=b"550 5.7.1 no\r\n", RCPT=b"250 ok\r\n"))
    assert stages(made.session)[2:] == ["mail:550", *["rcpt:250"] * 3, "quit:221"]
    assert fates(made) == ["refused@mail"] * 3
