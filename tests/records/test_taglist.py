"""The tag=value list of RFC 6376 §3.2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.records.taglist import MAX_ERRORS, MAX_TAGS, parse_tags


def pairs(text: str) -> list[tuple[str, str]]:
    return [(tag.name, tag.value) for tag in parse_tags(text).tags]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v=DKIM1; k=rsa; p=abc", [("v", "DKIM1"), ("k", "rsa"), ("p", "abc")]),
        ("v=DKIM1;p=abc;", [("v", "DKIM1"), ("p", "abc")]),
        ("p=", [("p", "")]),
        ("p=;", [("p", "")]),
        ("  v = DMARC1 ;\r\n\tp =\tnone  ", [("v", "DMARC1"), ("p", "none")]),
        ("p=ab==", [("p", "ab==")]),
        ("n=a note of several words; p=x", [("n", "a note of several words"), ("p", "x")]),
        ("P=a; p=b", [("P", "a"), ("p", "b")]),
    ],
)
def test_well_formed(text: str, expected: list[tuple[str, str]]):
    assert pairs(text) == expected
    assert parse_tags(text).errors == ()


@pytest.mark.parametrize(
    ("text", "at", "word"),
    [
        ("", (0, 0), "empty"),
        ("v=DKIM1;; p=a", (8, 9), "empty"),
        ("; v=DKIM1", (0, 1), "empty"),
        ("v=DKIM1;;", (8, 9), "empty"),
        ("v=DKIM1; lonely", (9, 15), "without"),
        ("v=DKIM1; =x", (9, 10), "no name"),
        ("v=DKIM1; 1a=x", (9, 11), "not a tag name"),
        ("v=DKIM1; a b=x", (9, 12), "not a tag name"),
        ("v=DKIM1; p=a; p=b", (14, 15), "twice"),
        ("n=gr\u00fcn", (4, 5), "character"),
        ("n=a\x00b", (3, 4), "character"),
    ],
)
def test_error_points_at_its_place(text: str, at: tuple[int, int], word: str):
    (error,) = parse_tags(text).errors
    assert (error.start, error.end) == at
    assert word in error.message


def test_what_follows_an_error_is_read():
    assert pairs("v=DKIM1; oops; p=abc") == [("v", "DKIM1"), ("p", "abc")]


def test_first_of_two():
    found = parse_tags("p=a; p=b").first("p")
    assert found is not None
    assert found.value == "a"
    assert parse_tags("p=a").first("P") is None


def test_a_flood_is_cut_short():
    many = parse_tags(";".join(f"a{n}=1" for n in range(5000)))
    assert len(many.tags) == MAX_TAGS
    assert len(many.errors) == 1
    broken = parse_tags(";" * 65535)
    assert len(broken.errors) <= MAX_ERRORS + 1


@given(st.text())
def test_never_raises_and_every_span_is_true(text: str):
    result = parse_tags(text)
    for tag in result.tags:
        assert text[slice(*tag.name_span)] == tag.name
        assert text[slice(*tag.value_span)] == tag.value
    for error in result.errors:
        assert 0 <= error.start <= error.end <= len(text)


@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True),
        st.from_regex(r"([!-:<-~]([!-:<-~ \t]{0,20}[!-:<-~])?)?", fullmatch=True),
        min_size=1,
    )
)
def test_what_is_written_is_read(tags: dict[str, str]):
    text = "; ".join(f"{name}={value}" for name, value in tags.items())
    result = parse_tags(text)
    assert {tag.name: tag.value for tag in result.tags} == tags
    assert result.errors == ()
