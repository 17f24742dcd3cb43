"""DS and DNSKEY records (RFC 4034), and how a delegation holds: which key which digest names.

Algorithms by the IANA registry "DNS Security Algorithm Numbers", judged by RFC 9904 and RFC 9905.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

import msgspec

ALGORITHMS: Final = {
    1: "RSAMD5", 3: "DSA", 5: "RSASHA1", 6: "DSA-NSEC3-SHA1", 7: "RSASHA1-NSEC3-SHA1", 8: "RSASHA256",
    10: "RSASHA512", 12: "ECC-GOST", 13: "ECDSAP256SHA256", 14: "ECDSAP384SHA384", 15: "ED25519", 16: "ED448",
    17: "SM2SM3", 23: "ECC-GOST12",
}  # fmt: skip
DEPRECATED: Final = frozenset({1, 3, 5, 6, 7, 12})
"""MUST NOT be signed with (RFC 9904 §3, RFC 9905 §2, RFC 9906 §2)."""
_RSA: Final = frozenset({1, 5, 7, 8, 10})
DIGESTS: Final = {1: "SHA-1", 2: "SHA-256", 3: "GOST R 34.11-94", 4: "SHA-384", 5: "GOST R 34.11-2012", 6: "SM3"}
_HASHES: Final = {1: hashlib.sha1, 2: hashlib.sha256, 4: hashlib.sha384}
_ZONE_KEY: Final = 0x0100
_SEP: Final = 0x0001
_REVOKED: Final = 0x0080
_MAX_TEXT: Final = 16_384
_HALF: Final = 1 << 31
_WORD: Final = 1 << 32


class Ds(msgspec.Struct, frozen=True, kw_only=True):
    """A DS record, as the parent zone holds it."""

    tag: int
    algorithm: int
    kind: int
    """Digest type."""
    digest: bytes

    @property
    def text(self) -> str:
        """In presentation form."""
        return f"{self.tag} {self.algorithm} {self.kind} {self.digest.hex().upper()}"


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A DNSKEY record."""

    flags: int
    algorithm: int
    octets: bytes

    @property
    def zone(self) -> bool:
        """Whether it may sign the zone at all."""
        return bool(self.flags & _ZONE_KEY) and not self.flags & _REVOKED

    @property
    def sep(self) -> bool:
        """Meant for a DS record: a key-signing key."""
        return bool(self.flags & _SEP)

    @property
    def rdata(self) -> bytes:
        """As it stands on the wire; protocol is always 3 (§2.1.2)."""
        return self.flags.to_bytes(2, "big") + bytes([3, self.algorithm]) + self.octets

    @property
    def tag(self) -> int:
        """The key tag (RFC 4034 appendix B)."""
        rdata = self.rdata
        if self.algorithm == 1:
            return int.from_bytes(self.octets[-3:-1], "big")
        total = sum(octet if place & 1 else octet << 8 for place, octet in enumerate(rdata))
        return (total + (total >> 16 & 0xFFFF)) & 0xFFFF

    @property
    def bits(self) -> int | None:
        """The modulus of an RSA key (RFC 3110 §2); None for other kinds."""
        if self.algorithm not in _RSA or not self.octets:
            return None
        length, at = self.octets[0], 1
        if length == 0:
            length, at = int.from_bytes(self.octets[1:3], "big"), 3
        return int.from_bytes(self.octets[at + length :], "big").bit_length() or None

    @property
    def words(self) -> str:
        """`KSK 12345, ECDSAP256SHA256`."""
        size = f" of {self.bits} bits" if self.bits else ""
        return f"{'KSK' if self.sep else 'ZSK'} {self.tag}, {algorithm_name(self.algorithm)}{size}"


def algorithm_name(number: int) -> str:
    """Its mnemonic."""
    return ALGORITHMS.get(number, f"algorithm {number}")


def parse_ds(text: str) -> Ds | None:
    """A DS record in presentation form; None where it is none."""
    words = text[:_MAX_TEXT].split()
    try:
        tag, algorithm, kind = (int(word) for word in words[:3])
        digest = binascii.unhexlify("".join(words[3:]))
    except ValueError:
        return None
    return Ds(tag=tag, algorithm=algorithm, kind=kind, digest=digest)


def parse_key(text: str) -> Key | None:
    """A DNSKEY record in presentation form; None where it is none."""
    words = text[:_MAX_TEXT].split()
    try:
        flags, protocol, algorithm = (int(word) for word in words[:3])
        octets = base64.b64decode("".join(words[3:]), validate=True)
        if not (0 <= flags < 1 << 16 and protocol == 3 and 0 <= algorithm < 1 << 8):  # noqa: PLR2004 - §2.1.2
            return None
    except ValueError:
        return None
    return Key(flags=flags, algorithm=algorithm, octets=octets)


def names(ds: Ds, key: Key, owner: str) -> bool | None:
    """Whether the DS record of `owner` names this key (RFC 4034 §5.1.4); None: by a digest that we do not know."""
    if (ds.tag, ds.algorithm) != (key.tag, key.algorithm) or not key.flags & _ZONE_KEY:
        return False
    made = _HASHES.get(ds.kind)
    if made is None:
        return None
    return made(wire(owner) + key.rdata).digest() == ds.digest


def wire(name: str) -> bytes:
    """A name in canonical wire form (RFC 4034 §6.2), for digests."""
    labels = [label.encode("utf-8", "surrogateescape") for label in name.split(".") if label]
    return b"".join(bytes([len(label) & 0xFF]) + label for label in labels) + b"\0"


def moment(serial: int, now: float) -> float:
    """The seconds since the epoch that a signature's 32 bits mean: those nearest to `now` (RFC 4034 §3.1.5)."""
    return now + ((serial - int(now) + _HALF) % _WORD - _HALF) - (now - int(now))
