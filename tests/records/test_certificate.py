"""What a certificate says, and for which names it stands."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent.parent / "tls"))
from issued import GOOD, MIDDLE, make

from deliverkit.records.certificate import Certificate, bears, covers, read_certificate


def test_what_it_says():
    certificate = read_certificate(GOOD.der)
    assert certificate.subject == "CN=mail.example.com"
    assert certificate.issuer == "CN=Test Intermediate"
    assert certificate.names == ("mail.example.com", "127.0.0.1")
    assert certificate.addresses == ("127.0.0.1",)
    assert (certificate.key, certificate.key_bits, certificate.key_strong) == ("ec-secp256r1", 256, True)
    assert (certificate.signature, certificate.signature_strong) == ("ecdsa-with-SHA256", True)
    assert (certificate.is_ca, certificate.self_issued, certificate.for_servers) == (False, False, True)
    assert round(certificate.lifetime / 86_400) == 90
    assert certificate.problem is None


@pytest.mark.parametrize(("kind", "said", "strong"), [
    ("rsa-1024", "rsa-1024", False), ("rsa-2048", "rsa-2048", True), ("ed25519", "ed25519", True),
])  # fmt: skip
def test_keys(kind, said, strong):
    certificate = read_certificate(make("x", issuer=MIDDLE, kind=kind).der)
    assert (certificate.key, certificate.key_strong) == (said, strong)


def test_a_digest_that_is_broken():
    made = make("x", kind="rsa-2048")
    assert read_certificate(made.der).self_signed
    # No library signs with SHA-1 any more: its name is put in place of SHA-256's, in both places.
    prefix = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01"
    certificate = read_certificate(made.der.replace(prefix + b"\x0b", prefix + b"\x05"))
    assert (certificate.signature, certificate.signature_strong) == ("sha1WithRSAEncryption", False)
    assert (certificate.self_issued, certificate.self_signed) == (True, False)


@pytest.mark.parametrize(
    ("pattern", "name", "stands"),
    [
        ("mail.example.com", "mail.example.com", True),
        ("Mail.Example.COM", "mail.example.com.", True),
        ("mail.example.com.", "mail.example.com", True),
        ("*.example.com", "mail.example.com", True),
        ("*.example.com", "xn--bcher-kva.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "a.b.example.com", False),
        ("*.example.com", ".example.com", False),
        ("*.com", "example.com", False),
        ("*", "example", False),
        ("m*.example.com", "mail.example.com", False),
        ("mail.*.com", "mail.example.com", False),
        ("xn--*.example.com", "xn--bcher-kva.example.com", False),
        ("*.*.example.com", "a.b.example.com", False),
        ("mail.example.com\0.example.net", "mail.example.com", False),
        ("", "", False),
    ],
)
def test_names_and_wildcards(pattern, name, stands):
    assert covers(pattern, name) is stands


def test_addresses_stand_in_entries_of_their_own():
    certificate = read_certificate(make("x", names=("192.0.2.1", "2001:db8::1")).der)
    assert bears(certificate, "192.0.2.1")
    assert bears(certificate, "2001:DB8:0::1")
    assert not bears(certificate, "192.0.2.2")
    assert not bears(Certificate(names=("192.0.2.1",)), "192.0.2.1"), "a dNSName that looks like an address"


def test_names_of_other_scripts_compare_as_a_labels():
    certificate = read_certificate(make("x", names=("xn--bcher-kva.example",)).der)
    assert bears(certificate, "bücher.example")
    assert bears(certificate, "BÜCHER.example")
    assert not bears(certificate, "bucher.example")
    assert not bears(certificate, "b\u00fccher..example")


def test_the_common_name_counts_for_nothing():
    certificate = read_certificate(make("mail.example.com").der)
    assert certificate.common_name == "mail.example.com"
    assert not bears(certificate, "mail.example.com")


@given(st.binary(max_size=60), st.integers(0, 300))
def test_octets_of_any_kind(damage, place):
    assert read_certificate(damage).problem is not None
    der = bytearray(GOOD.der)
    der[place : place + len(damage)] = damage
    read_certificate(bytes(der))
