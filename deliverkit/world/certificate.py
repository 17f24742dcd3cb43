"""Certificates for a world: root, intermediate and leaf, made when they are first asked for.

Kept for the life of the process by what was asked for, since keys are slow to make. Nothing here is secret: the
keys are made on the spot, and nobody outside the world trusts them.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import ipaddress
from typing import Any, Final

import msgspec

from deliverkit.world.section import CertificateWish

_DAY: Final = 86_400
_LONG: Final = 7300
_CA: Final = "deliverkit lab"
_CURVE: Final = "ec-p256"
_SHA256_RSA: Final = bytes.fromhex("06092a864886f70d01010b")
_SHA1_RSA: Final = bytes.fromhex("06092a864886f70d010105")


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate with its chain. `sent` is what the server shows, DER, leaf first."""

    sent: tuple[bytes, ...]
    issuer: bytes
    """The certificate that signed the leaf (DER): its own where it is self-signed."""
    key_pem: bytes

    @property
    def leaf(self) -> bytes:
        """The server's own certificate, DER."""
        return self.sent[0]


def certificate(wish: CertificateWish, now: float) -> Made:
    """The certificate that is wished for, at a time in seconds since the epoch; the same one for the same hour."""
    return _made(wish, int(now // 3600) * 3600)


def root(now: float) -> bytes:
    """The certificate of the world's trusted CA, DER."""
    return _der(_authority("ca", "sha256", int(now // 3600) * 3600)[0][0])


def digest(der: bytes, *, spki: bool) -> str:
    """SHA-256 of a certificate, or of its public key, in hex: the data of TLSA `… 0 1` and `… 1 1` (RFC 6698 §2.1)."""
    if not spki:
        return hashlib.sha256(der).hexdigest()
    from cryptography import x509  # noqa: PLC0415 - slow to import
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - as above

    public = x509.load_der_x509_certificate(der).public_key()
    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def pem(*ders: bytes) -> bytes:
    """Certificates as a file holds them."""
    import ssl  # noqa: PLC0415 - for the lab alone

    return b"".join(ssl.DER_cert_to_PEM_cert(der).encode() for der in ders)


@functools.cache
def _made(wish: CertificateWish, now: int) -> Made:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat  # noqa: PLC0415

    key = _key(wish.key)
    if wish.issuer == "self":
        leaf = _signed(_builder(wish, now), key, key, _name(_common(wish)), wish.signature)
        sent: tuple[bytes, ...] = (leaf,)
        issuer = leaf
    else:
        (top, middle), signer = _authority(wish.issuer, wish.signature, now)
        leaf = _signed(_builder(wish, now), key, signer, middle.subject, wish.signature)
        issuer = _der(middle)
        sent = {
            "chain": (leaf, issuer),
            "leaf": (leaf,),
            "root": (leaf, issuer, _der(top)),
            "disordered": (leaf, _der(top), issuer),
        }[wish.send]
    held = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Made(sent=sent, issuer=issuer, key_pem=held)


@functools.cache
def _authority(issuer: str, signature: str, now: int) -> tuple[tuple[Any, Any], Any]:
    """Root and intermediate, and the intermediate's key: RSA where leaves are to be signed with SHA-1."""
    top_key, top = _root(issuer, now)
    middle_key = _key("rsa-2048" if signature == "sha1" else _CURVE)
    of = "" if issuer == "ca" else " that nobody trusts"
    middle = _issuing(f"{_CA} intermediate{of}", middle_key, top.subject, top_key, now, depth=0)
    return (top, middle), middle_key


@functools.cache
def _root(issuer: str, now: int) -> tuple[Any, Any]:
    key = _key(_CURVE)
    subject = f"{_CA} root" if issuer == "ca" else f"{_CA} root that nobody trusts"
    return key, _issuing(subject, key, _name(subject), key, now, depth=1)


def _issuing(subject: str, key: Any, issuer: Any, signer: Any, now: int, *, depth: int) -> Any:
    """A CA's certificate, valid for decades to either side."""
    from cryptography import x509  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as above

    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_time(now - _LONG * _DAY))
        .not_valid_after(_time(now + _LONG * _DAY))
        .add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )


def _builder(wish: CertificateWish, now: int) -> Any:
    from cryptography import x509  # noqa: PLC0415 - as above
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415 - as above

    begins = min(now - wish.age * _DAY, now + wish.days * _DAY - _DAY)  # an expired one was valid once
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(_common(wish)))
        .serial_number(x509.random_serial_number())
        .not_valid_before(_time(begins))
        .not_valid_after(_time(now + wish.days * _DAY))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if wish.names:
        entries = [_entry(name) for name in wish.names]
        builder = builder.add_extension(x509.SubjectAlternativeName(entries), critical=False)
    if wish.purpose != "none":
        use = ExtendedKeyUsageOID.SERVER_AUTH if wish.purpose == "server" else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    return builder


def _signed(builder: Any, key: Any, signer: Any, issuer: Any, signature: str) -> bytes:
    from cryptography import x509  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa  # noqa: PLC0415 - as above

    ready = (
        builder.issuer_name(issuer)
        .public_key(key.public_key())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    digested = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    made = ready.sign(signer, digested)
    return _with_sha1(made, signer) if signature == "sha1" and isinstance(signer, rsa.RSAPrivateKey) else _der(made)


def _with_sha1(made: Any, signer: Any) -> bytes:
    """The same signed anew with SHA-1, which the library no longer does: both names of the algorithm are as long."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415 - as above

    whole, inner = _der(made), made.tbs_certificate_bytes
    changed = inner.replace(_SHA256_RSA, _SHA1_RSA, 1)
    signature = signer.sign(changed, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - an example of what is broken
    return bytes(whole.replace(inner, changed).replace(_SHA256_RSA, _SHA1_RSA).replace(made.signature, signature))


def _key(kind: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 - as above

    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind.startswith("rsa-"):
        return rsa.generate_private_key(65537, int(kind.removeprefix("rsa-")))
    return ec.generate_private_key(ec.SECP256R1())


def _common(wish: CertificateWish) -> str:
    return wish.cn if wish.cn is not None else next(iter(wish.names), "")


def _name(common: str) -> Any:
    from cryptography import x509  # noqa: PLC0415 - as above

    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common[:64])] if common else [])


def _entry(name: str) -> Any:
    from cryptography import x509  # noqa: PLC0415 - as above

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _time(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC)


def _der(made: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - as above

    return bytes(made.public_bytes(Encoding.DER))
