"""What the user may type for a resolver."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from deliverkit.dns.build import open_port
from deliverkit.dns.options import (
    AuthoritativeSpec,
    DnsOptions,
    DnsOptionsError,
    HttpsSpec,
    PlainSpec,
    TlsSpec,
    connected,
    parse_connect_to,
    parse_resolver,
    system_resolvers,
)
from deliverkit.dns.trace import trace_line


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("192.0.2.1", PlainSpec("192.0.2.1", 53)),
        ("192.0.2.1#5353", PlainSpec("192.0.2.1", 5353)),
        ("2001:db8::1#5353", PlainSpec("2001:db8::1", 5353)),
        ("tls://192.0.2.1", TlsSpec("192.0.2.1", 853, "192.0.2.1")),
        ("tls://[2001:db8::1]#8853/dns.example", TlsSpec("2001:db8::1", 8853, "dns.example")),
        ("https://dns.example/dns-query", HttpsSpec("https://dns.example/dns-query", "dns.example", 443)),
        ("https://192.0.2.1:8443/q", HttpsSpec("https://192.0.2.1:8443/q", "192.0.2.1", 8443)),
        ("authoritative", AuthoritativeSpec()),
    ],
)
def test_resolvers(text: str, spec: object) -> None:
    assert parse_resolver(text) == spec


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dns.example",
        "192.0.2.1#",
        "192.0.2.1#0",
        "192.0.2.1#x",
        "192.0.2.1#70000",
        "tls://dns.example",
        "https://",
        "https://a:b/",
        "192.0.2.1:53",
    ],
)
def test_what_is_no_resolver_is_said_in_one_line(text: str) -> None:
    with pytest.raises(DnsOptionsError, match="--resolver") as caught:
        parse_resolver(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "search example.com\n", "nameserver nonsense\n", "nameserver\n"])
def test_a_system_without_a_resolver(tmp_path: Path, text: str) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text(text)
    with pytest.raises(DnsOptionsError, match="names no usable name server"):
        system_resolvers(path)
    with pytest.raises(DnsOptionsError, match="cannot be read"):
        system_resolvers(tmp_path / "none")


def test_the_systems_resolvers_by_family(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("# x\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n")

    async def run(*, only4: bool, only6: bool) -> tuple[str, ...]:
        async with open_port(DnsOptions(system=path, ipv4_only=only4, ipv6_only=only6)) as opened:
            return opened.vantage().resolvers

    assert asyncio.run(run(only4=False, only6=False)) == ("192.0.2.1", "2001:db8::1")
    assert asyncio.run(run(only4=True, only6=False)) == ("192.0.2.1",)
    assert asyncio.run(run(only4=False, only6=True)) == ("2001:db8::1",)


def test_connect_to_reads_as_curls() -> None:
    table = parse_connect_to(("dns.example:443:127.0.0.1:8443", "::[::1]:99"))
    assert connected(table, "DNS.example", 443) == ("127.0.0.1", 8443)
    assert connected(table, "other.example", 853) == ("::1", 99)
    assert connected({}, "other.example", 853) == ("other.example", 853)
    with pytest.raises(DnsOptionsError, match="--connect-to"):
        parse_connect_to(("dns.example:443",))


def test_a_public_resolver_is_known() -> None:
    async def run(text: str) -> bool:
        async with open_port(DnsOptions(resolvers=(text,))) as opened:
            return opened.vantage().public

    assert asyncio.run(run("9.9.9.9"))
    assert not asyncio.run(run("192.0.2.1"))


def test_a_trace_line_is_safe() -> None:
    line = trace_line("a\x1b[2J.example", "TXT", "127.0.0.1", "udp", 12.34, "NOERROR 2 answers")
    assert line == r"a\x1b[2J.example TXT @127.0.0.1 udp 12.3 ms NOERROR 2 answers"
