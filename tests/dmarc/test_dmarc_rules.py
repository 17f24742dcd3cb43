"""What the rules of area `dmarc` say beyond their own examples."""

from __future__ import annotations

import pytest

from deliverkit.model import Finding, Severity, Status
from deliverkit.records.dmarc import parse_dmarc
from deliverkit.rules import all_rules
from deliverkit.runs.example import judge_world

BASE = "$ORIGIN example.com.\n@ MX 10 mx.example.net.\n"


def findings(world: str) -> dict[str, list[Finding]]:
    return {outcome.rule.id: list(outcome.findings) for outcome in judge_world(world, "dmarc") if outcome.findings}


def statuses(world: str) -> dict[str, Status]:
    return {outcome.rule.id: outcome.status for outcome in judge_world(world, "dmarc")}


def after(finding: Finding) -> str | None:
    return finding.fix.after if finding.fix else None


def test_parked_domains_are_told_to_refuse():
    found = findings('$ORIGIN example.com.\n@ MX 0 .\n@ TXT "v=spf1 -all"')
    assert after(found["dmarc-missing"][0]) == "v=DMARC1; p=reject"


def test_parked_domains_need_no_reports():
    assert not findings('$ORIGIN example.com.\n@ MX 0 .\n@ TXT "v=spf1 -all"\n_dmarc TXT "v=DMARC1; p=reject"')


def test_subdomains_are_covered_by_the_organisation():
    world = (
        "; check mail.example.com\n"
        + BASE
        + 'mail A 192.0.2.1\n_dmarc TXT "v=DMARC1; p=reject; rua=mailto:a@example.com"'
    )
    assert not findings(world)


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "TIMEOUT", "MALFORMED", "TRUNCATED"])
def test_what_cannot_be_told_is_inconclusive(fault: str):
    seen = statuses(BASE + f"_dmarc TXT {fault}")
    own = {rule.id for rule in all_rules() if rule.area == "dmarc"}
    assert seen["dmarc-missing"] is Status.INCONCLUSIVE
    assert seen["dmarc-policy-none"] is Status.INCONCLUSIVE
    assert not [rule for rule in own if seen[rule] is Status.FAIL]


def test_consent_that_cannot_be_told_is_inconclusive():
    world = (
        BASE + '_dmarc TXT "v=DMARC1; p=reject; rua=mailto:a@r.example.net"\nr.example.net. A 192.0.2.1\n'
        "example.com._report._dmarc.r.example.net. TXT TIMEOUT"
    )
    assert statuses(world)["dmarc-report-unauthorized"] is Status.INCONCLUSIVE


def test_an_organisation_that_cannot_be_told_is_no_lack_of_consent():
    world = (
        "; check mail.example.com\n" + BASE + "mail A 192.0.2.1\n_dmarc TXT SERVFAIL\n"
        '_dmarc.mail TXT "v=DMARC1; p=reject; rua=mailto:a@HOST"'
    )
    assert statuses(world.replace("HOST", "example.com"))["dmarc-report-unauthorized"] is Status.INCONCLUSIVE
    gone = findings(world.replace("HOST", "gone.example.com"))
    assert gone["dmarc-report-domain-missing"][0].part_of is None


@pytest.mark.parametrize(
    ("record", "repaired"),
    [
        ("v=dmarc1; p=reject; rua=mailto:a@example.com", "v=DMARC1; p=reject; rua=mailto:a@example.com"),
        ("p=reject; v=DMARC1; rua=mailto:a@example.com", "v=DMARC1; p=reject; rua=mailto:a@example.com"),
        ("v=DMARC1 p=reject", "v=DMARC1; p=reject"),
        ("v=DMARC1; p=reject; p=none", "v=DMARC1; p=reject"),
        ("v=DMARC1; p=rejcet", "v=DMARC1; p=reject"),
        ("v=DMARC1; p=", "v=DMARC1; p=quarantine"),
        ("v=DMARC2; p=none", "v=DMARC1; p=none"),
        ("v=DMARC1; ;;;;;;;;;;;;;;;;;;;;;;p=reject", "v=DMARC1; p=reject"),
    ],
)
def test_broken_records_are_shown_and_mended(record: str, repaired: str):
    (finding,) = findings(BASE + f'_dmarc TXT "{record}"')["dmarc-syntax"]
    assert finding.evidence[0].text == record
    assert after(finding) == repaired
    assert not parse_dmarc(repaired).problems


