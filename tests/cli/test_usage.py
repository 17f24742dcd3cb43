"""What was typed wrong is exit 2: one clear line on stderr, nothing on stdout."""

from __future__ import annotations

from pathlib import Path

import pytest

CHECK = ("check", "example.com", "--offline")


def refused(result) -> str:
    assert result.code == 2, result
    assert result.out == ""
    assert result.err.startswith("deliverkit: ")
    assert result.err.count("\n") == 1
    assert "Traceback" not in result.err
    return result.err


@pytest.mark.parametrize(
    "name",
    [
        "../x", "x;rm", "http://example.com", "a" * 300, "a..b", "example.com..", "*", "127.0.0.1", "[::1]",
        "user@example.com",
        "-example.com.", "", " ", "exa mple.com", "a" * 64 + ".com", "\u202eexample.com",
    ],
)  # fmt: skip
def test_malformed_names(cli, name):
    refused(cli("check", "--offline", "--", name))


def test_an_option_like_name(cli):
    refused(cli("check", "-oProxy"))


@pytest.mark.parametrize("char", [*map(chr, range(1, 32)), "\x7f"])
def test_control_characters_are_refused(cli, char):
    said = refused(cli("check", f"exam{char}ple.com"))
    assert char not in said[:-1]
    refused(cli("dkim", "example.com", "--selector", f"s{char}1"))


def test_control_characters_in_the_environment(cli, monkeypatch):
    monkeypatch.setenv("DELIVERKIT_SELECTOR", "s1\x1b[31m")
    assert "DELIVERKIT_SELECTOR" in refused(cli(*CHECK))


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("chekc", "example.com"), "did you mean check?"),
        ((*CHECK, "--ignore", "spf-mising"), "did you mean spf-missing?"),
        ((*CHECK, "--select", "dmarcc"), "did you mean dmarc?"),
        ((*CHECK, "--format", "yaml"), "no such format"),
        ((*CHECK, "--format", "jsno"), "did you mean json?"),
        ((*CHECK, "-o", "json"), "expected FORMAT=PATH"),
        ((*CHECK, "-o", "html=/nonexistent/x.html"), "no such directory"),
        ((*CHECK, "-o", "json=/nonexistent/x.json"), "no such directory"),
        ((*CHECK, "--save-evidence", "/nonexistent/x"), "no such directory"),
        ((*CHECK, "--zone", "/nonexistent/x"), "no such file"),
        ((*CHECK, "--zone", "/"), "is a directory"),
        ((*CHECK, "--ca-file", "/nonexistent/x"), "no such file"),
        ((*CHECK, "--key", "/nonexistent/x"), "no such file"),
        ((*CHECK, "--timeout", "0"), "--timeout"),
        ((*CHECK, "--timeout", "-1"), "--timeout"),
        ((*CHECK, "--timeout", "nan"), "--timeout"),
        ((*CHECK, "--timeout", "soon"), "--timeout"),
        ((*CHECK, "--fail-on", "fatal"), "fatal"),
        ((*CHECK, "--resolver", "127.0.0.1"), "exclude"),
        (("check", "example.com", "--resolver", "nowhere"), "--resolver"),
        (("check", "example.com", "--resolver", "127.0.0.1#0"), "no port"),
        (("check", "example.com", "--connect-to", "a:b"), "--connect-to"),
        ((*CHECK, "-4", "-6"), "exclude"),
        ((*CHECK, "--zone-partial"), "--zone"),
        ((*CHECK, "--ip", "192.0.2"), "not an IP address"),
        ((*CHECK, "--selector", "a b"), "not a selector"),
        ((*CHECK, "--config", "x.toml"), "x.toml: no such file"),
        ((*CHECK, "--config", "x.toml", "--no-config"), "exclude"),
        ((*CHECK, "--baseline", "x.json"), "x.json: no such file"),
        ((*CHECK, "--evidence", "/nonexistent/x"), "no such file"),
        (("check",), "which domain"),
        (("check", "@/nonexistent/list"), "no such file"),
        (("explain", "spf-mising"), "did you mean spf-missing?"),
        (("explain",), "RULE"),
        (("schema", "reprot"), "did you mean report?"),
        (("rules", "--format", "csv"), "writes text and json"),
        (("mx", "example.com", "--selector", "s1"), "--selector"),
    ],
)
def test_usage_errors(cli, words, hint):
    assert hint in refused(cli(*words))


def test_a_file_of_domains(cli, broken, tmp_path: Path):
    listed = tmp_path / "domains.txt"
    listed.write_text("# ours\nexample.com\n\nEXAMPLE.com.  # the same\nexample.net\n")
    result = cli("mx", f"@{listed}", "--offline", "--zone", broken)
    assert "2 targets" in result.out


def test_a_file_names_the_line_that_is_wrong(cli, tmp_path: Path):
    listed = tmp_path / "domains.txt"
    listed.write_text("example.com\nexa mple.com\n")
    assert "domains.txt:2:" in refused(cli("check", f"@{listed}"))


@pytest.mark.parametrize("octets", [b"", b"# nothing\n", b"\xff\xfe", b"a\x00b.com\n"])
def test_a_file_that_names_nothing(cli, tmp_path: Path, octets):
    listed = tmp_path / "domains.txt"
    listed.write_bytes(octets)
    refused(cli("check", f"@{listed}"))


def test_an_endless_file_is_refused(cli):
    assert "larger than" in refused(cli("check", "@/dev/zero"))


def test_a_key_is_never_shown(cli, tmp_path: Path):
    key = tmp_path / "key.pem"
    key.write_text("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    assert "c2VjcmV0" not in refused(cli(*CHECK, "--key", key))


def test_evidence_that_is_none(cli, tmp_path: Path):
    path = tmp_path / "evidence.json"
    path.write_text('{"schema": "deliverkit/evidence/9"}')
    assert "not a saved run" in refused(cli("check", "--evidence", path))


def test_a_zone_file_that_is_none(cli, world):
    zone = world("example.com. MX ten mx\n")
    assert "some.world" in refused(cli(*CHECK, "--zone", zone))


def test_a_name_in_unicode_is_shown_in_both_forms(cli):
    result = cli("mx", "bücher.example", "--offline")
    assert "bücher.example (xn--bcher-kva.example)" in result.out


def test_a_mixed_script_is_warned_of(cli):
    result = cli("mx", "p\u0430ypal.example", "--offline")
    assert "mixes scripts" in result.err


def test_one_trailing_dot_is_taken(cli, healthy):
    assert cli("mx", "example.com.", "--offline", "--zone", healthy).code == 0


@pytest.mark.parametrize("name", ["localhost", "a" * 64 + ".example", "a..b", "@bad"])
def test_spf_with_an_address_takes_any_domain(cli, name, tmp_path, monkeypatch):
    if name.startswith("@"):
        pytest.skip("a file")
    assert cli("spf", name, "--ip", "192.0.2.1", "--offline").code != 2
