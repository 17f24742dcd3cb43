"""Certificates: who verifies them where they stand, and several faults told as one."""

from __future__ import annotations

from typing import Any

import pytest

from deliverkit.facts.tls import ScanFacts
from deliverkit.model import Found, Severity, Status, Unknown, Who
from deliverkit.rules import all_rules, find_rule
from deliverkit.runs.example import judge_world
from tests.smtp_rules.build import DAY, HOST, NOW, certificate, endpoint, host, judged, mx_tls, only, severity, tls

EXPIRED = certificate(not_after=NOW - DAY)
ELSEWHERE = certificate(names=("www.example.com",))
SELF = certificate(self_signed=True, self_issued=True)


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, Severity.NOTICE),
        ({"submission": True, "port": 587}, Severity.ERROR),
        ({"enforced_by": "example.com"}, Severity.ERROR),
        ({"testing_by": "example.com"}, Severity.WARNING),
        ({"dane": "match", "dane_ee": False}, Severity.ERROR),
        ({"dane": "mismatch"}, Severity.ERROR),
        ({"dane": "unsigned"}, Severity.NOTICE),
        ({"dane": "unknown"}, Severity.NOTICE),
        ({"dane": "match", "dane_ee": True}, None),
        ({"dane": "match", "dane_ee": True, "enforced_by": "example.com"}, Severity.ERROR),
    ],
)
@pytest.mark.parametrize(
    ("rule", "leaf"), [("tls-certificate-expired", EXPIRED), ("tls-certificate-name-mismatch", ELSEWHERE)]
)
def test_a_fault_weighs_what_it_weighs_where_it_stands(rule: str, leaf: Any, context: Any, expected: Severity | None):
    outcome = judged(mx_tls(leaf, **context), rule)
    if expected is None:
        assert outcome.status is Status.NOT_APPLICABLE
    else:
        assert severity(outcome) is expected


def test_a_notice_on_an_mx_says_that_nobody_verifies():
    assert "nobody verifies" in only(judged(mx_tls(EXPIRED), "tls-certificate-expired")).message


def test_an_enforced_policy_names_the_consequence():
    finding = only(judged(mx_tls(ELSEWHERE, enforced_by="example.com"), "tls-certificate-name-mismatch"))
    assert "MTA-STS policy of example.com" in finding.message
    assert "will not deliver" in finding.message


def test_dane_that_mismatches_outranks_the_rest():
    finding = only(judged(mx_tls(EXPIRED, dane="mismatch", enforced_by="example.com"), "tls-certificate-expired"))
    assert finding.part_of == "dane-mismatch"


@pytest.mark.parametrize("dane_ee", [True, False])
def test_dane_vouches_in_place_of_an_authority(dane_ee: bool):
    facts = mx_tls(SELF, trusted=False, trust_code=18, dane="match", dane_ee=dane_ee)
    assert judged(facts, "tls-certificate-untrusted").status is Status.NOT_APPLICABLE


def test_several_faults_are_told_as_one():
    leaf = certificate(not_after=NOW - DAY, names=("www.example.com",), self_signed=True, self_issued=True)
    facts = mx_tls(leaf, trusted=False, trust_code=18, enforced_by="example.com")
    found = {
        outcome.rule.id: only(outcome)
        for outcome in (judged(facts, rule.id) for rule in all_rules() if rule.area == "tls")
        if outcome.findings
    }
    first = found.pop("tls-certificate-expired")
    assert first.part_of is None
    assert "has expired" in first.message
    assert "self-signed" in first.message
    assert "does not bear the name mail.example.com" in first.message
    assert {finding.part_of for finding in found.values()} == {"tls-certificate-expired"}
    assert found.keys() == {"tls-certificate-untrusted", "tls-certificate-name-mismatch"}


def test_an_expired_leaf_is_not_called_untrusted_beside():
    facts = tls(EXPIRED, trusted=False, trust_code=10, trust_error="expired")
    assert not judged(facts, "tls-certificate-untrusted").findings


def test_an_expired_intermediate_is():
    facts = tls(trusted=False, trust_code=10, trust_error="certificate 2 of the chain: expired")
    assert "certificate 2 of the chain: expired" in only(judged(facts, "tls-certificate-untrusted")).message


@pytest.mark.parametrize(
    ("code", "chain", "words"),
    [
        (20, 1, "without the intermediate certificate"),
        (20, 2, "an authority that is not known here"),
        (19, 2, "leads to a root that is not trusted here"),
        (24, 2, "is not trusted (odd)"),
    ],
)
def test_why_a_chain_is_not_trusted_is_said_in_words(code: int, chain: int, words: str):
    whole = tls()
    facts = tls(chain=whole.chain[:chain], trusted=False, trust_code=code, trust_error="odd")
    assert words in only(judged(facts, "tls-certificate-untrusted")).message


def test_no_certificate_at_all():
    facts = tls(chain=(), trusted=False, trust_error="the server sent no certificate", name_matches=False)
    assert "the server sends none" in only(judged(facts, "tls-certificate-untrusted")).message
    assert not judged(facts, "tls-certificate-name-mismatch").findings


