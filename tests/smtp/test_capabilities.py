"""What a server offers in its answer to EHLO."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.smtp.capabilities import Capabilities, read_capabilities
from deliverkit.smtp.reply import Reply


def offered(*lines: str) -> Capabilities:
    return read_capabilities(
        Reply(code=250, lines=tuple(line.encode() for line in ("mail.example.com hello", *lines)), raw=b"")
    )


def test_keywords_and_parameters():
    found = offered("PIPELINING", "size 1000", "auth plain  LOGIN", "XFOO a b")
    assert found.name == "mail.example.com"
    assert found.has("SIZE")
    assert (found.size, found.auth, found.defects) == (1000, ("PLAIN", "LOGIN"), ())
    assert found.keywords["XFOO"] == ("a", "b")


@pytest.mark.parametrize("size", ["-1", "abc", "1.5", "0x10", "9" * 40, "9" * 5000, "9" * 20, "1 2", "٣"])
def test_a_size_that_is_no_number(size):
    assert (offered(f"SIZE {size}").size, offered(f"SIZE {size}").defects) == (None, ("bad-size",))


def test_no_limit_and_the_smallest_limit():
    assert offered("SIZE 0").size == 0
    assert offered("SIZE").size is None
    found = offered("SIZE 0", "SIZE 20", "SIZE 10", "size", "AUTH PLAIN", "AUTH", "AUTH LOGIN", "AUTH=CRAM-MD5")
    assert (found.size, found.auth) == (10, ("PLAIN", "LOGIN", "CRAM-MD5"))
    assert set(found.defects) == {"conflicting SIZE", "conflicting AUTH", "old-auth"}


def test_tabs_and_leading_spaces():
    found = offered("starttls\t", "  8BITMIME", "STARTTLS", "")
    assert found.has("STARTTLS")
    assert found.has("8BITMIME")
    assert found.defects == ("tab", "leading-space", "repeated STARTTLS", "empty")


def test_a_keyword_that_a_middlebox_took_out():
    assert offered("PIPELINING", "XXXXXXXA").stripped
    assert not offered("XCLIENT NAME", "XFORWARD").stripped


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_octets_of_any_kind(lines):
    read_capabilities(Reply(code=250, lines=tuple(lines), raw=b""))
