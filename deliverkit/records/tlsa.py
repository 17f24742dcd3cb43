"""TLSA records (RFC 6698), as SMTP uses them (RFC 7672), and what they match.

A record names a certificate or a public key: usage 3 (DANE-EE) the server's own, usage 2 (DANE-TA) one that
issued it; selector 0 the whole certificate, 1 the public key; matching type 0 the octets themselves, 1 SHA-256,
2 SHA-512. SMTP clients use nothing else (RFC 7672 §3.1.3); where no record is usable they encrypt and
authenticate nobody (§2.2). DANE-EE heeds neither names nor dates (§3.1.1), DANE-TA both (§3.1.2).
"""

from __future__ import annotations

import binascii
import hashlib
import re
from typing import Any, Final

import msgspec

from deliverkit.records.certificate import bears, day, read_certificate

USAGES: Final = {0: "PKIX-TA", 1: "PKIX-EE", 2: "DANE-TA", 3: "DANE-EE"}
SELECTORS: Final = {0: "Cert", 1: "SPKI"}
MATCHINGS: Final = {0: "Full", 1: "SHA2-256", 2: "SHA2-512"}
_LENGTHS: Final = {1: 32, 2: 64}
_DIGESTS: Final = {1: hashlib.sha256, 2: hashlib.sha512}
_MAX_DATA: Final = 65_535
_MAX_CHAIN: Final = 32
_MAX_CHECKS: Final = 100
"""Signatures verified for one chain: a peer chooses what it sends."""
_PRESENTED: Final = re.compile(r"(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})\s*([0-9A-Fa-f\s]*)")
_GENERIC: Final = re.compile(r"\\#\s+(\d{1,5})\s*([0-9A-Fa-f\s]*)")
_OCTET: Final = 256
_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
_HEADER: Final = 3


class Tlsa(msgspec.Struct, frozen=True, kw_only=True):
    """One TLSA record: certificate usage, selector, matching type, association data."""

    usage: int
    selector: int
    matching: int
    data: bytes
    problem: str | None = None
    """Why it cannot be read at all; its numbers are then -1."""

    @property
    def usable(self) -> bool:
        """Whether SMTP clients use it: DANE-TA or DANE-EE, known selector and matching type, data that fits."""
        return self.unusable is None

    @property
    def unusable(self) -> str | None:
        """Why SMTP clients pass over it (RFC 7672 §3.1, RFC 6698 §4.1), None where they do not."""
        if self.problem is not None:
            return self.problem
        if self.usage in (0, 1):
            return f"certificate usage {self.usage} ({USAGES[self.usage]}) is not for SMTP"
        for number, known, what in (
            (self.usage, USAGES, "certificate usage"),
            (self.selector, SELECTORS, "selector"),
            (self.matching, MATCHINGS, "matching type"),
        ):
            if number not in known:
                return f"{what} {number} is not defined"
        return self._misfit()

    def _misfit(self) -> str | None:
        """What is wrong with its data."""
        length = _LENGTHS.get(self.matching)
        if length is not None and len(self.data) != length:
            return f"its digest has {len(self.data)} octets where {MATCHINGS[self.matching]} has {length}"
        if length is None and not _is_der(self.data):
            return f"its data is no {'certificate' if self.selector == 0 else 'public key'} in DER"
        return None

    @property
    def text(self) -> str:
        """In presentation form; a whole certificate is cut short."""
        if self.problem is not None:
            return f"({self.problem})"
        digits = self.data.hex()
        cut = digits if len(digits) <= 2 * _LENGTHS[2] else f"{digits[:64]}…"
        return f"{self.usage} {self.selector} {self.matching} {cut}"


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """What a chain came to against a set of records."""

    outcome: str
    """`match`, `mismatch`, or `unusable` where no record can be used."""
    record: Tlsa | None = None
    """The record that matched."""
    why: str = ""

    @property
    def ee(self) -> bool:
        """What matched is DANE-EE: names and dates then count for nothing (RFC 7672 §3.1.1)."""
        return self.record is not None and self.record.usage == 3  # noqa: PLR2004 - DANE-EE


def parse_tlsa(text: str) -> Tlsa:
    r"""A record in presentation form, `3 1 1 ab…` or `\# 35 0301…` (RFC 3597 §5). Never raises."""
    if len(text) > 4 * _MAX_DATA:
        return _unreadable("it is longer than a record can be")
    if generic := _GENERIC.fullmatch(text.strip()):
        octets = _octets(generic[2])
        if octets is not None and len(octets) == int(generic[1]) and len(octets) >= _HEADER:
            return Tlsa(usage=octets[0], selector=octets[1], matching=octets[2], data=octets[3:])
    elif presented := _PRESENTED.fullmatch(text.strip()):
        usage, selector, matching = (int(presented[n]) for n in (1, 2, 3))
        data = _octets(presented[4])
        if data is None:
            return _unreadable("its data has an odd number of digits")
        if max(usage, selector, matching) < _OCTET and len(data) <= _MAX_DATA:
            return Tlsa(usage=usage, selector=selector, matching=matching, data=data)
    return _unreadable("it is no TLSA record")


