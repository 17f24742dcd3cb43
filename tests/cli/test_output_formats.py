"""Formats on the command line: several in one run, files, a step's summary, a plugin's codes."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from deliverkit.cli.outputs import PLAIN, REPORTS

CHECK = ("check", "example.com", "--offline")


def test_every_format_in_one_run(cli, broken, tmp_path: Path):
    files = {name: tmp_path / f"r.{name}" for name in REPORTS}
    wanted = [word for name, path in files.items() for word in ("-o", f"{name}={path}")]
    result = cli(*CHECK, "--zone", broken, *wanted)
    assert result.code == 1
    assert "mx-is-cname" in result.out
    assert all("mx-is-cname" in path.read_text() for path in files.values())
    assert json.loads(files["sarif"].read_text())["runs"][0]["results"]
    assert ET.parse(files["junit"]).getroot().tag == "testsuites"
    assert b"\r\n" in files["csv"].read_bytes()
    assert b"\r\r\n" not in files["csv"].read_bytes()


@pytest.mark.parametrize("name", REPORTS)
def test_a_format_on_stdout_is_what_the_file_holds(cli, broken, tmp_path: Path, name: str):
    words = ("check", "example.com", "--offline", "--zone", broken, "--save-evidence", tmp_path / "e")
    cli(*words)
    path = tmp_path / "r"
    result = cli("check", "--evidence", tmp_path / "e", "--format", name, "-o", f"{name}={path}")
    assert path.read_bytes().decode() == result.out
    assert result.err == ""


def test_several_on_stdout_one_after_the_other(cli, broken):
    out = cli(*CHECK, "--zone", broken, "-o", "compact=-", "-o", "nagios=-").out
    assert out.startswith("example.com: error mx-is-cname")
    assert "DELIVERKIT CRITICAL" in out


@pytest.mark.parametrize("command", ["mx", "spf", "dkim", "dmarc", "mta-sts", "tls-rpt", "dane", "dnssec"])
def test_every_area_has_every_format(cli, broken, command: str):
    result = cli(command, "example.com", "--offline", "--zone", broken, "--format", "sarif")
    run = json.loads(result.out)["runs"][0]
    assert run["invocations"][0]["exitCode"] == result.code
    assert run["automationDetails"]["id"] == f"deliverkit/{command}/"


def test_sessions_have_them_too(cli):
    result = cli("smtp", "127.0.0.1:9", "--timeout", "5", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert {row["target"] for row in rows} == {"127.0.0.1"}


@pytest.mark.parametrize("name", REPORTS)
def test_the_exit_code_does_not_change_with_the_format(cli, broken, healthy, servfail, name: str):
    if name == "nagios":
        return
    assert cli("mx", "example.com", "--offline", "--zone", broken, "--format", name).code == 1
    assert cli("mx", "example.com", "--offline", "--zone", healthy, "--format", name).code == 0
    assert cli("spf", "example.com", "--offline", "--zone", servfail, "--format", name).code == 3


def test_the_plugin_has_its_own(cli, broken, healthy, servfail):
    plugin = ("--format", "nagios", "--offline", "--zone")
    assert cli("mx", "example.com", *plugin, broken).code == 2
    assert cli("mx", "example.com", *plugin, healthy).code == 0
    assert cli("spf", "example.com", *plugin, servfail).code == 3
    assert cli("mx", "example.com", *plugin, broken, "--fail-on", "never").code == 0
    assert cli("mx", "example.com", *plugin, broken, "--exit-zero").code == 0
    assert cli("mx", "example.com", *plugin, broken, "-o", "json=-").code == 1


def test_a_plugin_that_cannot_check_says_so_on_stdout(cli):
    result = cli("check", "example..com", "--format", "nagios")
    assert (result.code, result.err) == (3, "")
    assert result.out.startswith("DELIVERKIT UNKNOWN - ")
    assert cli("check", "example.com", "--zone", "/nonexistent/x", "--format", "nagios").code == 3


def test_the_summary_of_a_step_is_appended(cli, broken, tmp_path: Path, monkeypatch):
    path = tmp_path / "summary.md"
    path.write_text("# before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    cli(*CHECK, "--zone", broken)
    assert path.read_text() == "# before\n"
    cli(*CHECK, "--zone", broken, "--format", "github")
    cli(*CHECK, "--zone", broken, "-o", f"github={tmp_path / 'x'}")
    assert path.read_text().startswith("# before\n### deliverkit check: ❌ fail\n")
    assert path.read_text().count("| `mx-is-cname` |") == 2


def test_a_summary_that_cannot_be_written_is_one_line(cli, broken, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    result = cli(*CHECK, "--zone", broken, "--format", "github")
    assert result.code == 2
    assert result.err == f"deliverkit: GITHUB_STEP_SUMMARY: {tmp_path}: is a directory\n"


def test_a_folder_that_is_missing_is_told_before_the_run(cli, broken, tmp_path: Path):
    result = cli(*CHECK, "--zone", broken, "-o", f"sarif={tmp_path / 'no' / 'a.sarif'}")
    assert (result.code, result.out) == (2, "")
    assert "no such directory" in result.err


def test_two_reports_do_not_share_a_file(cli, broken, tmp_path: Path):
    result = cli(*CHECK, "--zone", broken, "-o", f"sarif={tmp_path / 'a'}", "-o", f"csv={tmp_path / 'a'}")
    assert (result.code, result.out) == (2, "")
    assert "another report" in result.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("name", REPORTS)
def test_a_disk_that_is_full_is_one_line(cli, broken, name: str):
    result = cli(*CHECK, "--zone", broken, "-o", f"{name}=/dev/full")
    assert result.code == 2
    assert result.err == "deliverkit: /dev/full: no space left on device\n"


def test_files_are_as_the_umask_says(cli, broken, tmp_path: Path):
    before = os.umask(0o027)
    try:
        cli(*CHECK, "--zone", broken, "-o", f"sarif={tmp_path / 'a'}")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


@pytest.mark.parametrize("words", [("rules",), ("doctor",), ("explain", "spf-missing")])
def test_what_has_no_findings_says_what_it_writes(cli, words):
    result = cli(*words, "--format", "sarif")
    assert result.code == 2
    assert result.err == f"deliverkit: --format sarif: not of this command, which writes {' and '.join(PLAIN)}\n"
