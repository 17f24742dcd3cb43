"""A key file of the user's: only its public half goes on from here."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from deliverkit.cli.errors import UsageError


def public_half(octets: bytes, named: str) -> bytes:
    """The public key (SPKI, DER) of a PEM private or public key. Raises `UsageError`, which shows none of it."""
    try:
        if b"PRIVATE KEY" in octets:
            private = serialization.load_pem_private_key(octets, password=None)
            public = private.public_key()
        else:
            public = serialization.load_pem_public_key(octets)
    except TypeError:
        raise UsageError(f"--key {named}: the key is encrypted; give its public half instead") from None
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(f"--key {named}: not a PEM key") from None
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
