"""What the configuration accepts, weighs anew and switches off, and what is found in the configuration itself."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

MX = ("mx", "example.com", "--offline")
SOON = (dt.datetime.now(dt.UTC) + dt.timedelta(days=100)).date().isoformat()
NEXT = f"expires = {SOON}"
IGNORE = '[[ignore]]\nrule = "mx-is-cname"\n'


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes the configuration, in the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> None:
        (tmp_path / "deliverkit.toml").write_text(text)

    return write


def report(cli, zone, *words):
    result = cli(*MX, "--zone", zone, "--format", "json", *words)
    document = json.loads(result.out)
    assert document["exit_code"] == result.code
    return document


def found(document, target: str):
    return {each["rule"]: each for one in document["targets"] if one["target"] == target for each in one["findings"]}


def test_an_ignore_accepts_and_says_why(cli, broken, configured):
    configured(f'{IGNORE}domain = "example.com"\nreason = "OPS-412: moves"\n{NEXT}\n')
    document = report(cli, broken)
    assert document["exit_code"] == 0
    (target,) = document["targets"]
    (kept,) = target["suppressed"]
    assert (kept["rule"], kept["by"], kept["reason"], kept["expires"]) == (
        "mx-is-cname", "ignore", "OPS-412: moves", SOON,
    )  # fmt: skip
    assert report(cli, broken, "--no-config")["exit_code"] == 1


def test_text_counts_it_and_tells_it_with_v(cli, broken, configured):
    configured(f'{IGNORE}reason = "OPS-412: moves"\n{NEXT}\n')
    assert "1 ignored" in cli(*MX, "--zone", broken).out
    assert "OPS-412" not in cli(*MX, "--zone", broken).out
    assert f"ignored · until {SOON} · OPS-412: moves" in cli(*MX, "--zone", broken, "-v").out


def test_an_expired_ignore_accepts_nothing_and_is_a_warning(cli, broken, configured):
    configured(f'schema = 1\n\n{IGNORE}reason = "x"\nexpires = 2020-02-29\n')
    document = report(cli, broken)
    assert document["exit_code"] == 1
    assert "mx-is-cname" in found(document, "example.com")
    (expired,) = found(document, "deliverkit.toml").values()
    assert (expired["rule"], expired["area"], expired["severity"]) == ("config-ignore-expired", "config", "warning")
    assert expired["location"] == {"path": "deliverkit.toml", "line": 3, "column": None}
    assert "2020" not in expired["message"]


def test_an_ignore_without_a_reason_is_an_error_of_the_file_alone(cli, broken, configured):
    configured(f"{IGNORE}{NEXT}\n")
    document = report(cli, broken)
    assert document["exit_code"] == 1
    assert {one["target"]: one["verdict"] for one in document["targets"]} == {
        "example.com": "pass",
        "deliverkit.toml": "fail",
    }
    assert found(document, "deliverkit.toml")["config-ignore-without-reason"]["severity"] == "error"


def test_an_unused_ignore_is_a_notice(cli, healthy, configured):
    configured(f'{IGNORE}reason = "x"\n{NEXT}\n')
    document = report(cli, healthy)
    assert document["exit_code"] == 0
    assert [*found(document, "deliverkit.toml")] == ["config-ignore-unused"]
    assert report(cli, healthy, "--fail-on", "notice")["exit_code"] == 1


def test_a_resolver_that_is_down_makes_no_ignore_unused(cli, world, configured):
    configured(f'{IGNORE}reason = "x"\n{NEXT}\n')
    document = report(cli, world("example.com. MX SERVFAIL\nexample.com. A 192.0.2.1\n"))
    assert [one["target"] for one in document["targets"]] == ["example.com"]
    assert document["exit_code"] == 3
    document = report(cli, world("mx.example.com. A SERVFAIL\nexample.com. MX 10 mx.example.com.\n"), "--select", "dns")
    assert [one["target"] for one in document["targets"]] == ["example.com"]


def test_an_ignore_for_good_or_for_too_long(cli, broken, configured):
    configured(f'{IGNORE}reason = "x"\n')
    assert found(report(cli, broken), "deliverkit.toml")["config-ignore-too-long"]["severity"] == "notice"
    configured(f'max_ignore_days = 99\n{IGNORE}reason = "x"\n{NEXT}\n')
    assert found(report(cli, broken), "deliverkit.toml")["config-ignore-too-long"]["severity"] == "warning"
    configured(f'max_ignore_days = 100\n{IGNORE}reason = "x"\n{NEXT}\n')
    assert found(report(cli, broken), "deliverkit.toml") == {}


def test_the_findings_about_the_file_obey_the_same_options(cli, broken, configured):
    configured(f'{IGNORE}\n[rules]\n"config-ignore-without-reason" = "notice"\n"config-ignore-too-long" = "off"\n')
    document = report(cli, broken)
    assert document["exit_code"] == 0
    assert {rule: each["severity"] for rule, each in found(document, "deliverkit.toml").items()} == {
        "config-ignore-without-reason": "notice"
    }
    assert len(report(cli, broken, "--ignore", "config")["targets"]) == 1
    assert len(report(cli, broken, "--select", "mx")["targets"]) == 1
    configured(f'{IGNORE}\n[[ignore]]\nrule = "config"\nreason = "later"\n')
    document = report(cli, broken)
    (file,) = [one for one in document["targets"] if one["target"] == "deliverkit.toml"]
    assert file["verdict"] == "pass"
    assert {each["by"] for each in file["suppressed"]} == {"ignore"}


@pytest.mark.parametrize(
    ("word", "code", "severity"), [("error", 1, "error"), ("warning", 0, "warning"), ("notice", 0, "notice")]
)
def test_a_rule_weighed_anew(cli, broken, configured, word, code, severity):
    configured(f'[rules]\n"mx-is-cname" = "{word}"\n')
    document = report(cli, broken)
    assert document["exit_code"] == code
    assert found(document, "example.com")["mx-is-cname"]["severity"] == severity


def test_a_rule_made_harder(cli, world, configured):
    zone = world("example.com. MX 10 mx.example.com.\nmx.example.com. A 192.0.2.1\n")
    assert report(cli, zone)["exit_code"] == 0
    configured('[rules]\n"mx-no-ipv6" = "error"\n')
    assert report(cli, zone)["exit_code"] == 1


def test_a_rule_that_is_off_is_not_there(cli, broken, configured):
    configured('[rules]\n"mx-is-cname" = "off"\n')
    document = report(cli, broken)
    (target,) = document["targets"]
    assert document["exit_code"] == 0
    assert "mx-is-cname" not in json.dumps(document)
    assert target["suppressed"] == []
    assert report(cli, broken, "--select", "mx-is-cname")["exit_code"] == 1


DOWN = """\
example.com. MX 10 mx.example.com.
mx.example.com. A 192.0.2.1
example.com. TXT SERVFAIL
_dmarc.example.com. SERVFAIL
"""


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ('{ default = "report" }', 3),
        ('{ default = "pass" }', 0),
        ('{ default = "pass", dmarc = "report" }', 3),
        ('{ default = "pass", dmarc = "fail" }', 1),
        ('{ default = "report", dmarc = "pass" }', 0),
        ('{ dmarc = "pass" }', 0),
        ('{ mx = "pass" }', 3),
        ('"pass"', 0),
        ('"fail"', 1),
    ],
)
def test_the_undetermined_by_area(cli, world, configured, table, code):
    configured(f"inconclusive = {table}\n")
    words = ("dmarc", "example.com", "--offline", "--zone", world(DOWN), "--select", "dmarc")
    assert cli(*words).code == code
    # What is typed stands for every area.
    assert cli(*words, "--inconclusive", "pass").code == 0
    assert cli(*words, "--inconclusive", "fail").code == 1
    assert cli(*words, "--inconclusive", "report").code == 3
    assert cli(*words, "--exit-zero").code == 0


def test_many_domains_and_a_file_are_summed_up_apart(cli, broken, configured):
    configured(f"{IGNORE}{NEXT}\n")
    out = cli("check", "example.com", "example.net", "--offline", "--zone", broken).out
    assert "2 targets" in out
    assert "deliverkit.toml" in out


@pytest.mark.parametrize(
    "form", ["compact", "csv", "jsonl", "junit", "sarif", "github", "gitlab", "nagios", "prometheus"]
)
def test_every_format_takes_a_file_as_a_target(cli, broken, configured, form):
    configured(f'{IGNORE}{NEXT}\n[[ignore]]\nrule = "mx-no-ipv6"\nreason = "a | b"\nexpires = 2020-01-01\n')
    result = cli(*MX, "--zone", broken, "--format", form)
    assert result.err == ""
    assert "config-ignore-without-reason" in result.out or form in ("nagios", "prometheus")
    assert result.code == (2 if form == "nagios" else 1)


ZONE = """\
$ORIGIN example.com.
$TTL 3600
@ SOA ns1 hostmaster 1 7200 3600 1209600 3600
@ NS ns1.example.net.
@ MX 10 mx.example.net.
@ TXT "v=spf1 ip4:192.0.2.1 +all"
_dmarc TXT "v=DMARC1; p=reject; rua=mailto:a@example.com"
"""


def test_lint_takes_the_configuration_and_the_baseline(cli, configured, tmp_path: Path):
    (tmp_path / "example.com.zone").write_text(ZONE)
    assert cli("lint", "example.com.zone").code == 1
    configured(f'[[ignore]]\nrule = "spf-permissive-all"\nreason = "x"\n{NEXT}\n')
    assert cli("lint", "example.com.zone").code == 0
    configured('[rules]\n"spf-permissive-all" = "off"\n')
    assert cli("lint", "example.com.zone").code == 0
    configured("schema = 1\n")
    words = ("--offline", "--zone", "example.com.zone", "--inconclusive", "pass", "--ignore", "mx")
    assert cli("baseline", "example.com", *words).code == 0
    result = cli("lint", "example.com.zone", "--baseline", ".deliverkit-baseline.json", "--format", "json")
    assert result.code == 0
    # What does not apply to files alone makes no entry stale.
    assert [one["target"] for one in json.loads(result.out)["targets"]] == ["example.com"]


@pytest.mark.parametrize("text", ["until=2020-01-31 moves", "", "until=2999-01-01 moves"])
def test_an_ignore_beside_a_record_is_judged_as_any(cli, configured, tmp_path: Path, text):
    configured("schema = 1\n")
    comment = f"; deliverkit: ignore[spf-permissive-all] {text}"
    (tmp_path / "example.com.zone").write_text(ZONE.replace('+all"', f'+all" {comment}'))
    document = json.loads(cli("lint", "example.com.zone", "--format", "json").out)
    rules = found(document, "example.com.zone")
    assert (
        set(rules)
        == {
            "until=2020-01-31 moves": {"config-ignore-expired"},
            "": {"config-ignore-without-reason", "config-ignore-too-long"},
            "until=2999-01-01 moves": {"config-ignore-too-long"},
        }[text]
    )
    assert {each["location"]["line"] for each in rules.values()} == {6}
    assert ("spf-permissive-all" in found(document, "example.com")) is text.startswith("until=2020")


@pytest.mark.parametrize(
    "words", ["ignore[spf-permisive-all] until=2999-01-01 x", "ignore[spf-permissive-all] until=soon x", "ignore[] x"]
)
def test_a_slip_in_an_ignore_beside_a_record_is_an_error(cli, configured, tmp_path: Path, words):
    configured("schema = 1\n")
    (tmp_path / "example.com.zone").write_text(ZONE.replace('+all"', f'+all" ; deliverkit: {words}'))
    document = json.loads(cli("lint", "example.com.zone", "--format", "json").out)
    assert [*found(document, "example.com.zone")] == ["config-ignore-invalid"]
    assert "spf-permissive-all" in found(document, "example.com")


def test_what_a_change_finds_that_was_accepted_is_not_new(cli, world, configured):
    configured("schema = 1\n")
    today, wanted = world(ZONE, "today.zone"), world(ZONE.replace("p=reject", "p=none"), "wanted.zone")
    saved = "run.json"
    cli("check", "example.com", "--offline", "--zone", today, "--save-evidence", saved)
    words = ("diff", "example.com", "--evidence", saved, "--zone", wanted, "--fail-on", "warning")
    words = (*words, "--inconclusive", "pass", "--format", "json")
    assert cli(*words).code == 1
    configured(f'[[ignore]]\nrule = "dmarc-policy-none"\nreason = "x"\n{NEXT}\n')
    assert cli(*words).code == 0
