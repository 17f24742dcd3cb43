"""`deliverkit diff` as typed: saved runs and files, formats, exit codes, usage."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

Cli = Any
HEALTHY = """\
$ORIGIN example.com.
@      SOA  ns1 hostmaster 1 7200 3600 1209600 3600
@      MX   10 mx1
@      MX   20 mx2
mx1    A    192.0.2.1
mx1    AAAA 2001:db8::1
mx2    A    198.51.100.1
mx2    AAAA 2001:db8:1::1
@      TXT  "v=spf1 ip4:192.0.2.1 -all"
_dmarc TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
$ORIGIN com.
@      SOA  ns1 hostmaster 1 7200 3600 1209600 3600
"""
Save = Callable[[str], Path]


@pytest.fixture
def saved(cli: Cli, world: Callable[[str, str], Path], tmp_path: Path) -> Save:
    """A run over a world, saved."""

    def save(text: str) -> Path:
        path = tmp_path / f"run{len(list(tmp_path.glob('run*')))}.json"
        zone = world(text, f"{path.stem}.world")
        cli("check", "example.com", "--zone", zone, "--offline", "--save-evidence", path)
        return path

    return save


def weaker(text: str = HEALTHY) -> str:
    return text.replace("p=reject", "p=none")


def with_alias(text: str = HEALTHY) -> str:
    return text.replace("mx2    A    198.51.100.1\nmx2    AAAA 2001:db8:1::1\n", "mx2 CNAME mx1\n")


def test_a_file_against_a_saved_run(cli: Cli, saved: Save, world: Callable[[str, str], Path]) -> None:
    result = cli("diff", "example.com", "--evidence", saved(HEALTHY), "--zone", world(weaker(), "example.com.zone"))
    assert "the DMARC policy for mail that fails DMARC gets weaker: reject → none" in result.out.replace(
        "\n" + " " * 21, " "
    )
    assert "dmarc-policy-none" in result.out
    assert "1 new finding · " in result.out
    assert result.code == 0  # a warning, and --fail-on is error
    assert result.err == ""


def test_a_new_error_exits_1_and_a_new_warning_by_fail_on(
    cli: Cli, saved: Save, world: Callable[[str, str], Path]
) -> None:
    run = saved(HEALTHY)
    broken = world(with_alias(), "example.com.zone")
    assert cli("diff", "example.com", "--evidence", run, "--zone", broken).code == 1
    assert cli("diff", "example.com", "--evidence", run, "--zone", broken, "--exit-zero").code == 0
    assert cli("diff", "example.com", "--evidence", run, "--zone", broken, "--ignore", "mx").code == 0
    warned = world(weaker(), "weaker.zone")
    assert cli("diff", "example.com", "--evidence", run, "--zone", warned, "--fail-on", "warning").code == 1


def test_an_old_fault_exits_0(cli: Cli, saved: Save, world: Callable[[str, str], Path]) -> None:
    run = saved(with_alias())
    result = cli("diff", "example.com", "--evidence", run, "--zone", world(with_alias(), "example.com.zone"))
    assert result.code == 0
    assert "nothing changes for mail" in result.out


def test_two_saved_runs_tell_which_include_grew(cli: Cli, saved: Save) -> None:
    vendor = (
        "$ORIGIN vendor.example.\n@ SOA ns1 h 1 7200 3600 1209600 3600\n"
        '_spf TXT "v=spf1 include:a.vendor.example -all"\na TXT "v=spf1 ip4:203.0.113.1 -all"\n'
    )
    text = HEALTHY.replace("ip4:192.0.2.1 -all", "include:_spf.vendor.example -all") + vendor
    before = saved(text)
    after = saved(text.replace("ip4:203.0.113.1 ", "ip4:203.0.113.1 a:b.vendor.example ") + "b A 203.0.113.9\n")
    result = cli("diff", "--evidence", after, "--against", before, "--format", "json")
    report = json.loads(result.out)
    assert report["targets"] == ["example.com"]
    grew = [change for change in report["changes"] if "lookup" in change["consequence"]]
    assert len(grew) == 1
    assert grew[0]["consequence"] == (
        "adds 1 lookup: 2 → 3; include:_spf.vendor.example grew from 2 to 3, "
        "and in it include:a.vendor.example grew from 1 to 2"
    )
    assert grew[0]["before"] == "a.vendor.example: v=spf1 ip4:203.0.113.1 -all"
    assert "mail from 203.0.113.9 starts passing SPF" in [change["consequence"] for change in report["changes"]]


def test_the_json_is_as_the_contract_and_the_schema_have_it(
    cli: Cli, saved: Save, world: Callable[[str, str], Path]
) -> None:
    from deliverkit.report.diff import DiffReport

    zone = world(with_alias(), "example.com.zone")
    result = cli("diff", "example.com", "--evidence", saved(weaker()), "--zone", zone, "--format", "json")
    document = json.loads(result.out)
    assert document["schema"] == "deliverkit/diff/1"
    assert document["exit_code"] == result.code == 1
    assert {"area", "before", "after", "consequence", "severity"} <= set(document["changes"][0])
    assert {finding["rule"] for finding in document["findings"]["gone"]} >= {"dmarc-policy-none"}
    assert isinstance(document["findings"]["same"], int)
    msgspec.json.decode(result.out, type=DiffReport)
    schema = json.loads(cli("schema", "diff").out)
    assert set(document) == set(schema["$defs"]["DiffReport"]["properties"])


def test_markdown_goes_to_a_file_beside_the_text(
    cli: Cli, saved: Save, world: Callable[[str, str], Path], tmp_path: Path
) -> None:
    out = tmp_path / "comment.md"
    zone = world(weaker(), "example.com.zone")
    result = cli("diff", "example.com", "--evidence", saved(HEALTHY), "--zone", zone, "-o", f"markdown={out}")
    written = out.read_text()
    assert written.startswith("## What changes for mail\n")
    assert "```diff\n- v=DMARC1; p=reject" in written
    assert "before  " in result.out


def test_what_a_peer_wrote_breaks_no_format(cli: Cli, saved: Save, world: Callable[[str, str], Path]) -> None:
    evil = '"v=spf1 exp=\\027[31m.example <img> `x` ::error:: ##[group] ip4:203.0.113.7 -all"'
    text = HEALTHY.replace('"v=spf1 ip4:192.0.2.1 -all"', evil)
    zone = world(text, "example.com.zone")
    run = saved(HEALTHY)
    for form in ("text", "markdown", "json"):
        out = cli("diff", "example.com", "--evidence", run, "--zone", zone, "--format", form).out
        assert "\x1b" not in out
        assert "##[" not in out
        assert not any(line.lstrip().startswith("::") for line in out.splitlines())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("example.com",), "nothing to compare"),
        (("example.com", "--zone", "ZONE", "--offline"), "--offline leaves nothing to compare with"),
        (("example.org", "--evidence", "RUN", "--zone", "ZONE"), "holds no evidence of example.org"),
        (("example.com", "--against", "ZONE"), "not a saved run"),
        (("example.com", "--against", "MISSING"), "no such file"),
        (("example.com", "--zone", "ZONE", "--format", "sarif"), "sarif"),
        (("example.com", "--evidence", "RUN", "--zone", "BROKEN"), "broken.zone:2:"),
        (("exa mple", "--zone", "ZONE"), "exa mple"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_2(
    cli: Cli, saved: Save, world: Callable[[str, str], Path], words: tuple[str, ...], said: str
) -> None:
    files = {
        "RUN": saved(HEALTHY),
        "ZONE": world(HEALTHY, "example.com.zone"),
        "BROKEN": world("$ORIGIN example.com.\n@ MX ten mx\n", "broken.zone"),
        "MISSING": Path("missing.json"),
    }
    result = cli("diff", *(files.get(word, word) for word in words))
    assert result.code == 2
    assert result.out == ""
    assert said in result.err
    assert result.err.count("\n") == 1
