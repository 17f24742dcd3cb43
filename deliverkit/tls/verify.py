"""Whether a chain leads to a trust anchor, and in words why not."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path
from typing import Any, Final

import msgspec

MOST: Final = 20
"""Certificates of a chain that are looked at."""


class TrustError(ValueError):
    """Trust anchors that cannot be read; the message is one clear line."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a chain came to. `code` is OpenSSL's X509_V_ERR_ code, 0 where it is trusted."""

    trusted: bool
    error: str | None = None
    code: int = 0
    depth: int = 0


class Anchors:
    """The system's trust anchors and those of a file, read once, when the first chain is judged."""

    def __init__(self, ca_file: Path | None = None, *, extra: tuple[bytes, ...] = (), system: bool = True) -> None:
        self._ca_file = ca_file
        self._extra = extra  # DER
        self._system = system
        self._anchors: list[Any] | None = None

    def judge(self, chain: tuple[bytes, ...], now: float | None = None) -> Verdict:
        """Whether `chain` (DER, leaf first) leads to an anchor at `now` (seconds since the epoch; None: today).

        The purpose is a server's. Names are not looked at. Raises `TrustError` where the anchors cannot be read.
        """
        from OpenSSL import crypto  # noqa: PLC0415 - slow to import, and most runs see no certificate

        if not chain:
            return Verdict(trusted=False, error="the server sent no certificate")
        made: list[Any] = []
        for place, der in enumerate(chain[:MOST]):
            try:
                made.append(crypto.load_certificate(crypto.FILETYPE_ASN1, der))
            except Exception:  # noqa: BLE001 - octets of a peer: crypto.Error, ValueError, TypeError
                if place == 0:
                    return Verdict(trusted=False, error="the certificate cannot be read", code=1)
        store = crypto.X509Store()
        for anchor in self._loaded():
            store.add_cert(anchor)
        store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
        store.set_time(dt.datetime.fromtimestamp(now, dt.UTC) if now is not None else dt.datetime.now(dt.UTC))
        try:
            crypto.X509StoreContext(store, made[0], made[1:]).verify_certificate()
        except crypto.X509StoreContextError as error:
            code, depth = _code(error)
            return Verdict(trusted=False, error=_words(code, depth, str(error.args[0])), code=code, depth=depth)
        except Exception as error:  # noqa: BLE001 - octets of a peer
            return Verdict(trusted=False, error=" ".join(str(error).split())[:200] or "it cannot be verified", code=1)
        return Verdict(trusted=True)

    def _loaded(self) -> list[Any]:
        if self._anchors is None:
            from OpenSSL import crypto  # noqa: PLC0415 - as above

            context = ssl.create_default_context() if self._system else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            if self._ca_file is not None:
                try:
                    context.load_verify_locations(self._ca_file)
                except (OSError, ValueError) as error:
                    words = getattr(error, "strerror", None) or str(error)
                    raise TrustError(f"--ca-file {self._ca_file}: {words.lower()}") from error
            self._anchors = [
                crypto.load_certificate(crypto.FILETYPE_ASN1, der)
                for der in (*context.get_ca_certs(binary_form=True), *self._extra)
            ]
        return self._anchors


_WORDS: Final = {
    2: "the certificate of its issuer is not among those sent and not known here",
    9: "not yet valid",
    10: "expired",
    18: "self-signed",
    19: "the chain ends in a root that is not trusted here",
    20: "the certificate of its issuer is not among those sent and not known here",
    21: "the certificate of its issuer is not among those sent and not known here",
    24: "issued by a certificate that is not a CA's",
    26: "not meant for servers",
    66: "its key is too short for any client",
    67: "its CA's key is too short for any client",
    68: "signed with a digest that is broken",
}


def _code(error: Any) -> tuple[int, int]:
    errors = getattr(error, "errors", None) or []
    try:
        return int(errors[0]), int(errors[1])
    except (IndexError, TypeError, ValueError):
        return 1, 0


def _words(code: int, depth: int, said: str) -> str:
    words = _WORDS.get(code) or " ".join(said.split())
    return words if depth == 0 else f"certificate {depth + 1} of the chain: {words}"
