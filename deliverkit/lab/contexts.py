"""Server contexts for the certificates of a world."""

from __future__ import annotations

import ssl
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from deliverkit.world.certificate import Made, pem, root
from deliverkit.world.section import VERSIONS, CertificateWish, HttpsSection, SmtpSection

_VERSIONS: Final = {
    "TLSv1": (ssl.TLSVersion.TLSv1, ssl.OP_NO_TLSv1),
    "TLSv1.1": (ssl.TLSVersion.TLSv1_1, ssl.OP_NO_TLSv1_1),
    "TLSv1.2": (ssl.TLSVersion.TLSv1_2, ssl.OP_NO_TLSv1_2),
    "TLSv1.3": (ssl.TLSVersion.TLSv1_3, ssl.OP_NO_TLSv1_3),
}


def server_context(
    section: SmtpSection | HttpsSection, made: Callable[[CertificateWish], Made], now: float
) -> ssl.SSLContext:
    """What one server speaks. A client that sends a name gets the certificate, another one the unnamed.

    Whatever a world asks for is served, however weak: that is the local OpenSSL's lowest security level.
    """
    named = _context(section, made(section.certificate), now)
    if section.unnamed is None:
        return named
    unnamed = _context(section, made(section.unnamed), now)

    def choose(connection: Any, name: str | None, context: ssl.SSLContext) -> None:
        del context
        if name:
            connection.context = named

    unnamed.sni_callback = choose
    return unnamed


def _context(section: SmtpSection | HttpsSection, made: Made, now: float) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old = any(version in ("TLSv1", "TLSv1.1") for version in section.versions)
    context.set_ciphers("ALL:@SECLEVEL=0" if old else "DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = _VERSIONS[section.versions[0]][0]
        context.maximum_version = _VERSIONS[section.versions[-1]][0]
        for version in VERSIONS:
            if version not in section.versions:
                context.options |= _VERSIONS[version][1]
            else:
                context.options &= ~_VERSIONS[version][1]
    if isinstance(section, SmtpSection) and section.asks_client:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=root(now))
    # The library reads keys from files alone.
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "chain.pem"
        file.touch(mode=0o600)
        file.write_bytes(made.key_pem + pem(*made.sent))
        context.load_cert_chain(file)
    return context
