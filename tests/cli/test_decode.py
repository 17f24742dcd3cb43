"""`decode` reads what is pasted, explains it whatever it is, and exits 0."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deliverkit.__main__ import main
from deliverkit.cli import decode as command
from deliverkit.runs.decode import bounded

UNKNOWN = "550 5.1.1 <ada@inbox.example>: no such user"
LOG = (
    "Nov  6 03:04:05 relay postfix/smtp[8]: 4XA1B2C3D4: to=<ada@inbox.example>, relay=mx.inbox.example[192.0.2.25]:25, "
    "delay=1, dsn=5.1.1, status=bounced (host mx.inbox.example[192.0.2.25] said: 550 5.1.1 no such user (in reply to "
    "RCPT TO command))\n"
)


class Stdin(io.TextIOWrapper):
    """Standard input with these octets in it."""

    def __init__(self, octets: bytes | BinaryIO) -> None:
        super().__init__(io.BytesIO(octets) if isinstance(octets, bytes) else octets)


@pytest.fixture
def piped(cli, monkeypatch):
    def run(octets: bytes | str, *words: str | Path):
        monkeypatch.setattr(sys, "stdin", Stdin(octets.encode() if isinstance(octets, str) else octets))
        return cli("decode", *words)

    return run


def test_one_reply_is_one_object(cli):
    result = cli("decode", UNKNOWN, "--format", "json")
    found = json.loads(result.out)
    assert result.code == 0
    assert result.err == ""
    assert list(found)[:2] == ["schema", "input"]
    assert found["schema"] == "deliverkit/reply/1"
    assert (found["input"], found["code"], found["enhanced"]) == (UNKNOWN, 550, "5.1.1")
    assert (found["class"], found["category"], found["retry"]) == ("permanent", "no-such-user", False)
    assert set(found["scope"]) == {"ip", "domain", "url"}
    assert {
        "stage",
        "provider",
        "detail",
        "meaning",
        "cause",
        "action",
        "who",
        "wait_s",
        "list",
        "ticket_url",
        "references",
    } <= set(found)


def test_several_are_an_array_and_lines(cli, piped):
    assert [one["code"] for one in json.loads(cli("decode", "550 a", "451 b", "--format", "json").out)] == [550, 451]
    lines = piped("550 a\n451 b\n250 c\n", "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["code"] for line in lines] == [550, 451, 250]
    assert [one["line"] for one in json.loads(piped("\n550-a\n550 b\n451 c\n", "--format", "json").out)] == [2, 4]


def test_the_schema_describes_it(cli):
    schema = json.loads(cli("schema", "reply").out)
    found = json.loads(cli("decode", UNKNOWN, "--format", "json").out)
    described = schema["$defs"]["ReplyReport"]
    assert list(described["properties"]) == list(found)
    assert set(described["required"]) <= set(found)


def test_words_that_a_shell_took_apart_are_one_reply(cli):
    found = json.loads(cli("decode", "550", "5.1.1", "no", "such", "user", "--format", "json").out)
    assert found["input"] == "550 5.1.1 no such user"
    assert len(json.loads(cli("decode", "550 a", "550 b", "--format", "json").out)) == 2
    assert len(json.loads(cli("decode", "550", "421", "--format", "json").out)) == 2
    assert json.loads(cli("decode", "550", "5.1.1", "--format", "json").out)["enhanced"] == "5.1.1"


def test_a_reply_of_several_lines_in_one_word(cli):
    found = json.loads(cli("decode", "550-5.7.1 one\n550 5.7.1 two", "--format", "json").out)
    assert found["input"] == "550-5.7.1 one\n550 5.7.1 two"


def test_a_log_line_tells_what_stands_beside_the_reply(piped):
    found = json.loads(piped(LOG, "--format", "json").out)
    assert (found["reply"], found["input"]) == ("550 5.1.1 no such user", LOG.rstrip())
    assert (found["stage"], found["host"], found["address"]) == ("rcpt", "mx.inbox.example", "192.0.2.25")
    assert (found["source"], found["outcome"], found["recipient"]) == ("postfix", "bounced", "ada@inbox.example")
    assert (found["queue_id"], found["logged_at"]) == ("4XA1B2C3D4", "Nov  6 03:04:05")


def test_lines_without_a_reply_are_counted_on_stderr(piped):
    result = piped("hello\n550 a\nworld\n", "-q")
    assert result.code == 0
    assert result.out.count("\n") == 1
    assert result.err == "deliverkit: skipped 2 lines without a reply, of 3\n"


@pytest.mark.parametrize("octets", [b"", b"\n\n", b"a\nb\n", b"\xff\xfe\x00", b"\0", b"{}\n[]\n"])
@pytest.mark.parametrize("form", ["text", "json", "jsonl", "markdown"])
def test_whatever_it_reads_it_exits_0(piped, octets, form):
    result = piped(octets, "--format", form)
    assert result.code == 0
    if form == "json":
        json.loads(result.out)
    assert piped(octets, "--format", form, "--summary").code == 0


def test_no_reply_at_all_is_an_empty_array(piped):
    assert piped("a\nb\n", "--format", "json").out == "[]\n"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--provider", "gmial"), "deliverkit: --provider gmial: no such provider (did you mean gmail?)\n"),
        (("--stage", "rctp"), "deliverkit: --stage rctp: no such stage (did you mean rcpt?)\n"),
        (
            ("--stage", "zzz"),
            "deliverkit: --stage zzz: no such stage; there are route, connect, banner, ehlo, starttls,",
        ),
        (
            ("--format", "sarif"),
            "deliverkit: --format sarif: not of this command, which writes text, json, jsonl and markdown\n",
        ),
        (("--format", "jsn"), "deliverkit: --format jsn: no such format (did you mean json?)\n"),
        (("-o", "json"), "deliverkit: -o json: expected FORMAT=PATH, as in json=report.json\n"),
        (("--provider", "a\x1b[31m"), "deliverkit: --provider a\\x1b[31m: no such provider"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(cli, words, line):
    result = cli("decode", "550 x", *words)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(line)
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("name", ["gmail", "Gmail", "GMAIL"])
def test_a_provider_by_any_of_its_names(cli, name):
    assert json.loads(cli("decode", "550 x", "--provider", name, "--format", "json").out)["provider"] == "gmail"


def test_a_stage_is_told(cli):
    assert json.loads(cli("decode", "550 x", "--stage", "RCPT", "--format", "json").out)["stage"] == "rcpt"


def test_files_beside_stdout(cli, tmp_path: Path):
    result = cli("decode", UNKNOWN, "-o", f"json={tmp_path / 'r.json'}", "-o", f"markdown={tmp_path / 'r.md'}")
    assert json.loads((tmp_path / "r.json").read_text())["code"] == 550
    assert (tmp_path / "r.md").read_text().startswith("### permanent · no-such-user")
    assert result.out.startswith("✗ permanent")


def test_a_file_that_was_meant_for_stdin(cli, tmp_path: Path):
    path = tmp_path / "mail.log"
    path.write_text(LOG)
    result = cli("decode", path)
    assert result.code == 0
    assert f"deliverkit decode < {path}" in result.err


HOSTILE = (
    "550 5.7.1 \x1b[2J\x1b]0;owned\x07 [bold red]markup[/] <script>alert(1)</script> \u202etxt.exe ##[error]no "
    "##vso[task] ::error::no \x00 \x9b31m | `x` "
)


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "markdown"])
@pytest.mark.parametrize("more", [(), ("--summary",), ("-q",), ("-v",), ("--color", "always")])
def test_nothing_hostile_gets_through(piped, form, more):
    octets = HOSTILE.encode("utf-8", "surrogatepass") + b"\xff\xfe\r\n::error::line\n550 x\n"
    result = piped(octets, "--format", form, *more)
    assert result.code == 0
    plain = result.out.replace("\x1b[0m", "") if "always" in more else result.out
    for bad in ("\x1b[2J", "\x1b]", "\x07", "\x00", "\x9b", "\u202e", "##[", "##vso["):
        assert bad not in plain
    assert not any(line.lstrip().startswith("::") for line in plain.splitlines())
    if form == "markdown":
        assert not any(
            "<script>" in line and not line.startswith("    ") and "`" not in line for line in plain.splitlines()
        )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_octets_in_any_format(capsys, monkeypatch, octets):
    for words in (["--format", "json"], [], ["--summary"], ["--format", "markdown"]):
        monkeypatch.setattr(sys, "stdin", Stdin(octets))
        assert main(["decode", *words]) == 0
        out, err = capsys.readouterr()
        assert "bug" not in err
        if words[-1:] == ["json"]:
            json.loads(out)


class Endless(io.RawIOBase):
    """Octets without a line end, and then a reply."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        taken = min(len(buffer), self.left)
        self.left -= taken
        buffer[:taken] = b"5" * taken
        return taken


