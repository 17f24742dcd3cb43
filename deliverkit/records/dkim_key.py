"""The public key of a DKIM record: base64 and DER, read with bounds (RFC 6376 §3.6.1, RFC 8463, RFC 8301).

RSA stands as a SubjectPublicKeyInfo (RFC 5280) or, as RFC 6376 once said and some publish, as a bare
RSAPublicKey (RFC 8017 appendix A.1.1); Ed25519 as its 32 raw octets (RFC 8463 §3). The reader here
walks that one structure and nothing else, so nesting and lying lengths cost nothing. It knows how
long a key says it is, and so how much of a cut one is missing.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

import msgspec

ED25519_OCTETS: Final = 32
MAX_PEM: Final = 65_536
_LONG: Final = 0x80
"""From this on a DER length says how many octets it takes (X.690 §8.1.3)."""
_LENGTH_OCTETS: Final = 3

MAX_BASE64: Final = 16_384
"""Characters of p= that are decoded: more than an RSA key of 65,536 bits takes."""

RSA_OID: Final = bytes.fromhex("06092a864886f70d010101")
ED25519_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")
_RSA_ALGORITHM: Final = bytes.fromhex("300d06092a864886f70d0101010500")
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/=\s]")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_SPACE: Final = re.compile(r"\s+")
_SEQUENCE, _INTEGER, _BIT_STRING = 0x30, 0x02, 0x03
# Points of small order (RFC 7748 §7): "signatures" by them verify for anybody.
_SMALL_ORDER: Final = frozenset({bytes(32), b"\x01" + bytes(31)})


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What p= holds. `problem` None: a key that verifiers can load.

    `form` is `spki`, `pkcs1`, `raw`, `private` or "" where it is no key. `bits` is the modulus's size, known even of a
    cut key; `missing` the octets that a cut key lacks, `trailing` those behind its end. `identity` is equal
    for equal keys, however wrapped; `proper` is p= as it should be written.
    """

    kind: str = ""
    bits: int | None = None
    exponent: int | None = None
    form: str = ""
    problem: str | None = None
    missing: int = 0
    trailing: int = 0
    octets: int = 0
    identity: bytes = b""
    proper: str | None = None


class _BrokenError(ValueError):
    """The octets are not the structure that is looked for."""


def decode_key(kind: str, p: str) -> Key:
    """The key in `p`, taken for one of `kind` (`rsa` or `ed25519`). Never raises."""
    compact = _SPACE.sub("", p)
    if len(compact) > MAX_BASE64:
        return Key(kind=kind, problem="is far too long for a key")
    if not _BASE64.fullmatch(compact):
        return Key(kind=kind, problem="is not base64")
    bare = compact.rstrip("=")
    if len(bare) % 4 == 1:
        # One character holds no octet: something is missing. What stands before it still tells the length.
        data = base64.b64decode(bare[:-1])
        problem: str | None = "is base64 with a character too few or too many"
    else:
        try:
            data = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
        except (binascii.Error, ValueError):
            return Key(kind=kind, problem="is not base64")
        problem = "lacks the padding (=) at its end" if len(compact) % 4 else None
    key = _read_ed25519(data) if kind == "ed25519" else _read_rsa(data)
    if key.problem is None and problem is not None:
        return msgspec.structs.replace(key, problem=problem)
    return key


def _read_ed25519(data: bytes) -> Key:
    if len(data) == ED25519_OCTETS:
        weak = "is a point of small order: anybody can forge signatures for it" if data in _SMALL_ORDER else None
        return Key(
            kind="ed25519",
            bits=256,
            form="raw",
            problem=weak,
            octets=32,
            identity=b"ed25519" + data,
            proper=None if weak else _text(data),
        )
    if len(data) == len(ED25519_PREFIX) + ED25519_OCTETS and data.startswith(ED25519_PREFIX):
        return Key(
            kind="ed25519",
            bits=256,
            form="spki",
            problem="is wrapped as SubjectPublicKeyInfo; of an Ed25519 key the 32 raw octets are published",
            octets=44,
            identity=b"ed25519" + data[12:],
            proper=_text(data[12:]),
        )
    rsa = _read_rsa(data)
    if rsa.problem is None:
        return msgspec.structs.replace(rsa, problem="is an RSA key, but the record says k=ed25519")
    return Key(
        kind="ed25519",
        problem="is not an Ed25519 key: that has 32 octets",
        octets=len(data),
    )


def _read_rsa(data: bytes) -> Key:
    if len(data) == ED25519_OCTETS:
        return Key(
            kind="rsa", octets=32, problem="is 32 octets, as of an Ed25519 key, but the record does not say k=ed25519"
        )
    if data.startswith(ED25519_PREFIX):
        return Key(kind="rsa", octets=len(data), problem="is an Ed25519 key, but the record does not say k=ed25519")
    try:
        return _walk_rsa(data)
    except _BrokenError:
        return Key(kind="rsa", octets=len(data), problem="is base64, but not of an RSA public key")


