"""Whether a chain leads to an anchor, and the words for why it does not."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st
from issued import GOOD, MIDDLE, NAMES, NOW, ROOT, make

from deliverkit.tls.verify import Anchors, TrustError

ANCHORS = Anchors(extra=(ROOT.der,), system=False)
FOR_CLIENTS = make("client", issuer=MIDDLE, names=NAMES, usage=ExtendedKeyUsageOID.CLIENT_AUTH)


def test_a_chain_to_the_anchor():
    verdict = ANCHORS.judge(GOOD.chain)
    assert (verdict.trusted, verdict.error, verdict.code, verdict.depth) == (True, None, 0, 0)


def test_the_order_of_the_chain_does_not_matter():
    extra = make("unrelated", ca=True)
    assert ANCHORS.judge((GOOD.der, extra.der, ROOT.der, MIDDLE.der)).trusted


@pytest.mark.parametrize(
    ("chain", "code", "words"),
    [
        (make("old", issuer=MIDDLE, names=NAMES, days=(-90, -1)).chain, 10, "expired"),
        (make("new", issuer=MIDDLE, names=NAMES, days=(1, 90)).chain, 9, "not yet valid"),
        (make("self", names=NAMES).chain, 18, "self-signed"),
        ((GOOD.der,), 20, "the certificate of its issuer is not among those sent and not known here"),
        (make("x", issuer=make("Other Root", ca=True), names=NAMES).chain, 20, "not known here"),
        (FOR_CLIENTS.chain, 26, "not meant for servers"),
    ],
    ids=["expired", "not-yet", "self-signed", "incomplete", "unknown-root", "purpose"],
)  # fmt: skip
def test_what_is_wrong_is_said_in_words(chain, code, words):
    verdict = ANCHORS.judge(chain)
    assert not verdict.trusted
    assert verdict.code == code
    assert words in (verdict.error or "")


def test_a_root_of_its_own_that_is_sent_along():
    root = make("Private Root", ca=True)
    verdict = ANCHORS.judge((*make("x", issuer=root, names=NAMES).chain, root.der))
    assert verdict.code == 19
    assert verdict.error == "certificate 2 of the chain: the chain ends in a root that is not trusted here"


def test_the_place_in_the_chain_is_told():
    middle = make("Old Intermediate", issuer=ROOT, ca=True, days=(-90, -1))
    verdict = ANCHORS.judge(make("x", issuer=middle, names=NAMES).chain)
    assert (verdict.code, verdict.depth, verdict.error) == (10, 1, "certificate 2 of the chain: expired")


def test_issued_by_a_certificate_that_is_no_ca():
    leaf = make("leaf that signs", issuer=ROOT)
    verdict = ANCHORS.judge((make("x", issuer=leaf, names=NAMES).der, leaf.der))
    assert not verdict.trusted
    assert "not a CA's" in (verdict.error or "")


def test_weak_keys_and_digests_are_for_other_rules():
    assert ANCHORS.judge(make("weak", issuer=MIDDLE, names=NAMES, kind="rsa-1024").chain).trusted


def test_no_chain_and_no_certificate():
    assert ANCHORS.judge(()).error == "the server sent no certificate"
    verdict = ANCHORS.judge((b"\x30\x03abc",))
    assert (verdict.trusted, verdict.error) == (False, "the certificate cannot be read")


def test_what_cannot_be_read_behind_the_leaf_is_passed_over():
    assert ANCHORS.judge((GOOD.der, b"junk", MIDDLE.der)).trusted


def test_at_another_time():
    assert ANCHORS.judge(GOOD.chain, now=NOW.timestamp() + 61 * 86_400).error == "expired"
    assert ANCHORS.judge(GOOD.chain, now=NOW.timestamp() - 31 * 86_400).error == "not yet valid"
    assert ANCHORS.judge(GOOD.chain).trusted  # the time of one judgement is not that of the next


def test_a_file_of_anchors(tmp_path: Path):
    path = tmp_path / "ca.pem"
    both = (ROOT.certificate.public_bytes(Encoding.PEM), GOOD.certificate.public_bytes(Encoding.PEM))
    path.write_bytes(b"words first\n" + b"".join(both))
    assert Anchors(path, system=False).judge(GOOD.chain).trusted
    path.write_bytes(ROOT.der)
    assert Anchors(path, system=False).judge(GOOD.chain).trusted


def test_an_anchor_that_is_no_ca_is_one_all_the_same(tmp_path: Path):
    own = make("self", names=NAMES)
    path = tmp_path / "own.pem"
    path.write_bytes(own.certificate.public_bytes(Encoding.PEM))
    assert Anchors(path, system=False).judge(own.chain).trusted


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        (b"nothing of the kind", "holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\n\xff\n-----END CERTIFICATE-----", "no PEM"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_at_once(tmp_path: Path, content, words):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TrustError, match=words):
        Anchors(path)


def test_the_system_s_anchors_do_not_know_ours():
    assert not Anchors().judge(GOOD.chain).trusted


def test_from_several_threads_and_fast():
    anchors = Anchors(extra=(ROOT.der,))
    found: list[bool] = []

    def work() -> None:
        found.extend(anchors.judge(GOOD.chain).trusted for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(4)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 80
    assert time.monotonic() - began < 5  # the anchors are made ready once: some ms for each would be far more


@given(st.lists(st.binary(max_size=80), max_size=3), st.binary(max_size=4))
def test_octets_of_any_kind(rest, damage):
    der = bytearray(GOOD.der)
    der[40 : 40 + len(damage)] = damage
    ANCHORS.judge((bytes(der), *rest))
    assert not ANCHORS.judge((b"\x30" + damage, *rest)).trusted
