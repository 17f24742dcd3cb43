"""Certificates good and faulty, old versions of TLS, and names: what is wrong is said, and OpenSSL agrees."""

from __future__ import annotations

from pathlib import Path

import pytest
import witness
from command import probe
from postfix import NAME, Mail

pytestmark = pytest.mark.real
VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
WRONG = {
    # label: (OpenSSL's code, words, name matches)
    "mx": (0, None, True),
    "expired": (10, "expired", True),
    "early": (9, "not yet valid", True),
    "wrongname": (0, None, False),
    "selfsigned": (18, "self-signed", True),
    "incomplete": (20, "the certificate of its issuer is not among those sent and not known here", True),
}


@pytest.mark.parametrize("label", WRONG)
@pytest.mark.parametrize("port", [25, 587])
def test_a_certificate_is_judged(post: Mail, label: str, port: int) -> None:
    code, words, matches = WRONG[label]
    tls = probe(post, {port: label}).only["tls"]
    assert (tls["trusted"], tls["trust_error"]) == (code == 0, words)
    assert tls["name_matches"] is matches
    seen = witness.s_client("127.0.0.1", post.ports[label], NAME, post.anchor)
    # OpenSSL's own program tells the last of its errors: 21 where 20 came before.
    assert seen.verified == (21 if code == 20 else code)
    assert tuple(certificate["sha256"] for certificate in tls["chain"]) == seen.chain


def test_the_anchor_is_needed(post: Mail, leaves: dict[str, object], tmp_path: Path) -> None:
    """Without the root of these tests the chain leads nowhere."""
    other = tmp_path / "other.pem"
    _, mark, rest = post.leaves["selfsigned"].file.read_text().partition("-----BEGIN CERTIFICATE-----")
    other.write_text(mark + rest)
    tls = probe(post._replace(anchor=other), {587: "submission"}).only["tls"]
    assert tls["trusted"] is False
    assert tls["trust_error"].endswith("not among those sent and not known here")


@pytest.mark.parametrize(("label", "versions"), [
    ("tls13", {"TLSv1.3"}), ("tls12", {"TLSv1.2"}), ("old", {"TLSv1", "TLSv1.1"}), ("modern", {"TLSv1.2", "TLSv1.3"}),
    ("mx", set(VERSIONS)),
])  # fmt: skip
def test_versions_apart(post: Mail, label: str, versions: set[str]) -> None:
    tls = probe(post, {25: label}, "--tls-scan").only["tls"]
    assert tls["version"] == max(versions)
    found = {one["version"] for one in tls["scan"] if one["accepted"]} | {tls["version"]}
    assert found == versions
    assert {one["version"] for one in tls["scan"] if one["accepted"] is False} == (set(VERSIONS) - versions)
    assert {version for version in VERSIONS if witness.takes(post.ports[label], version)} == versions


def test_an_old_version_is_what_openssl_negotiates(post: Mail) -> None:
    tls = probe(post, {25: "old"}).only["tls"]
    seen = witness.s_client("127.0.0.1", post.ports["old"], NAME, post.anchor)
    assert (tls["version"], tls["cipher"]) == (seen.version, seen.cipher)


def test_another_certificate_without_a_name(post: Mail) -> None:
    tls = probe(post, {587: "named"}).only["tls"]
    assert tls["certificate"]["sha256"] == post.leaves["good"].sha256
    assert tls["certificate_without_sni"]["sha256"] == post.leaves["wrongname"].sha256
    seen = witness.s_client("127.0.0.1", post.ports["named"], NAME, post.anchor, named=False)
    assert seen.chain[0] == post.leaves["wrongname"].sha256


def test_a_client_certificate_is_asked_for(post: Mail) -> None:
    assert probe(post, {25: "asks"}).only["tls"]["asks_client_certificate"] is True


def test_the_old_certificate_is_still_served(post: Mail, tmp_path: Path) -> None:
    expected = tmp_path / "new.pem"
    _, mark, rest = post.leaves["rsa"].file.read_text().partition("-----BEGIN CERTIFICATE-----")
    expected.write_text(mark + rest)
    served = probe(post, {2525: "alternative"}, "--expect-certificate", expected)
    other = probe(post, {587: "submission"}, "--expect-certificate", expected)
    new = set(other.failed) - set(served.failed)
    assert new, other.failed
    assert other.code == 1
