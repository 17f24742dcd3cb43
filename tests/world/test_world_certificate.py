"""Each word of a certificate, as the project's own judge sees it."""

from __future__ import annotations

import pytest

from deliverkit.records.certificate import bears, read_certificate
from deliverkit.tls.verify import Anchors
from deliverkit.world import NOW
from deliverkit.world.certificate import certificate, root
from deliverkit.world.section import CertificateWish

DAY = 86_400


def wish(**words: object) -> CertificateWish:
    return CertificateWish(**{"names": ("mx.example.com",), **words})  # type: ignore[arg-type]


def judged(**words: object) -> tuple[bool, int]:
    verdict = Anchors(extra=(root(NOW),), system=False).judge(certificate(wish(**words), NOW).sent, NOW)
    return verdict.trusted, verdict.code


def test_what_nobody_changes_is_sound():
    made = certificate(wish(), NOW)
    assert judged() == (True, 0)
    leaf = read_certificate(made.leaf)
    assert leaf.problem is None
    assert bears(leaf, "mx.example.com")
    assert (leaf.not_after, leaf.not_before) == (NOW + 60 * DAY, NOW - 30 * DAY)
    assert (leaf.key, leaf.key_strong, leaf.signature_strong, leaf.is_ca) == ("ec-secp256r1", True, True, False)
    assert len(made.sent) == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"days": -1}, 10),
        ({"age": -1}, 9),
        ({"issuer": "self"}, 18),
        ({"issuer": "unknown"}, 20),
        ({"issuer": "unknown", "send": "root"}, 19),
        ({"send": "leaf"}, 20),
        ({"purpose": "client"}, 26),
    ],
)
def test_what_is_not_to_be_trusted_is_not(words: dict[str, object], code: int):
    assert judged(**words) == (False, code)


@pytest.mark.parametrize("words", [{"send": "root"}, {"send": "disordered"}, {"purpose": "none"}, {"key": "ed25519"}])
def test_what_is_odd_and_sound_is_trusted(words: dict[str, object]):
    assert judged(**words) == (True, 0)


@pytest.mark.parametrize(
    ("key", "name", "strong"),
    [("rsa-1024", "rsa-1024", False), ("rsa-2048", "rsa-2048", True), ("ed25519", "ed25519", True)],
)
def test_keys(key: str, name: str, strong: bool):
    leaf = read_certificate(certificate(wish(key=key), NOW).leaf)
    assert (leaf.key, leaf.key_strong) == (name, strong)


@pytest.mark.parametrize("issuer", ["ca", "unknown"])
def test_a_signature_by_sha1(issuer: str):
    leaf = read_certificate(certificate(wish(signature="sha1", issuer=issuer), NOW).leaf)
    assert leaf.problem is None
    assert leaf.signature_strong is False


def test_a_self_signed_one_by_sha1_needs_an_rsa_key():
    leaf = read_certificate(certificate(wish(signature="sha1", issuer="self", key="rsa-2048"), NOW).leaf)
    assert leaf.signature_strong is False
    assert leaf.self_issued


def test_a_signature_by_sha1_is_a_true_one():
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    made = certificate(wish(signature="sha1"), NOW)
    leaf, issuer = (x509.load_der_x509_certificate(der) for der in made.sent)
    issuer.public_key().verify(leaf.signature, leaf.tbs_certificate_bytes, padding.PKCS1v15(), hashes.SHA1())


def test_names():
    leaf = read_certificate(certificate(wish(names=("*.example.com", "192.0.2.1", "2001:db8::1")), NOW).leaf)
    assert leaf.names == ("*.example.com", "192.0.2.1", "2001:db8::1")
    bare = read_certificate(certificate(wish(names=(), cn="mx.example.com"), NOW).leaf)
    assert (bare.names, bare.common_name) == ((), "mx.example.com")


def test_an_expired_one_was_valid_once():
    leaf = read_certificate(certificate(wish(days=-100), NOW).leaf)
    assert leaf.not_before < leaf.not_after < NOW


def test_equal_wishes_are_one_certificate():
    assert certificate(wish(days=61), NOW) is certificate(wish(days=61), NOW)
    assert certificate(wish(days=61), NOW).leaf != certificate(wish(days=62), NOW).leaf
