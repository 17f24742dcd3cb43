"""What publishing a file would change: each area's consequences, over a world in memory."""

from pathlib import Path

import pytest

from deliverkit.dns.options import DnsOptions
from deliverkit.model import Inputs
from deliverkit.report.diff import DiffReport
from deliverkit.runs.diff import AREAS, diff
from deliverkit.runs.options import RunError, RunOptions
from deliverkit.world import World

KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
OTHER_KEY = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik="
ZONE = f"""\
$ORIGIN example.com.
@ SOA ns1 hostmaster 1 7200 3600 1209600 3600
@ NS ns1
ns1 A 192.0.2.53
@ MX 10 mx1
@ MX 20 mx2
mx1 A 192.0.2.1
mx2 A 192.0.2.2
@ TXT "v=spf1 ip4:203.0.113.10 ip4:198.51.100.0/24 include:_spf.vendor.example -all"
_dmarc TXT "v=DMARC1; p=reject; rua=mailto:d@example.com"
s1._domainkey TXT "v=DKIM1; k=ed25519; p={KEY}"
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:t@example.com"
"""
WEAKER = "the DMARC policy for mail that fails DMARC gets weaker"
VENDOR = """\
$ORIGIN vendor.example.
@ SOA ns1 hostmaster 1 7200 3600 1209600 3600
_spf TXT "v=spf1 ip4:192.0.2.128/28 -all"
"""


def changed(
    tmp_path: Path, *edits: tuple[str, str], after: str = ZONE, today: str = ZONE, inputs: Inputs | None = None
) -> DiffReport:
    for old, new in edits:
        assert old in after
        after = after.replace(old, new)
    path = tmp_path / "example.com.zone"
    path.write_text(after)
    return compare(path, today, inputs)


def compare(path: Path, today: str = ZONE, inputs: Inputs | None = None, *, partial: bool = False) -> DiffReport:
    inputs = inputs or Inputs(domain="example.com", areas=AREAS, selectors=("s1",))
    return diff((inputs,), RunOptions(dns=DnsOptions(zones=(path,), zone_partial=partial)), port=World(today + VENDOR))


def said(report: DiffReport) -> list[tuple[str, str, str]]:
    return [(change.severity, change.area, change.consequence) for change in report.changes]


def test_the_same_zone_changes_nothing(tmp_path: Path) -> None:
    report = changed(tmp_path)
    assert (report.changes, report.findings.new, report.findings.gone) == ((), (), ())
    assert (report.verdict, report.exit_code) == ("pass", 0)


