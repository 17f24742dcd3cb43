"""A repository as a team keeps it: a change that breaks SPF fails in every format, at its line, and only that does."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from deliverkit.cli.outputs import REPORTS

REPOSITORY = Path(__file__).parents[2] / "fixtures" / "gate-repo"
ZONE = "zones/example.com.zone"
RULE = "spf-too-many-lookups"
LINE = (REPOSITORY / "pull-request" / "example.com.zone").read_text().split("include:")[0].count("\n") + 1
AT = {
    "text": f"In    {ZONE}:{LINE}:",
    "compact": f"{ZONE}:{LINE}:",
    "csv": f'"{ZONE}","{LINE}"',
    "markdown": f"{ZONE}:{LINE}:",
    "html": f"{ZONE}:{LINE}:",
    "junit": f'name="{RULE}" time="0" file="{ZONE}" line="{LINE}"',
    "github": f"::error file={ZONE},line={LINE},",
    "prometheus": f'deliverkit_finding{{target="example.com",rule="{RULE}",',  # a label that moves is a new series
    "nagios": f"DELIVERKIT CRITICAL - example.com: {RULE}",  # one line, for people
}
DOWN = "example.com. SERVFAIL\nnews.example.com. SERVFAIL\nexample.org. SERVFAIL\n"
LIVE = ("--offline", "--zone", "zones/example.com.zone", "--zone", "zones/example.org.zone")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "repository"
    shutil.copytree(REPOSITORY, path)
    (path / ".git").mkdir()
    monkeypatch.chdir(path)
    return path


@pytest.fixture
def pull_request(repository: Path) -> Path:
    shutil.copy("pull-request/example.com.zone", ZONE)
    return repository


def places(name: str, out: str) -> list[tuple[str, int]]:
    """Where a format for programs says that the finding is."""
    if name == "sarif":
        spots = [
            result["locations"][0]["physicalLocation"]
            for result in json.loads(out)["runs"][0]["results"]
            if result["ruleId"] == RULE
        ]
        return [(spot["artifactLocation"]["uri"], spot["region"]["startLine"]) for spot in spots]
    if name == "gitlab":
        issues = [issue["location"] for issue in json.loads(out) if issue["check_name"] == RULE]
        return [(place["path"], place["lines"]["begin"]) for place in issues]
    if name == "json":
        found = [finding for target in json.loads(out)["targets"] for finding in target["findings"]]
    else:
        lines = [json.loads(line) for line in out.splitlines()]
        found = [line for line in lines if line["schema"] == "deliverkit/finding/1" and line["status"] == "fail"]
    return [(each["location"]["path"], each["location"]["line"]) for each in found if each["rule"] == RULE]


@pytest.mark.parametrize("name", REPORTS)
def test_the_pull_request_fails_at_its_line(cli, pull_request: Path, name: str):
    result = cli("lint", "--format", name)
    assert result.code == (2 if name == "nagios" else 1)
    if name in AT:
        assert AT[name] in result.out
    else:
        assert places(name, result.out) == [(ZONE, LINE)]


@pytest.mark.parametrize("name", REPORTS)
def test_what_is_published_passes(cli, repository: Path, name: str):
    result = cli("lint", "--format", name)
    assert result.code == (1 if name == "nagios" else 0)  # a plugin warns of the ignore that has expired
    if name in AT:
        assert AT[name] not in result.out
    else:
        assert places(name, result.out) == []


def test_the_ignore_that_has_expired_is_told_and_hides_nothing(cli, repository: Path):
    out = cli("lint", "--format", "compact").out
    before, _, _ = Path("deliverkit.toml").read_text().rpartition("[[ignore]]")
    line = before.count("\n") + 1
    assert f"deliverkit.toml:{line}:1: warning config-ignore-expired" in out
    assert "warning dmarc-policy-none" in out
    assert "tls-rpt-missing" not in re.sub(r"config-ignore-too-long.*", "", out)
    assert cli("lint", "--fail-on", "warning").code == 1


def test_what_check_finds_is_in_the_baseline(cli, repository: Path):
    result = cli("check", *LIVE, "--inconclusive", "pass", "--format", "json", "--fail-on", "notice")
    document = json.loads(result.out)
    found = {finding["rule"] for target in document["targets"] for finding in target["findings"]}
    assert found == {"dmarc-policy-none", "config-ignore-expired", "config-ignore-too-long"}
    accepted = {(each["rule"], each["by"]) for target in document["targets"] for each in target["suppressed"]}
    assert accepted == {
        ("mta-sts-missing", "baseline"), ("dkim-none-published", "baseline"), ("tls-rpt-missing", "ignore")
    }  # fmt: skip


def test_check_finds_the_pull_request_too(cli, pull_request: Path):
    result = cli("check", *LIVE, "--format", "compact")
    assert result.code == 1
    assert f"example.com: error {RULE}" in result.out


def test_a_resolver_that_is_down_is_neither_red_nor_green(cli, repository: Path):
    Path("down.world").write_text(DOWN)
    words = ("check", "--offline", "--zone", "down.world", "--format", "json")
    result = cli(*words)
    assert result.code == 3
    document = json.loads(result.out)
    assert all(target["inconclusive"] for target in document["targets"][:3])
    assert {finding["rule"] for target in document["targets"] for finding in target["findings"]} == {
        "config-ignore-expired", "config-ignore-too-long"
    }  # fmt: skip
    assert cli(*words, "--inconclusive", "pass").code == 0
    assert cli(*words, "--inconclusive", "fail").code == 1


def test_other_order_and_other_ttls_are_nothing_new(cli, repository: Path):
    accept = ("baseline", *LIVE, "--inconclusive", "pass")
    assert cli(*accept).code == 0
    before = Path(".deliverkit-baseline.json").read_bytes()
    text = Path(ZONE).read_text().replace("$TTL 3600", "$TTL 300")
    one, two = "                MX     10 mx1\n", "                MX     20 mx2\n"
    text = text.replace(one + two, two + one).replace("mx1             A ", "mx1  600        A ")
    Path(ZONE).write_text(text)
    words = ("check", *LIVE, "--inconclusive", "pass", "--format", "json", "--fail-on", "notice")
    document = json.loads(cli(*words).out)
    found = {finding["rule"] for target in document["targets"] for finding in target["findings"]}
    assert found == {"config-ignore-expired", "config-ignore-too-long"}
    assert cli(*accept).code == 0
    assert Path(".deliverkit-baseline.json").read_bytes() == before
