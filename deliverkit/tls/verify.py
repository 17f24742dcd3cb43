"""Whether a chain leads to a trust anchor, and in words why not."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import re
import ssl
import threading
from pathlib import Path
from typing import Any, Final

import msgspec

MOST: Final = 20
"""Certificates of a chain that are looked at."""
_PEM: Final = re.compile(
    rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----.*?-----END (?:X509 |TRUSTED )?CERTIFICATE-----", re.DOTALL
)


class TrustError(ValueError):
    """Trust anchors that cannot be read; the message is one clear line."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a chain came to. `code` is OpenSSL's X509_V_ERR_ code, 0 where it is trusted."""

    trusted: bool
    error: str | None = None
    code: int = 0
    depth: int = 0


class Anchors:
    """The system's trust anchors and those of a file, made ready once, when the first chain is judged.

    `ca_file` holds certificates in PEM, or one in DER; each is an anchor, a CA's or not. Raises `TrustError` where
    it cannot be read. `extra` are anchors in DER. May be asked from several threads.
    """

    def __init__(self, ca_file: Path | None = None, *, extra: tuple[bytes, ...] = (), system: bool = True) -> None:
        self._extra = (*_certificates(ca_file), *extra) if ca_file is not None else extra
        self._system = system
        self._store: Any = None
        self._time: float | None = None
        self._turn = threading.Lock()

    def judge(self, chain: tuple[bytes, ...], now: float | None = None) -> Verdict:
        """Whether `chain` (DER, leaf first) leads to an anchor at `now` (seconds since the epoch; None: today).

        The purpose is a server's. Names are not looked at. Never raises for what is in the chain.
        """
        if not chain:
            return Verdict(trusted=False, error="the server sent no certificate")
        from OpenSSL import crypto  # noqa: PLC0415 - slow to import, and most runs see no certificate

        made: list[Any] = []
        for place, der in enumerate(chain[:MOST]):
            try:
                made.append(crypto.load_certificate(crypto.FILETYPE_ASN1, der))
            except Exception:  # noqa: BLE001 - octets of a peer: crypto.Error, ValueError, TypeError
                if place == 0:
                    return Verdict(trusted=False, error="the certificate cannot be read", code=1)
        with self._turn:
            try:
                crypto.X509StoreContext(self._ready(now), made[0], made[1:]).verify_certificate()
            except crypto.X509StoreContextError as error:
                code, depth = _code(error)
                words = _words(code, depth, str(error.args[0]))
                return Verdict(trusted=False, error=words, code=code, depth=depth)
            except Exception as error:  # noqa: BLE001 - octets of a peer
                words = " ".join(str(error).split())[:200] or "it cannot be verified"
                return Verdict(trusted=False, error=words, code=1)
        return Verdict(trusted=True)

    def prepare(self) -> None:
        """Makes them ready before the first chain comes, which takes a tenth of a second. Never raises."""
        with contextlib.suppress(Exception), self._turn:
            self._ready(self._time)
            importlib.import_module("cryptography.hazmat.primitives.serialization")  # by which certificates are read

    def _ready(self, now: float | None) -> Any:
        if self._store is None or now != self._time:
            from OpenSSL import crypto  # noqa: PLC0415 - as above

            store = crypto.X509Store()
            store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
            if now is not None:  # a store takes one time and keeps it; without one it goes by the clock
                store.set_time(dt.datetime.fromtimestamp(now, dt.UTC))
            _for_servers(store, crypto)
            if self._system:
                _add_system(store, crypto)
            for der in self._extra:
                with contextlib.suppress(crypto.Error, ValueError):  # no certificate: no anchor
                    store.add_cert(crypto.load_certificate(crypto.FILETYPE_ASN1, der))
            self._store, self._time = store, now
        return self._store


def _certificates(path: Path) -> tuple[bytes, ...]:
    """The certificates of a file, DER. Raises `TrustError`."""
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise TrustError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    if octets.startswith(b"\x30"):
        return (octets,)
    try:
        found = tuple(ssl.PEM_cert_to_DER_cert(block.decode("ascii")) for block in _PEM.findall(octets))
    except ValueError as error:
        raise TrustError(f"{path}: a certificate in it is no PEM") from error
    if not found:
        raise TrustError(f"{path}: it holds no certificate in PEM")
    return found


def _for_servers(store: Any, crypto: Any) -> None:
    """Chains have to be good for a server (extended key usage serverAuth), as every client demands."""
    library: Any = getattr(crypto, "_lib", None)  # pyOpenSSL has no name of its own for it
    purpose = getattr(library, "X509_STORE_set_purpose", None)
    if purpose is not None:
        purpose(store._store, library.X509_PURPOSE_SSL_SERVER)  # noqa: SLF001 - as said


def _add_system(store: Any, crypto: Any) -> None:
    """The anchors of the system, where OpenSSL looks for them: SSL_CERT_FILE and SSL_CERT_DIR come first."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile is not None or paths.capath is not None:
        with contextlib.suppress(crypto.Error):  # an empty file is no anchors
            store.load_locations(paths.cafile, paths.capath)
        return
    for der in ssl.create_default_context().get_ca_certs(binary_form=True):  # Windows keeps them elsewhere
        with contextlib.suppress(crypto.Error, ValueError):
            store.add_cert(crypto.load_certificate(crypto.FILETYPE_ASN1, der))


_NO_ISSUER: Final = "the certificate of its issuer is not among those sent and not known here"
_WORDS: Final = {
    2: _NO_ISSUER,
    4: "its signature cannot be read",
    6: "the key of its issuer cannot be read",
    7: "its signature is wrong",
    9: "not yet valid",
    10: "expired",
    13: "its first day cannot be read",
    14: "its last day cannot be read",
    18: "self-signed",
    19: "the chain ends in a root that is not trusted here",
    20: _NO_ISSUER,
    21: _NO_ISSUER,
    22: "the chain is too long",
    24: "issued by a certificate that is not a CA's",
    25: "its CA may not stand above so many others",
    26: "not meant for servers",
    27: "its root is not trusted here for servers",
    28: "its root is refused here for servers",
    32: "its CA may not sign certificates",
    34: "it holds a critical extension that is not known here",
    47: "its CA may not sign for its names",
    48: "its CA may not sign for its names",
    79: "issued by a certificate that is not a CA's",
}
"""Of OpenSSL's X509_V_ERR_ codes, those that a chain can meet; the others are told in OpenSSL's words."""


def _code(error: Any) -> tuple[int, int]:
    errors = getattr(error, "errors", None) or []
    try:
        return int(errors[0]), int(errors[1])
    except (IndexError, TypeError, ValueError):
        return 1, 0


def _words(code: int, depth: int, said: str) -> str:
    words = _WORDS.get(code) or " ".join(said.split())
    return words if depth == 0 else f"certificate {depth + 1} of the chain: {words}"