def test_a_certificate_that_cannot_be_read_has_no_other_fault():
    facts = tls(certificate(problem="no ASN.1"), trusted=False, trust_code=1, name_matches=False)
    found = [r.id for r in all_rules() if r.area == "tls" and judged(facts, r.id).findings]
    assert found == ["tls-certificate-untrusted"]


def test_a_common_name_counts_for_nothing():
    facts = tls(certificate(names=(), common_name="mail.example.com"), name_matches=False)
    assert "common name alone" in only(judged(facts, "tls-certificate-name-mismatch")).message


@pytest.mark.parametrize(
    ("days", "lifetime", "fails"),
    [
        (17, 90, False),  # under a fifth, and over two weeks
        (13, 90, True),
        (13, 60, False),  # under two weeks, and over a fifth
        (11, 60, True),
        (1, 4, False),
        (1, 5.5, True),
        (13, 365, True),
        (15, 365, False),
    ],
)
def test_soon_is_a_fifth_of_the_lifetime_and_two_weeks_at_most(days: float, lifetime: float, fails: bool):
    leaf = certificate(not_after=NOW + days * DAY, not_before=NOW + (days - lifetime) * DAY)
    outcome = judged(tls(leaf), "tls-certificate-expiring")
    assert outcome.status is (Status.FAIL if fails else Status.PASS)


def test_texts_hold_no_dates():
    leaf = certificate(not_after=NOW + DAY)
    assert "2027" not in only(judged(tls(leaf), "tls-certificate-expiring")).message


def test_expiring_is_a_notice_where_nobody_verifies():
    assert severity(judged(mx_tls(certificate(not_after=NOW + DAY)), "tls-certificate-expiring")) is Severity.NOTICE


def test_an_older_certificate_than_the_one_expected():
    old = certificate(not_before=NOW - 80 * DAY, sha256="cc")
    assert "older" in only(judged(tls(old, expected=certificate()), "tls-certificate-not-as-expected")).message
    assert judged(tls(expected=certificate()), "tls-certificate-not-as-expected").status is Status.PASS


@pytest.mark.parametrize(
    ("cipher", "version", "rule"),
    [
        ("NULL-SHA256", "TLSv1.2", "tls-cipher-null"),
        ("AECDH-AES256-SHA", "TLSv1.2", "tls-cipher-null"),
        ("ADH-AES256-GCM-SHA384", "TLSv1.2", "tls-cipher-null"),
        ("ECDHE-RSA-RC4-SHA", "TLSv1.2", "tls-cipher-weak"),
        ("DES-CBC3-SHA", "TLSv1.2", "tls-cipher-weak"),
        ("EXP-RC4-MD5", "TLSv1", "tls-cipher-weak"),
        ("AES256-SHA256", "TLSv1.2", "tls-no-forward-secrecy"),
        ("CAMELLIA128-SHA", "TLSv1.2", "tls-no-forward-secrecy"),
    ],
)
def test_ciphers(cipher: str, version: str, rule: str):
    assert judged(tls(cipher=cipher, version=version), rule).status is Status.FAIL


@pytest.mark.parametrize(
    "cipher", ["ECDHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-SHA", "ECDHE-ECDSA-CHACHA20-POLY1305"]
)
@pytest.mark.parametrize("rule", ["tls-cipher-null", "tls-cipher-weak", "tls-no-forward-secrecy"])
def test_sound_ciphers(cipher: str, rule: str):
    assert judged(tls(cipher=cipher, version="TLSv1.2"), rule).status is Status.PASS


def test_a_version_that_could_not_be_tried_leaves_the_rule_open():
    scan = (ScanFacts(version="TLSv1.1", accepted=Unknown("not tried")),)
    assert judged(tls(scan=scan), "tls-protocol-obsolete").status is Status.INCONCLUSIVE
    scan = (*scan, ScanFacts(version="TLSv1", accepted=Found("AES128-SHA")))
    outcome = judged(tls(scan=scan), "tls-protocol-obsolete")
    assert outcome.status is Status.FAIL
    assert "TLS 1.0" in only(outcome).message


def test_the_same_fault_at_two_addresses_is_one_finding():
    def at(address: str) -> Any:
        return endpoint(address=address, tls=Found(tls(EXPIRED, address=address)))

    outcome = judged(host(at("192.0.2.25"), at("2001:db8::25")), "tls-certificate-expired")
    assert len(only(outcome).evidence) == 2


def test_an_mx_that_does_not_match_an_enforced_policy_is_one_finding():
    rule = find_rule("tls-certificate-name-mismatch")
    assert rule is not None
    outcomes = judge_world(rule.doc.bad[1].world, "tls")
    told = [finding for outcome in outcomes for finding in outcome.findings if finding.part_of is None]
    assert len(told) == 1
    assert told[0].severity is Severity.ERROR
    assert "MTA-STS policy of example.com" in told[0].message


@pytest.mark.parametrize(("foreign", "who"), [(False, Who.DNS_ADMIN), (True, Who.PROVIDER)])
def test_whoever_publishes_the_record_mends_a_mismatch(foreign: bool, who: Who):
    outcome = judged(mx_tls(dane="mismatch", dane_name=f"_25._tcp.{HOST}", dane_foreign=foreign), "dane-mismatch")
    finding = only(outcome)
    assert finding.fix.rdtype == "TLSA"
    assert (finding.who or outcome.rule.who) is who
