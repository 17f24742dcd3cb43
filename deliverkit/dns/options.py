"""Where questions go: the user's words, parsed."""

from __future__ import annotations

import ipaddress
import urllib.parse
from pathlib import Path
from typing import Final

import msgspec

from deliverkit.dns.exchange import PORT

_DOT_PORT: Final = 853
_MAX_PORT: Final = 65_535
PUBLIC: Final = frozenset({
    "1.0.0.1", "1.1.1.1", "1.1.1.2", "1.1.1.3", "8.8.4.4", "8.8.8.8", "9.9.9.9", "9.9.9.10", "9.9.9.11",
    "149.112.112.10", "149.112.112.11", "149.112.112.112", "64.6.64.6", "64.6.65.6", "76.76.2.0", "76.76.10.0",
    "77.88.8.1", "77.88.8.8", "84.200.69.80", "84.200.70.40", "94.140.14.14", "94.140.15.15", "114.114.114.114",
    "185.222.222.222", "185.228.168.9", "193.110.81.0", "185.253.5.0", "194.242.2.2", "208.67.220.220",
    "208.67.222.222", "223.5.5.5", "223.6.6.6", "2001:4860:4860::8844", "2001:4860:4860::8888",
    "2606:4700:4700::1001", "2606:4700:4700::1111", "2620:fe::9", "2620:fe::fe", "2620:119:35::35", "2620:119:53::53",
})  # fmt: skip
"""Addresses of well-known public resolvers."""
PUBLIC_HOSTS: Final = (
    "dns.google",
    "cloudflare-dns.com",
    "one.one.one.one",
    "quad9.net",
    "opendns.com",
    "adguard-dns.com",
    "nextdns.io",
    "mullvad.net",
)
"""Names of well-known public resolvers: these and what lies below them."""


class DnsOptionsError(ValueError):
    """An option that cannot be used; the message is one clear line."""


class DnsOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a run asks the DNS.

    `resolvers`: `ADDR[#PORT]`, `tls://ADDR[#PORT][/NAME]`, `https://HOST/PATH`, `authoritative`; empty: the
    system's. `connect_to`: `HOST:PORT:ADDR:PORT`, as curl's.
    """

    resolvers: tuple[str, ...] = ()
    zones: tuple[Path, ...] = ()
    zone_partial: bool = False
    offline: bool = False
    ca_file: Path | None = None
    connect_to: tuple[str, ...] = ()
    ipv4_only: bool = False
    ipv6_only: bool = False
    allow_private: bool = False
    """Whether an address that the DNS named is asked though it is loopback, private or link-local."""
    system: Path = Path("/etc/resolv.conf")


class PlainSpec(msgspec.Struct, frozen=True):
    """A resolver over UDP and TCP."""

    address: str
    port: int


class TlsSpec(msgspec.Struct, frozen=True):
    """A resolver over TLS (RFC 7858); the certificate has to bear `name`, else the address."""

    address: str
    port: int
    name: str


class HttpsSpec(msgspec.Struct, frozen=True):
    """A resolver over HTTPS (RFC 8484)."""

    url: str
    host: str
    port: int


class AuthoritativeSpec(msgspec.Struct, frozen=True):
    """Each zone's own name servers, asked directly."""


Spec = PlainSpec | TlsSpec | HttpsSpec | AuthoritativeSpec


def parse_resolver(text: str) -> Spec:
    """One `--resolver`. Raises `DnsOptionsError`."""
    if text == "authoritative":
        return AuthoritativeSpec()
    if text.startswith("https://"):
        return _https(text)
    if text.startswith("tls://"):
        where, _, name = text.removeprefix("tls://").partition("/")
        address, port = _address(where, text, _DOT_PORT)
        return TlsSpec(address, port, name.rstrip(".").lower() or address)
    return PlainSpec(*_address(text, text, PORT))


def _https(text: str) -> HttpsSpec:
    try:
        parts = urllib.parse.urlsplit(text)
        port = parts.port or 443
    except ValueError as error:
        raise DnsOptionsError(f"--resolver {text!r}: {error}") from error
    if not parts.hostname or parts.username or parts.fragment or not text.isascii() or " " in text:
        raise DnsOptionsError(f"--resolver {text!r}: expected https://HOST[:PORT]/PATH")
    return HttpsSpec(text, parts.hostname, port)


def _address(where: str, text: str, port: int) -> tuple[str, int]:
    address, mark, number = where.partition("#")
    if mark:
        if not (number.isascii() and number.isdigit() and 0 < int(number) <= _MAX_PORT):
            raise DnsOptionsError(f"--resolver {text!r}: {number!r} is no port")
        port = int(number)
    address = address.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise DnsOptionsError(
            f"--resolver {text!r}: expected ADDR[#PORT], https://HOST/PATH, tls://ADDR[#PORT][/NAME] or authoritative"
        ) from None
    return address, port


def system_resolvers(path: Path) -> tuple[PlainSpec, ...]:
    """The name servers a resolv.conf(5) lists. Raises `DnsOptionsError` where there is none to use."""
    try:
        text = path.read_text("utf-8", "replace")
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise DnsOptionsError(f"no resolver: {path} cannot be read ({said}); name one with --resolver") from error
    found: list[PlainSpec] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            try:
                ipaddress.ip_address(words[1])
            except ValueError:
                continue
            found.append(PlainSpec(words[1], PORT))
    if not found:
        raise DnsOptionsError(f"no resolver: {path} names no usable name server; name one with --resolver")
    return tuple(dict.fromkeys(found))


def parse_connect_to(texts: tuple[str, ...]) -> dict[tuple[str, int], tuple[str, int]]:
    """`HOST:PORT:ADDR:PORT`, IPv6 in brackets; an empty HOST or PORT stands for any. Raises `DnsOptionsError`."""
    table: dict[tuple[str, int], tuple[str, int]] = {}
    for text in texts:
        parts = _split(text)
        numbers = parts[1::2]
        if len(parts) != len(("host", "port", "address", "port")) or any(
            part and not (part.isascii() and part.isdigit()) for part in numbers
        ):
            raise DnsOptionsError(f"--connect-to {text!r}: expected HOST:PORT:ADDR:PORT")
        host, port, address, target = parts
        table[host.lower(), int(port or 0)] = (address, int(target or 0))
    return table


def _split(text: str) -> list[str]:
    parts: list[str] = []
    while text:
        if text.startswith("[") and "]" in text:
            part, _, text = text[1:].partition("]")
            text = text.removeprefix(":")
        else:
            part, mark, text = text.partition(":")
            if mark and not text:
                parts.append(part)
                part = ""
        parts.append(part)
    return parts


def connected(table: dict[tuple[str, int], tuple[str, int]], host: str, port: int) -> tuple[str, int]:
    """Where a connection to `host` really goes, as curl reads `--connect-to`."""
    for key in ((host.lower(), port), ("", port), (host.lower(), 0), ("", 0)):
        if key in table:
            address, target = table[key]
            return address or host, target or port
    return host, port