def test_a_near_miss_explains_the_missing_record():
    found = findings(BASE + '_dmarc TXT "v=dmarc1; p=reject"')
    assert found["dmarc-missing"][0].part_of == "dmarc-syntax"
    assert after(found["dmarc-syntax"][0]) == "v=DMARC1; p=reject"


def test_a_domain_that_sends_begins_with_none_and_reports():
    (finding,) = findings(BASE)["dmarc-missing"]
    assert after(finding) == "v=DMARC1; p=none; rua=mailto:dmarc-reports@example.com"
    assert finding.fix
    assert "p=none" in finding.fix.text


@pytest.mark.parametrize(
    ("zone", "explained"),
    [
        ('_dmarc TXT "v=DMARC1; p=none"\n_dmarc TXT "v=DMARC1; p=reject"', "dmarc-multiple-records"),
        ('@ TXT "v=DMARC1; p=reject"', "dmarc-record-misplaced"),
        ('_dmarc.example.com TXT "v=DMARC1; p=reject"', "dmarc-record-misplaced"),
        ('_dmarc TXT "v=dmarc1; p=reject"', "dmarc-syntax"),
    ],
)
def test_one_record_is_recommended_where_a_rule_explains_the_missing_one(zone: str, explained: str):
    found = findings(BASE + zone)
    missing = found["dmarc-missing"][0]
    assert missing.part_of == explained
    assert missing.fix
    assert (missing.fix.name, missing.fix.after) == ("", None)
    assert after(found[explained][0]) == "v=DMARC1; p=reject"


def test_two_records_explain_the_missing_one_and_both_are_shown():
    found = findings(BASE + '_dmarc TXT "v=DMARC1; p=none"\n_dmarc TXT "v=DMARC1; p=reject"')
    assert found["dmarc-missing"][0].part_of == "dmarc-multiple-records"
    assert {exhibit.text for exhibit in found["dmarc-multiple-records"][0].evidence} == {
        "v=DMARC1; p=none",
        "v=DMARC1; p=reject",
    }
    assert after(found["dmarc-multiple-records"][0]) == "v=DMARC1; p=reject"


@pytest.mark.parametrize("texts", [("v=DMARC1; p=none", "v=DMARC1; p=reject"), ("b", "a")])
def test_the_order_of_an_answer_changes_nothing(texts: tuple[str, str]):
    one, other = (BASE + "\n".join(f'_dmarc TXT "{text}"' for text in order) for order in (texts, texts[::-1]))
    assert findings(one) == findings(other)
    assert findings(one)["dmarc-missing"]


def test_missing_p_with_an_address_is_a_warning():
    found = findings(BASE + '_dmarc TXT "v=DMARC1; rua=mailto:a@example.com"')
    assert found["dmarc-syntax"][0].severity is Severity.WARNING
    assert found["dmarc-policy-none"][0].part_of == "dmarc-syntax"


def test_a_stray_record_beside_the_right_one_is_a_notice():
    found = findings(BASE + '@ TXT "v=DMARC1; p=none"\n_dmarc TXT "v=DMARC1; p=reject; rua=mailto:a@example.com"')
    assert found["dmarc-record-misplaced"][0].severity is Severity.NOTICE


