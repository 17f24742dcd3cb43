"""SPF records taken apart: terms, where they stand, and what is wrong at which character."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.records.spf import MAX_TERMS, is_spf, parse_spf
from deliverkit.records.spf_domain import parse_domain_spec, parse_macro_string
from deliverkit.records.spf_hint import mechanism_hint, near_miss


def errors(text: str) -> list[tuple[str, str]]:
    """The characters pointed at, and what is said of them."""
    return [(text[error.start : error.end], error.message) for error in parse_spf(text).errors]


def test_terms_carry_their_parts_and_place():
    text = "v=spf1 -ip4:192.0.2.77/24  a:h.example.com/25//64 ?include:_spf.example.net redirect=r.example.org"
    record = parse_spf(text)
    assert not record.errors
    network, host, include, redirect = record.terms
    assert [text[t.start : t.end] for t in record.terms] == [t.text for t in record.terms] == text.split()[1:]
    assert (network.name, network.qualifier, network.network) == ("ip4", "-", "192.0.2.0/24")
    assert (host.domain.name, host.cidr4, host.cidr6, host.qualifier) == ("h.example.com", 25, 64, "+")
    assert (include.qualifier, include.domain.name, include.lookup) == ("?", "_spf.example.net", True)
    assert (redirect.modifier, redirect.qualifier, redirect.lookup) == (True, "", True)


@pytest.mark.parametrize("text", ["v=spf1", "V=SPF1 -ALL", "v=spf1 ", "v=SpF1 A mX"])
def test_the_version_is_taken_in_any_case(text: str):
    assert is_spf(text)
    assert not parse_spf(text).errors


@pytest.mark.parametrize(
    "text", ["", " v=spf1 -all", "v=spf10 -all", "v=spf1-all", "v=spf1\t-all", "spf1 -all", "v=spf2"]
)
def test_what_is_not_exactly_the_version_is_no_record(text: str):
    assert not is_spf(text)
    assert parse_spf(text).errors


@pytest.mark.parametrize(
    "term",
    [
        "a",
        "mx",
        "ptr",
        "all",
        "a/24",
        "a//64",
        "mx/24//64",
        "a:example.com/0",
        "ip4:0.0.0.0/0",
        "ip6:::/0",
        "ip6:::ffff:192.0.2.1/128",
        "ip6:2001:db8::1",
        "exists:%{ir}.%{v}.example.com",
        "include:%{d2}.example.com",
        "a:%{d}",
        "exp=e.example.com",
        "moo=",
        "moo=%{i}%%%_%-",
        "a:xn--bcher-kva.example",
        "a:example.com.",
        "exists:%{l1r+-/,.=_}.example.com",
        "a:host.1a",
        "include:_a._b.example.com",
        "a:%{D}.example.com",
    ],
)
def test_sound_terms(term: str):
    assert not errors(f"v=spf1 {term}")


@pytest.mark.parametrize(
    ("term", "pointed"),
    [
        ("ip4:192.0.2.300", "192.0.2.300"),
        ("ip4:192.0.2.1/33", "33"),
        ("ip4:192.0.2.1/", ""),
        ("ip4:192.0.2.01", "192.0.2.01"),
        ("ip4", "ip4"),
        ("ip4:", "ip4:"),
        ("ip4:2001:db8::1", "ip4:2001:db8::1"),
        ("ip6:192.0.2.1", "ip6:192.0.2.1"),
        ("ip6:2001:db8::1/129", "129"),
        ("ip6:fe80::1%eth0", "fe80::1%eth0"),
        ("a/033", "033"),
        ("a//129", "129"),
        ("all:example.com", ":example.com"),
        ("include", "include"),
        ("include:", ":"),
        ("include/24", "/24"),
        ("exists", "exists"),
        ("ptr/24", "/24"),
        ("a:192.0.2.1", "a:192.0.2.1"),
        ("include:localhost", "localhost"),
        ("a:example.123", "123"),
        ("a:example.-com", "-com"),
        ("exists:%{x}.example.com", "x"),
        ("exists:%{c}.example.com", "c"),
        ("exists:%{d0}.example.com", "0"),
        ("exists:%{d.example.com", "%{d.example.com"),
        ("exists:50%.example.com", "%"),
        ("redirect=", "="),
        ("-redirect=a.example.com", "-"),
        ("moo=%", "%"),
        ("ipv4:192.0.2.1", "ipv4:192.0.2.1"),
        ("-", "-"),
        ("=x", "=x"),
        ("a:ex\u00e4mple.com", "\u00e4"),
        ("a\tmx", "\t"),
        ("--all", "--all"),
    ],
)
def test_errors_point_at_the_characters(term: str, pointed: str):
    found = errors(f"v=spf1 {term} -all")
    assert len(found) == 1, found
    at, said = found[0]
    assert said
    if pointed:
        assert at == pointed


def test_an_error_keeps_the_other_terms():
    record = parse_spf("v=spf1 a nonsense include:b.example.com -all")
    assert [(t.name, t.valid) for t in record.terms] == [
        ("a", True),
        ("nonsense", False),
        ("include", True),
        ("all", True),
    ]


@pytest.mark.parametrize("name", ["redirect", "exp"])
def test_a_modifier_that_stands_twice(name: str):
    text = f"v=spf1 {name}=a.example.com {name}=b.example.com"
    assert errors(text) == [(f"{name}=b.example.com", f"{name}= stands twice; it may stand once")]


def test_an_unknown_modifier_may_stand_twice():
    assert not errors("v=spf1 x=1 x=2 -all")


def test_what_receivers_come_to():
    late = parse_spf("v=spf1 a -all mx redirect=x.example.com")
    assert [t.text for t in late.evaluated] == ["a", "-all"]
    assert late.all.qualifier == "-"
    without = parse_spf("v=spf1 redirect=x.example.com a exp=e.example.com")
    assert [t.text for t in without.evaluated] == ["redirect=x.example.com", "a"]
    assert without.modifier("exp").domain.name == "e.example.com"


def test_a_macro_has_no_name_beforehand():
    spec, problems = parse_domain_spec("%{i}._spf.%{d2}")
    assert not problems
    assert (spec.name, spec.macros) == (None, ("i", "d"))
    assert parse_domain_spec("Example.COM.")[0].name == "example.com"
    assert parse_macro_string("a%{q}")[1] == [("there is no macro q", 3, 4)]


@pytest.mark.parametrize(
    ("term", "meant"),
    [
        ("ipv4:192.0.2.1", "ip4:192.0.2.1"),
        ("ipv6:2001:db8::1", "ip6:2001:db8::1"),
        ("192.0.2.0/24", "ip4:192.0.2.0/24"),
        ("inlcude:a.example.com", "include:a.example.com"),
        ("redirect:a.example.com", "redirect=a.example.com"),
        ("ip:192.0.2.1", "ip4:192.0.2.1"),
        ("frobnicate:x", None),
    ],
)
def test_what_an_unknown_mechanism_was_meant_to_be(term: str, meant: str | None):
    name = term.partition(":")[0]
    assert mechanism_hint(term, name) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (" v=spf1 -all", "v=spf1 -all"),
        ('"v=spf1 -all"', "v=spf1 -all"),
        ("&quot;v=spf1 -all&quot;", "v=spf1 -all"),
        ("v=spf1\\ -all", "v=spf1 -all"),
        ("v = spf1 -all", "v=spf1 -all"),
        ("v=spf1include:a.example.com -all", "v=spf1 include:a.example.com -all"),
        ("v=spf1;a -all", "v=spf1 a -all"),
        ("spf1 a -all", "v=spf1 a -all"),
        ("v:spf1 a -all", "v=spf1 a -all"),
        ("v=spf10 -all", None),
        ("v=spf2 -all", None),
        ("SPF v=spf1 -all", "v=spf1 -all"),
        ("spf2.0/mfrom,pra a -all", "v=spf1 a -all"),
        ("\u201cv=spf1 -all\u201d", "v=spf1 -all"),
    ],
)
def test_near_misses_are_recognised(text: str, meant: str | None):
    miss = near_miss(text)
    assert miss is not None
    assert (miss.text, miss.meant) == (text, meant)
    assert miss.why


@pytest.mark.parametrize("text", ["", "verification=1", "we love spf here", "v=DMARC1; p=none", "spf-site-check=12"])
def test_other_records_are_no_near_miss(text: str):
    assert near_miss(text) is None


pieces = st.sampled_from(
    [
        "v=spf1",
        " ",
        "a",
        ":",
        "/",
        "//",
        "24",
        "%",
        "{",
        "}",
        "%{d}",
        "include:",
        "redirect=",
        "ip4:",
        "ip6:",
        "::",
        "-all",
        ".",
        "x.example.com",
        "\x00",
        "\udcff",
        "é",
    ]
)


@given(st.one_of(st.text(max_size=300), st.lists(pieces, max_size=60).map("".join)))
def test_any_text_is_taken_apart_without_an_exception(text: str):
    record = parse_spf(text)
    assert all(0 <= error.start <= error.end <= len(text) for error in record.errors)
    assert all(text[term.start : term.end] == term.text for term in record.terms)
    assert [t.start for t in record.terms] == sorted(t.start for t in record.terms)
    assert all(term.valid for term in record.evaluated) or record.errors
    near_miss(text)


SOUND = "v=spf1 ip4:192.0.2.1/24 ip6:2001:db8::1/32 a:h.example.com/24//64 exists:%{d2r}.example.com -all"


@given(st.integers(0, len(SOUND) - 1), st.characters())
def test_any_character_may_stand_anywhere_in_a_sound_record(at: int, character: str):
    parse_spf(SOUND[:at] + character + SOUND[at + 1 :])
    near_miss(SOUND[:at] + character + SOUND[at + 1 :])


@pytest.mark.parametrize("digit", ["\u0662", "\u00b2", "\uff12", "\U0001d7da"])
@pytest.mark.parametrize("at", [at for at, character in enumerate(SOUND) if character.isdigit() and at > len("v=spf1")])
def test_digits_of_other_scripts_are_errors(at: int, digit: str):
    record = parse_spf(SOUND[:at] + digit + SOUND[at + 1 :])
    assert any(error.start <= at < error.end for error in record.errors)


def test_letters_that_merely_fold_to_ascii_make_no_version():
    assert not is_spf("v=\u017fpf1 -all")


@given(st.text(alphabet="abcdez%{}.-_0123456789r+/=", max_size=80))
def test_a_domain_spec_points_inside_itself(text: str):
    for _, start, end in parse_domain_spec(text)[1]:
        assert 0 <= start <= end <= len(text)


@given(
    st.lists(st.sampled_from(["a", "mx", "ip4:192.0.2.1", "-include:x.example.com", "exp=e.example.com"]), unique=True)
)
def test_a_record_written_from_sound_terms_is_read_back(terms: list[str]):
    record = parse_spf(" ".join(("v=spf1", *terms)))
    assert not record.errors
    assert [term.text for term in record.terms] == terms


@pytest.mark.parametrize("unit", ["a ", "%", "%{", "a" * 9 + ".", "include:", "/", "ip4:1", "\x7f"])
def test_sixty_kilobytes_are_read_in_no_time(unit: str):
    text = "v=spf1 " + unit * (64_000 // len(unit))
    started = time.process_time()
    record = parse_spf(text)
    near_miss(text)
    assert time.process_time() - started < 3
    assert len(record.terms) <= MAX_TERMS
