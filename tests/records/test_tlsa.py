"""TLSA records, and what they match: RFC 6698, RFC 7671, RFC 7672."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.records.tlsa import Match, Tlsa, agile, associated, match, parse_tlsa

NOW = 1_800_000_000.0
NAMES = ("mx.example.com",)


class Made:
    """A certificate and its key."""

    def __init__(  # noqa: PLR0913 - what may be wrong with one, by name
        self, name, *, issuer=None, ca=False, days=90.0, age=10.0, key=None, san=None, usage=True, constraints=True
    ):
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        signer = issuer or self
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = dt.datetime.fromtimestamp(NOW, dt.UTC)
        builder = (
            x509.CertificateBuilder(signer.name, self.name, self.key.public_key(), x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=age))
            .not_valid_after(now + dt.timedelta(days=days))
        )
        if constraints:
            builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        if not ca:
            names = [x509.DNSName(entry) for entry in (san or [name])]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if ca and not usage:
            bits = dict.fromkeys(
                ["content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign"], False
            )
            builder = builder.add_extension(
                x509.KeyUsage(digital_signature=True, crl_sign=False, encipher_only=False, decipher_only=False, **bits),
                critical=True,
            )
        plain = isinstance(signer.key, ed25519.Ed25519PrivateKey)
        self.der = builder.sign(signer.key, None if plain else hashes.SHA256()).public_bytes(Encoding.DER)
        self.spki = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


ROOT = Made("Root", ca=True)
MIDDLE = Made("Intermediate", issuer=ROOT, ca=True)
LEAF = Made("mx.example.com", issuer=MIDDLE)
CHAIN = (LEAF.der, MIDDLE.der, ROOT.der)


def record(usage, selector, matching, made=LEAF):
    octets = made.der if selector == 0 else made.spki
    data = {0: lambda o: o, 1: lambda o: hashlib.sha256(o).digest(), 2: lambda o: hashlib.sha512(o).digest()}[matching]
    return Tlsa(usage=usage, selector=selector, matching=matching, data=data(octets))


def judged(*records, chain=CHAIN, names=NAMES, now=NOW) -> Match:
    return match(records, chain, names, now)


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
@pytest.mark.parametrize(("usage", "made"), [(3, LEAF), (2, MIDDLE), (2, ROOT)])
def test_every_usable_kind_matches(usage, selector, matching, made):
    wanted = record(usage, selector, matching, made)
    found = judged(wanted)
    assert (found.outcome, found.record) == ("match", wanted)
    assert found.ee is (usage == 3)


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
@pytest.mark.parametrize(("usage", "made"), [(3, MIDDLE), (2, LEAF), (2, Made("Root", ca=True))])
def test_another_certificate_does_not(usage, selector, matching, made):
    assert judged(record(usage, selector, matching, made)).outcome == "mismatch"


def test_dane_ee_heeds_neither_names_nor_dates():
    """RFC 7672 §3.1.1."""
    old = Made("other.example", days=-5.0, age=100.0)
    assert judged(record(3, 1, 1, old), chain=(old.der,)).outcome == "match"


def test_dane_ta_heeds_names():
    other = Made("other.example", issuer=MIDDLE)
    found = judged(record(2, 1, 1, ROOT), chain=(other.der, MIDDLE.der, ROOT.der))
    assert found.outcome == "mismatch"
    assert "does not bear the name mx.example.com" in found.why
    assert (
        judged(record(2, 1, 1, ROOT), chain=(other.der, MIDDLE.der, ROOT.der), names=(*NAMES, "other.example")).ee
        is False
    )


@pytest.mark.parametrize(
    ("leaf", "middle"),
    [
        (Made("mx.example.com", issuer=MIDDLE, days=-1.0, age=90.0), MIDDLE),
        (Made("mx.example.com", issuer=MIDDLE, age=-1.0), MIDDLE),
    ],
)
def test_dane_ta_heeds_the_leafs_dates(leaf, middle):
    assert judged(record(2, 1, 1, ROOT), chain=(leaf.der, middle.der, ROOT.der)).outcome == "mismatch"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ca": True, "days": -1.0, "age": 90.0}, "expired on"),
        ({"ca": True, "usage": False}, "may not sign"),
        ({"ca": False}, "not that of a CA"),
        ({"ca": True, "constraints": False}, "not that of a CA"),
    ],
)
def test_dane_ta_heeds_what_stands_between(options, words):
    middle = Made("Intermediate", issuer=ROOT, **options)
    leaf = Made("mx.example.com", issuer=middle)
    found = judged(record(2, 0, 1, ROOT), chain=(leaf.der, middle.der, ROOT.der))
    assert found.outcome == "mismatch"
    assert words in found.why


def test_the_order_of_the_chain_does_not_matter():
    assert judged(record(2, 1, 1, ROOT), chain=(LEAF.der, ROOT.der, MIDDLE.der)).outcome == "match"


def test_a_chain_that_was_not_sent_whole_leads_nowhere():
    assert judged(record(2, 1, 1, ROOT), chain=(LEAF.der, MIDDLE.der)).outcome == "mismatch"


def test_an_anchor_published_whole_need_not_be_sent():
    """RFC 7671 §5.2.1, §5.2.2: the certificate, or the bare key."""
    assert judged(record(2, 0, 0, ROOT), chain=(LEAF.der, MIDDLE.der)).outcome == "match"
    assert judged(record(2, 1, 0, ROOT), chain=(LEAF.der, MIDDLE.der)).outcome == "match"
    assert judged(record(2, 1, 0, MIDDLE), chain=(LEAF.der,)).outcome == "match"
    assert judged(record(2, 1, 0, ROOT), chain=(LEAF.der,)).outcome == "mismatch"


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()], ids=["rsa", "ed25519"]
)
def test_other_kinds_of_keys(key):
    anchor = Made("Anchor", ca=True, key=key)
    leaf = Made("mx.example.com", issuer=anchor, key=type(key).generate() if hasattr(type(key), "generate") else None)
    assert judged(record(2, 1, 0, anchor), chain=(leaf.der,)).outcome == "match"
    assert judged(record(2, 1, 1, anchor), chain=(leaf.der, anchor.der)).outcome == "match"
    assert judged(record(3, 1, 1, leaf), chain=(leaf.der,)).outcome == "match"


def test_a_stranger_who_borrows_the_anchor_is_not_believed():
    """The anchor is sent, and a leaf beside it that it did not sign."""
    forged = Made("Intermediate", ca=True)
    leaf = Made("mx.example.com", issuer=forged)
    assert judged(record(2, 1, 1, MIDDLE), chain=(leaf.der, MIDDLE.der)).outcome == "mismatch"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 1 1 " + "ab" * 32, "PKIX-TA"),
        ("1 1 1 " + "ab" * 32, "PKIX-EE"),
        ("4 1 1 " + "ab" * 32, "usage 4"),
        ("255 1 1 " + "ab" * 32, "usage 255"),
        ("3 2 1 " + "ab" * 32, "selector 2"),
        ("3 1 3 " + "ab" * 32, "matching type 3"),
        ("3 1 1 " + "ab" * 31, "31 octets"),
        ("3 1 2 " + "ab" * 32, "32 octets"),
        ("3 1 1", "0 octets"),
        ("3 0 0 " + "ab" * 60, "no certificate in DER"),
        ("3 1 0 3003", "no public key in DER"),
        ("3 1 1 abc", "odd number"),
        ("999 1 1 ab", "no TLSA record"),
        ("3 1 ab", "no TLSA record"),
        ("", "no TLSA record"),
        ("\\# 1 03", "no TLSA record"),
        ("3 1 1 " + "ab" * 200_000, "longer than a record"),
    ],
)
def test_what_is_not_usable_says_why(text, words):
    found = parse_tlsa(text)
    assert not found.usable
    assert words in str(found.unusable)
    assert judged(found).outcome == "unusable"


def test_digits_may_be_apart_and_the_form_generic():
    plain = parse_tlsa("3 1 1 " + "AB" * 32)
    assert plain.usable
    assert parse_tlsa("3 1 1 " + "ab" * 16 + " " + "ab" * 16) == plain
    assert parse_tlsa("\\# 35 030101 " + "ab" * 32) == plain


def test_no_record_is_none_that_is_usable():
    assert judged().outcome == "unusable"


def test_unusable_records_beside_a_usable_one_are_passed_over():
    assert judged(record(0, 1, 1, ROOT), record(3, 1, 1)).outcome == "match"
    assert judged(record(1, 1, 1, LEAF), record(3, 1, 1, ROOT)).outcome == "mismatch"


def test_the_stronger_digest_of_a_kind_alone_counts():
    """RFC 7671 §9."""
    wrong = record(3, 1, 2, ROOT)
    assert judged(record(3, 1, 1), wrong).outcome == "mismatch"
    assert agile((record(3, 1, 1), wrong)) == (wrong,)
    assert judged(record(3, 1, 0), wrong).outcome == "match"
    assert judged(record(3, 0, 1), wrong).outcome == "match"
    broken = Tlsa(usage=3, selector=1, matching=2, data=b"short")
    assert judged(record(3, 1, 1), broken).outcome == "match"


def test_two_records_for_a_rollover():
    assert judged(record(3, 1, 1, ROOT), record(3, 1, 1)).outcome == "match"


def test_no_certificate_at_all():
    assert judged(record(3, 1, 1), chain=()).outcome == "mismatch"


@given(st.binary(max_size=400), st.integers(0, 5), st.integers(0, 3), st.integers(0, 4))
def test_any_octets_give_an_outcome(octets, usage, selector, matching):
    wanted = Tlsa(usage=usage, selector=selector, matching=matching, data=octets)
    for chain in ((octets,), (LEAF.der, octets), (octets, LEAF.der)):
        assert match((wanted,), chain, NAMES, NOW).outcome in {"match", "mismatch", "unusable"}
    associated(octets, selector, matching)


@given(st.text(max_size=200))
def test_any_text_gives_a_record(text):
    assert parse_tlsa(text).text


def test_cut_certificates_are_no_traceback():
    for end in range(0, len(LEAF.der), 7):
        assert judged(record(3, 1, 1), chain=(LEAF.der[:end],)).outcome in {"match", "mismatch"}
        assert judged(record(2, 1, 1, ROOT), chain=(LEAF.der[:end], MIDDLE.der, ROOT.der)).outcome == "mismatch"


def test_many_certificates_of_one_name_end_soon():
    twins = [Made("Intermediate", issuer=ROOT, ca=True) for _ in range(8)]
    chain = (LEAF.der, *(twin.der for twin in twins * 10))
    assert judged(record(2, 1, 1, ROOT), chain=chain).outcome == "mismatch"