def _unreadable(problem: str) -> Tlsa:
    return Tlsa(usage=-1, selector=-1, matching=-1, data=b"", problem=problem)


def _octets(digits: str) -> bytes | None:
    try:
        return binascii.unhexlify("".join(digits.split()))
    except ValueError:
        return None


def _is_der(data: bytes) -> bool:
    """Whether the octets are one DER SEQUENCE and nothing else: as a certificate and a public key are."""
    if len(data) < 2 or data[0] != _SEQUENCE:  # noqa: PLR2004 - tag and length
        return False
    first = data[1]
    if first < 0x80:  # noqa: PLR2004 - the short form (X.690 §8.1.3)
        return len(data) == 2 + first
    count = first & 0x7F
    return 0 < count <= 3 and len(data) == 2 + count + int.from_bytes(data[2 : 2 + count], "big")  # noqa: PLR2004


def associated(der: bytes, selector: int, matching: int) -> bytes | None:
    """What a record with these numbers holds for a certificate; None where it cannot be read or they are unknown."""
    selected: bytes | None = der
    if selector == 1:
        selected = _spki(der)
    elif selector != 0:
        return None
    if selected is None or matching not in MATCHINGS:
        return None
    return selected if matching == 0 else _DIGESTS[matching](selected).digest()


def agile(records: tuple[Tlsa, ...]) -> tuple[Tlsa, ...]:
    """The records that clients look at: the usable, and of two digests of one kind the stronger (RFC 7671 §9)."""
    usable = [record for record in records if record.usable]
    best: dict[tuple[int, int], int] = {}
    for record in usable:
        kind = (record.usage, record.selector)
        best[kind] = max(best.get(kind, 0), record.matching)
    return tuple(record for record in usable if record.matching in (0, best[record.usage, record.selector]))


def match(records: tuple[Tlsa, ...], chain: tuple[bytes, ...], names: tuple[str, ...], now: float) -> Match:
    """What a chain (DER, leaf first) comes to; `names` are what DANE-TA looks for in the leaf (RFC 7672 §3.2.2).

    `now` in seconds since the epoch. Never raises.
    """
    chosen = agile(records)
    if not chosen:
        return Match(outcome="unusable", why="no record is one that SMTP clients use")
    if not chain:
        return Match(outcome="mismatch", why="the server sent no certificate")
    chain = chain[:_MAX_CHAIN]
    whys: list[str] = []
    for record in chosen:
        if record.usage == 3 and associated(chain[0], record.selector, record.matching) == record.data:  # noqa: PLR2004
            return Match(outcome="match", record=record)
    if any(record.usage == 3 for record in chosen):  # noqa: PLR2004 - DANE-EE
        whys.append("the server's certificate is none of those that DANE-EE records name")
    anchors = tuple(record for record in chosen if record.usage == 2)  # noqa: PLR2004 - DANE-TA
    if anchors:
        found, why = _Path(chain, anchors, now).find()
        if found is not None:
            leaf = read_certificate(chain[0])
            if any(bears(leaf, name) for name in names):
                return Match(outcome="match", record=found)
            why = f"its chain leads to the trust anchor, but it does not bear the name {' or '.join(names)}"
        whys.append(why)
    return Match(outcome="mismatch", why="; ".join(whys))


