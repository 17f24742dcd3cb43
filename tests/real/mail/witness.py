"""What other programs see of the same server: OpenSSL's s_client, Postfix's posttls-finger, swaks."""

from __future__ import annotations

import hashlib
import re
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

from daemons import PATIENCE, program


class Seen(NamedTuple):
    """One program's word; "" and None where it says nothing of that."""

    version: str = ""
    cipher: str = ""
    chain: tuple[str, ...] = ()
    """SHA-256 of each certificate, leaf first, hexadecimal."""
    spki: str = ""
    verified: int | None = None
    """OpenSSL's X509_V_ERR_ code."""
    trusted: bool | None = None
    banner: str = ""
    before: tuple[str, ...] = ()
    """The lines behind the greeting, in clear."""
    after: tuple[str, ...] = ()
    accepted: bool | None = None
    """The login."""


def _run(*command: str | Path, text: str = "", env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, input=text.encode(), capture_output=True, check=False, timeout=2 * PATIENCE,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **(env or {})},
    )  # fmt: skip
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def _shown(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def s_client(address: str, port: int, name: str, anchor: Path, *, implicit: bool = False, named: bool = True) -> Seen:
    """OpenSSL's: the handshake and the chain, and what the chain comes to."""
    said = _run(
        program("openssl", "openssl"), "s_client", "-connect", f"{_shown(address)}:{port}", "-showcerts",
        *(() if implicit else ("-starttls", "smtp", "-name", "client.example.com")),
        *(("-servername", name) if named else ("-noservername",)),
        "-CAfile", anchor, "-no-CApath", "-no-CAstore", "-purpose", "sslserver",
        "-cipher", "ALL:@SECLEVEL=0", "-min_protocol", "TLSv1",
        text="QUIT\n",
    )  # fmt: skip
    pems = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", said, re.DOTALL)
    protocol = re.search(r"^\s+Protocol\s*: (\S+)", said, re.MULTILINE) or re.search(
        r"^New, (\S+), Cipher is", said, re.MULTILINE
    )
    cipher = re.search(r"Cipher is (\S+)", said)
    code = re.search(r"Verify return code: (\d+)", said)
    assert protocol, said
    assert cipher, said
    assert code, said
    chain = tuple(hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest() for pem in pems)
    return Seen(version=protocol[1], cipher=cipher[1], chain=chain, verified=int(code[1]), trusted=code[1] == "0")


def finger(address: str, port: int, config: Path, anchor: Path, *, implicit: bool = False) -> Seen:
    """Postfix's own: the handshake, and the certificate's digests."""
    said = _run(
        program("posttls-finger", "postfix"), "-c", "-l", "may", "-L", "summary,certmatch", "-F", anchor,
        "-g", "medium", "-p", ">=TLSv1", "-o", "tls_medium_cipherlist=ALL:@SECLEVEL=0",
        *(("-w",) if implicit else ()), f"[{address}]:{port}", env={"MAIL_CONFIG": str(config)},
    )  # fmt: skip
    made = re.search(r"(\w+) TLS connection established to .*: (TLS\S+) with cipher (\S+)", said)
    prints = re.search(r"fingerprint=([0-9A-F:]+), pkey_fingerprint=([0-9A-F:]+)", said)
    assert made, said
    assert prints, said
    leaf, spki = (digest.replace(":", "").lower() for digest in prints.groups())
    return Seen(version=made[2], cipher=made[3], chain=(leaf,), spki=spki, trusted=made[1] != "Untrusted")


def swaks(
    address: str, port: int, *, implicit: bool = False, login: tuple[str, str, str] | None = None, tls: bool = True
) -> Seen:
    """Swaks: banner, capabilities before and after TLS, and the login (user, password, mechanism)."""
    tls_option = ("--tls-on-connect",) if implicit else ("--tls",) if tls else ()
    said = _run(
        program("swaks", "swaks"), "--server", address, "--port", str(port), "--ehlo", "client.example.com",
        *tls_option,
        "--quit-after", "AUTH" if login else "EHLO",
        *(("--auth", login[2], "--auth-user", login[0], "--auth-password", login[1]) if login else ()),
    )  # fmt: skip
    lines = said.splitlines()
    secured = re.search(r"TLS started with cipher ([^:]+):([^:]+):", said)
    texts = [line[4:] for line in lines if line[:3] in ("<- ", "<~ ", "<**", "<~*")]
    banner = next((text for text in texts if text.startswith("220")), "")
    before: list[str] = []
    after: list[str] = []
    ehlo = False
    for line in lines:
        if line[1:3] in ("->", "~>"):
            ehlo = line[4:].startswith("EHLO")
        elif ehlo and line[:2] in ("<-", "<~"):
            (after if line[1] == "~" else before).append(line[8:].strip())
    accepted = None if login is None else any(line.startswith(("<~  235", "<-  235")) for line in lines)
    return Seen(
        version=secured[1] if secured else "", cipher=secured[2] if secured else "", banner=banner,
        before=tuple(before[1:]), after=tuple(after[1:]), accepted=accepted,
    )  # fmt: skip


def takes(port: int, version: str) -> bool:
    """Whether OpenSSL's s_client comes to an agreement with this version of TLS alone."""
    option = "-" + version.lower().replace("tlsv", "tls").replace(".", "_")
    said = _run(
        program("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-starttls", "smtp", option,
        "-cipher", "ALL:@SECLEVEL=0", text="QUIT\n",
    )  # fmt: skip
    return "Cipher is (NONE)" not in said
