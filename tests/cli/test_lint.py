"""`deliverkit lint`: files in, findings at their lines out, and nothing asked of any network."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

GOOD = """\
$TTL 3600
@        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
@        NS    ns1.example.net.
@        MX    10 mail
@        MX    20 mx.vendor.example.
@        TXT   "v=spf1 mx include:spf.vendor.example -all"
mail     A     192.0.2.1
_dmarc   TXT   "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
s1._domainkey CNAME s1.keys.vendor.example.
"""


@pytest.fixture
def zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zones").mkdir()
    path = tmp_path / "zones" / "example.com.zone"
    path.write_text(GOOD)
    return path


def report(result) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(result.out)
    return document


def where(document: dict[str, Any], rule: str) -> list[tuple[str, int, int]]:
    return [
        (f["location"]["path"], f["location"]["line"], f["location"]["column"])
        for target in document["targets"]
        for f in target["findings"]
        if f["rule"] == rule
    ]


def test_foreign_names_are_neither_findings_nor_inconclusive(cli, zone):
    result = cli("lint", zone, "--format", "json", "--fail-on", "warning")
    document = report(result)
    assert result.code == 0, result.out
    (target,) = document["targets"]
    assert target["inconclusive"] == []
    assert {f["rule"] for f in target["findings"]} <= {"mta-sts-missing", "tls-rpt-missing"}
    outside = {(entry["rule"], entry["why"]) for entry in target["outside"]}
    assert any(rule == "mx-unresolvable" and "mx.vendor.example" in why for rule, why in outside)


def test_it_says_so_in_words(cli, zone):
    assert "--resolve-includes" in cli("lint", zone).out
    assert "mx.vendor.example A is outside the files" in cli("lint", zone, "-v").out


def test_a_finding_of_another_area_stands_at_its_line_and_column(cli, zone):
    zone.write_text(GOOD.replace("mx include", "ip4:192.0.2.300 include"))
    result = cli("lint", "zones", "--format", "json")
    assert result.code == 1
    assert where(report(result), "spf-syntax") == [("zones/example.com.zone", 6, 28)]
    line = cli("lint", zone, "--format", "compact").out.splitlines()[0]
    assert line.startswith("zones/example.com.zone:6:28: error spf-syntax ")


def test_what_is_missing_stands_at_the_soa(cli, zone):
    zone.write_text(GOOD.replace("_dmarc ", "_dmark "))
    assert where(report(cli("lint", zone, "--format", "json")), "dmarc-missing") == [("zones/example.com.zone", 2, 1)]


def test_what_is_missing_where_only_a_policy_stands_is_told_there(cli, zone):
    zone.write_text('. SOA ns.x. h.x. 1 1 1 1 1\n_dmarc.a.example. TXT "v=DMARC1; p=none"\n')
    document = report(cli("lint", zone, "--format", "json"))
    places = {f["location"]["line"] for t in document["targets"] if t["target"] == "a.example" for f in t["findings"]}
    assert places == {2}


def test_what_follows_from_a_slip_is_a_part_of_it(cli, zone):
    zone.write_text(GOOD.replace("10 mail", "10 mail.example.com"))
    document = report(cli("lint", zone, "--format", "json"))
    (target,) = document["targets"]
    parts = {f["rule"]: f["part_of"] for f in target["findings"]}
    assert parts["zone-missing-trailing-dot"] is None
    assert parts["mx-unresolvable"] == "zone-missing-trailing-dot"
    assert where(document, "zone-missing-trailing-dot") == [("zones/example.com.zone", 4, 19)]


def test_reading_goes_on_after_an_error(cli, zone):
    zone.write_text(GOOD + "x A 1.2.3\ny TXT (\nz A 4.5\n")
    assert sorted(where(report(cli("lint", zone, "--format", "json")), "zone-syntax")) == [
        ("zones/example.com.zone", 10, 5),
        ("zones/example.com.zone", 11, 7),
        ("zones/example.com.zone", 12, 5),
    ]


def test_an_ignore_in_a_comment(cli, zone):
    bad = GOOD.replace('_dmarc   TXT   "v=DMARC1; p=reject', '_dmarc   TXT   "v=DMARC1; p=none')
    zone.write_text(bad)
    assert cli("lint", zone, "--fail-on", "warning").code == 1
    comment = "; deliverkit: ignore[dmarc-policy-none] until=2999-01-31 OPS-1: reports first"
    zone.write_text(bad.replace('.com"\ns1', f'.com"  {comment}\ns1'))
    document = report(cli("lint", zone, "--format", "json", "--fail-on", "warning"))
    suppressed = [s["rule"] for target in document["targets"] for s in target["suppressed"]]
    assert suppressed == ["dmarc-policy-none"]
    expired = comment.replace("2999", "2020")
    zone.write_text(bad.replace('.com"\ns1', f'.com"  {expired}\ns1'))
    document = report(cli("lint", zone, "--format", "json"))
    rules = {f["rule"] for target in document["targets"] for f in target["findings"]}
    assert {"dmarc-policy-none", "config-ignore-expired"} <= rules


def test_a_directory_is_searched_and_what_is_included_is_read_once(cli, zone):
    zone.write_text(GOOD + "$INCLUDE extra.zone\n")
    (zone.parent / "extra.zone").write_text("bad A 1.2\n")
    (zone.parent / "notes.txt").write_text("nothing for us")
    (zone.parent / ".hidden.zone").write_text("bad A 1.2\n")
    (zone.parent / "db.example.org").write_text(GOOD)
    document = report(cli("lint", "zones", "--format", "json"))
    assert {target["target"] for target in document["targets"]} == {"example.com", "example.org"}
    assert where(document, "zone-syntax") == [("zones/extra.zone", 1, 7)]


def test_standard_input(cli, monkeypatch):
    text = io.TextIOWrapper(io.BytesIO(GOOD.replace("-all", "-al").encode()))
    monkeypatch.setattr(sys, "stdin", text)
    result = cli("lint", "-", "--origin", "example.com", "--format", "compact")
    assert result.code == 1
    assert "-:6:" in result.out


def test_the_configurations_zones(cli, zone):
    Path("deliverkit.toml").write_text(
        '[domains."example.com"]\nzone = "zones/example.com.zone"\nmx = ["other.example"]\n'
    )
    result = cli("lint", "--format", "compact")
    assert "zones/example.com.zone:4:1: error mx-not-as-expected" in result.out
    assert result.code == 1


def test_a_part_of_a_zone(cli, zone):
    zone.write_text('@ MX 10 mail\n@ TXT "v=spf1 mx -all"\n')
    assert cli("lint", zone).code == 1
    result = cli("lint", zone, "--zone-partial", "--format", "json")
    assert result.code == 0
    assert where(report(result), "dmarc-missing") == []


@pytest.mark.parametrize(
    "words",
    [
        ("gone.zone",), ("empty",), (), ("zones/example.com.zone", "--origin", "a..b"), ("pipe.zone",),
        ("zones", "--resolver", "nonsense", "--resolve-includes"), ("zones", "--select", "no-such-rule"),
    ],
)  # fmt: skip
def test_usage(cli, zone, words):
    import os

    Path("empty").mkdir()
    os.mkfifo("pipe.zone")
    result = cli("lint", *words)
    assert result.code == 2, result
    assert result.out == ""
    assert result.err.count("\n") == 1


def test_nothing_a_file_holds_reaches_the_terminal_raw(cli, zone):
    zone.write_text(GOOD + 'x TXT "\x1b]0;owned\x07\u202e"\n\x1b[31m A x\n\u202e TXT ::error::\n')
    for form in ("text", "compact", "json", "github"):
        out = cli("lint", zone, "--format", form, "-v" if form == "text" else "-q").out
        assert "\x1b" not in out
        assert "\u202e" not in out


@pytest.mark.parametrize("octets", [b"", b"\0" * 100, b"\xff\xfe" + b"x" * 9, b"(\n" * 3000, b'"' * 5000, b"\\" * 99])
def test_hostile_files(cli, zone, octets):
    zone.write_bytes(octets)
    result = cli("lint", zone, "--format", "json")
    assert result.code in (0, 1), result.err
    assert "Traceback" not in result.err


def test_files_that_include_each_other_are_judged_all_the_same(cli, zone):
    (zone.parent / "a.example.zone").write_text(GOOD.replace("-all", "+all") + "$INCLUDE b.example.zone\n")
    (zone.parent / "b.example.zone").write_text("b A 192.0.2.1\n$INCLUDE a.example.zone\n")
    result = cli("lint", "zones", "--format", "json")
    assert result.code == 1
    assert where(report(result), "spf-permissive-all") == [("zones/a.example.zone", 6, 54)]
    assert where(report(result), "zone-include-missing") == [("zones/b.example.zone", 2, 10)]


def test_a_files_name_hides_it_from_nobody(cli, zone):
    (zone.parent / "a\nb.zone").write_text("$ORIGIN example.org.\n" + GOOD.replace("-all", "+all"))
    assert "spf-permissive-all" in cli("lint", "zones", "--format", "compact").out


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="these file systems take no such name")
@pytest.mark.parametrize("shape", ["json", "gitlab", "sarif", "junit"])
def test_a_files_name_that_is_no_utf8(cli, zone, shape):
    Path(os.fsdecode(b"zones/b\xff.zone")).write_text("$ORIGIN example.org.\n" + GOOD.replace("-all", "+all"))
    out = cli("lint", "zones", "--format", shape).out
    assert "xff.zone" in out
    assert "udcff" not in out


@pytest.mark.parametrize("words", ["ignore[] until=2999-01-31 OPS-1", "ignore until=2999-01-31 OPS-1"])
def test_an_ignore_without_a_rule_is_told(cli, zone, words):
    zone.write_text(GOOD + f"www A 192.0.2.1 ; deliverkit: {words}\n")
    assert where(report(cli("lint", zone, "--format", "json")), "config-ignore-invalid") == [
        ("zones/example.com.zone", 10, None)
    ]


def test_a_file_included_from_beside_is_read_once(cli, zone):
    (zone.parent.parent / "shared").mkdir()
    (zone.parent.parent / "shared" / "extra.zone").write_text("bad A 1.2\n")
    zone.write_text(GOOD + "$INCLUDE ../shared/extra.zone\n")
    document = report(cli("lint", ".", "--format", "json"))
    assert [target["target"] for target in document["targets"]] == ["example.com"]
    assert where(document, "zone-syntax") == [("shared/extra.zone", 1, 7)]
