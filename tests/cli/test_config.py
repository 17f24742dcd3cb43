"""`deliverkit.toml` on the command line: which file counts, what wins over it, what is said of a bad one."""

from __future__ import annotations

import json

import pytest

CONFIG = """\
fail_on = "notice"
inconclusive = { default = "pass", dnssec = "fail" }

[domains."example.com"]
mx = ["mx1.example.com", "mx2.example.com"]
dmarc = "reject"
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A repository to work in."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(cli, *words):
    """What `config show` says, by key."""
    result = cli("config", "show", "--format", "json", *words)
    assert result.code == 0, result
    found = json.loads(result.out)
    return {setting["key"]: setting for setting in found["settings"]}, found["config"]


def test_flag_over_environment_over_file_over_default(cli, here, monkeypatch):
    settings, path = shown(cli)
    assert path is None
    assert (settings["fail_on"]["value"], settings["fail_on"]["origin"]) == ("error", "default")
    (here / "deliverkit.toml").write_text(CONFIG)
    settings, path = shown(cli)
    assert path == "deliverkit.toml"
    assert (settings["fail_on"]["value"], settings["fail_on"]["origin"]) == ("notice", "deliverkit.toml:1")
    assert settings["inconclusive"]["value"] == {"default": "pass", "dnssec": "fail"}
    mx = settings['domains."example.com".mx']
    assert mx["location"] == {"path": "deliverkit.toml", "line": 5, "column": 1}
    monkeypatch.setenv("DELIVERKIT_FAIL_ON", "warning")
    monkeypatch.setenv("DELIVERKIT_TIMEOUT", "9")
    settings, _ = shown(cli)
    assert (settings["fail_on"]["value"], settings["fail_on"]["origin"]) == ("warning", "DELIVERKIT_FAIL_ON")
    assert settings["DELIVERKIT_TIMEOUT"]["source"] == "environment"
    settings, _ = shown(cli, "--fail-on", "never", "--inconclusive", "fail")
    assert (settings["fail_on"]["value"], settings["fail_on"]["source"]) == ("never", "flag")
    assert (settings["inconclusive"]["value"], settings["inconclusive"]["origin"]) == ("fail", "--inconclusive")
    text = cli("config").out
    assert "DELIVERKIT_FAIL_ON" in text
    assert "deliverkit.toml:5" in text


def test_the_file_decides_what_fails(cli, here, healthy):
    check = ("check", "example.com", "--zone", healthy, "--offline", "--select", "mta-sts-missing")
    assert cli(*check, "--no-config").code == 0
    (here / "deliverkit.toml").write_text("fail_on = 'notice'\n")
    assert cli(*check).code == 1
    assert cli(*check, "--no-config").code == 0
    assert cli(*check, "--fail-on", "error").code == 0


def test_the_file_decides_of_what_is_unclear(cli, here, servfail, monkeypatch):
    check = ("check", "example.com", "--zone", servfail, "--offline", "--select", "spf-missing")
    assert cli(*check).code == 3
    (here / "deliverkit.toml").write_text("inconclusive = 'pass'\n")
    assert cli(*check).code == 0
    monkeypatch.setenv("DELIVERKIT_INCONCLUSIVE", "fail")
    assert cli(*check).code == 1
    assert cli(*check, "--inconclusive", "report").code == 3


def test_which_file(cli, here, monkeypatch):
    for name, value in (("deliverkit.toml", "warning"), ("a.toml", "notice"), ("b.toml", "never")):
        (here / name).write_text(f"fail_on = '{value}'\n")
    assert shown(cli)[0]["fail_on"]["value"] == "warning"
    monkeypatch.setenv("DELIVERKIT_CONFIG", "a.toml")
    assert shown(cli)[0]["fail_on"]["value"] == "notice"
    assert shown(cli, "--config", "b.toml")[0]["fail_on"]["value"] == "never"
    assert shown(cli, "--no-config")[0]["fail_on"]["value"] == "error"  # typed: it wins over the variable
    (here / "sub").mkdir()
    monkeypatch.delenv("DELIVERKIT_CONFIG")
    monkeypatch.chdir(here / "sub")
    settings, path = shown(cli)
    assert (path, settings["fail_on"]["origin"]) == ("../deliverkit.toml", "../deliverkit.toml:1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fail-on = 'error'\n", "deliverkit.toml:1: unknown key: fail-on (did you mean fail_on?)"),
        ("[domains.'example.com']\nmx = 1\n", 'deliverkit.toml:2: domains."example.com".mx: expected an array'),
        ("resolvers = ['192.0.2.53#99999999999']\n", "deliverkit.toml:1: resolvers"),
        ("[rules]\nspf-mising = 'off'\n", "deliverkit.toml:2: no such rule: spf-mising (did you mean spf-missing?)"),
        ("[rules]\nspf = 'off'\n", "deliverkit.toml:2: no such rule: spf: spf is an area; name its rules"),
        (
            "\n[[ignore]]\nrule = 'dmarc-policy-non'\n",
            "deliverkit.toml:2: no such rule: dmarc-policy-non (did you mean",
        ),
        ("password = 'hunter2'\n", "deliverkit.toml:1: password: secrets are never written here; password_env"),
        ('"\\u001b[31m" = 1\n', "deliverkit.toml:1: unknown key"),
    ],
)
@pytest.mark.parametrize(
    "command", [("check", "example.com"), ("mx", "example.com"), ("smtp", "192.0.2.1"), ("doctor",)]
)
def test_a_bad_file_is_one_line(cli, here, command, text, said):
    (here / "deliverkit.toml").write_text(text)
    result = cli(*command, "--offline")
    if command == ("doctor",) and "no such rule" in said:
        return  # what judges nothing needs no rules
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"deliverkit: {said}")
    assert result.err.count("\n") == 1
    assert "\x1b" not in result.err
    assert "hunter2" not in result.err


def test_commands_that_ask_nobody_read_no_configuration(cli, here):
    (here / "deliverkit.toml").write_text("broken")
    assert cli("explain", "spf-missing").code == 0
    assert cli("rules").code == 0
    assert cli("schema", "config").code == 0


def test_the_system_resolver_and_others(cli, here, monkeypatch):
    (here / "deliverkit.toml").write_text('resolvers = ["192.0.2.53#5353"]\n')
    settings, _ = shown(cli)
    assert settings["resolvers"]["value"] == ["192.0.2.53#5353"]
    settings, _ = shown(cli, "--resolver", "192.0.2.54")
    assert (settings["resolvers"]["value"], settings["resolvers"]["origin"]) == (["192.0.2.54"], "--resolver")
    assert cli("check", "example.com", "--offline").code == 3  # the file's resolver does not exclude --offline


def test_a_value_like_a_secret_is_told_and_hidden(cli, here):
    path = here / "deliverkit.toml"
    path.write_text('[[ignore]]\nrule = "spf"\nreason = "password: hunter2222"\n')
    path.chmod(0o644)
    result = cli("config", "show")
    assert result.err.startswith("deliverkit: warning: deliverkit.toml:3: ignore.reason looks like a secret")
    assert "hunter2" not in result.err + result.out


def test_the_schema_holds_what_is_read(cli):
    schema = json.loads(cli("schema", "config").out)
    assert schema["title"] == "deliverkit/config/1"
    document = schema["$defs"]["Document"]
    assert {"schema", "fail_on", "inconclusive", "resolvers", "baseline", "rules", "domains", "ignore"} <= set(
        document["properties"]
    )
    assert document["additionalProperties"] is False
    assert "date" in json.dumps(schema["$defs"]["IgnoreTable"]["properties"]["expires"])


def test_the_password_of_a_login(cli, here, monkeypatch):
    (here / "deliverkit.toml").write_text('password_env = "NOT_SET_ANYWHERE"\n')
    result = cli("smtp", "192.0.2.1", "--user", "me")
    assert result.code == 2
    assert "deliverkit.toml:1: password_env: there is no environment variable NOT_SET_ANYWHERE" in result.err
    assert cli("config", "shw").code == 2
