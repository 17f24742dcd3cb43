from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.records.mx_providers import mx_provider
from deliverkit.records.names import (
    is_address,
    is_hostname,
    is_subdomain,
    parse_domain,
    special_address,
    unicode_name,
)


@pytest.mark.parametrize(
    ("typed", "ascii_name", "unicode"),
    [
        ("Example.COM", "example.com", "example.com"),
        ("example.com.", "example.com", "example.com"),
        ("bücher.example", "xn--bcher-kva.example", "bücher.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example", "bücher.example"),
        ("faß.example", "xn--fa-hia.example", "faß.example"),
        ("日本語。example", "xn--wgv71a119e.example", "日本語.example"),
        ("_spf.example.com", "_spf.example.com", "_spf.example.com"),
        ("_dmarc.bücher.example", "_dmarc.xn--bcher-kva.example", "_dmarc.bücher.example"),
        ("a--b.example", "a--b.example", "a--b.example"),
    ],
)
def test_a_domain_in_both_forms(typed: str, ascii_name: str, unicode: str):
    parsed = parse_domain(typed)
    assert (parsed.ascii, parsed.unicode, parsed.mixed_script) == (ascii_name, unicode, False)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("-oProxy", "hyphen"),
        ("../x", "empty label"),
        ("x;rm", "the character"),
        ("http://x", "URL"),
        ("a" * 300, "63"),
        (".".join(["a" * 60] * 5), "253"),
        ("ü" * 2000, "253"),
        ("example.com..", "empty label"),
        (".example.com", "empty label"),
        (".", "empty label"),
        ("", "empty"),
        ("*", "the character"),
        ("127.0.0.1", "address"),
        ("[2001:db8::1]", "address"),
        ("192.0.2.999", "number"),
        ("user@example.com", "@"),
        ("xn--a", "IDNA"),
        ("\u202eexample.com", "character"),
        ("ex\u200bample.com\u202e", "character"),
        ("exa mple.com", "the character"),
        ("example.com\n", "the character"),
        ("exam\x00ple.com", "the character"),
        ("\ud800.example", "character"),
    ],
)
def test_what_is_no_domain_is_said_on_one_line(typed: str, says: str):
    with pytest.raises(ValueError, match=says) as caught:
        parse_domain(typed)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 400


@pytest.mark.parametrize("typed", ["p\u0430ypal.example", "g\u03bfogle.example"])
def test_mixed_scripts_are_flagged(typed: str):
    assert parse_domain(typed).mixed_script


@pytest.mark.parametrize("typed", ["東京タワー.example", "пример.example", "ドメインabc.example", "bücher2.example"])
def test_what_a_language_mixes_is_not_flagged(typed: str):
    assert not parse_domain(typed).mixed_script


@given(st.text(max_size=80))
def test_any_text_is_a_domain_or_one_clear_line(text: str):
    try:
        parsed = parse_domain(text)
    except ValueError as error:
        assert str(error).isprintable()  # noqa: PT017 - both ways are right
    else:
        assert parsed.ascii.isascii()
        assert parse_domain(parsed.ascii).ascii == parsed.ascii
        assert len(parsed.ascii) <= 253


def test_unicode_name_keeps_what_it_cannot_read():
    assert unicode_name("xn--bcher-kva.example") == "bücher.example"
    assert unicode_name("xn--a.example") == "xn--a.example"
    assert unicode_name("example.com") == "example.com"


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("172.32.0.1", None),
        ("192.168.1.1", "private"),
        ("169.254.169.254", "link-local"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("0.0.0.0", "unspecified"),
        ("255.255.255.255", "broadcast"),
        ("224.0.0.1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("192.0.2.1", None),
        ("198.51.100.1", None),
        ("203.0.113.1", None),
        ("2001:db8::1", None),
        ("::1", "loopback"),
        ("::", "unspecified"),
        ("fe80::1%eth0", "link-local"),
        ("fd00::1", "unique local"),
        ("ff02::1", "multicast"),
        ("::ffff:127.0.0.1", "loopback inside an IPv4-mapped address"),
        ("::ffff:192.0.2.1", "IPv4-mapped"),
        ("::127.0.0.1", "loopback inside an IPv4-compatible address"),
        ("64:ff9b::7f00:1", "loopback inside a NAT64 address"),
        ("64:ff9b::c000:201", None),
        ("2002:7f00:1::", "loopback inside a 6to4 address"),
        ("2001:0:7f00:1::", "loopback inside a Teredo address"),
    ],
)
def test_special_addresses(address: str, kind: str | None):
    assert special_address(address) == kind


def test_what_is_no_address_is_refused():
    with pytest.raises(ValueError, match="example"):
        special_address("example.com")


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("mx1.example.com", True),
        ("mx1.example.com.", True),
        ("MX-1.example.com", True),
        ("localhost", True),
        ("mx_1.example.com", False),
        ("*.example.com", False),
        ("-mx.example.com", False),
        ("mx-.example.com", False),
        ("192.0.2.1", False),
        ("", False),
        ("a..b", False),
        ("a" * 64 + ".example", False),
        ("a\\032b.example", False),
    ],
)
def test_hostnames(name: str, valid: bool):
    assert is_hostname(name) is valid


def test_subdomains():
    assert is_subdomain("mx.example.com", "example.com")
    assert is_subdomain("example.com", "example.com")
    assert is_subdomain("example.com", "")
    assert not is_subdomain("notexample.com", "example.com")


def test_addresses_in_digits():
    assert is_address("2001:db8::1")
    assert not is_address("192.0.2")


def test_providers_are_told_by_suffix():
    assert mx_provider("aspmx.l.google.com").name == "Google Workspace"
    assert mx_provider("example-com.mail.protection.outlook.com").name == "Microsoft 365"
    assert mx_provider("inbound-smtp.eu-west-1.amazonaws.com").name == "Amazon SES"
    assert mx_provider("ec2-192-0-2-1.compute.amazonaws.com") is None
    assert mx_provider("notgoogle.com") is None
    assert mx_provider("") is None