def test_other_schemes_are_never_repaired_into_links():
    record = "v=DMARC1; p=reject; rua=mailto:a@example.com,javascript:alert(1)"
    (finding,) = findings(BASE + f'_dmarc TXT "{record}"')["dmarc-report-not-mailto"]
    assert after(finding) == "v=DMARC1; p=reject; rua=mailto:a@example.com"


def test_a_partial_pct_says_what_changes():
    found = findings(BASE + '_dmarc TXT "v=DMARC1; p=reject; pct=10; rua=mailto:a@example.com"')
    assert "all mail" in found["dmarc-removed-tag"][0].message
    found = findings(BASE + '_dmarc TXT "v=DMARC1; p=reject; pct=100; rua=mailto:a@example.com"')
    assert "all mail" not in found["dmarc-removed-tag"][0].message


def test_findings_about_one_record_give_the_same_record():
    found = findings(
        BASE + '_dmarc TXT "v=DMARC1; p=none; sp=none; pct=50; fo=1; policy=x; ruf=https://example.com/; adkim=s"'
    )
    same = "v=DMARC1; p=none; sp=none; adkim=s; rua=mailto:dmarc-reports@example.com"
    for rule in ("dmarc-removed-tag", "dmarc-unknown-tag", "dmarc-report-missing", "dmarc-report-not-mailto"):
        assert after(found[rule][0]) == same
    assert after(found["dmarc-policy-none"][0]) == same.replace("p=none;", "p=quarantine;", 1)


def test_a_test_and_a_double_address_are_mended_beside_each_other():
    twice = "mailto:a@example.com,mailto:A@example.com"
    found = findings(BASE + f'_dmarc TXT "v=DMARC1; p=reject; t=y; rua={twice}; fo=1"')
    kept = "v=DMARC1; p=reject; t=y; rua=mailto:a@example.com"
    assert after(found["dmarc-report-duplicate"][0]) == kept
    assert after(found["dmarc-fo-without-ruf"][0]) == kept
    assert after(found["dmarc-testing"][0]) == kept.replace(" t=y;", "")


def test_no_mailbox_is_recommended_to_a_domain_without_mail():
    found = findings('$ORIGIN example.com.\n@ MX 0 .\n@ TXT "v=spf1 -all"\n_dmarc TXT "v=DMARC1; p=none; pct=9"')
    assert after(found["dmarc-removed-tag"][0]) == "v=DMARC1; p=none"
    assert after(found["dmarc-policy-none"][0]) == "v=DMARC1; p=reject"


def test_an_expected_policy_that_is_missing_is_part_of_that():
    found = findings("; check example.com --dmarc reject\n" + BASE)
    assert found["dmarc-not-as-expected"][0].part_of == "dmarc-missing"
    assert after(found["dmarc-not-as-expected"][0]) is None
    assert after(found["dmarc-missing"][0]) == "v=DMARC1; p=reject; rua=mailto:dmarc-reports@example.com"
    assert statuses(BASE)["dmarc-not-as-expected"] is Status.NOT_APPLICABLE


def test_every_recommended_record_is_sound():
    """What a fix tells people to publish breaks no grammar and uses nothing that was removed."""
    for rule in all_rules():
        if rule.area != "dmarc":
            continue
        for example in rule.doc.bad:
            for found in findings(example.world).values():
                for finding in found:
                    if (text := after(finding)) is not None:
                        record = parse_dmarc(text)
                        assert not [problem for problem in record.problems if not problem.mild] or text == "v=DMARC1"
                        assert not {tag.name for tag in record.tags} & {"pct", "rf", "ri"}


def test_a_near_miss_is_told_though_the_parent_is_unknown():
    world = "; check a.example.com\n" + BASE + 'a A 192.0.2.1\n_dmarc TXT SERVFAIL\n_dmarc.a TXT "v=dmarc1; p=reject"'
    assert "dmarc-syntax" in findings(world)
    assert statuses(world)["dmarc-missing"] is Status.INCONCLUSIVE
