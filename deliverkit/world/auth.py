"""SASL mechanisms as a server speaks them: each an exchange that yields challenges and ends with the user, or None.

The other side of `deliverkit.smtp.sasl`, with the same sources.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Generator
from typing import Any, Final, TypeAlias

from deliverkit.smtp.sasl import KNOWN

Exchange: TypeAlias = Generator[bytes, bytes, str | None]
"""Yields a challenge, is sent the response, returns who logged in; None: nobody."""

_ROUNDS: Final = 4096
MECHANISMS: Final = KNOWN
_UNREADABLE: Final = b"501 5.5.2 cannot decode the response"


class MalformedError(Exception):
    """A response that cannot be read as the mechanism has it (RFC 4954 §4: 501)."""


def exchange(mechanism: str, first: bytes | None, users: dict[str, str], leaf: bytes | None) -> Exchange:
    """The server's side of a mechanism of `MECHANISMS`; `first` is the initial response, None where there was none."""
    match mechanism:
        case "PLAIN":
            return _plain(first, users)
        case "LOGIN":
            return _login(first, users)
        case "CRAM-MD5":
            return _cram(users)
        case "XOAUTH2" | "OAUTHBEARER":
            return _bearer(mechanism, first, users)
    return _scram(mechanism, first, users, leaf)


def _holds(users: dict[str, str], user: str, password: str) -> str | None:
    held = users.get(user)
    same = hmac.compare_digest((held or "").encode(), password.encode("utf-8", "surrogateescape"))
    return user if held is not None and same else None


def _plain(first: bytes | None, users: dict[str, str]) -> Exchange:
    response = (yield b"") if first is None else first
    parts = response.split(b"\0")
    if len(parts) != 3:  # noqa: PLR2004 - authzid, authcid and password (RFC 4616 §2)
        raise MalformedError
    _, user, password = (part.decode("utf-8", "surrogateescape") for part in parts)
    return _holds(users, user, password)


def _login(first: bytes | None, users: dict[str, str]) -> Exchange:
    user = (yield b"Username:") if first is None else first
    password = yield b"Password:"
    return _holds(users, user.decode("utf-8", "surrogateescape"), password.decode("utf-8", "surrogateescape"))


def _cram(users: dict[str, str]) -> Exchange:
    challenge = f"<{secrets.token_hex(8)}@deliverkit.invalid>".encode()
    response = yield challenge
    user, _, digest = response.decode("utf-8", "replace").rpartition(" ")
    expected = hmac.new(users.get(user, "").encode(), challenge, hashlib.md5).hexdigest()
    return user if user in users and hmac.compare_digest(expected.encode(), digest.encode()) else None


def _bearer(mechanism: str, first: bytes | None, users: dict[str, str]) -> Exchange:
    response = (yield b"") if first is None else first
    text = response.decode("utf-8", "replace")
    fields = text.split("\x01")
    token = next((field[len("auth=Bearer ") :] for field in fields if field.startswith("auth=Bearer ")), None)
    if token is None:
        raise MalformedError
    if mechanism == "XOAUTH2":
        user = fields[0].removeprefix("user=")
    else:
        named = [part for part in fields[0].split(",") if part.startswith("a=")]
        user = named[0][2:].replace("=2C", ",").replace("=3D", "=") if named else ""
    held = _holds(users, user, token)
    if held is None:
        yield json.dumps({"status": "invalid_token", "schemes": "bearer", "scope": "mail"}).encode()
    return held


@functools.lru_cache(maxsize=256)
def _kept(mechanism: str, password: str) -> Any:
    """What a server stores of a password: slow to make, by design."""
    import scramp  # noqa: PLC0415 - only where it is used

    return scramp.ScramMechanism(mechanism).make_auth_info(password, iteration_count=_ROUNDS)


