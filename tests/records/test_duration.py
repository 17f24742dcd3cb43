"""Durations as they are typed and shown."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.records.duration import LONGEST, duration_words, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2h", 7200),
        ("90m", 5400),
        ("300", 300),
        ("0", 0),
        ("45s", 45),
        ("1h30m", 5400),
        ("1d 2h 3m 4s", 93784),
        (" 1 H 30 M ", 5400),
        ("1w", 604800),
        ("90m15s", 5415),
        ("0007", 7),
    ],
)
def test_durations(text: str, seconds: int):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a duration is wanted"),
        ("  ", "a duration is wanted"),
        ("-5m", "is no duration"),
        ("1.5h", "is no duration"),
        ("soon", "is no duration"),
        ("5 minutes", "is no duration"),
        ("h", "is no duration"),
        ("1h30", "is no duration"),
        ("٣h", "is no duration"),
        ("1e3", "is no duration"),
        ("30m1h", "each unit once, the largest first"),
        ("1h1h", "each unit once, the largest first"),
        ("367d", "longer than a year"),
        ("999999999999", "longer than a year"),
        ("9" * 500, "is no duration"),
        ("1h\x1b[31m\n", "is no duration"),
    ],
)
def test_what_is_none(text: str, words: str):
    with pytest.raises(ValueError, match=words) as caught:
        parse_duration(text)
    said = str(caught.value)
    assert said.isprintable()
    assert len(said) < 200


@given(st.text(max_size=30) | st.from_regex(r"([0-9]{1,3}[wdhms ]){0,4}", fullmatch=True))
def test_nothing_but_a_value_error(text: str):
    with contextlib.suppress(ValueError):
        assert 0 <= parse_duration(text) <= LONGEST


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0 s"),
        (0.2, "0 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (300, "5 min"),
        (3599, "59 min 59 s"),
        (3600, "1 h"),
        (5400, "1 h 30 min"),
        (7229, "2 h"),
        (86399, "1 d"),
        (347400, "4 d 30 min"),
        (432000, "5 d"),
    ],
)
def test_words(seconds: float, words: str):
    assert duration_words(seconds) == words


@given(st.integers(0, 3599))
def test_what_is_shown_can_be_typed(seconds: int):
    assert parse_duration(duration_words(seconds).replace("min", "m")) == seconds
