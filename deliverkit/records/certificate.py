"""A certificate's octets to what people ask of it (RFC 5280), and the names it stands for (RFC 9525).

By the library cryptography; a certificate that it cannot read is described by that alone.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import Any, Final

import msgspec

_MOST_NAMES: Final = 500


class Certificate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A certificate. Names are lower case, in A-labels; times in seconds since the epoch."""

    subject: str = ""
    """RFC 4514."""
    issuer: str = ""
    names: tuple[str, ...] = ()
    """dNSName and iPAddress entries of subjectAltName, in their order."""
    addresses: tuple[str, ...] = ()
    """Those of `names` that are iPAddress entries: an address in a dNSName stands for nothing (RFC 9525 §6.5)."""
    common_name: str | None = None
    not_before: float = 0.0
    not_after: float = 0.0
    key: str = ""
    """`rsa-2048`, `ec-secp256r1`, `ed25519` …"""
    key_bits: int | None = None
    key_strong: bool = True
    """RSA and DSA of 2048 bits, curves of 224 (NIST SP 800-57)."""
    signature: str = ""
    """`sha256WithRSAEncryption` and so on, by its usual name."""
    signature_strong: bool = True
    """Not by MD5 or SHA-1."""
    serial: str = ""
    is_ca: bool = False
    self_issued: bool = False
    """Issuer and subject are one."""
    self_signed: bool = False
    sha256: str = ""
    """Of the whole certificate, hex."""
    spki_sha256: str = ""
    """Of its public key (SubjectPublicKeyInfo), hex: what `3 1 1` of TLSA holds."""
    must_staple: bool = False
    for_servers: bool = True
    """No extended key usage, or one that names serverAuth."""
    ocsp: tuple[str, ...] = ()
    problem: str | None = None
    """Why it cannot be read; all else is then empty."""

    @property
    def lifetime(self) -> float:
        """Seconds from its first moment to its last."""
        return max(0.0, self.not_after - self.not_before)


def read_certificate(der: bytes) -> Certificate:
    """What a certificate says. Never raises."""
    import hashlib  # noqa: PLC0415 - with the rest

    from cryptography import x509  # noqa: PLC0415 - slow to import, and most runs see no certificate

    digest = hashlib.sha256(der).hexdigest()
    try:
        return _read(x509.load_der_x509_certificate(der), digest)
    except Exception as error:  # noqa: BLE001 - a peer's octets: cryptography raises ValueError and a dozen others
        return Certificate(sha256=digest, problem=" ".join(str(error).split())[:200] or type(error).__name__)


def _read(made: Any, digest: str) -> Certificate:
    import hashlib  # noqa: PLC0415 - with the rest

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - as above

    try:
        public = made.public_key()
        spki = hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
        key, bits, strong = _key(public)
    except Exception:  # noqa: BLE001 - a key of a kind that the library does not know
        spki, key, bits, strong = "", "unknown", None, True
    self_issued = made.issuer == made.subject
    names = _names(made)
    return Certificate(
        subject=_rfc4514(made.subject),
        issuer=_rfc4514(made.issuer),
        names=tuple(names),
        addresses=tuple(name for name, address in names.items() if address),
        common_name=_common_name(made),
        not_before=made.not_valid_before_utc.timestamp(),
        not_after=made.not_valid_after_utc.timestamp(),
        key=key,
        key_bits=bits,
        key_strong=strong,
        signature=_signature(made),
        signature_strong=not any(word in _signature(made).lower() for word in ("md5", "md2", "sha1")),
        serial=f"{made.serial_number:x}",
        is_ca=_is_ca(made),
        self_issued=self_issued,
        self_signed=self_issued and _signs_itself(made),
        sha256=digest,
        spki_sha256=spki,
        must_staple=_has(made, "TLSFeature"),
        for_servers=_for_servers(made),
        ocsp=_ocsp(made),
    )


def _key(public: Any) -> tuple[str, int | None, bool]:
    kind = type(public).__name__.lower()
    bits = int(getattr(public, "key_size", 0)) or None
    if "rsa" in kind:
        return f"rsa-{bits}", bits, (bits or 0) >= 2048  # noqa: PLR2004 - CA/Browser Forum BR §6.1.5
    if "dsa" in kind and "eddsa" not in kind and not hasattr(public, "curve"):
        return f"dsa-{bits}", bits, False
    if hasattr(public, "curve"):
        return f"ec-{public.curve.name}", bits, (bits or 0) >= 224  # noqa: PLR2004 - NIST SP 800-57 part 1
    for name in ("ed25519", "ed448", "x25519", "x448"):
        if name in kind:
            return name, None, True
    return kind, bits, True


