"""`baseline`, `--baseline`: accepted once, whatever the order of answers, and only what is new fails."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from deliverkit.runs import check as runs

SHUFFLED = """\
$ORIGIN example.com.
_dmarc 60  TXT  "v=DMARC1; p=none"
@      7   TXT  "v=spf1 ip4:192.0.2.1 ?all"
@      77  MX   20 b
@      77  MX   10 a
b      1   A    198.51.100.9
a      2   CNAME web
web    3   A    198.51.100.7
web    3   A    198.51.100.8
@      5   SOA  ns1 hostmaster 99 7200 3600 1209600 3600
"""
FIRST = """\
$ORIGIN example.com.
@      SOA  ns1 hostmaster 1 7200 3600 1209600 3600
@      3600 MX   10 a
@      3600 MX   20 b
a      CNAME web
web    A    192.0.2.8
web    A    192.0.2.7
b      A    192.0.2.9
@      TXT  "v=spf1 ip4:192.0.2.1 ?all"
_dmarc TXT  "v=DMARC1; p=none"
"""
CHECK = ("check", "example.com", "--offline")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def target(result):
    return json.loads(result.out)["targets"][0]


def accept(cli, zone, *words):
    return cli("baseline", "example.com", "--offline", "--zone", zone, "--inconclusive", "pass", *words)


def check(cli, zone, *words):
    return cli(*CHECK, "--zone", zone, "--inconclusive", "pass", "--fail-on", "notice", *words)


def test_with_other_ttls_addresses_and_orders_nothing_is_new(cli, world, here):
    assert check(cli, world(FIRST)).code == 1
    result = accept(cli, world(FIRST))
    assert result.code == 0
    assert ".deliverkit-baseline.json: " in result.out
    for number, text in enumerate((FIRST, SHUFFLED)):
        again = check(
            cli, world(text, f"{number}.world"), "--baseline", ".deliverkit-baseline.json", "--format", "json"
        )
        assert again.code == 0
        assert target(again)["findings"] == []
        assert {each["by"] for each in target(again)["suppressed"]} == {"baseline"}
        assert len(json.loads(again.out)["targets"]) == 1
    before = (here / ".deliverkit-baseline.json").read_bytes()
    assert accept(cli, world(SHUFFLED)).code == 0
    assert (here / ".deliverkit-baseline.json").read_bytes() == before


def test_what_is_new_fails_and_the_rest_stays_accepted(cli, world, here):
    accept(cli, world(FIRST))
    worse = FIRST.replace("?all", "+all")
    result = check(cli, world(worse), "--baseline", ".deliverkit-baseline.json", "--format", "json")
    assert result.code == 1
    assert [each["rule"] for each in target(result)["findings"]] == ["spf-permissive-all"]
    assert [each["rule"] for each in json.loads(result.out)["targets"][1]["findings"]] == ["config-baseline-stale"]


def test_what_became_harder_fails(cli, world, here):
    accept(cli, world(FIRST))
    (here / "deliverkit.toml").write_text('baseline = ".deliverkit-baseline.json"\n')
    assert check(cli, world(FIRST)).code == 0
    (here / "deliverkit.toml").write_text(
        'baseline = ".deliverkit-baseline.json"\n[rules]\n"dmarc-policy-none" = "error"\n'
    )
    result = check(cli, world(FIRST), "--format", "json")
    assert [(each["rule"], each["severity"]) for each in target(result)["findings"]] == [("dmarc-policy-none", "error")]


def test_entries_that_no_longer_occur_are_told_and_taken_out(cli, world, here):
    accept(cli, world(FIRST))
    mended = world(FIRST.replace("p=none", "p=reject"), "mended.world")
    result = check(cli, mended, "--baseline", ".deliverkit-baseline.json")
    assert result.code == 1
    assert "config-baseline-stale" in result.out
    assert cli(*CHECK, "--zone", mended, "--inconclusive", "pass", "--baseline", ".deliverkit-baseline.json").code == 0
    # What is new meanwhile is not accepted by the way.
    both = world(FIRST.replace("p=none", "p=reject").replace("?all", "+all"), "both.world")
    updated = accept(cli, both, "--update")
    assert updated.code == 0
    assert "- warning dmarc-policy-none of " in updated.out
    held = {each["rule"] for each in json.loads((here / ".deliverkit-baseline.json").read_text())["findings"]}
    assert not held & {"dmarc-policy-none", "spf-permissive-all", "spf-neutral-all"}
    assert "mx-is-cname" in held


def test_what_was_not_determined_stays_as_it_was(cli, world, here):
    accept(cli, world(FIRST))
    before = (here / ".deliverkit-baseline.json").read_bytes()
    down = "example.com. SERVFAIL\n*.example.com. SERVFAIL\n_dmarc.example.com. SERVFAIL\n"
    result = cli("baseline", "example.com", "--offline", "--zone", world(down, "down.world"))
    assert result.code == 3
    assert "not determined; what the file holds of them stays" in result.out
    held = {each["rule"] for each in json.loads((here / ".deliverkit-baseline.json").read_text())["findings"]}
    assert held >= {each["rule"] for each in json.loads(before)["findings"]}


def test_other_domains_stay_in_the_file(cli, world, here):
    accept(cli, world(FIRST))
    other = world(FIRST.replace("example.com", "example.net"), "net.world")
    assert cli("baseline", "example.net", "--offline", "--zone", other, "--inconclusive", "pass").code == 0
    held = {each["domain"] for each in json.loads((here / ".deliverkit-baseline.json").read_text())["findings"]}
    assert held == {"example.com", "example.net"}


def test_the_file_is_where_the_option_or_the_configuration_says(cli, world, here):
    (here / "ci").mkdir()
    (here / "deliverkit.toml").write_text('baseline = "ci/accepted.json"\n[domains."example.com"]\n')
    result = check(cli, world(FIRST))
    assert result.code == 1
    assert "ci/accepted.json is not there yet" in result.err
    assert cli("baseline", "--offline", "--zone", world(FIRST), "--inconclusive", "pass").code == 0
    assert (here / "ci" / "accepted.json").exists()
    assert check(cli, world(FIRST)).code == 0
    assert accept(cli, world(FIRST), "--baseline", "other.json").code == 0
    assert (here / "other.json").read_bytes() == (here / "ci" / "accepted.json").read_bytes()


def test_what_is_ignored_is_not_in_the_baseline(cli, world, here):
    (here / "deliverkit.toml").write_text('[[ignore]]\nrule = "mx"\nreason = "moves"\nexpires = 2999-01-01\n')
    result = accept(cli, world(FIRST))
    assert result.code == 0
    assert "deliverkit.toml: 1 finding of its own, never accepted here" in result.out
    rules = {each["rule"] for each in json.loads((here / ".deliverkit-baseline.json").read_text())["findings"]}
    assert rules
    assert not [rule for rule in rules if rule.startswith(("mx-", "config-"))]


def test_json_is_the_file(cli, world, here):
    result = accept(cli, world(FIRST), "--format", "json")
    assert result.out == (here / ".deliverkit-baseline.json").read_text()


def test_the_file_is_readable_by_the_team_and_keeps_its_mode(cli, world, here):
    accept(cli, world(FIRST))
    path = here / ".deliverkit-baseline.json"
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    path.chmod(0o640)
    accept(cli, world(FIRST + '@ TXT "v=spf1 -all"\n', "two.world"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [each.name for each in here.iterdir() if each.name.startswith("..")] == []


def test_a_link_stays_a_link(cli, world, here):
    (here / "real.json").write_text('{"schema": "deliverkit/baseline/1", "findings": []}')
    (here / ".deliverkit-baseline.json").symlink_to("real.json")
    accept(cli, world(FIRST))
    assert (here / ".deliverkit-baseline.json").is_symlink()
    assert json.loads((here / "real.json").read_text())["findings"]


def test_a_bug_leaves_the_file_as_it_was(cli, world, here, monkeypatch):
    accept(cli, world(FIRST))
    before = (here / ".deliverkit-baseline.json").read_bytes()

    async def gather(*_):
        raise RuntimeError("boom")

    monkeypatch.setattr(runs, "gather", gather)
    result = accept(cli, world(SHUFFLED))
    assert result.code == 4
    assert "is left as it was" in result.err
    assert (here / ".deliverkit-baseline.json").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not a baseline (deliverkit/baseline/1)"),
        ('{"schema": "deliverkit/baseline/2", "findings": []}', "not a baseline (deliverkit/baseline/1)"),
        ('{"schema": "deliverkit/report/1", "targets": []}', "not a baseline (deliverkit/baseline/1)"),
        (None, "no such file or directory"),
    ],
)
@pytest.mark.parametrize("command", ["check", "mx", "baseline"])
def test_what_is_no_baseline_is_2_before_anything_is_asked(cli, here, monkeypatch, command, text, said):
    if text is not None:
        (here / "b.json").write_text(text)
    elif command == "baseline":
        return
    monkeypatch.setattr(runs, "check", None)
    result = cli(command, "example.com", "--baseline", "b.json")
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith("deliverkit: b.json: ")
    assert said in result.err
    assert result.err.count("\n") == 1


def test_a_pipe_or_a_folder_is_no_baseline(cli, here):
    os.mkfifo(here / "pipe")
    assert "not an ordinary file" in cli(*CHECK, "--baseline", "pipe").err
    assert "not an ordinary file" in cli(*CHECK, "--baseline", ".").err
    assert cli("baseline", "example.com", "--offline", "--baseline", ".").code == 2
    assert "no such directory" in cli("baseline", "example.com", "--offline", "--baseline", "no/b.json").err


def test_an_update_needs_a_file_and_no_output_is_taken(cli, here):
    assert "is not there yet" in cli("baseline", "example.com", "--offline", "--update").err
    assert "no -o" in cli("baseline", "example.com", "--offline", "-o", "json=x.json").err


def test_the_baseline_from_the_environment(cli, world, here, monkeypatch):
    accept(cli, world(FIRST))
    monkeypatch.setenv("DELIVERKIT_BASELINE", ".deliverkit-baseline.json")
    assert check(cli, world(FIRST)).code == 0
