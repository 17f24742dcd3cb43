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
        ("FORMAT", "sarif", 2),
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
