"""A certification authority of our own: a root, an intermediate below it, and leaves good and faulty."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DAY = dt.timedelta(days=1)


class Issuer(NamedTuple):
    """What signs."""

    certificate: x509.Certificate
    key: Key


class Leaf(NamedTuple):
    """A server's certificate as files, and what a client should find it to be."""

    file: Path
    """Key, leaf and what is sent behind it, PEM."""
    names: tuple[str, ...]
    chain: tuple[bytes, ...]
    """DER, as sent."""
    not_after: dt.datetime
    key: str

    @property
    def sha256(self) -> str:
        """Of the leaf, hexadecimal, lower case."""
        return hashlib.sha256(self.chain[0]).hexdigest()

    @property
    def spki(self) -> str:
        """SHA-256 of the leaf's public key: the data of TLSA 3 1 1."""
        public = x509.load_der_x509_certificate(self.chain[0]).public_key()
        return hashlib.sha256(
            public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        ).hexdigest()


def _key(kind: str) -> Key:
    return ec.generate_private_key(ec.SECP256R1()) if kind == "ec-p256" else rsa.generate_private_key(65537, 2048)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


class Authority:
    """Issues into a folder; `anchor` is the file that clients trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        key = _key("ec-p256")
        self.root = Issuer(self._made("deliverkit test root", key, None, authority=True), key)
        key = _key("ec-p256")
        self.intermediate = Issuer(self._made("deliverkit test CA 1", key, self.root, authority=True), key)
        self.anchor = folder / "anchor.pem"
        self.anchor.write_bytes(_pem(self.root.certificate))
        self.anchor.chmod(0o644)

    def _made(
        self, common: str, key: Key, issuer: Issuer | None, *, authority: bool = False,
        names: tuple[str, ...] = (), begins: dt.timedelta = -30 * DAY, ends: dt.timedelta = 60 * DAY,
    ) -> x509.Certificate:  # fmt: skip
        signing = issuer or Issuer(None, key)  # type: ignore[arg-type]
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(common))
            .issuer_name(issuer.certificate.subject if issuer else _name(common))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now + begins)
            .not_valid_after(self._now + ends)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.key.public_key()), critical=False)
        )
        if not authority:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
            ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        return builder.sign(signing.key, hashes.SHA256())

    def leaf(
        self, label: str, *names: str, kind: str = "ec-p256", days: int = 60, begins: int = -30,
        self_signed: bool = False, whole: bool = True,
    ) -> Leaf:  # fmt: skip
        """A leaf for `names`, valid from `begins` to `days` days from now; `whole`: the intermediate is sent too."""
        key = _key(kind)
        made = self._made(
            names[0], key, None if self_signed else self.intermediate, names=names, begins=begins * DAY, ends=days * DAY
        )
        sent = [made] if self_signed or not whole else [made, self.intermediate.certificate]
        file = self._folder / f"{label}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + b"".join(_pem(certificate) for certificate in sent)
        )
        file.chmod(0o600)
        chain = tuple(certificate.public_bytes(serialization.Encoding.DER) for certificate in sent)
        shown = "ec-p256" if kind == "ec-p256" else "rsa-2048"
        return Leaf(file, names, chain, self._now + days * DAY, shown)
