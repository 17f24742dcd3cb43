"""SASL mechanisms as a client speaks them (RFC 4422, RFC 4954), each one exchange of octets.

PLAIN RFC 4616, LOGIN draft-murchison-sasl-login, CRAM-MD5 RFC 2195, SCRAM RFC 5802 and 7677 (by the library
scramp), XOAUTH2 as Google documents it, OAUTHBEARER RFC 7628. Channel binding is tls-server-end-point (RFC 5929
§4): with TLS 1.3 Python gives no tls-exporter.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Generator
from typing import Any, Final

from deliverkit.smtp.secret import Secret

PREFERENCE: Final = (
    "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS",
)  # fmt: skip
"""The order in which one is chosen where none is named. PLAIN before CRAM-MD5, which needs the password stored; -PLUS
last, for a server may bind by tls-exporter alone (RFC 9266), and would refuse a password that is right."""
TOKENS: Final = ("OAUTHBEARER", "XOAUTH2")
"""Mechanisms whose secret is a token: only by name, or where nothing else is offered."""
_MOST_ITERATIONS: Final = 1_000_000
"""Half a second of work; servers ask for 4,096 to 600,000."""
KNOWN: Final = (*PREFERENCE, *TOKENS)

_WORDS: Final = 160

Exchange = Generator[bytes | None, bytes, None]
"""Yields each response (None: no initial one), is sent each challenge. Raises `SaslError`."""


class SaslError(Exception):
    """The server's part of the exchange is wrong; the message says how and holds nothing secret."""


def choose(offered: tuple[str, ...], named: str | None, *, binding: bool) -> str | None:
    """The one mechanism to try; None where there is none in common. `binding`: a certificate is there to bind to."""
    if named is not None:
        return named.upper() if named.upper() in KNOWN else None
    for mechanism in KNOWN:
        if mechanism in offered and (binding or not mechanism.endswith("-PLUS")):
            return mechanism
    return None


def exchange(mechanism: str, user: str, secret: Secret, *, host: str, port: int, leaf: bytes | None = None) -> Exchange:
    """The client's side. `leaf` is the server's certificate (DER), to bind to. Raises `SaslError`.

    What is made of the secret is as secret: each such message is learnt before it is given out.
    """
    _writable(mechanism, user, secret)
    match mechanism:
        case "PLAIN":
            return _plain(user, secret)
        case "LOGIN":
            return _login(user, secret)
        case "CRAM-MD5":
            return _cram(user, secret)
        case "XOAUTH2":
            return _xoauth2(user, secret)
        case "OAUTHBEARER":
            return _oauthbearer(user, secret, host, port)
    if mechanism in PREFERENCE:
        return _scram(mechanism, user, secret, leaf)
    raise SaslError(f"{mechanism} is not among the mechanisms known here")


def _writable(mechanism: str, user: str, secret: Secret) -> None:
    """NUL parts the fields of PLAIN (RFC 4616 §2), Ctrl-A those of the OAuth mechanisms (RFC 7628 §3.1)."""
    forbidden = "\0\1" if mechanism in TOKENS else "\0"
    for what, text in (("user name", user), ("token" if mechanism in TOKENS else "password", secret.reveal())):
        if any(mark in text for mark in forbidden):
            raise SaslError(f"the {what} holds a control character that {mechanism} cannot say")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise SaslError(f"the {what} is no text that can be written in UTF-8") from None


def _made(secret: Secret, message: str) -> bytes:
    octets = message.encode()
    secret.learn(octets)
    return octets


def _plain(user: str, secret: Secret) -> Exchange:
    yield _made(secret, f"\0{user}\0{secret.reveal()}")


def _login(user: str, secret: Secret) -> Exchange:
    yield None
    yield user.encode()
    yield secret.reveal().encode()


def _cram(user: str, secret: Secret) -> Exchange:
    challenge = yield None
    if not challenge:
        raise SaslError("CRAM-MD5 without a challenge")
    digest = hmac.new(secret.reveal().encode(), challenge, hashlib.md5).hexdigest()
    secret.learn(digest.encode())
    yield _made(secret, f"{user} {digest}")


def _xoauth2(user: str, secret: Secret) -> Exchange:
    yield _made(secret, f"user={user}\x01auth=Bearer {secret.reveal()}\x01\x01")
    yield b""  # the answer to an error in JSON, which the server's 535 follows


def _oauthbearer(user: str, secret: Secret, host: str, port: int) -> Exchange:
    name = user.replace("=", "=3D").replace(",", "=2C")
    message = f"n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {secret.reveal()}\x01\x01"
    yield _made(secret, message)
    yield b"\x01"  # RFC 7628 §3.2.3


def _scram(mechanism: str, user: str, secret: Secret, leaf: bytes | None) -> Exchange:
    import scramp  # noqa: PLC0415 - only where it is used

    binding: Any = None
    if mechanism.endswith("-PLUS"):
        if leaf is None:
            raise SaslError(f"{mechanism} without a certificate to bind to")
        binding = ("tls-server-end-point", _end_point(leaf))
    try:
        client = scramp.ScramClient([mechanism], user, secret.reveal(), channel_binding=binding)
        opening = client.get_client_first().encode()
    except Exception:  # noqa: BLE001 - its words might hold the password
        raise SaslError("the user name or the password holds what SCRAM cannot say (RFC 4013)") from None
    first = yield opening
    try:
        _bounded(first)
        client.set_server_first(first.decode("utf-8"))
        message = client.get_client_final()
        _, _, proof = message.rpartition(",p=")
        secret.learn(base64.b64decode(proof))
        final = yield _made(secret, message)
        client.set_server_final(final.decode("utf-8"))
    except (scramp.ScramException, UnicodeDecodeError, ValueError, KeyError, IndexError, TypeError) as error:
        said = " ".join(str(error).split())[:_WORDS] if isinstance(error, scramp.ScramException) else ""
        raise SaslError(f"the server's part of {mechanism} is wrong{f': {said}' if said else ''}") from None
    yield b""  # the server's proof came in a challenge, which is answered by an empty line (RFC 4954 §4)


def _bounded(first: bytes) -> None:
    """A server may not set us to work for hours (RFC 7804 §4 warns of it)."""
    for part in first.split(b","):
        if part.startswith(b"i=") and (len(part) > len(b"i=") + 7 or int(part[2:]) > _MOST_ITERATIONS):
            raise SaslError(f"the server asks for more than {_MOST_ITERATIONS:,} iterations")


def _end_point(leaf: bytes) -> bytes:
    """The hash of the certificate by the digest of its signature, SHA-256 for MD5 and SHA-1 (RFC 5929 §4.1)."""
    from cryptography import x509  # noqa: PLC0415 - slow to import, and few logins bind

    try:
        algorithm = x509.load_der_x509_certificate(leaf).signature_hash_algorithm
    except Exception:  # noqa: BLE001 - a peer's octets
        raise SaslError("the certificate cannot be read to bind to") from None
    name = getattr(algorithm, "name", None)
    if name is None:  # Ed25519 and its kin: RFC 5929 §4.1 leaves the binding undefined
        raise SaslError("the certificate's signature names no digest to bind by (RFC 5929 §4.1)")
    return hashlib.new("sha256" if name in ("md5", "sha1") else name.replace("-", "_"), leaf).digest()
