"""Results go to stdout and nothing else does; colour is asked for, or a terminal's."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deliverkit.cli import terminal
from deliverkit.cli.main import COMMANDS, Lazy

MX = ("mx", "example.com", "--offline")


def test_files_beside_stdout(cli, broken, tmp_path: Path):
    result = cli(*MX, "--zone", broken, "-o", f"json={tmp_path / 'r.json'}", "-o", f"text={tmp_path / 'r.txt'}")
    assert json.loads((tmp_path / "r.json").read_text())["exit_code"] == result.code == 1
    assert (tmp_path / "r.txt").read_text() == result.out


def test_a_dash_is_stdout_in_place_of_the_text(cli, broken):
    result = cli(*MX, "--zone", broken, "-o", "json=-")
    assert json.loads(result.out)["exit_code"] == 1


def test_files_hold_no_colour(cli, broken, tmp_path: Path):
    cli(*MX, "--zone", broken, "--color", "always", "-o", f"text={tmp_path / 'r.txt'}")
    assert "\x1b" not in (tmp_path / "r.txt").read_text()


@pytest.mark.parametrize(
    ("environ", "tty", "words", "coloured"),
    [
        ({}, False, (), False),
        ({}, True, (), True),
        ({"TERM": "dumb"}, True, (), False),
        ({"NO_COLOR": "1"}, True, (), False),
        ({"NO_COLOR": ""}, True, (), True),
        ({"NO_COLOR": "1"}, True, ("--color", "always"), True),
        ({"CLICOLOR_FORCE": "1"}, False, (), True),
        ({"CLICOLOR_FORCE": "0"}, False, (), False),
        ({"FORCE_COLOR": "1"}, False, (), True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, (), False),
        ({"CLICOLOR": "0"}, True, (), False),
        ({"CLICOLOR_FORCE": "1"}, False, ("--color", "never"), False),
        ({}, False, ("--color", "always"), True),
    ],
)
def test_colour(cli, broken, monkeypatch, environ, tty, words, coloured):
    monkeypatch.delenv("TERM", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(terminal, "_tty", lambda _stream: tty)
    monkeypatch.setattr(terminal, "progress", lambda *, quiet: None)
    assert ("\x1b[" in cli(*MX, "--zone", broken, *words).out) is coloured


@pytest.mark.parametrize(
    ("columns", "width"), [("80", 80), ("120", 120), ("1", 40), ("0", None), ("x", None), ("", None), ("9" * 30, 1000)]
)
def test_columns(columns, width):
    assert terminal.columns_of({"COLUMNS": columns}, io.StringIO()) == width


def test_a_pipe_does_not_wrap(cli, broken, monkeypatch):
    whole = cli(*MX, "--zone", broken).out
    monkeypatch.setenv("COLUMNS", "80")
    wrapped = cli(*MX, "--zone", broken).out
    assert max(map(len, wrapped.splitlines())) <= 80
    assert whole.split()[13:] == wrapped.split()[13:]


def test_quiet_shows_only_what_did_not_pass(cli, healthy, broken):
    assert cli(*MX, "--zone", healthy, "-q").out == ""
    quiet = cli(*MX, "--zone", broken, "-q").out
    assert "mx-is-cname" in quiet
    assert "Next" not in quiet


def test_verbose_shows_what_passed_and_each_question(cli, broken):
    out = cli(*MX, "--zone", broken, "-v").out
    assert "✓ passed" in out
    assert "dig example.com. MX" in out


def test_trace_goes_to_stderr(cli):
    result = cli("mx", "example.com", "--resolver", "127.0.0.1#9", "--trace", "--timeout", "2")
    assert "example.com MX" in result.err
    assert result.out.startswith("example.com")


def test_no_words_shows_the_help(cli):
    result = cli()
    assert result.code == 0
    assert "Usage: deliverkit" in result.out
    assert all(name in result.out for name in COMMANDS)


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("check", "--help"), ("spf", "-h"), ("explain", "--help")])
def test_help_fits_80_columns(cli, monkeypatch, words):
    monkeypatch.setenv("COLUMNS", "80")
    result = cli(*words)
    assert result.code == 0
    assert max(map(len, result.out.splitlines())) <= 80


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_list_says_what_the_command_says(name):
    command = Lazy(name="deliverkit").get_command(None, name)
    assert command.help == COMMANDS[name]


def test_rules(cli):
    listed = json.loads(cli("rules", "--format", "json").out)
    assert {"rule", "area", "severity", "summary", "references"} == set(listed[0])
    assert len(listed) > 30
    text = cli("rules").out
    assert all(entry["rule"] in text for entry in listed)


def test_explain(cli):
    page = json.loads(cli("explain", "mx-is-cname", "--format", "json").out)
    assert set(page) >= {"rule", "area", "severity", "summary", "references", "why", "fix", "bad", "good"}
    text = cli("explain", "mx-is-cname").out
    for heading in ("Why", "Fix", "Bad", "Good", "References"):
        assert f"\n{heading}\n" in text


@pytest.mark.parametrize("document", ["report", "evidence"])
def test_schema(cli, document):
    schema = json.loads(cli("schema", document).out)
    assert schema["title"] == f"deliverkit/{document}/1"


def test_doctor_without_an_answer_is_3(cli):
    result = cli("doctor", "--resolver", "127.0.0.1#9", "--timeout", "2", "--format", "json")
    assert result.code == 3
    assert json.loads(result.out)["resolvers"][0]["answers"] is False
    assert "! answers" in cli("doctor", "--resolver", "127.0.0.1#9", "--timeout", "2").out


def test_version(cli):
    assert cli("--version").out.startswith("deliverkit 0.")


def python(code: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, **options)


def test_the_version_imports_nothing():
    done = python(
        "import sys; from deliverkit.__main__ import main; main(['--version']);"
        "print(sorted({'typer','rich','dns','msgspec','asyncio'} & set(sys.modules)))"
    )
    assert done.stdout.splitlines()[1] == "[]"


def test_help_loads_no_command():
    done = python(
        "import sys; from deliverkit.__main__ import main; main([]);"
        "print(sorted({'rich','dns','asyncio','checkdmarc','cryptography'} & set(sys.modules)))"
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_ascii_where_the_encoding_is(broken):
    done = subprocess.run(
        [sys.executable, "-m", "deliverkit", *MX, "--zone", str(broken)],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert done.returncode == 1
    assert done.stdout.isascii()
    assert b"x error" in done.stdout


@pytest.mark.parametrize(("signal", "code"), [(2, 130), (15, 143)])
def test_signals(signal, code):
    silent = (
        "import socket,sys; s=socket.socket(type=2); s.bind(('127.0.0.1',0));"
        "print(s.getsockname()[1],flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", silent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        port = server.stdout.readline().strip()
        run = subprocess.Popen(
            [sys.executable, "-m", "deliverkit", "mx", "example.com", "--resolver", f"127.0.0.1#{port}", "--trace"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(1.2)
        run.send_signal(signal)
        out, err = run.communicate(timeout=10)
        server.stdin.close()
    assert run.returncode == code
    assert out == ""
    assert "Traceback" not in err
    assert ("deliverkit: interrupted" in err) == (code == 130)


def test_a_run_loads_neither_pydantic_nor_rich(broken):
    done = python(
        "import sys; from deliverkit.__main__ import main;"
        f"main(['mx', 'example.com', '--offline', '--zone', {str(broken)!r}]);"
        "print(sorted({'rich', 'pydantic', 'checkdmarc', 'httpx', 'spf', 'dkim'} & set(sys.modules)))"
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(("words", "code"), [(["--version"], 0), (["mx"], 2), (["explain", "mx-missing"], 0)])
def test_the_process_ends_with_all_it_said(words: list[str], code: int, cli):
    said = cli(*words)
    done = subprocess.run(
        [sys.executable, "-m", "deliverkit", *words], capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, said.out, said.err)


def test_a_policy_that_is_a_file_is_mended_in_that_file(cli, broken, tmp_path: Path):
    path = tmp_path / "my-policy.txt"
    path.write_text("version: STSv1\nmode: enforce\nmx: other.example.net\nmax_age: 604800\n")
    result = cli("mta-sts", "example.com", "--offline", "--zone", broken, "--policy", path, "--format", "json")
    (target,) = json.loads(result.out)["targets"]
    (finding,) = (one for one in target["findings"] if one["rule"] == "mta-sts-mx-not-covered")
    assert result.code == 1
    assert str(path) in finding["fix"]
    assert str(path) not in finding["message"] + finding["fingerprint"]
