"""Whatever comes, `decode` answers in whole sentences, soon, and in text that can be stored."""

from __future__ import annotations

import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.replies import CATEGORIES, STAGES, decode, tables
from deliverkit.replies.parts import KEPT
from deliverkit.replies.phrases import Searched, Words, compiled, needed

SOON_S = 2.0
"""Far beyond what it takes on a slow machine, far below what a pattern that runs away takes."""

CODES = st.integers(200, 599).map(str)
STATUS = st.tuples(st.sampled_from("245"), st.integers(0, 999), st.integers(0, 999)).map(
    lambda t: ".".join(map(str, t))
)
WORDS = st.sampled_from([
    "user", "unknown", "mailbox", "full", "blocked using", "spamhaus", "rejected", "spam", "[192.0.2.1]", "spf",
    "try again in 300 seconds", "policy", "<a@example.net>:", "https://example.net/x",
    "dmarc", "\u202e", "\x00", "\udc80", "ＵＳＥＲ",
])  # fmt: skip
REPLIES = st.tuples(CODES, st.sampled_from(["-", " ", ""]), STATUS | st.just(""), st.lists(WORDS | st.text(max_size=8)))
TEXTS = st.text() | st.binary().map(lambda octets: octets.decode("utf-8", "surrogateescape"))
MADE = st.lists(REPLIES.map(lambda r: f"{r[0]}{r[1]}{r[2]} {' '.join(r[3])}"), max_size=4).map("\r\n".join)


@given(
    TEXTS | MADE,
    st.none() | st.sampled_from(STAGES) | st.text(max_size=5),
    st.none() | st.sampled_from(["gmail", "yahoo"]) | st.text(max_size=5),
    st.none() | st.text(max_size=30),
)
def test_any_text_is_answered_in_full(text: str, stage: str | None, provider: str | None, host: str | None) -> None:
    decoded = decode(text, stage=stage, provider=provider, host=host)
    assert decoded.category in CATEGORIES
    assert decoded.meaning
    assert decoded.cause
    assert decoded.action
    assert decoded.who
    assert decoded.references
    assert decoded.retry == (decoded.class_ == "temporary")
    assert decoded.stage is None or decoded.stage in STAGES
    assert msgspec.json.decode(msgspec.json.encode(decoded))["class"] == decoded.class_


@pytest.mark.parametrize(
    "text",
    [
        "550 " + "a" * 1_000_000,
        "550 " + "a." * 500_000,
        "550 " + "a@" * 500_000,
        "550 " + "user " * 200_000,
        "550 " + "message too " * 100_000,
        "550 " + "1.2.3." * 100_000,
        "550 " + "a:" * 300_000,
        "550 " + "::" * 300_000,
        "550 " + "http://" * 100_000,
        "550 " + "not in " * 100_000,
        "450 " + "try again in " * 100_000,
        "450 " + "in 1:" * 100_000,
        "550-" * 300_000,
        "550\n" * 300_000,
        "\x00" * 1_000_000,
        "said: " * 200_000,
        "\udc80" * 1_000_000,
        "é" * 1_000_000,
        "domain " * 200_000,
        "sender address " * 100_000,
    ],
    ids=lambda text: repr(text[:16]),
)
def test_a_flood_takes_no_time(text: str) -> None:
    decode("550 warm")
    began = time.process_time()
    decoded = decode(text)
    assert time.process_time() - began < SOON_S
    assert len(decoded.input) <= KEPT * 8
    assert decoded.meaning


def test_octets_that_are_no_text_are_written_as_octets() -> None:
    assert decode(b"550 caf\xe9".decode("utf-8", "surrogateescape")).input == "550 caf\\xe9"


def test_no_phrase_makes_every_rule_be_tried() -> None:
    """A phrase without a plain word is tried on every reply: a few may, no more."""
    phrases = [mark for entry in tables.provider_entries().values() for mark in entry.marks]
    assert sum(not needed(phrase) for phrase in phrases) <= 8


SCRAPS = st.sampled_from(["user", "unknown", "mail", "box", "full", "no such", "x", "re", "verse", "dns", "1", " "])


@given(st.lists(SCRAPS, max_size=12).map("".join))
def test_looking_for_words_first_loses_no_match(text: str) -> None:
    phrases = [
        "user unknown", "(no such|unknown) (user|mailbox)", "mail ?box.{0,9}full", "re(verse)? ?dns", "(a|full)", "x+1",
        r"\buser\b", "[ux]nknown", "(?:mail|x){2}", "(?<!no such)user", "unknown?", "(user)?full", "d(ns|x)1",
    ]  # fmt: skip
    words = Words((phrase, at) for at, phrase in enumerate(phrases))
    found = words.candidates(Searched(text))
    for at, phrase in enumerate(phrases):
        if compiled(phrase).search(text):
            assert phrase in found.get(at, ()), (phrase, text)


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("user unknown", {"user unknown"}),
        ("(unknown|invalid) user", {"unknown", "invalid"}),
        ("(unknown|invalid) (user|us)", {"unknown", "invalid"}),
        ("a|user", set()),
        ("mails? too", {"mail"}),
        (r"\bspf\b", {"spf"}),
        (r"\[tss\d\d\]", {"[tss"}),
        ("(optional)?ab", set()),
        ("(?!never)there", {"there"}),
        ("ab{0,20}cdef", {"cdef"}),
    ],
)
def test_what_a_phrase_needs(phrase: str, words: set[str]) -> None:
    assert needed(phrase) == words


@pytest.mark.parametrize("phrase", ["(open", "shut)", "((a)"])
def test_a_bracket_that_is_not_closed_is_told(phrase: str) -> None:
    with pytest.raises(ValueError, match="bracket"):
        needed(phrase)