def test_other_ttls_and_another_order_change_nothing(tmp_path: Path) -> None:
    lines = ZONE.splitlines()
    report = changed(tmp_path, after="\n".join(["$TTL 60", lines[0], lines[1], *lines[:1:-1], ""]))
    assert (report.changes, report.findings.new, report.findings.gone) == ((), (), ())


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("ip4:203.0.113.10 ", "", ("error", "spf", "mail from 203.0.113.10 stops passing SPF: fail")),
        ("100.0/24", "100.0/25", ("error", "spf", "mail from 198.51.100.128/25 stops passing SPF: fail")),
        ("113.10 ", "113.10 ip6:2001:db8::/64 ", ("notice", "spf", "mail from 2001:db8::/64 starts passing SPF")),
        ("-all", "~all", ("warning", "spf", "mail from any other address gets softfail where it got fail")),
        ("-all", "+all", ("error", "spf", "mail from any other address gets pass where it got fail")),
        ("-all", "ip4:x +all", ("error", "spf", "mail from any other address gets permerror where it got fail")),
        (
            "p=reject",
            "p=none",
            ("warning", "dmarc", "the DMARC policy for mail that fails DMARC gets weaker: reject → none"),
        ),
        (
            "p=reject",
            "p=reject; sp=none",
            ("warning", "dmarc", "the DMARC policy for mail of subdomains that fails DMARC gets weaker: reject → none"),
        ),
        ("p=reject", "p=reject; adkim=s", ("warning", "dmarc", "DMARC takes DKIM of a subdomain no longer as aligned")),
        (
            "; rua=mailto:d@example.com",
            "",
            (
                "warning",
                "dmarc",
                "DMARC reports no longer go to mailto:d@example.com (rua): no aggregate report comes any more",
            ),
        ),
        (
            KEY,
            OTHER_KEY,
            ("warning", "dkim", "the key of selector s1 changes: what is signed with the old one stops verifying"),
        ),
        (KEY, "", ("error", "dkim", "mail signed with selector s1 stops verifying: its key is revoked")),
        (
            "k=ed25519;",
            "k=ed25519; t=y;",
            ("warning", "dkim", "selector s1 is marked as a test (t=y): receivers may take its mail for unsigned"),
        ),
        ("@ MX 20 mx2\n", "", ("warning", "mx", "mail no longer goes to mx2.example.com")),
        (
            "@ MX 20 mx2\n",
            "@ MX 20 mx2\n@ MX 30 mx3\nmx3 A 192.0.2.3\n",
            ("notice", "mx", "mail goes to mx3.example.com, too"),
        ),
        (
            "MX 20 mx2",
            "MX 5 mx2",
            (
                "notice",
                "mx",
                "the mail hosts' order changes: mx2.example.com from 20 to 5; the first is mx2.example.com",
            ),
        ),
        ("@ MX 10 mx1\n@ MX 20 mx2\n", "@ MX 0 .\n", ("error", "mx", "a null MX: the domain takes no mail any more")),
        (
            "rua=mailto:t@example.com",
            "rua=mailto:u@example.com",
            ("notice", "tls-rpt", "TLS reports no longer go to mailto:t@example.com"),
        ),
        (
            "mx1 A 192.0.2.1\n",
            'mx1 A 192.0.2.1\n_mta-sts TXT "v=STSv1; id=1"\n',
            ("notice", "mta-sts", "an MTA-STS record is published: senders fetch the policy"),
        ),
    ],
)
def test_a_change_is_told_by_its_consequence(tmp_path: Path, old: str, new: str, change: tuple[str, str, str]) -> None:
    assert change in said(changed(tmp_path, (old, new)))


def test_lookups_over_the_limit_are_a_permerror(tmp_path: Path) -> None:
    hosts = "".join(f"a{n} A 192.0.2.{n + 10}\n" for n in range(11))
    today = (
        ZONE.replace("203.0.113.10", " ".join(f"203.0.113.10 a:a{n}.example.com"[13 * (n > 0) :] for n in range(8)))
        + hosts
    )
    report = changed(
        tmp_path,
        ("a:a7.example.com", "a:a7.example.com a:a8.example.com"),
        after=today.replace("a:a6.example.com", "a:a6.example.com a:a9.example.com"),
        today=today,
    )
    (lookups,) = [change for change in report.changes if "lookups" in change.consequence]
    assert lookups.consequence == (
        "adds 2 lookups: 9 → 11, permerror: receivers stop at 10; "
        "a:a9.example.com is new and takes 1 and a:a8.example.com is new and takes 1"
    )
    assert lookups.severity == "error"
    assert "spf-too-many-lookups" in {finding.rule for finding in report.findings.new}
    assert "spf-lookups-near-limit" in {finding.rule for finding in report.findings.gone}
    assert report.exit_code == 1
    assert ("error", "spf", "mail from 192.0.2.128/28 stops passing SPF: permerror") not in said(report)


def test_a_named_sender_behind_the_limit_stops_passing(tmp_path: Path) -> None:
    hosts = "".join(f"a{n} A 192.0.2.{n + 10}\n" for n in range(11))
    report = changed(
        tmp_path,
        ("ip4:203.0.113.10", " ".join(f"a:a{n}.example.com" for n in range(10)) + " ip4:203.0.113.10"),
        after=ZONE + hosts,
        today=ZONE + hosts,
        inputs=Inputs(domain="example.com", areas=AREAS, selectors=("s1",), senders=("192.0.2.130",)),
    )
    assert any("192.0.2.130" in words and "permerror" in words for _, _, words in said(report))


def test_a_finding_that_was_there_is_not_new(tmp_path: Path) -> None:
    today = ZONE.replace("p=reject", "p=none")
    report = changed(tmp_path, ("mx2 A 192.0.2.2", "mx2 A 192.0.2.3"), after=today, today=today)
    assert "dmarc-policy-none" not in {finding.rule for finding in report.findings.new}
    assert report.findings.same


