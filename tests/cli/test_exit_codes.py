"""The exit code is the gate: the same for every command and format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deliverkit.runs import check as runs

MX = ("mx", "example.com", "--offline")


def test_healthy_is_0(cli, healthy):
    assert cli(*MX, "--zone", healthy).code == 0


def test_a_finding_is_1(cli, broken):
    result = cli(*MX, "--zone", broken)
    assert result.code == 1
    assert "mx-is-cname" in result.out
    assert result.err == ""


@pytest.mark.parametrize(("level", "code"), [("error", 1), ("warning", 1), ("notice", 1), ("never", 0)])
def test_fail_on_with_an_error(cli, broken, level, code):
    assert cli(*MX, "--zone", broken, "--fail-on", level).code == code


@pytest.mark.parametrize(("level", "code"), [("error", 0), ("warning", 0), ("notice", 1), ("never", 0)])
def test_fail_on_with_a_notice(cli, world, level, code):
    zone = world("example.com. MX 10 mx.example.com.\nmx.example.com. A 192.0.2.1\n")
    assert cli(*MX, "--zone", zone, "--fail-on", level).code == code


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "TIMEOUT", "TRUNCATED", "MALFORMED", "BOGUS"])
def test_what_cannot_be_told_is_3_and_never_missing(cli, world, fault):
    zone = world(f"example.com. MX {fault}\nexample.com. A 192.0.2.1\n")
    result = cli(*MX, "--zone", zone, "--format", "json")
    assert result.code == 3
    (target,) = json.loads(result.out)["targets"]
    assert target["verdict"] == "inconclusive"
    assert not [finding for finding in target["findings"] if finding["severity"] == "error"]
    assert any("example.com MX" in entry["why"] for entry in target["inconclusive"])


@pytest.mark.parametrize(("word", "code"), [("report", 3), ("pass", 0), ("fail", 1)])
def test_inconclusive(cli, servfail, word, code):
    assert cli("dmarc", "example.com", "--offline", "--zone", servfail, "--inconclusive", word).code == code


def test_inconclusive_below_the_gate_is_0(cli, servfail):
    result = cli("dmarc", "example.com", "--offline", "--zone", servfail, "--fail-on", "never")
    assert result.code == 0


def test_a_finding_beats_what_is_undetermined(cli, world):
    zone = world("example.com. MX 10 a.example.com.\na.example.com. CNAME b.example.com.\nb.example.com. A TIMEOUT\n")
    assert cli(*MX, "--zone", zone).code == 1


@pytest.mark.parametrize("which", ["broken", "servfail"])
def test_exit_zero(cli, request, which):
    zone = request.getfixturevalue(which)
    result = cli("check", "example.com", "--offline", "--zone", zone, "--exit-zero", "--format", "json")
    assert result.code == 0
    assert json.loads(result.out)["verdict"] != "pass"


def test_json_says_the_exit_code(cli, broken):
    result = cli(*MX, "--zone", broken, "--format", "json")
    assert json.loads(result.out)["exit_code"] == result.code == 1


def test_a_bug_is_4_and_the_other_targets_go_on(cli, broken, monkeypatch):
    real = runs.gather

    async def gather(inputs, port, now):
        if inputs.domain == "example.net":
            raise RuntimeError("boom")
        return await real(inputs, port, now)

    monkeypatch.setattr(runs, "gather", gather)
    result = cli("mx", "example.net", "example.com", "--offline", "--zone", broken, "--exit-zero")
    assert result.code == 4
    assert "a bug in deliverkit: RuntimeError: boom" in result.err
    assert "Traceback" not in result.err
    assert "mx-is-cname" in result.out
    assert "not judged" in result.out


def test_a_bug_with_debug_shows_the_traceback(cli, broken, monkeypatch):
    async def gather(*_):
        raise RuntimeError("boom")

    monkeypatch.setattr(runs, "gather", gather)
    assert "Traceback" in cli(*MX, "--zone", broken, "--debug").err


def test_a_bug_outside_any_target_is_4(cli, broken, monkeypatch):
    def crash(*_args, **_options):
        raise ZeroDivisionError

    monkeypatch.setattr(runs, "check", crash)
    result = cli(*MX, "--zone", broken)
    assert result.code == 4
    assert result.err == "deliverkit: a bug in deliverkit: ZeroDivisionError; --debug shows the traceback\n"


def test_an_interrupt_is_130(cli, broken, monkeypatch):
    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "check", interrupted)
    result = cli(*MX, "--zone", broken)
    assert result.code == 130
    assert result.out == ""


def test_a_closed_pipe_is_quiet(cli, broken, monkeypatch):
    def closed(*_args, **_options):
        raise BrokenPipeError

    monkeypatch.setattr(runs, "check", closed)
    result = cli(*MX, "--zone", broken)
    assert result.code == 141
    assert result.err == ""


def test_select_and_ignore(cli, broken):
    assert cli(*MX, "--zone", broken, "--ignore", "mx-is-cname").code == 0
    assert cli(*MX, "--zone", broken, "--ignore", "mx").code == 0
    assert cli(*MX, "--zone", broken, "--select", "mx-is-ip").code == 0
    assert cli(*MX, "--zone", broken, "--select", "mx-is-cname,mx-is-ip").code == 1


def test_ignored_findings_are_kept_as_suppressed(cli, broken):
    result = cli(*MX, "--zone", broken, "--ignore", "mx-is-cname", "--format", "json")
    (target,) = json.loads(result.out)["targets"]
    assert [(entry["rule"], entry["by"]) for entry in target["suppressed"]] == [("mx-is-cname", "ignore")]
    assert "mx-is-cname" not in [finding["rule"] for finding in target["findings"]]


def test_evidence_gives_the_same_report(cli, broken, tmp_path: Path):
    saved = tmp_path / "run.json"
    first = cli(
        "check", "example.com", "--offline", "--zone", broken, "--save-evidence", saved, "--format", "json", "-v"
    )
    assert saved.stat().st_mode & 0o777 == 0o600
    again = cli("check", "--evidence", saved, "--format", "json", "-v")
    assert again == first
    assert cli("check", "example.com", "--evidence", saved, "--format", "json", "-v") == first


def test_evidence_of_another_domain_is_2(cli, broken, tmp_path: Path):
    saved = tmp_path / "run.json"
    cli(*MX, "--zone", broken, "--save-evidence", saved)
    result = cli("mx", "example.net", "--evidence", saved)
    assert result.code == 2
    assert "example.net" in result.err
    assert cli("spf", "--evidence", saved).code == 2