def test_a_line_without_an_end_is_not_kept():
    lines = list(bounded(io.BufferedReader(Endless(30_000_000))))
    assert [len(line) for line in lines] == [16_385]


def test_after_a_long_line_the_next_is_read():
    octets = b"x" * 3_000_000 + b"\n550 next\n"
    assert [len(line) for line in bounded(io.BytesIO(octets))] == [16_385, 9]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_ten_thousand_lines_are_read_in_seconds_and_little_space():
    log = "".join(
        LOG.replace("4XA1B2C3D4", f"4XA1B2C{number:05d}")
        .replace("ada@", f"ada{number}@")
        .replace("no such", f"id{number} no such")
        for number in range(10_000)
    )
    # The peak of this process alone: getrusage() would count what its parent held.
    code = (
        "import sys, pathlib; from deliverkit.__main__ import main; main(['decode', '--format', 'jsonl']);"
        "status = pathlib.Path('/proc/self/status').read_text();"
        "sys.stderr.write(status.partition('VmHWM:')[2].split()[0])"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], input=log.encode(), capture_output=True, check=True)
    assert done.stdout.count(b"\n") == 10_000
    assert int(done.stderr) < 80_000
    assert time.monotonic() - began < 20  # a machine under load: the goal is 3


def test_one_reply_loads_little():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import sys; from deliverkit.__main__ import main; main(['decode', '550 5.1.1 x', '-q']);"
                "print(sorted({'rich', 'dns', 'ssl', 'asyncio', 'email', 'cryptography', 'httpx'} & set(sys.modules)))"
            ),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("tail", [b"", b"\x00"])
def test_utf_16_as_powershell_writes_it(cli, monkeypatch, tail):
    octets = "550 5.1.1 no such user\r\nfoo\r\n".encode("utf-16") + tail
    monkeypatch.setattr(sys, "stdin", Stdin(io.BufferedReader(io.BytesIO(octets))))
    assert "550 5.1.1 no such user\n" in cli("decode").out


def test_stdin_that_is_closed(cli, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert cli("decode").code == 2


def test_a_terminal_is_told_what_to_do(piped, monkeypatch):
    monkeypatch.setattr(Stdin, "isatty", lambda _self: True)
    assert "Ctrl-D" in piped("550 x\n").err


def test_an_argument_that_is_not_utf_8(cli):
    found = json.loads(cli("decode", "550 \udcff", "--format", "json").out)
    assert found["input"] == "550 \\xff"


def test_the_words_of_the_help(cli):
    assert command.decode.__doc__
    assert "--summary" in cli("decode", "--help").out
