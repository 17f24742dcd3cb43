import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.model import Address, Host, Mx, Other, Txt
from deliverkit.sources import Source, read_text

FILE = Path("ir.json")
TEXT = """{
  "registrars": [], "dns_providers": [],
  "domains": [
    {
      "name": "example.com",
      "records": [
        {"type": "MX", "name": "@", "ttl": 600, "mxpreference": 10, "target": "mx.example.com."},
        {"type": "MX", "name": "@", "target": "mx0.example.com."},
        {"type": "TXT", "name": "@", "target": "v=spf1 mx -all"},
        {"type": "TXT", "name": "_dmarc", "txtstrings": ["v=DMARC1; ", "p=reject"], "target": "x"},
        {"type": "CNAME", "name": "www", "target": "web.example.net."},
        {"type": "A", "name": "old", "target": "192.0.2.9", "ensure_absent": true},
        {"type": "TLSA", "name": "_25._tcp.mx", "tlsausage": 3, "tlsaselector": 1, "tlsamatchingtype": 1,
         "target": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
        {"type": "CAA", "name": "@", "caatag": "issue", "target": "letsencrypt.org"},
        {"type": "CF_REDIRECT", "name": "@", "target": "a,b"}
      ]
    },
    {"name": "example.org!internal", "records": [{"type": "A", "name": "@", "target": "192.0.2.1"}]}
  ]
}
"""


def source(text: str) -> Source:
    return read_text(text, FILE)


def with_record(record: str) -> Source:
    return source('{"dns_providers": [], "domains": [{"name": "example.com", "records": [' + record + "]}]}")


def test_each_record_stands_at_its_target() -> None:
    found = source(TEXT)
    assert (found.kind, found.zones, found.problems) == ("dnscontrol", ("example.com", "example.org"), ())
    assert [(r.name, r.rdtype, r.ttl, r.rdata, r.place.line) for r in found.records] == [
        ("example.com", "MX", 600, Mx(10, "mx.example.com"), 7),
        ("example.com", "MX", 300, Mx(0, "mx0.example.com"), 8),
        ("example.com", "TXT", 300, Txt((b"v=spf1 mx -all",)), 9),
        ("_dmarc.example.com", "TXT", 300, Txt((b"v=DMARC1; p=reject",)), 10),
        ("www.example.com", "CNAME", 300, Host("web.example.net"), 11),
        ("_25._tcp.mx.example.com", "TLSA", 300, Other("3 1 1 " + "00112233445566778899aabbccddeeff" * 2), 14),
        ("example.com", "CAA", 300, Other('0 issue "letsencrypt.org"'), 15),
        ("example.com", "CF_REDIRECT", 300, None, 16),
        ("example.org", "A", 300, Address("192.0.2.1"), 19),
    ]
    for record in found.records:
        assert re.match(r'"[^"]+"', record.raw[record.place.column - 1 :])
        assert record.raw[: record.place.column - 1].endswith('"target": ')


def test_a_long_text_is_split() -> None:
    found = with_record(json.dumps({"type": "TXT", "name": "k._domainkey", "target": "p=" + "A" * 300}))
    assert found.records[0].rdata == Txt((b"p=" + b"A" * 253, b"A" * 47))


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ('{"name": "a"}', "without a type"),
        ('{"type": "A", "name": "a", "target": "x"}', "no IP address"),
        ('{"type": "A", "name": "a..b", "target": "192.0.2.1"}', "no domain name"),
        ('{"type": "A", "name": "a", "ttl": -1, "target": "192.0.2.1"}', "no number"),
        ('{"type": "TLSA", "name": "a", "target": "zz"}', "TLSA"),
        ('{"type": "A", "type": "A", "name": "a", "target": "192.0.2.1"}', "a second time"),
    ],
)
def test_what_is_no_record_is_told(record: str, words: str) -> None:
    assert words in with_record(record).problems[0].message


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("{}", 1, 1, "neither"),
        ("[1, 2]", 1, 1, "neither"),
        ('{"domains": [\n  {"name": "a",}\n]}', 2, 16, "key in quotes"),
        ('{"domains": [\n  1 2]}', 2, 5, "expected , or ]"),
        ('{"a": tru}', 1, 7, "expected a value"),
        ('{"a": "x', 1, 7, "unterminated string"),
        ('{"a": 1} x', 1, 10, "more text"),
        ('{"a": ' + "1" * 5000 + "}", 1, 7, "a number of more than"),
        ("", 1, 1, "expected a value"),
        ('{"a": ' + "[" * 100_000, 1, 106, "100 levels"),
        ('{"a": "\x01"}', 1, 8, "control character"),
    ],
)
def test_what_is_no_json_is_told_at_its_place(text: str, line: int, column: int, words: str) -> None:
    problem = source(text).problems[0]
    assert words in problem.message
    assert (problem.place.line, problem.place.column) == (line, column)


@given(st.text(max_size=100))
def test_any_text_is_read_or_told(text: str) -> None:
    read_text("{" + text, FILE)


LEAVES = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=8)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
)


@given(TREES, st.sampled_from([None, 1]))
def test_the_scan_reads_what_the_standard_library_reads(tree: object, indent: int | None) -> None:
    from deliverkit.sources.json_text import read_json

    assert _plain(read_json(json.dumps(tree, indent=indent)).root) == tree


def _plain(node: object) -> object:
    from deliverkit.sources.tree import Items, Scalar, Table

    match node:
        case Scalar():
            return node.value
        case Items():
            return [_plain(inner) for inner in node.nodes]
        case Table():
            return {key.value: _plain(value) for key, value in node.pairs}
    raise AssertionError(node)
