"""What a chain comes to against TLSA records: the same as OpenSSL says, which Postfix and Exim ask."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from deliverkit.records.tlsa import match, parse_tlsa

pytestmark = pytest.mark.real
OPENSSL = shutil.which("openssl")
DAY = dt.timedelta(days=1)


def made(name: str, issuer: tuple[Any, Any] | None, *, ca: bool, days: int = 30) -> tuple[x509.Certificate, Any]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    above, signer = (issuer[0].subject, issuer[1]) if issuer else (subject, key)
    builder = (
        x509.CertificateBuilder(above, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - 60 * DAY)
        .not_valid_after(now + days * DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(signer, hashes.SHA256()), key


ROOT = made("Root", None, ca=True)
MIDDLE = made("Middle", ROOT, ca=True)
LEAVES = {
    "good": made("mx.example.com", MIDDLE, ca=False),
    "named otherwise": made("other.example", MIDDLE, ca=False),
    "expired": made("mx.example.com", MIDDLE, ca=False, days=-1),
    "of no CA": made("mx.example.com", made("Middle", ROOT, ca=False), ca=False),
}
STRANGER = made("Root", None, ca=True)


def text(usage: int, selector: int, matching: int, certificate: x509.Certificate) -> str:
    octets = certificate.public_bytes(Encoding.DER)
    if selector == 1:
        octets = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    data = {0: octets, 1: hashlib.sha256(octets).digest(), 2: hashlib.sha512(octets).digest()}[matching]
    return f"{usage} {selector} {matching} {data.hex()}"


def sets(leaf: x509.Certificate) -> Iterator[tuple[str, ...]]:
    """Sets of records to try."""
    for selector, matching in ((1, 1), (0, 2)):
        yield (text(3, selector, matching, leaf),)
        yield (text(3, selector, matching, ROOT[0]),)
    for selector, matching in ((1, 1), (0, 1), (1, 0), (0, 0)):
        yield (text(2, selector, matching, MIDDLE[0]),)
        yield (text(2, selector, matching, ROOT[0]),)
    yield (text(2, 1, 1, leaf),)
    yield (text(2, 1, 1, STRANGER[0]),)
    # RFC 7671 §9: of two digests of one kind the stronger alone.
    yield (text(3, 1, 1, leaf), text(3, 1, 2, ROOT[0]))
    yield (text(3, 1, 1, ROOT[0]), text(3, 1, 2, leaf))
    yield (text(3, 1, 1, leaf), text(3, 0, 2, ROOT[0]))
    yield (text(3, 1, 1, STRANGER[0]), text(2, 1, 1, ROOT[0]))


@pytest.fixture(params=[*LEAVES, "without its root"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[int, tuple[bytes, ...]]]:
    if OPENSSL is None:
        pytest.skip("openssl is not installed")
    leaf, key = LEAVES.get(request.param, LEAVES["good"])
    above = [MIDDLE[0]] if request.param == "without its root" else [MIDDLE[0], ROOT[0]]
    (tmp_path / "leaf.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
    (tmp_path / "chain.pem").write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in above))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    words = [OPENSSL, "s_server", "-accept", f"127.0.0.1:{port}", "-cert", "leaf.pem", "-cert_chain", "chain.pem",
             "-key", "key.pem", "-quiet"]  # fmt: skip
    running = subprocess.Popen(
        words, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            try:
                ssl.get_server_certificate(("127.0.0.1", port))
                break
            except OSError:
                time.sleep(0.02)
        yield port, tuple(each.public_bytes(Encoding.DER) for each in (leaf, *above))
    finally:
        running.terminate()
        if running.stdin is not None:
            running.stdin.close()
        running.wait(10)


def openssl_says(port: int, records: tuple[str, ...]) -> bool:
    """Whether OpenSSL takes the server for authenticated."""
    words = [OPENSSL or "", "s_client", "-connect", f"127.0.0.1:{port}", "-dane_tlsa_domain", "mx.example.com",
             "-dane_ee_no_namechecks", "-servername", "mx.example.com", "-no-CAfile", "-no-CApath"]  # fmt: skip
    for record in records:
        words += ["-dane_tlsa_rrdata", record]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
    assert "Verif" in done.stdout, done.stderr
    return "Verification: OK" in done.stdout and "Verified peername" not in done.stderr


def test_the_same_as_openssl(server: tuple[int, tuple[bytes, ...]]) -> None:
    port, chain = server
    differing = []
    leaf = x509.load_der_x509_certificate(chain[0])
    for records in sets(leaf):
        ours = match(tuple(map(parse_tlsa, records)), chain, ("mx.example.com",), time.time())
        if (ours.outcome == "match") is not openssl_says(port, records):
            differing.append((ours, [record[:40] for record in records]))
    assert differing == []
