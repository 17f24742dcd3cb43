"""DMARC records: what is read, what is wrong with it, and where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.records.dmarc import is_dmarc, parse_dmarc, weaker
from deliverkit.records.dmarc_psl import registrable_domain
from deliverkit.records.dmarc_repair import corrected, damage_of, looks_like_dmarc
from deliverkit.records.dmarc_uri import parse_uris


def test_a_whole_record():
    record = parse_dmarc(
        "v=DMARC1; p=reject; sp=quarantine; np=none; psd=n; t=y; adkim=s; aspf=r; fo=1:d;"
        " rua=mailto:a@example.com, mailto:b@example.net!10m; ruf=mailto:c@example.com;"
    )
    assert record.problems == ()
    assert (record.p, record.sp, record.np, record.psd, record.testing) == ("reject", "quarantine", "none", "n", True)
    assert (record.adkim, record.aspf, record.fo) == ("strict", "relaxed", ("1", "d"))
    assert [uri.address for uri in record.rua] == ["a@example.com", "b@example.net"]
    assert [uri.size for uri in record.rua] == [None, "10m"]
    assert record.ruf[0].host == "example.com"
    assert record.usable
    assert not record.recovered


@pytest.mark.parametrize(
    "text",
    [
        "v=DMARC1",
        "v=DMARC1;",
        "v=DMARC1; p=none",
        "V=DMARC1;p=none",
        "v = DMARC1 ; p=none",
        "v\t=\tDMARC1\t;p=none",
        " v=DMARC1; p=none",
    ],
)
def test_begins_as_a_dmarc_record(text: str):
    assert is_dmarc(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=dmarc1; p=none",
        "v=DMARC1 p=none",
        "v=DMARC10; p=none",
        "v=DMARC2; p=none",
        "v=DMARC 1; p=none",
        "p=none; v=DMARC1",
        '"v=DMARC1; p=none"',
        "v=DMARC1\\; p=none",
        "v=DMARC1, p=none",
        "DMARC1; p=none",
        "v=spf1 -all",
    ],
)
def test_begins_otherwise(text: str):
    assert not is_dmarc(text)
    assert not parse_dmarc(text).usable


@pytest.mark.parametrize(
    ("text", "policy", "usable"),
    [
        ("v=DMARC1; p=reject", "reject", True),
        ("v=DMARC1; P=REJECT", "reject", True),
        ("v=DMARC1; p=rejected", None, False),
        ("v=DMARC1; p=rejected; rua=mailto:a@example.com", "none", True),
        ("v=DMARC1; rua=mailto:a@example.com", "none", True),
        ("v=DMARC1; rua=a@example.com", None, False),
        ("v=DMARC1; rua=https://example.com/", None, False),
        ("v=DMARC1; p=reject; sp=all", None, False),
        ("v=DMARC1; p=reject; sp=all; rua=mailto:a@example.com", "none", True),
        ("v=DMARC1; p=reject; np=all; rua=mailto:a@example.com", "none", True),
        ("v=DMARC1; p=reject; p=reject", None, False),
        ("v=DMARC1; p=reject; P=none", None, False),
        ("v=DMARC1; p=reject; adkim=x", "reject", True),
        ("v=DMARC1; p=reject; nonsense", "reject", True),
        ("v=DMARC1; p=reject; =value", "reject", True),
        ("v=DMARC1", None, False),
    ],
)
def test_what_receivers_make_of_it(text: str, policy: str | None, usable: bool):  # RFC 9989 §4.10.1
    record = parse_dmarc(text)
    assert (record.policy, record.usable) == (policy, usable)


@pytest.mark.parametrize(
    ("text", "subdomain", "nonexistent"),
    [
        ("v=DMARC1; p=reject", "reject", "reject"),
        ("v=DMARC1; p=reject; sp=none", "none", "none"),
        ("v=DMARC1; p=reject; np=none", "reject", "none"),
        ("v=DMARC1; p=none; sp=quarantine; np=reject", "quarantine", "reject"),
        ("v=DMARC1; rua=mailto:a@example.com; sp=reject", "none", "none"),
        ("v=DMARC1; p=x; sp=reject", None, None),
    ],
)
def test_policies_below(text: str, subdomain: str | None, nonexistent: str | None):
    record = parse_dmarc(text)
    assert (record.subdomain_policy, record.nonexistent_policy) == (subdomain, nonexistent)


@pytest.mark.parametrize(("policy", "applied"), [("reject", "quarantine"), ("quarantine", "none"), ("none", "none")])
def test_testing_takes_one_step(policy: str, applied: str):
    assert parse_dmarc(f"v=DMARC1; p={policy}; t=y").applied(policy) == applied
    assert parse_dmarc(f"v=DMARC1; p={policy}").applied(policy) == policy


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("v=DMARC1; p=rejekt", "rejekt"),
        ("v=DMARC1; p=reject; adkim=strict", "strict"),
        ("v=DMARC1; p=reject; t=1", "1"),
        ("v=DMARC1; p=reject; psd=yes", "yes"),
        ("v=DMARC1; p=reject; fo=2", "2"),
        ("v=DMARC1; p=reject; nonsense", "nonsense"),
        ("v=DMARC1; p=reject; pct=101", "101"),
        ("v=DMARC1; p=reject; pct=a", "a"),
        ("v=DMARC1; p=reject; ri=-1", "-1"),
        ("v=DMARC1; p=reject; rf=0", "0"),
        ("v=DMARC1; p=reject; p=none", "p"),
        ("v=DMARC1; p=reject; rua=", "rua="),
        ("v=DMARC1; p=reject;;", ";"),
    ],
)
def test_the_mark_is_on_the_mistake(text: str, marked: str):
    problems = parse_dmarc(text).problems
    assert [text[problem.start : problem.end] for problem in problems] == [marked]


@pytest.mark.parametrize(
    "text", ["v=DMARC1; p=reject; pct=0", "v=DMARC1; p=none; rf=afrf:iodef", "v=DMARC1; p=none; ri=86400"]
)
def test_removed_tags_are_no_mistake(text: str):
    assert parse_dmarc(text).problems == ()


def test_missing_p_is_mild_with_an_address_only():
    assert [problem.mild for problem in parse_dmarc("v=DMARC1; rua=mailto:a@example.com").problems] == [True]
    assert [problem.mild for problem in parse_dmarc("v=DMARC1; adkim=s").problems] == [False]


def test_weaker():
    assert weaker("none", "reject")
    assert not weaker("reject", "reject")
    assert not weaker("reject", "quarantine")


@pytest.mark.parametrize(
    ("text", "host", "scheme"),
    [
        ("mailto:a@example.com", "example.com", "mailto"),
        ("MAILTO:a@EXAMPLE.com", "example.com", "mailto"),
        ("mailto:a%2Bb@example.com", "example.com", "mailto"),
        ("mailto:a@example.com?subject=x%0d%0aBcc:b@example.net", "example.com", "mailto"),
        ("mailto:a@example.com!9g", "example.com", "mailto"),
        ("https://example.com/", None, "https"),
        ("javascript:alert(1)", None, "javascript"),
        ("a@example.com", None, ""),
        ("mailto:example.com", None, "mailto"),
        ("mailto:a@*", None, "mailto"),
        ("mailto:a@b c", None, "mailto"),
        ("mailto:a%0d%0ab@example.com", None, "mailto"),
        ("mailto://example.com", None, "mailto"),
    ],
)
def test_uris(text: str, host: str | None, scheme: str):
    (uri,) = parse_uris(text, 0)
    assert (uri.host, uri.scheme) == (host, scheme)
    assert (uri.problem is None) == (host is not None)


def test_positions_of_uris():
    value = "mailto:a@example.com , b@example.com,,mailto:c@example.com"
    for uri in parse_uris(value, 10):
        assert value[uri.start - 10 : uri.end - 10] == uri.text
    assert [uri.corrected for uri in parse_uris(value, 0)] == [
        "mailto:a@example.com",
        "mailto:b@example.com",
        None,
        "mailto:c@example.com",
    ]


@pytest.mark.parametrize(
    ("text", "kind", "repaired"),
    [
        ('"v=DMARC1; p=reject"', "quoted", "v=DMARC1; p=reject"),
        ('\\"v=DMARC1; p=reject\\"', "quoted", "v=DMARC1; p=reject"),
        ("“v=DMARC1; p=reject”", "quoted", "v=DMARC1; p=reject"),
        ('"v=DMARC1; p=re" "ject"', "quoted", "v=DMARC1; p=reject"),
        ("v=DMARC1\\; p=reject\\; adkim=s", "escaped", "v=DMARC1; p=reject; adkim=s"),
        ("v=DMARC1\\\\; p=reject", "escaped", "v=DMARC1; p=reject"),
        ("v=DMARC1; p=reject\\;", "escaped", "v=DMARC1; p=reject"),
        ("v=DMARC1&#59; p=reject", "html", "v=DMARC1; p=reject"),
        ("&quot;v=DMARC1; p=reject&quot;", "html", "v=DMARC1; p=reject"),
        ("v=DMARC1;\u00a0p=reject", "space", "v=DMARC1; p=reject"),
        ("\ufeffv=DMARC1; p=reject", "space", "v=DMARC1; p=reject"),
        ("v=dmarc1; p=reject", "version", "v=DMARC1; p=reject"),
        ("v=DMARC 1; p=reject", "version", "v=DMARC1; p=reject"),
        ("DMARC1; p=reject", "version", "v=DMARC1; p=reject"),
        ("v:DMARC1; p=reject", "version", "v=DMARC1; p=reject"),
        ("p=reject; v=DMARC1", "version", "v=DMARC1; p=reject"),
        ("v=DMARC1 p=reject rua=mailto:a@example.com", "version", "v=DMARC1; p=reject; rua=mailto:a@example.com"),
        ("v=DMARC1, p=reject, adkim=s", "version", "v=DMARC1; p=reject; adkim=s"),
    ],
)
def test_damage_is_named_and_mended(text: str, kind: str, repaired: str):
    damage = damage_of(text)
    assert damage is not None
    assert (damage.kind, damage.repaired) == (kind, repaired)
    assert parse_dmarc(repaired).problems == ()


@pytest.mark.parametrize(
    "text",
    [
        "v=DMARC1; p=reject",
        "v=spf1 -all",
        "dmarc-verification=abc",
        "",
        "google-site-verification=x",
        "v=DMARC1; p=none;",
    ],
)
def test_no_damage(text: str):
    assert damage_of(text) is None


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("v=DMARC1; p=quarantene; rua=a@example.com", "v=DMARC1; p=quarantine; rua=mailto:a@example.com"),
        ("v=DMARC1; p=reject; pct=50; rf=afrf", "v=DMARC1; p=reject"),
        ("v=DMARC1; rua=mailto:a@example.com", "v=DMARC1; p=none; rua=mailto:a@example.com"),
        ("v=DMARC1; p=reject; foo=bar; ADKIM=S", "v=DMARC1; p=reject; adkim=s"),
        ("v=DMARC1; p=reject; sp=rejct", "v=DMARC1; p=reject; sp=reject"),
        ("v=DMARC1; adkim=s", None),
    ],
)
def test_corrected(text: str, after: str | None):
    assert corrected(parse_dmarc(text)) == after


def test_corrected_with_changes():
    record = parse_dmarc("v=DMARC1; p=reject; sp=none; t=y")
    assert corrected(record, sp=None, t=None) == "v=DMARC1; p=reject"
    assert corrected(record, p="none", rua="mailto:a@example.com") == (
        "v=DMARC1; p=none; sp=none; t=y; rua=mailto:a@example.com"
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example.com", "example.com"),
        ("a.b.Example.com.", "example.com"),
        ("com", None),
        ("a.example.co.uk", "example.co.uk"),
        ("co.uk", None),
        ("a.b.example", "b.example"),
        ("", None),
        ("a..com", None),
        ("mail.example.github.io", "example.github.io"),
    ],
)
def test_registrable_domain(name: str, expected: str | None):
    assert registrable_domain(name) == expected


_PIECES = st.sampled_from(
    ["v=DMARC1", ";", " ", "p=", "reject", "none", "rua=", "mailto:", "a@b.example", ",", "!", "10m", "=", "\\", '"',
     "sp=", "t=y", "psd=n", "pct=", "9", "&#59;", "\u00a0", "\x00", "é", "fo=", ":", "%", "?"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=200), st.lists(_PIECES, max_size=40).map("".join)))
def test_anything_is_read_within_its_bounds(text: str):
    record = parse_dmarc(text)
    for problem in record.problems:
        assert 0 <= problem.start <= problem.end <= len(text)
    for uri in (*record.rua, *record.ruf):
        assert text[uri.start : uri.end] == uri.text
    assert record.policy in {None, "none", "quarantine", "reject"}
    assert record.usable or record.policy is None


@given(st.one_of(st.text(max_size=200), st.lists(_PIECES, max_size=40).map("".join)))
def test_what_is_corrected_is_sound(text: str):
    looks_like_dmarc(text)
    damage = damage_of(text)
    for after in (corrected(parse_dmarc(text)), damage.repaired if damage else None):
        if after is not None:
            record = parse_dmarc(after)
            assert record.usable
            assert record.problems == ()
            assert not any(uri.problem for uri in (*record.rua, *record.ruf))
            assert corrected(record) == after