def test_what_could_not_be_told_before_is_not_new(tmp_path: Path) -> None:
    today = (
        ZONE.replace('_dmarc TXT "v=DMARC1; p=reject; rua=mailto:d@example.com"\n', "")
        + "_dmarc.example.com. SERVFAIL\n"
    )
    report = changed(tmp_path, ("v=DMARC1; p=reject", "v=DMARC1; p=what"), today=today)
    assert "dmarc" not in {finding.area for finding in report.findings.new}
    assert "dmarc" in {finding.area for finding in report.findings.unclear}
    assert (report.verdict, report.exit_code) == ("inconclusive", 3)
    assert {entry.side for entry in report.inconclusive if entry.rule.startswith("dmarc-")} == {"before"}


@pytest.mark.parametrize(
    "fault",
    [
        "example.com. TXT SERVFAIL",
        "example.com. MX TIMEOUT",
        "_dmarc.example.com. SERVFAIL",
        "s1._domainkey.example.com. TIMEOUT",
        "_smtp._tls.example.com. REFUSED",
        "_mta-sts.example.com. SERVFAIL",
        "_spf.vendor.example. TIMEOUT",
        "mx1.example.com. SERVFAIL",
        "_dmarc.com. SERVFAIL",
    ],
)
def test_what_nobody_could_tell_is_no_change(tmp_path: Path, fault: str) -> None:
    report = changed(tmp_path, today=ZONE + fault + "\n")
    assert (report.changes, report.findings.new, report.findings.gone) == ((), (), ())
    assert report.exit_code in (0, 3)


def test_an_include_that_does_not_answer_hides_no_sender(tmp_path: Path) -> None:
    fault = "_spf.vendor.example. TIMEOUT\n"
    report = changed(tmp_path, ("ip4:203.0.113.10 ", ""), today=ZONE + fault)
    assert [words for _, _, words in said(report)] == []  # the include may name it, too


def test_a_plan_takes_away_what_it_deletes(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(
        """{"format_version": "1.2", "planned_values": {"root_module": {"resources": [
        {"address": "aws_route53_zone.z", "mode": "managed", "type": "aws_route53_zone",
         "values": {"zone_id": "Z", "name": "example.com"}}]}},
        "resource_changes": [{"address": "aws_route53_record.d", "type": "aws_route53_record",
         "change": {"actions": ["delete"], "after": null, "after_unknown": {},
          "before": {"zone_id": "Z", "name": "_dmarc", "type": "TXT",
           "records": ["v=DMARC1; p=reject"]}}}]}"""
    )
    report = compare(path)
    assert said(report) == [
        ("error", "dmarc", "no DMARC record applies any more: receivers check nothing, and send no report")
    ]
    assert "dmarc-missing" in {finding.rule for finding in report.findings.new}


def test_octodns_is_published_as_a_zone_is(tmp_path: Path) -> None:
    path = tmp_path / "example.com.yaml"
    path.write_text("_dmarc:\n  type: TXT\n  value: v=DMARC1\\; p=none\n")
    report = compare(path, partial=True)
    assert ("warning", "dmarc", f"{WEAKER}: reject → none") in said(report)
    assert not [change for change in report.changes if change.area != "dmarc"]


def test_a_signed_zone_stays_signed(tmp_path: Path) -> None:
    today = "AD\n" + ZONE + "_25._tcp.mx1 TLSA 3 1 1 " + "ab" * 32 + "\n"
    report = changed(tmp_path, ("mx2 A 192.0.2.2", "mx2 A 192.0.2.3"), after=today.removeprefix("AD\n"), today=today)
    assert "dane-without-dnssec" not in {finding.rule for finding in report.findings.new}
    assert not [change for change in report.changes if change.area == "dane"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("$ORIGIN example.com.\n@ SOA ns1 h 1 2 3 4 5\nmx A 192.0.2.400\n", "example.com.zone:3:"),
        ("$ORIGIN example.org.\n@ SOA ns1 h 1 2 3 4 5\n", "holds example.com"),
    ],
)
def test_a_file_that_cannot_be_published_ends_the_run(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(RunError, match=words):
        changed(tmp_path, after=text)
