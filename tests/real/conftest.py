"""NSD and Unbound on free loopback ports, with zones written and signed here."""

from __future__ import annotations

import datetime as dt
import ipaddress
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.dnssec
import dns.message
import dns.name
import dns.query
import dns.zone
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from places import Real

ZONE = """$TTL 300
@        SOA   ns hostmaster 1 3600 600 86400 60
@        NS    ns
ns       A     192.0.2.53
@        MX    10 mail
@        TXT   "v=spf1 ip4:192.0.2.0/24 -all"
_dmarc   TXT   "v=DMARC1; p=reject; rua=mailto:dmarc@{origin}"
mail     A     192.0.2.10
mail     AAAA  2001:db8::10
alias    CNAME mail
_25._tcp.mail TLSA 3 1 1 {tlsa}
_25._tcp.mail TLSA 3 1 1 {next}
bare     MX    10 lone
lone     A     192.0.2.11
*.wild   TXT   "any"
""" + "".join(f'big TXT "{number:03}{"x" * 240}"\n' for number in range(20))


ROOT = """$TTL 300
@        SOA   ns. hostmaster. 1 3600 600 86400 60
@        NS    ns.
ns.      A     192.0.2.53
"""
UNSIGNED = "unsigned.example"
TLSA = {"{tlsa}": "ab" * 32, "{next}": "cd" * 32}
DAYS = {
    "example.com": (-1.0, 13.0),
    "bogus.example": (-1.0, 13.0),
    "expired.example": (-30.0, -4.0),  # Unbound lets a day pass (val-sig-skew-max)
    "soon.example": (-29.0, 1.0),
}
"""Of the signed zones when their signatures begin and end, in days from now."""


def _text(origin: str) -> str:
    """The zone of a domain."""
    text = ZONE
    for word, value in {"{origin}": origin, **TLSA}.items():
        text = text.replace(word, value)
    return text


def _root(keys: dict[str, Any]) -> str:
    """A root of our own: nothing is ever asked beyond loopback. One of its delegations is not signed."""
    text = ROOT
    for origin in (*DAYS, UNSIGNED):
        text += f"{origin}. NS ns.{origin}.\nns.{origin}. A 192.0.2.53\n"
    for origin, key in keys.items():
        text += f"{origin}. DS {dns.dnssec.make_ds(dns.name.from_text(origin), key, 'SHA256').to_text()}\n"
    return text


def _free() -> int:
    """A port free on UDP and TCP alike."""
    while True:
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
            stream.bind(("127.0.0.1", 0))
            port: int = stream.getsockname()[1]
            try:
                datagram.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _signed(origin: str, text: str, folder: Path) -> Any:
    """Writes the zone, signed; returns its key."""
    zone = dns.zone.from_text(text, origin=origin, relativize=False)
    now = dt.datetime.now(dt.UTC)
    begins, ends = (now + dt.timedelta(days=days) for days in DAYS.get(origin, (-1.0, 13.0)))
    private = ec.generate_private_key(ec.SECP256R1())
    key = dns.dnssec.make_dnskey(private.public_key(), "ECDSAP256SHA256", flags=257)
    with zone.writer() as transaction:
        dns.dnssec.sign_zone(
            zone, transaction, keys=[(private, key)], inception=begins, expiration=ends, add_dnskey=True
        )
    written = zone.to_text(relativize=False)
    if origin == "bogus.example":
        written = written.replace("v=spf1 ip4:192.0.2.0/24", "v=spf1 ip4:203.0.113.0/24")
    (folder / f"{origin}.zone").write_text(written)
    return key


def _certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dns.example")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("dns.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _await(port: int) -> None:
    query = dns.message.make_query("example.com", "SOA")
    for _ in range(100):
        try:
            dns.query.udp(query, "127.0.0.1", port=port, timeout=0.2)
        except (OSError, dns.exception.DNSException):
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"no name server came up on port {port}")


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """A validating resolver over three transports, before an authoritative server."""
    programs = {name: shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin:/bin") for name in ("nsd", "unbound")}
    for name, found in programs.items():
        if found is None:
            pytest.skip(f"{name} is not installed (apt-get install nsd unbound)")
    folder = tmp_path_factory.mktemp("real")
    keys = {origin: _signed(origin, _text(origin), folder) for origin in DAYS}
    anchors = [f". IN DNSKEY {_signed('.', _root(keys), folder).to_text()}"]
    (folder / f"{UNSIGNED}.zone").write_text(_text(UNSIGNED))
    _certificate(folder)
    names = (*DAYS, UNSIGNED, ".")
    authority, plain, tls, https = _free(), _free(), _free(), _free()
    (folder / "nsd.conf").write_text(
        f'server:\n ip-address: 127.0.0.1@{authority}\n username: ""\n chroot: ""\n zonesdir: "{folder}"\n'
        f' pidfile: "{folder}/nsd.pid"\n database: ""\n zonelistfile: "{folder}/zone.list"\n'
        f' xfrdfile: "{folder}/xfrd.state"\n xfrdir: "{folder}"\n server-count: 1\n'
        "remote-control:\n control-enable: no\n"
        + "".join(f'zone:\n name: "{name}"\n zonefile: "{name}.zone"\n' for name in names)
    )
    (folder / "unbound.conf").write_text(
        f'server:\n chroot: ""\n username: ""\n directory: "{folder}"\n pidfile: "{folder}/unbound.pid"\n'
        f' use-syslog: no\n logfile: ""\n num-threads: 1\n do-not-query-localhost: no\n'
        f" interface: 127.0.0.1@{plain}\n interface: 127.0.0.1@{tls}\n interface: 127.0.0.1@{https}\n"
        f' tls-port: {tls}\n https-port: {https}\n tls-service-key: "{folder}/key.pem"\n'
        f' tls-service-pem: "{folder}/cert.pem"\n ede: yes\n module-config: "validator iterator"\n'
        + "".join(f' trust-anchor: "{anchor}"\n' for anchor in anchors)
        + "".join(f' local-zone: "{name}." transparent\n' for name in names[:-1])
        + "remote-control:\n control-enable: no\n"
        + "".join(f'stub-zone:\n name: "{name}"\n stub-addr: 127.0.0.1@{authority}\n' for name in names)
    )
    with (folder / "log").open("wb") as log:
        running = [
            subprocess.Popen([programs["nsd"] or "", "-d", "-c", folder / "nsd.conf"], stdout=log, stderr=log),
            subprocess.Popen([programs["unbound"] or "", "-d", "-c", folder / "unbound.conf"], stdout=log, stderr=log),
        ]
        try:
            _await(authority)
            _await(plain)
            yield Real(
                f"127.0.0.1#{plain}",
                f"tls://127.0.0.1#{tls}/dns.example",
                f"https://127.0.0.1:{https}/dns-query",
                f"127.0.0.1#{authority}",
                folder / "cert.pem",
            )
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(10)
