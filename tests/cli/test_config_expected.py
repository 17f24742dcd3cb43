"""What the configuration expects of a domain is judged: by `check` without a domain, and wherever one is named."""

from __future__ import annotations

import json

import pytest

ZONE = """\
$ORIGIN example.com.
@      SOA  ns1 hostmaster 1 7200 3600 1209600 3600
@      MX   10 mx1
mx1    A    192.0.2.1
@      TXT  "v=spf1 ip4:192.0.2.0/28 -all"
_dmarc TXT  "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.com"
s1._domainkey CNAME s1.dkim.vendor.example.
s1.dkim.vendor.example. TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
parked.example. MX 0 .
parked.example. TXT "v=spf1 -all"
"""


@pytest.fixture
def judged(cli, world, tmp_path, monkeypatch):
    """The findings of a run with this configuration: rule and subject, by domain."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    path = world(ZONE)

    def run(config, *words):
        (tmp_path / "deliverkit.toml").write_text(config)
        result = cli(*(words or ("check",)), "--zone", path, "--offline", "--format", "json")
        assert result.out, result
        return {
            target["target"]: {(found["rule"], found["subject"]) for found in target["findings"]}
            for target in json.loads(result.out)["targets"]
        }

    return run


def rules(found):
    return {rule for rule, _ in found}


def test_the_domains_of_the_file_are_checked(judged, cli):
    found = judged("[domains.'example.com']\n[domains.'parked.example']\nrole = 'parked'\n")
    assert list(found) == ["example.com", "parked.example"]
    assert list(judged("[domains.'example.com']\n", "check", "parked.example")) == ["parked.example"]
    assert list(judged("[domains.'example.com']\n", "dmarc")) == ["example.com"]


def test_without_domains_one_has_to_be_named(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deliverkit.toml").write_text("fail_on = 'never'\n")
    result = cli("check", "--offline")
    assert (result.code, result.out) == (2, "")
    assert "which domain?" in result.err


MET = """\
[domains."example.com"]
role = "mail"
mx = ["mx1.example.com"]
dmarc = "quarantine"
mta_sts = "none"
dkim_selectors = ["s1"]
dkim_cnames = { s1 = "s1.dkim.vendor.example" }
senders = ["192.0.2.0/28", "192.0.2.3"]
"""
EXPECTATIONS = {
    "mx-not-as-expected", "dmarc-not-as-expected", "mta-sts-not-as-expected", "dkim-cname-not-as-expected",
    "spf-sender-not-authorized", "dkim-missing",
}  # fmt: skip


def test_expectations_that_are_met(judged):
    assert rules(judged(MET)["example.com"]) & EXPECTATIONS == set()


@pytest.mark.parametrize(
    ("was", "now", "finding"),
    [
        ('mx = ["mx1', 'mx = ["mx2', ("mx-not-as-expected", "mx2.example.com")),
        ('dmarc = "quarantine"', 'dmarc = "reject"', ("dmarc-not-as-expected", "example.com")),
        ('mta_sts = "none"', 'mta_sts = "enforce"', ("mta-sts-not-as-expected", "example.com")),
        ('s1 = "s1.dkim', 's1 = "s1.other', ("dkim-cname-not-as-expected", "s1._domainkey.example.com")),
        ('["s1"]', '["s1", "s2"]', ("dkim-missing", "s2._domainkey.example.com")),
        ('"192.0.2.3"', '"198.51.100.3"', ("spf-sender-not-authorized", "198.51.100.3")),
        ("0.2.0/28", "0.2.0/27", ("spf-sender-not-authorized", "192.0.2.20")),
        ('role = "mail"\nmx = ["mx1.example.com"]', 'role = "parked"', ("mx-not-as-expected", "example.com")),
    ],
)
def test_expectations_that_are_not(judged, was, now, finding):
    assert was in MET
    found = judged(MET.replace(was, now))["example.com"]
    assert finding in found
    assert rules(found) & EXPECTATIONS == {finding[0]}


def test_typed_selectors_and_senders(judged):
    config = MET.replace('["s1"]', '["s2"]')
    found = judged(config, "check", "example.com", "--selector", "s3", "--ip", "198.51.100.9")["example.com"]
    assert ("dkim-missing", "s3._domainkey.example.com") in found
    assert ("dkim-missing", "s2._domainkey.example.com") not in found
    assert ("spf-sender-not-authorized", "198.51.100.9") in found


def test_a_verdict_that_is_asked_for_is_data(judged):
    config = MET.replace("192.0.2.3", "198.51.100.3")
    assert "spf-sender-not-authorized" in rules(judged(config, "spf", "example.com")["example.com"])
    found = judged(config, "spf", "example.com", "--ip", "198.51.100.9")["example.com"]
    assert "spf-sender-not-authorized" not in rules(found)


def test_what_sends_only_needs_no_mx(judged):
    zone = "[domains.'vendor.example']\n"
    before = judged(zone, "mx", "s1.dkim.vendor.example")
    assert before is not None
    assert "mx-missing" in rules(judged("[domains.'mx1.example.com']\n", "mx")["mx1.example.com"])
    only = "[domains.'mx1.example.com']\nrole = 'send-only'\n"
    assert "mx-missing" not in rules(judged(only, "mx")["mx1.example.com"])
