"""A client that takes any TLS, and keeps what the peer showed."""

from __future__ import annotations

import ssl
import warnings
from typing import Any, Final

from deliverkit.model import Handshake
from deliverkit.tls.verify import Anchors

VERSIONS: Final = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
"""As OpenSSL names them, oldest first."""
MOST_SENT: Final = 20
"""Certificates that are kept of a chain. OpenSSL takes no more than 100 KiB of them."""
_CIPHERS: Final = "ALL:COMPLEMENTOFALL:!aNULL:@SECLEVEL=0"
"""All that this OpenSSL has, those that encrypt nothing last. Not the anonymous ones: a server that takes one of them,
as Postfix may where it has the choice, shows no certificate, though it has one."""
_CERTIFICATE_REQUEST: Final = 13
_SEEN: Final = 512


class AsksClient:
    """Whether the server asked for a client certificate: told by the message that does so."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, _conn: Any, direction: str, _version: Any, _content: Any, message: Any, _data: bytes) -> None:
        """OpenSSL's callback for each message of the handshake."""
        if direction == "read" and getattr(message, "value", message) == _CERTIFICATE_REQUEST:
            self.asked = True


def client_context(version: str = "", *, watch: AsksClient | None = None) -> ssl.SSLContext:
    """A context that agrees to anything: old versions, weak ciphers, short keys, any certificate.

    `version` alone is offered where it is named. The local OpenSSL's defaults must not hide what a server does.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(_CIPHERS)
    context.options &= ~ssl.OP_NO_TLSv1 & ~ssl.OP_NO_TLSv1_1
    context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4) | ssl.OP_NO_RENEGOTIATION
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        lowest = _version(version or VERSIONS[0])
        context.minimum_version = lowest
        context.maximum_version = _version(version or VERSIONS[-1])
    if watch is not None:
        # Private since Python 3.8, and the only way to see the request before a late alert comes.
        private: Any = context
        private._msg_callback = watch  # noqa: SLF001 - as said
    return context


def _version(name: str) -> ssl.TLSVersion:
    return {
        "TLSv1": ssl.TLSVersion.TLSv1,
        "TLSv1.1": ssl.TLSVersion.TLSv1_1,
        "TLSv1.2": ssl.TLSVersion.TLSv1_2,
        "TLSv1.3": ssl.TLSVersion.TLSv1_3,
    }[name]


def chain_of(made: Any) -> tuple[bytes, ...]:
    """The chain as the peer sent it, DER, leaf first; of an SSLObject or SSLSocket after its handshake.

    None is left out from between: the first is the one whose key the peer has proved to hold, and all judgement of who
    the peer is rests on that.
    """
    if hasattr(made, "get_unverified_chain"):  # Python 3.13
        chain = made.get_unverified_chain() or ()
    else:
        chain = made._sslobj.get_unverified_chain() or ()  # noqa: SLF001 - the only way on 3.11 and 3.12
    return tuple(entry if isinstance(entry, bytes) else _der(entry) for entry in chain[:MOST_SENT])


def _der(entry: Any) -> bytes:
    import _ssl  # noqa: PLC0415 - holds the name of the encoding, on 3.11 and 3.12 alone

    private: Any = _ssl
    return bytes(entry.public_bytes(private.ENCODING_DER))


def established(
    made: Any, name: str, anchors: Anchors, *, watch: AsksClient | None = None, elapsed_ms: float = 0.0
) -> Handshake:
    """The record of a handshake that succeeded."""
    chain = chain_of(made)
    verdict = anchors.judge(chain)
    cipher = made.cipher()
    return Handshake(
        name=name,
        version=made.version() or "",
        cipher=cipher[0] if cipher else "",
        chain=chain,
        trusted=verdict.trusted if chain else None,
        trust_error=verdict.error,
        trust_code=verdict.code,
        asks_client=bool(watch and watch.asked),
        elapsed_ms=elapsed_ms,
    )


_REASONS: Final = {
    "WRONG_VERSION_NUMBER": "what the server sent is no TLS",
    "HTTP_REQUEST": "what the server sent is no TLS",
    "PACKET_LENGTH_TOO_LONG": "what the server sent is no TLS",
    "RECORD_LAYER_FAILURE": "what the server sent is no TLS",
    "BAD_RECORD_TYPE": "what the server sent is no TLS",
    "UNEXPECTED_MESSAGE": "the server broke the handshake's order",
    "EXCESSIVE_MESSAGE_SIZE": "a message of the handshake is longer than any may be",
    "NO_SHARED_CIPHER": "nothing in common",
    "UNSUPPORTED_PROTOCOL": "the server speaks no version of TLS that this OpenSSL has",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the server refuses the version of TLS (alert protocol_version)",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the server found nothing in common (alert handshake_failure)",
    "TLSV1_ALERT_INTERNAL_ERROR": "the server has a fault of its own (alert internal_error)",
    "TLSV1_UNRECOGNIZED_NAME": "the server does not know the name (alert unrecognized_name)",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the server demands a client certificate (alert certificate_required)",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the server refuses the client's certificate (alert certificate_unknown)",
    "SSLV3_ALERT_UNEXPECTED_MESSAGE": "the server did not expect TLS here (alert unexpected_message)",
    "SSLV3_ALERT_ILLEGAL_PARAMETER": "the server refuses what it was offered (alert illegal_parameter)",
    "TLSV1_ALERT_DECODE_ERROR": "the server could not read what it was sent (alert decode_error)",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": "the server found nothing strong enough (alert insufficient_security)",
    "TLSV1_ALERT_USER_CANCELLED": "the server gave up (alert user_canceled)",
    "TLSV1_ALERT_UNKNOWN_CA": "the server refuses the client's certificate (alert unknown_ca)",
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": "the server lacks secure renegotiation (RFC 5746)",
    "CERTIFICATE_VERIFY_FAILED": "its certificate cannot be verified",
    "BAD_SIGNATURE": "its signature over the handshake is wrong",
    "WRONG_SIGNATURE_TYPE": "it signs the handshake in a way that was not offered",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the server refuses the client's certificate (alert bad_certificate)",
    "TLSV1_ALERT_ACCESS_DENIED": "the server refuses this client (alert access_denied)",
    "NO_PROTOCOLS_AVAILABLE": "this machine's OpenSSL does not offer that version",
    "EE_KEY_TOO_SMALL": "its key is too short for this OpenSSL",
    "DH_KEY_TOO_SMALL": "its Diffie-Hellman group is too small for this OpenSSL",
}


def reason(error: BaseException) -> str:
    """Why TLS failed, in words, with OpenSSL's own where there are none of ours."""
    name = getattr(error, "reason", None)
    if isinstance(error, ssl.SSLEOFError) or name == "UNEXPECTED_EOF_WHILE_READING":
        return "the server closed the connection in the middle of it"
    if isinstance(error, ConnectionError):
        return "the server reset the connection in the middle of it"
    if isinstance(name, str):
        return _REASONS.get(name, name.lower().replace("_", " "))
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(words).split()).lower()


def failed(name: str, why: str, *, seen: bytes = b"", asked: bool = False, elapsed_ms: float = 0.0) -> Handshake:
    """The record of one that failed; `seen` is what the peer sent, kept where it is no TLS record."""
    clear = seen[:_SEEN] if seen[:1] not in (b"\x14", b"\x15", b"\x16", b"\x17", b"") else b""
    return Handshake(name=name, error=why, plaintext=clear, asks_client=asked, elapsed_ms=elapsed_ms)
