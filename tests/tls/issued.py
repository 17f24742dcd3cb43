"""Certificates made for a test: an authority, an intermediate, and whatever they sign."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import ipaddress
import tempfile
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = dt.datetime.now(dt.UTC)
_DIRECTORY = tempfile.TemporaryDirectory(prefix="deliverkit-tests-")


@functools.cache
def key(kind: str = "ec", name: str = "") -> Any:
    """One key a kind and name: making RSA keys is slow."""
    match kind:
        case "ec":
            return ec.generate_private_key(ec.SECP256R1())
        case "ed25519":
            return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, int(kind.removeprefix("rsa-")))


class Made:
    """A certificate with its key; `chain` is what a server would send."""

    def __init__(self, certificate: x509.Certificate, private: Any, above: tuple[bytes, ...] = ()) -> None:
        self.certificate = certificate
        self.private = private
        self.der = certificate.public_bytes(serialization.Encoding.DER)
        self.chain = (self.der, *above)

    def pem(self) -> bytes:
        parts = [self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )]  # fmt: skip
        parts += [x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM) for der in self.chain]
        return b"".join(parts)

    @functools.cached_property
    def file(self) -> Path:
        octets = self.pem()  # the same certificate may stand before different chains
        path = Path(_DIRECTORY.name) / f"{hashlib.sha256(octets).hexdigest()}.pem"
        path.write_bytes(octets)
        return path


def make(
    common: str,
    *,
    issuer: Made | None = None,
    names: tuple[str, ...] = (),
    kind: str = "ec",
    days: tuple[float, float] = (-30, 60),
    ca: bool = False,
    usage: Any = ExtendedKeyUsageOID.SERVER_AUTH,
) -> Made:
    private = key(kind, common)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + dt.timedelta(days=days[0]))
        .not_valid_after(NOW + dt.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
    if usage is not None and not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    signer = issuer.private if issuer else private
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    root = issuer is None or issuer.certificate.issuer == issuer.certificate.subject
    return Made(builder.sign(signer, algorithm), private, () if root else issuer.chain)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


ROOT = make("Test Root", ca=True, days=(-365, 3650))
MIDDLE = make("Test Intermediate", issuer=ROOT, ca=True, days=(-300, 3000))
NAMES = ("mail.example.com", "127.0.0.1")
GOOD = make("mail.example.com", issuer=MIDDLE, names=NAMES)
