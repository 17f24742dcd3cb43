"""What stands behind Postfix: OpenDKIM, which verifies what arrives, and postgrey, which greylists it."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from daemons import folder, program, running, user

DELAY = 2
"""Seconds for which postgrey defers."""
SELECTORS = ("rsa", "ed25519")
"""Each with a key of that algorithm; a third, `other`, is published with a key that nobody signs with."""


class Keys(NamedTuple):
    """Private keys as files, by selector, and their records as `name TXT` lines."""

    files: dict[str, Path]
    records: dict[str, str]


def signing_keys(place: Path) -> Keys:
    """A key pair for each selector. `other` is published with the RSA key, and its file holds another one."""
    files: dict[str, Path] = {}
    records: dict[str, str] = {}
    for selector in (*SELECTORS, "other"):
        if selector == "ed25519":
            pair: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey = ed25519.Ed25519PrivateKey.generate()
            public = pair.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        else:
            pair = rsa.generate_private_key(65537, 2048)
            public = pair.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        files[selector] = place / f"{selector}.key"
        files[selector].write_bytes(
            pair.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        files[selector].chmod(0o600)
        kind = "ed25519" if selector == "ed25519" else "rsa"
        records[selector] = f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}"
    return Keys(files, {**records, "other": records["rsa"]})


@contextmanager
def opendkim(port: int, keys: Keys, domain: str, name: str) -> Iterator[None]:
    """A milter that verifies, and writes Authentication-Results as `name`."""
    found = program("opendkim", "opendkim")
    with folder() as place:
        (place / "keys").write_text(
            "".join(f"{selector}._domainkey.{domain} {record}\n" for selector, record in keys.records.items())
        )
        (place / "opendkim.conf").write_text(
            f"Mode v\nSocket inet:{port}@127.0.0.1\nSyslog no\nAuthservID {name}\nAlwaysAddARHeader yes\n"
            f"TestPublicKeys {place}/keys\nMinimumKeyBits 1024\nInternalHosts 192.0.2.1\nUserID nobody\n"
            "On-BadSignature accept\nOn-KeyNotFound accept\nOn-NoSignature accept\nOn-DNSError accept\n"
        )
        (place / "keys").chmod(0o644)
        with running([found, "-f", "-x", str(place / "opendkim.conf")], place / "log", [port]):
            yield


@contextmanager
def postgrey(port: int) -> Iterator[None]:
    """A policy service that defers who is new for DELAY seconds, and says for how long."""
    found = program("postgrey", "postgrey")
    nobody = user("nobody")
    with folder() as place:
        (place / "db").mkdir()
        os.chown(place / "db", nobody.pw_uid, nobody.pw_gid)
        command = [
            found, f"--inet=127.0.0.1:{port}", f"--delay={DELAY}", f"--dbdir={place}/db", "--user=nobody",
            "--group=nogroup", "--whitelist-clients=/dev/null", "--whitelist-recipients=/dev/null",
            "--auto-whitelist-clients=0", "--greylist-text=Greylisted, try again in %s seconds",
        ]  # fmt: skip
        with running(command, place / "log", [port]):
            yield
