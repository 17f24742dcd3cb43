"""Every option has its variable, whatever the command; a flag wins over it."""

from __future__ import annotations

import json

import pytest

MX = ("mx", "example.com", "--offline")


def test_fail_on(cli, broken, monkeypatch):
    monkeypatch.setenv("DELIVERKIT_FAIL_ON", "never")
    assert cli(*MX, "--zone", broken).code == 0
    assert cli(*MX, "--zone", broken, "--fail-on", "error").code == 1


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("EXIT_ZERO", "1", 0),
        ("IGNORE", "mx-is-cname", 0),
        ("IGNORE", "dmarc mx", 0),
        ("SELECT", "mx-is-ip", 0),
        ("FORMAT", "sariff", 2),
        ("FAIL_ON", "fatal", 2),
        ("TIMEOUT", "x", 2),
    ],
)
def test_options(cli, broken, monkeypatch, name, value, code):
    monkeypatch.setenv(f"DELIVERKIT_{name}", value)
    assert cli(*MX, "--zone", broken).code == code


def test_format_and_zone(cli, broken, monkeypatch):
    monkeypatch.setenv("DELIVERKIT_FORMAT", "json")
    monkeypatch.setenv("DELIVERKIT_ZONE", str(broken))
    monkeypatch.setenv("DELIVERKIT_OFFLINE", "true")
    assert json.loads(cli("mx", "example.com").out)["exit_code"] == 1


def test_debug(cli, broken, monkeypatch):
    from deliverkit.runs import check

    def crash(*_args, **_options):
        raise ZeroDivisionError

    monkeypatch.setattr(check, "check", crash)
    monkeypatch.setenv("DELIVERKIT_DEBUG", "1")
    assert "Traceback" in cli(*MX, "--zone", broken).err


def test_the_help_names_no_variable_twice(cli):
    assert cli("check", "--help").out.count("env var") == 0


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FAIL_ON", "fatal", "'DELIVERKIT_FAIL_ON': 'fatal': expected error, warning"),
        ("TIMEOUT", "soon", "'DELIVERKIT_TIMEOUT': 'soon': expected a number"),
        ("TIMEOUT", "-1", "DELIVERKIT_TIMEOUT -1: expected seconds"),
        ("SELECT", "mx-is-pi", "DELIVERKIT_SELECT mx-is-pi: no such rule or area (did you mean mx-is-ip?)"),
    ],
)
def test_what_is_wrong_with_a_variable_is_told_of_the_variable(cli, monkeypatch, name, value, says):
    monkeypatch.setenv(f"DELIVERKIT_{name}", value)
    result = cli("mx", "example.com")
    assert (result.code, result.out) == (2, "")
    assert says in result.err


def test_two_variables_that_exclude_each_other(cli, monkeypatch):
    monkeypatch.setenv("DELIVERKIT_OFFLINE", "1")
    monkeypatch.setenv("DELIVERKIT_RESOLVER", "192.0.2.53")
    result = cli("mx", "example.com")
    assert (result.code, result.err) == (
        2,
        "deliverkit: DELIVERKIT_OFFLINE and DELIVERKIT_RESOLVER exclude each other\n",
    )


def test_a_flag_is_named_as_a_flag_whatever_else_the_environment_sets(cli, monkeypatch):
    monkeypatch.setenv("DELIVERKIT_TIMEOUT", "5")
    monkeypatch.setenv("DELIVERKIT_FAIL_ON", "fatal")
    assert "--select x: no such" in cli("mx", "example.com", "--fail-on", "error", "--select", "x").err


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"RESOLVER": "192.0.2.53"}, ["--offline"]),
        ({"IPV6": "1"}, ["--offline", "-4"]),
        ({"IPV4": "1"}, ["--offline", "-6"]),
        ({"EVIDENCE": "/no/such"}, ["--offline", "--save-evidence", "kept.json"]),
    ],
)
def test_of_two_that_exclude_each_other_the_one_that_was_typed_stands(
    cli, broken, monkeypatch, tmp_path, variables, words
):
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(f"DELIVERKIT_{name}", value)
    assert cli("mx", "example.com", "--zone", broken, *words).code == 1


def test_a_resolver_that_was_typed_ends_offline(cli, monkeypatch):
    monkeypatch.setenv("DELIVERKIT_OFFLINE", "1")
    result = cli("mx", "example.com", "--resolver", "127.0.0.1#1", "--timeout", "1", "--trace")
    assert result.code == 3
    assert "127.0.0.1" in result.err