def _scram(mechanism: str, first: bytes | None, users: dict[str, str], leaf: bytes | None) -> Exchange:
    import scramp  # noqa: PLC0415 - only where it is used

    if mechanism.endswith("-PLUS") and leaf is None:
        raise MalformedError
    user = ""

    def stored(name: str) -> Any:
        nonlocal user
        user = name.replace("=2C", ",").replace("=3D", "=")
        return _kept(mechanism, users[user] if user in users else secrets.token_hex(8))

    binding: Any = None
    if leaf is not None and mechanism.endswith("-PLUS"):
        binding = ("tls-server-end-point", _end_point(leaf))
    server = scramp.ScramMechanism(mechanism).make_server(stored, channel_binding=binding)
    response = (yield b"") if first is None else first
    try:
        server.set_client_first(response.decode("utf-8"))
        response = yield server.get_server_first().encode()
        try:
            server.set_client_final(response.decode("utf-8"))
        except scramp.ScramException:
            return None
        yield server.get_server_final().encode()
    except (scramp.ScramException, UnicodeDecodeError, ValueError, KeyError, IndexError, TypeError):
        raise MalformedError from None
    return user if user in users else None


def _end_point(leaf: bytes) -> bytes:
    """The certificate's hash, by SHA-256 where it was signed with less (RFC 5929 §4.1)."""
    from cryptography import x509  # noqa: PLC0415 - slow to import

    algorithm = x509.load_der_x509_certificate(leaf).signature_hash_algorithm
    strong = algorithm is not None and algorithm.name in ("sha384", "sha512")
    return hashlib.new(algorithm.name if algorithm is not None and strong else "sha256", leaf).digest()


def decode(word: bytes) -> bytes:
    """A response as it stands on the wire (RFC 4954 §4: `=` is an empty one). Raises `MalformedError`."""
    if word == b"=":
        return b""
    try:
        return base64.b64decode(word, validate=True)
    except ValueError:
        raise MalformedError from None


class Login:
    """One connection's logins: AUTH and what follows it in, the replies out (RFC 4954 §4)."""

    def __init__(self, users: dict[str, str]) -> None:
        self.user: str | None = None
        """Who has logged in."""
        self._users = users
        self._exchange: Exchange | None = None

    @property
    def under_way(self) -> bool:
        """Whether the next line is a response, and no command."""
        return self._exchange is not None

    def begin(self, rest: str, offered: tuple[str, ...], leaf: Callable[[], bytes] | None) -> bytes:
        """The reply to AUTH with what stands behind it; `leaf` gives the server's certificate, inside TLS."""
        mechanism, _, word = rest.partition(" ")
        mechanism = mechanism.upper()
        if self.user is not None:
            return b"503 5.5.1 already authenticated"
        if mechanism not in offered or mechanism not in MECHANISMS:
            return b"504 5.5.4 unrecognized authentication type"
        try:
            first = decode(word.strip().encode()) if word.strip() else None
        except MalformedError:
            return _UNREADABLE
        self._exchange = exchange(mechanism, first, self._users, leaf() if leaf is not None else None)
        return self._answer(None)

    def go_on(self, line: bytes) -> bytes:
        """The reply to a response, or to the `*` that gives up."""
        if line == b"*":
            self._exchange = None
            return b"501 5.7.0 authentication cancelled"
        try:
            return self._answer(decode(line))
        except MalformedError:
            self._exchange = None
            return _UNREADABLE

    def _answer(self, response: bytes | None) -> bytes:
        if self._exchange is None:
            return _UNREADABLE
        try:
            challenge = next(self._exchange) if response is None else self._exchange.send(response)
        except StopIteration as end:
            self._exchange = None
            self.user = end.value
            accepted = self.user is not None
            return (
                b"235 2.7.0 authentication successful" if accepted else b"535 5.7.8 authentication credentials invalid"
            )
        except MalformedError:
            self._exchange = None
            return _UNREADABLE
        return b"334 " + base64.b64encode(challenge)
