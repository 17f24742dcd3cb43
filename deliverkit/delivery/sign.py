"""Signing a message by DKIM (RFC 6376, RFC 8463), with dkimpy.

Relaxed canonicalisation of header and body, the fields of §5.4.1 as far as they stand in the message, and From once
more than it stands there, so that nobody can add another. The private key is in no repr, no error and no saved form.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

import msgspec

from deliverkit.delivery.header import fields
from deliverkit.delivery.message import Message, read
from deliverkit.probes.dkim_verifier import library
from deliverkit.records.dkim_key import ED25519_OCTETS, MAX_PEM
from deliverkit.records.names import parse_domain
from deliverkit.records.taglist import parse_tags

RSA: Final = "rsa-sha256"
ED25519: Final = "ed25519-sha256"
MIN_BITS: Final = 1024
"""Verifiers take no shorter RSA key (RFC 8301 §3.2)."""
GOOD_BITS: Final = 2048

SIGNED: Final = frozenset({
    "from", "sender", "reply-to", "subject", "date", "message-id", "to", "cc", "mime-version", "content-type",
    "content-transfer-encoding", "content-id", "content-description", "resent-date", "resent-from", "resent-sender",
    "resent-to", "resent-cc", "resent-message-id", "in-reply-to", "references", "list-id", "list-help",
    "list-unsubscribe", "list-unsubscribe-post", "list-subscribe", "list-post", "list-owner", "list-archive",
})  # fmt: skip
"""What is signed where it stands in a message (RFC 6376 §5.4.1)."""
_SELECTOR: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*")
_MAX_SELECTOR: Final = 200
_BLANKS: Final = re.compile(rb"[ \t]{2,}")
_MANY_BLANKS: Final = re.compile(rb"[ \t]{500}")


class SignError(ValueError):
    """A message that cannot be signed, or a key that cannot sign; one line says why, and shows nothing of the key."""


class PrivateKey:
    """A private key as dkimpy takes it; it is shown as its kind and size, and can be neither pickled nor encoded."""

    __slots__ = ("_material", "algorithm", "bits")

    def __init__(self, material: bytes, algorithm: str, bits: int) -> None:
        self._material = material
        self.algorithm = algorithm
        self.bits = bits

    def __repr__(self) -> str:
        return f"PrivateKey(<hidden>, {self.algorithm}, {self.bits} bits)"

    def __reduce__(self) -> str:
        raise TypeError("a private key is not for saving")

    def reveal(self) -> bytes:
        """PEM (PKCS #1) of an RSA key, base64 of the seed of an Ed25519 key."""
        return self._material


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """Who signs, and with what: `domain` is d= in A-labels, `selector` s=; made by `signer`."""

    domain: str
    selector: str
    key: PrivateKey

    @property
    def algorithm(self) -> str:
        """`rsa-sha256` or `ed25519-sha256`: a=."""
        return self.key.algorithm

    @property
    def notes(self) -> tuple[str, ...]:
        """What verifiers may hold against the key."""
        if self.algorithm == RSA and self.key.bits < GOOD_BITS:
            return (f"the DKIM key has {self.key.bits} bits, and should have {GOOD_BITS} (RFC 8301 §3.2)",)
        return ()


def signer(pem: bytes, domain: str, selector: str) -> Signer:
    """A signer of what the user gave. Raises SignError."""
    try:
        name = parse_domain(domain).ascii
    except ValueError as error:
        raise SignError(str(error)) from None
    lower = selector.rstrip(".").lower()
    if len(lower) > _MAX_SELECTOR or not _SELECTOR.fullmatch(lower):
        raise SignError(f"{selector[:80]!a} is not a DKIM selector (RFC 6376 §3.1)")
    return Signer(domain=name, selector=lower, key=load_key(pem))


def load_key(pem: bytes) -> PrivateKey:
    """An RSA key in PEM (PKCS #1 or #8), or an Ed25519 key in PEM (PKCS #8) or as base64 of its 32 octets.

    Raises SignError: for an encrypted key, a public one, one of another kind, and RSA under 1,024 bits.
    """
    if len(pem) > MAX_PEM:
        raise SignError("the DKIM key is too large for a key")
    if b"-----BEGIN" not in pem:
        return _raw(pem)
    if b"ENCRYPTED" in pem:
        raise SignError("the DKIM key is encrypted: decrypt it first (openssl pkey -in KEY -out PLAIN)")
    if b"BEGIN OPENSSH PRIVATE KEY" in pem:
        raise SignError("the DKIM key is in OpenSSH's own form: give it as PEM (openssl genpkey makes one)")
    if b"PRIVATE KEY-----" not in pem:
        raise SignError("the DKIM key holds no private key, and only that can sign")
    return _from_pem(pem)


def _raw(text: bytes) -> PrivateKey:
    try:
        seed = base64.b64decode(b"".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        seed = b""
    if len(seed) != ED25519_OCTETS:
        raise SignError("the DKIM key is neither PEM nor the 32 octets of an Ed25519 key in base64")
    return PrivateKey(base64.b64encode(seed), ED25519, 256)


def _from_pem(pem: bytes) -> PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - 30 ms, only to sign
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa  # noqa: PLC0415

    try:
        key = form.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SignError("the DKIM key is PEM, but holds no key that can be read") from None
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return PrivateKey(base64.b64encode(key.private_bytes_raw()), ED25519, 256)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise SignError("the DKIM key is neither RSA nor Ed25519: DKIM knows no other")
    if key.key_size < MIN_BITS:
        raise SignError(f"the DKIM key has {key.key_size} bits: verifiers take no RSA key under {MIN_BITS} (RFC 8301)")
    # dkimpy's own reader of PEM wants this form, and LF line ends.
    pkcs1 = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption())
    return PrivateKey(pkcs1, RSA, key.key_size)


def signed(message: Message, by: Signer) -> Message:
    """The message with a DKIM-Signature on top, and not an octet of it changed. Raises SignError.

    The signature holds the time of signing (t=), from the system's clock.
    """
    head = message.octets.partition(b"\r\n\r\n")[0]
    found, broken = fields(head)
    if broken:
        raise SignError(f"line {broken[0]} of the message is no header field: its signature would not verify")
    names = [field.name.lower() for field in found]
    if "from" not in names:
        raise SignError("the message has no From field, and DKIM has to sign that (RFC 6376 §5.4)")
    listed = [name.encode() for name in names if name in SIGNED] + [b"from"]
    dkim = library()
    try:
        # A run of blanks counts as one to relaxed canonicalisation, and costs dkimpy its length squared.
        octets = message.octets
        field = dkim.DKIM(_BLANKS.sub(b" ", octets) if _MANY_BLANKS.search(octets) else octets).sign(
            by.selector.encode(),
            by.domain.encode(),
            by.key.reveal(),
            signature_algorithm=by.algorithm.encode(),
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=listed,
        )
    except Exception as error:  # noqa: BLE001 - it raises its own, ValueError, TypeError and AssertionError
        # Not its text: that of some holds what they choked on.
        raise SignError(f"the message cannot be signed: dkimpy says {type(error).__name__}") from None
    if not _whole(bytes(field), by):
        raise SignError("the DKIM domain or selector is too long: dkimpy would break it between two lines")
    return msgspec.structs.replace(read(bytes(field) + octets), notes=(*message.notes, *by.notes))


def _whole(field: bytes, by: Signer) -> bool:
    """Whether the names stand in the signature as they are: dkimpy folds a long one in its middle."""
    tags = parse_tags(field.partition(b":")[2].decode("ascii", "replace"))
    expected = {"d": by.domain, "s": by.selector, "i": f"@{by.domain}"}
    return all((tag := tags.first(name)) is not None and tag.value == value for name, value in expected.items())