def _walk_rsa(data: bytes) -> Key:
    tag, body, end = _header(data, 0)
    if tag != _SEQUENCE:
        raise _BrokenError
    inner, inner_body, inner_end = _header(data, body)
    if inner == _INTEGER and data[inner_body:inner_end] == b"\x00":
        return Key(kind="rsa", form="private", octets=len(data), problem="is a PRIVATE key")
    form, start = "pkcs1", body
    if inner == _SEQUENCE:
        if not data.startswith(RSA_OID, inner_body):
            raise _BrokenError
        tag, bits_body, _ = _header(data, inner_end)
        if tag != _BIT_STRING or data[bits_body : bits_body + 1] != b"\x00":
            raise _BrokenError
        tag, start, _ = _header(data, bits_body + 1)
        form = "spki"
        if tag != _SEQUENCE:
            raise _BrokenError
    tag, low, high = _header(data, start)
    if tag != _INTEGER or high > end:
        raise _BrokenError
    digits = data[low : low + 2]
    bits = _bits(digits, high - low)
    if end > len(data):
        return Key(
            kind="rsa", bits=bits, form=form, octets=len(data), missing=end - len(data), problem="ends in mid-key"
        )
    modulus = int.from_bytes(data[low:high], "big")
    tag, low, high = _header(data, high)
    if tag != _INTEGER or high > end or low == high:
        raise _BrokenError
    exponent = int.from_bytes(data[low:high], "big")
    trailing = len(data) - end
    return Key(
        kind="rsa",
        bits=modulus.bit_length(),
        exponent=exponent,
        form=form,
        octets=len(data),
        trailing=trailing,
        problem="has octets behind its end" if trailing else None,
        identity=b"rsa"
        + modulus.to_bytes((modulus.bit_length() + 7) // 8, "big")
        + b":"
        + exponent.to_bytes((exponent.bit_length() + 7) // 8, "big"),
        proper=_text(data[:end] if form == "spki" else _wrapped(data[:end])),
    )


def _header(data: bytes, at: int) -> tuple[int, int, int]:
    """Tag, and where its content begins and says that it ends, which may be behind the end of `data`."""
    if len(data) <= at + 1:
        raise _BrokenError
    tag, length = data[at], data[at + 1]
    body = at + 2
    if length & _LONG:
        count = length & 0x7F
        # DER has no indefinite length, and a key needs no more than three octets of it.
        if not 1 <= count <= _LENGTH_OCTETS or len(data) < body + count:
            raise _BrokenError
        length = int.from_bytes(data[body : body + count], "big")
        body += count
    if length > MAX_BASE64:
        raise _BrokenError
    return tag, body, body + length


def _bits(first: bytes, length: int) -> int | None:
    """The size of an integer of `length` octets that begins with `first`."""
    if not first:
        return None
    if first[0] == 0 and len(first) > 1:
        return (length - 2) * 8 + first[1].bit_length()
    return (length - 1) * 8 + first[0].bit_length()


def _wrapped(rsa: bytes) -> bytes:
    """A bare RSAPublicKey as a SubjectPublicKeyInfo."""
    body = _RSA_ALGORITHM + _tlv(_BIT_STRING, b"\x00" + rsa)
    return _tlv(_SEQUENCE, body)


def _tlv(tag: int, body: bytes) -> bytes:
    if len(body) < _LONG:
        return bytes((tag, len(body))) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG | len(size))) + size + body


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def key_of_spki(spki: bytes) -> Key:
    """The key of a SubjectPublicKeyInfo in DER, as `public_spki` gives it."""
    kind = "ed25519" if spki.startswith(ED25519_PREFIX) else "rsa"
    key = decode_key(kind, _text(spki))
    if kind == "ed25519" and key.proper:
        return decode_key(kind, key.proper)
    return key


def public_spki(pem: bytes) -> bytes:
    """The public half of a PEM key, RSA or Ed25519, private or public, as SubjectPublicKeyInfo in DER.

    Raises ValueError with one line that says why it cannot be had.
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - 30 ms, only for --key
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa  # noqa: PLC0415

    if len(pem) > MAX_PEM:
        raise ValueError("is too large for a key")
    if b"-----BEGIN" not in pem:
        raise ValueError("is not PEM: no line `-----BEGIN … KEY-----`")
    if b"ENCRYPTED" in pem:
        raise ValueError("is encrypted: decrypt it first, or give the public half (openssl pkey -pubout)")
    try:
        if b"PRIVATE KEY-----" in pem:
            public = serialization.load_pem_private_key(pem, password=None).public_key()
        else:
            public = serialization.load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("is PEM, but holds no key that can be read") from None
    if not isinstance(public, rsa.RSAPublicKey | ed25519.Ed25519PublicKey):
        raise ValueError("is neither an RSA nor an Ed25519 key: DKIM knows no other")  # noqa: TRY004 - one kind of error
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
