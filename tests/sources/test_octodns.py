from pathlib import Path

import pytest

from deliverkit.model import Address, Host, Mx, Other, Txt
from deliverkit.sources import Source, read_text

ZONE = r"""---
'':
  - type: MX
    ttl: 600
    values:
      - preference: 10
        exchange: mx1.example.com.
      - priority: 20
        value: MX2.example.com.
  - type: TXT
    values:
      - v=spf1 mx -all
      - verification=abc
_dmarc:
  type: TXT
  value: v=DMARC1\; p=reject\; rua=mailto:d@example.com
mx1:
  type: A
  values: [192.0.2.1, 192.0.2.2]
'*.mx1':
  type: AAAA
  value: 2001:db8::1
www:
  type: CNAME
  value: web.example.net.
_25._tcp.mx1:
  type: TLSA
  value:
    certificate_usage: 3
    selector: 1
    matching_type: 1
    certificate_association_data: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
old:
  octodns:
    ignored: true
  type: A
  value: 192.0.2.9
"""


def source(text: str, name: str = "example.com.yaml", origin: str | None = None) -> Source:
    return read_text(text, Path(name), origin)


def one(text: str) -> object:
    found = source(text)
    assert not found.problems
    assert len(found.records) == 1
    return found.records[0].rdata


def test_each_value_is_a_record_at_its_place() -> None:
    found = source(ZONE)
    assert (found.kind, found.zones, found.problems) == ("octodns", ("example.com",), ())
    told = [(r.name, r.rdtype, r.ttl, r.rdata, r.place.line, r.place.column) for r in found.records]
    assert told == [
        ("example.com", "MX", 600, Mx(10, "mx1.example.com"), 6, 9),
        ("example.com", "MX", 600, Mx(20, "mx2.example.com"), 8, 9),
        ("example.com", "TXT", 3600, Txt((b"v=spf1 mx -all",)), 12, 9),
        ("example.com", "TXT", 3600, Txt((b"verification=abc",)), 13, 9),
        ("_dmarc.example.com", "TXT", 3600, Txt((b"v=DMARC1; p=reject; rua=mailto:d@example.com",)), 16, 10),
        ("mx1.example.com", "A", 3600, Address("192.0.2.1"), 19, 12),
        ("mx1.example.com", "A", 3600, Address("192.0.2.2"), 19, 23),
        ("*.mx1.example.com", "AAAA", 3600, Address("2001:db8::1"), 22, 10),
        ("www.example.com", "CNAME", 3600, Host("web.example.net"), 25, 10),
        ("_25._tcp.mx1.example.com", "TLSA", 3600, Other("3 1 1 " + "0123456789abcdef" * 4), 29, 5),
    ]


def test_what_a_record_shows_is_its_presentation_form() -> None:
    record = source(ZONE).records[4]
    assert record.text == '"v=DMARC1; p=reject; rua=mailto:d@example.com"'
    assert record.raw == r"  value: v=DMARC1\; p=reject\; rua=mailto:d@example.com"


def test_a_long_text_is_split_as_octodns_splits_it() -> None:
    rdata = one(f"k._domainkey:\n  type: TXT\n  value: v=DKIM1\\; p={'A' * 400}\n")
    assert isinstance(rdata, Txt)
    assert [len(string) for string in rdata.strings] == [255, 156]


def test_quotes_around_and_between_are_octodns_own() -> None:
    assert one("""a:\n  type: TXT\n  value: '"first part" "second part"'\n""") == Txt((b"first partsecond part",))


def test_a_bare_semicolon_is_what_octodns_refuses() -> None:
    found = source("_dmarc:\n  type: TXT\n  value: v=DMARC1; p=none\n")
    assert [(problem.place.line, problem.place.column) for problem in found.problems] == [(3, 10)]
    assert r"write \;" in found.problems[0].message
    assert found.records[0].rdata == Txt((b"v=DMARC1; p=none",))


def test_a_doubled_backslash_would_be_published() -> None:
    assert source("_dmarc:\n  type: TXT\n  value: v=DMARC1\\\\; p=none\n").records[0].rdata == Txt(
        (rb"v=DMARC1\; p=none",)
    )


def test_a_host_without_its_dot_is_refused() -> None:
    found = source("www:\n  type: CNAME\n  value: web.example.net\n")
    assert "dot is missing" in found.problems[0].message
    assert found.problems[0].place.line == 3


def test_a_numeric_name_is_a_name() -> None:
    assert source("1:\n  type: A\n  value: 192.0.2.1\n").records[0].name == "1.example.com"


def test_an_idn_name_is_its_a_label() -> None:
    assert source("bücher:\n  type: A\n  value: 192.0.2.1\n").records[0].name == "xn--bcher-kva.example.com"


@pytest.mark.parametrize(
    ("name", "origin", "zone"),
    [
        ("example.com.yml", None, "example.com"),
        ("example.com./www.yaml", None, "example.com"),
        ("$example.com.yaml", None, "example.com"),
        ("mail.yaml", "Example.ORG.", "example.org"),
    ],
)
def test_the_zone_is_named_by_its_file(name: str, origin: str | None, zone: str) -> None:
    assert source("a:\n  type: A\n  value: 192.0.2.1\n", name, origin).zones == (zone,)


def test_a_file_of_no_zones_name_is_told() -> None:
    found = source("a:\n  type: A\n  value: 192.0.2.1\n", "mail.yaml")
    assert not found.records
    assert "--origin" in found.problems[0].message


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a:\n  type: A\n  value: 192.0.2.400\n", 3, "no IP address"),
        ("a:\n  type: A\n  value: 2001:db8::1\n", 3, "IPv6 address in an A record"),
        ("a:\n  type: MX\n  value: mx.example.com.\n", 3, "no exchange"),
        ("a:\n  type: MX\n  value: {preference: 70000, exchange: mx.}\n", 3, "from 0 to 65535"),
        ("a:\n  type: TLSA\n  value: {certificate_usage: 3}\n", 3, "no selector"),
        ("a:\n  type: A\n", 2, "without value"),
        ("a:\n  type: A\n  ttl: soon\n  value: 192.0.2.1\n", 3, "ttl"),
        ("a..b:\n  type: A\n  value: 192.0.2.1\n", 1, "no domain name"),
        ("b: 3\na:\n  type: A\n  value: 192.0.2.1\n", 1, "expected a record"),
        ("jobs:\n  build: {runs-on: x}\n", 1, "as octoDNS has it"),
        ("- a\n- b\n", 1, "as octoDNS has it"),
    ],
)
def test_what_is_no_record_is_told_at_its_line(text: str, line: int, words: str) -> None:
    problems = source(text).problems
    assert words in problems[0].message
    assert problems[0].place.line == line