class _Path:
    """The search for a trust anchor, from the leaf upwards, each certificate once (RFC 7671 §5.2)."""

    def __init__(self, chain: tuple[bytes, ...], anchors: tuple[Tlsa, ...], now: float) -> None:
        self.anchors = anchors
        self.now = now
        self.checks = 0
        self.loaded = [made for made in map(_load, chain) if made is not None]
        self.leaf_read = _load(chain[0]) is not None
        # A trust anchor published whole need not be sent (RFC 7671 §5.2.1).
        self.published = [made for r in anchors if r.matching == 0 and r.selector == 0 and (made := _load(r.data))]
        self.keys = [(r, key) for r in anchors if r.matching == 0 and r.selector == 1 and (key := _key(r.data))]

    def find(self) -> tuple[Tlsa | None, str]:
        """The record that a valid path leads to; else None and why."""
        if not self.leaf_read:
            return None, "the server's certificate cannot be read"
        if wrong := self._dates(self.loaded[0]):
            return None, f"the server's certificate {wrong}"
        why = "its chain leads to none of the trust anchors that DANE-TA records name"
        queue, seen = [self.loaded[0]], {_der(self.loaded[0])}
        while queue:
            made = queue.pop(0)
            for record, key in self.keys:
                if self._signed_by(made, key):
                    return record, ""
            for issuer in (*self.loaded[1:], *self.published):
                identity = _der(issuer)
                if identity in seen or issuer.subject != made.issuer or not self._issued(made, issuer):
                    continue
                seen.add(identity)
                if wrong := self._dates(issuer) or _no_issuer(issuer):
                    why = f"a certificate on the way to the trust anchor {wrong}"
                    continue
                if (named := self._anchor(issuer)) is not None:
                    return named, ""
                queue.append(issuer)
        return None, why

    def _anchor(self, made: Any) -> Tlsa | None:
        der = _der(made)
        return next((r for r in self.anchors if associated(der, r.selector, r.matching) == r.data), None)

    def _dates(self, made: Any) -> str | None:
        """What is wrong with its dates."""
        try:
            begins, ends = made.not_valid_before_utc.timestamp(), made.not_valid_after_utc.timestamp()
        except (ValueError, OverflowError, OSError):
            return "has dates that cannot be read"
        if self.now > ends:
            return f"expired on {day(ends)}"
        return f"is not valid before {day(begins)}" if self.now < begins else None

    def _issued(self, made: Any, issuer: Any) -> bool:
        self.checks += 1
        if self.checks > _MAX_CHECKS:
            return False
        try:
            made.verify_directly_issued_by(issuer)
        except Exception:  # noqa: BLE001 - of another key, or of a kind that the library does not know
            return False
        return True

    def _signed_by(self, made: Any, key: Any) -> bool:
        """Whether a bare key signed the certificate."""
        self.checks += 1
        if self.checks > _MAX_CHECKS:
            return False
        from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415 - slow to import

        signed = (made.signature, made.tbs_certificate_bytes)
        try:
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(*signed, made.signature_algorithm_parameters, made.signature_hash_algorithm)
            elif isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(*signed, ec.ECDSA(made.signature_hash_algorithm))
            else:
                key.verify(*signed)
        except Exception:  # noqa: BLE001 - as above
            return False
        return True


def _no_issuer(made: Any) -> str | None:
    """Why a certificate may issue no other (RFC 5280 §4.2.1.3, §4.2.1.9); one of version 1 says nothing of it."""
    from cryptography import x509  # noqa: PLC0415 - slow to import

    try:
        if made.version is x509.Version.v1:
            return None
        extensions = made.extensions
    except Exception:  # noqa: BLE001 - a peer's octets
        return "has extensions that cannot be read"
    try:
        if not extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return "is not that of a CA"
    except x509.ExtensionNotFound:
        return "is not that of a CA"
    try:
        signs = extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return None
    return None if signs else "may not sign certificates"


def _load(der: bytes) -> Any:
    from cryptography import x509  # noqa: PLC0415 - slow to import, and most runs see no certificate

    try:
        made = x509.load_der_x509_certificate(der)
        _ = (made.subject, made.issuer)  # read lazily, and malformed as often as the rest
    except Exception:  # noqa: BLE001 - a peer's octets
        return None
    return made


def _key(spki: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415 - as above

    try:
        return load_der_public_key(spki)
    except Exception:  # noqa: BLE001 - as above
        return None


def _der(made: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - as above

    return bytes(made.public_bytes(Encoding.DER))


def _spki(der: bytes) -> bytes | None:
    """The SubjectPublicKeyInfo as it stands in a certificate, octet for octet (RFC 5280 §4.1)."""
    try:
        at, _ = _inside(der, 0)  # Certificate
        at, _ = _inside(der, at)  # TBSCertificate
        if der[at] == _VERSION:
            at = _inside(der, at)[1]
        for _ in ("serial", "signature", "issuer", "validity", "subject"):
            at = _inside(der, at)[1]
        return der[at : _inside(der, at)[1]]
    except (IndexError, ValueError):
        return None


def _inside(der: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at `at` begins and ends. Raises ValueError, IndexError."""
    first, begin = der[at + 1], at + 2
    length = first
    if first >= 0x80:  # noqa: PLR2004 - the long form (X.690 §8.1.3)
        count = first & 0x7F
        length = int.from_bytes(der[begin : begin + count], "big")
        begin += count
    if begin + length > len(der):
        raise ValueError("an element longer than what holds it")
    return begin, begin + length