def _rfc4514(name: Any) -> str:
    try:
        return str(name.rfc4514_string())
    except Exception:  # noqa: BLE001 - a name of octets that are no text
        return "(unreadable)"


def _signature(made: Any) -> str:
    return str(getattr(made.signature_algorithm_oid, "_name", "") or made.signature_algorithm_oid.dotted_string)


def _extension(made: Any, name: str) -> Any:
    from cryptography import x509  # noqa: PLC0415 - as above

    try:
        return made.extensions.get_extension_for_class(getattr(x509, name)).value
    except Exception:  # noqa: BLE001 - absent, doubled or malformed: for what it says all the same
        return None


def _has(made: Any, name: str) -> bool:
    return _extension(made, name) is not None


def _is_ca(made: Any) -> bool:
    constraints = _extension(made, "BasicConstraints")
    return bool(constraints is not None and constraints.ca)


def _for_servers(made: Any) -> bool:
    usage = _extension(made, "ExtendedKeyUsage")
    if usage is None:
        return True
    return any(use.dotted_string in ("1.3.6.1.5.5.7.3.1", "2.5.29.37.0") for use in usage)


def _ocsp(made: Any) -> tuple[str, ...]:
    access = _extension(made, "AuthorityInformationAccess")
    if access is None:
        return ()
    return tuple(
        str(entry.access_location.value)
        for entry in access
        if entry.access_method.dotted_string == "1.3.6.1.5.5.7.48.1"
    )


def _signs_itself(made: Any) -> bool:
    try:
        made.verify_directly_issued_by(made)
    except Exception:  # noqa: BLE001 - of another key, or of a kind that the library does not know
        return False
    return True


def _names(made: Any) -> dict[str, bool]:
    """Each name, and whether it is an address."""
    alternative = _extension(made, "SubjectAlternativeName")
    if alternative is None:
        return {}
    found: dict[str, bool] = {}
    for entry in alternative:
        kind = type(entry).__name__
        if kind == "DNSName":
            found.setdefault(str(entry.value).lower(), False)
        elif kind == "IPAddress":
            found[str(entry.value)] = True
        if len(found) >= _MOST_NAMES:
            break
    return found


def _common_name(made: Any) -> str | None:
    for attribute in made.subject:
        if attribute.oid.dotted_string == "2.5.4.3":
            return str(attribute.value)
    return None


def bears(certificate: Certificate, name: str) -> bool:
    """Whether the certificate stands for `name`, a host name or an address (RFC 9525 §6).

    Names compare as A-labels; one that has none is borne by nobody. The subject's common name counts for nothing
    (§6.3 of RFC 9525, unlike RFC 6125).
    """
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        wanted = _a_labels(name)
        return bool(wanted) and any(covers(pattern, wanted) for pattern in certificate.names)
    return any(_same_address(pattern, address) for pattern in certificate.addresses)


def _a_labels(name: str) -> str:
    """A name as the DNS and certificates write it, "" where it cannot be (RFC 5891)."""
    if name.isascii():
        return name
    import idna  # noqa: PLC0415 - names are nearly always A-labels already

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, ValueError):
        return ""


def _same_address(pattern: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return ipaddress.ip_address(pattern) == address
    except ValueError:
        return False


def covers(pattern: str, name: str) -> bool:
    """Whether a dNSName stands for `name`; a wildcard is a whole leftmost label and stands for one (RFC 9525 §6.3)."""
    pattern, name = pattern.lower().removesuffix("."), name.lower().removesuffix(".")
    if "\0" in pattern or not pattern:
        return False
    if pattern.startswith("*."):
        label, _, rest = name.partition(".")
        return bool(label) and bool(rest) and rest == pattern[2:] and "*" not in rest and "." in rest
    return "*" not in pattern and pattern == name


def day(seconds: float) -> str:
    """A moment as the day of a certificate is written: `2026-11-24`."""
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d")
    except (OverflowError, ValueError, OSError):
        return "an impossible date"
