"""Rules of area `zone`: what they find beyond their pages, and what they leave alone."""

from __future__ import annotations

import pytest

from deliverkit.model import Finding, Severity, Status
from deliverkit.runs.example import judge_world

HEAD = "@ SOA ns1.example.net. hostmaster 1 3600 900 604800 300\n@ NS ns1.example.net.\n"


def found(text: str) -> dict[str, tuple[Finding, ...]]:
    outcomes = judge_world(HEAD + text, "zone")
    return {outcome.rule.id: outcome.findings for outcome in outcomes if outcome.findings}


@pytest.mark.parametrize(
    "line",
    [
        "@ MX 10 mail.example.com",
        "www CNAME example.com",
        "@ MX 10 aspmx.l.google.com",
        "@ NS ns2.example.net",
    ],
)
def test_a_dot_is_missing(line: str):
    (finding,) = found(line)["zone-missing-trailing-dot"]
    assert finding.place is not None
    assert finding.place.line == 3
    assert finding.fix is not None
    assert finding.fix.after is not None
    assert finding.fix.after.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "@ MX 10 mail\nmail A 192.0.2.1",
        "@ MX 10 mail.eu\nmail.eu A 192.0.2.1",
        "www CNAME @",
        "@ MX 10 mail.example.com\nmail.example.com A 192.0.2.1",
        "www CNAME gone",
        "@ MX 10 mail.office",
    ],
)
def test_no_dot_is_missing(text: str):
    assert "zone-missing-trailing-dot" not in found(text)


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("zone-escape-literal", r'_dmarc TXT "v=DMARC1\\; p=none"'),
        ("zone-escape-literal", r'@ TXT "\"v=spf1 -all\""'),
        ("zone-records-merged", '@ TXT "v=spf1 -all v=DMARC1; p=none"'),
        ("zone-records-merged", '@ TXT "MS=ms1234" "v=spf1 -all"'),
        ("zone-space-lost", "@ TXT v=spf1 include:spf.example.net -all"),
        ("zone-space-lost", '@ TXT "v=spf1 ip4:192.0.2.1" "ip4:192.0.2.2 -all"'),
        ("zone-comment-cuts-record", "s1._domainkey TXT v=DKIM1;p=MIGf"),
        ("zone-smart-quotes", "@ TXT “v=spf1 -all”"),
        ("zone-txt-too-long", f'@ TXT "{"x" * 256}"'),
        ("zone-record-at-wrong-name", 's1 TXT "v=DKIM1; p=MIGf"'),
        ("zone-record-at-wrong-name", '_tls TXT "v=TLSRPTv1; rua=mailto:a@example.com"'),
        ("zone-record-at-wrong-name", '_spf TXT "v=spf1 mx -all"'),
        ("zone-cname-with-other-data", "www CNAME a.example.net.\nwww CNAME b.example.net."),
    ],
)
def test_found(rule: str, line: str):
    findings = found(line)
    assert rule in findings
    assert all(f.place is not None and f.place.line >= 3 for f in findings[rule])


@pytest.mark.parametrize(
    "line",
    [
        '_dmarc TXT "v=DMARC1; p=none"',
        r"_dmarc TXT v=DMARC1\;\ p=none",
        '@ TXT "v=spf1 include:spf.example.net " "-all"',
        '@ TXT "v=spf1 include:spf.exam" "ple.net -all"',
        's1._domainkey TXT "v=DKIM1; p=' + "A" * 200 + '" "BBBB"',
        '@ TXT "v=spf1 include:_spf.example.com -all"\n_spf TXT "v=spf1 ip4:192.0.2.1 -all"',
        '_dmarc CNAME d.example.com.\nd TXT "v=DMARC1; p=none"',
        '*.dead TXT "v=DMARC1; p=reject"',
        'x._report._dmarc TXT "v=DMARC1"',
        f'@ TXT "{"x" * 255}"',
        '@ TXT "google-site-verification=abc"',
        '@ TXT "he said v=spf1 is “a version”"',
        "www CNAME a.example.net.",
        "@ TXT token ; owner=web",
    ],
)
def test_left_alone(line: str):
    assert found(line) == {}


def test_one_finding_a_record():
    findings = found('@ TXT "x"\n@ TXT "x"\n@ TXT "x"\n')
    assert [f.place.line for f in findings["zone-duplicate-record"] if f.place] == [4, 5]


def test_a_literal_backslash_elsewhere_is_a_warning():
    (finding,) = found(r'@ TXT "token=a\\;b"')["zone-escape-literal"]
    assert finding.severity is Severity.WARNING


def test_a_misplaced_copy_is_a_warning():
    (finding,) = found('_dmarc TXT "v=DMARC1; p=none"\n@ TXT "v=DMARC1; p=none"')["zone-record-at-wrong-name"]
    assert finding.severity is Severity.WARNING


def test_only_what_is_certain_passes():
    outcomes = {outcome.rule.id: outcome.status for outcome in judge_world(HEAD, "zone")}
    assert outcomes["zone-syntax"] is Status.PASS
    assert outcomes["spf-syntax"] is Status.NOT_APPLICABLE
