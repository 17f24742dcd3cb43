"""What the README shows is what happens."""

from __future__ import annotations

import asyncio
import io
import re
import shlex
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from deliverkit import __main__
from deliverkit.cli.main import COMMANDS
from deliverkit.lab import serving, worlds_text
from deliverkit.runs.lab import pointing

TEXT = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
SHOWN = re.findall(r"<!-- lab: (.+) -->\n```console\n\$ (.+)\n([^`]*)```", TEXT)
LINES = sorted(set(re.findall(r"(?m)(?:^\$ |`)(deliverkit [^`\n]+)", TEXT)))
ZONE = """$ORIGIN example.com.
@      SOA  ns1 hostmaster 1 7200 3600 1209600 3600
@      MX   10 mx
mx     A    192.0.2.1
@      TXT  "v=spf1 mx +all"
"""
_TIME = re.compile(r" +[<+]?\d+(\.\d+)? m?s$", re.MULTILINE)
_ID = re.compile(r"<[0-9]{14}\.[0-9a-f]{16}@")
_RTT = re.compile(r" +rtt$", re.MULTILINE)
_PORT = re.compile(r"127\.0\.0\.1#\d+")


def shown(text: str) -> list[str]:
    """Without what differs from run to run."""
    still = _ID.sub("<ID@", _RTT.sub("", _TIME.sub("", text)))
    return [line.rstrip() for line in _PORT.sub("127.0.0.1#5354", still).strip("\n").split("\n")]


@pytest.mark.parametrize(("words", "typed", "output"), SHOWN, ids=[words for words, *_ in SHOWN])
def test_outputs_are_real(
    words: str,
    typed: str,
    output: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
):
    assert typed == f"deliverkit {words}"

    async def run() -> None:
        async with serving(worlds_text()) as lab:
            for line in pointing(lab, tmp_path).read_text().splitlines():
                name, _, value = line.removeprefix("export ").partition("=")
                monkeypatch.setenv(name, shlex.split(value)[0])
            await asyncio.to_thread(__main__.main, shlex.split(words))

    asyncio.run(run())
    assert shown(capsys.readouterr().out) == shown(output)


def test_outputs_are_there():
    assert len(SHOWN) == 6
    assert all(output.count("\n") > 3 for *_, output in SHOWN)


@pytest.mark.parametrize("line", LINES)
def test_every_command_and_option_named_exists(line: str, capsys: pytest.CaptureFixture[str]):
    words = shlex.split(line)
    assert words[1] in COMMANDS
    assert __main__.main([words[1], "--help"]) == 0
    described = capsys.readouterr().out
    for option in re.findall(r"--[a-z-]+", line):
        assert option in described


def test_every_option_listed_exists(capsys: pytest.CaptureFixture[str]):
    assert __main__.main(["check", "--help"]) == 0
    described = capsys.readouterr().out
    listed = TEXT.partition("## Options")[2].partition("##")[0]
    assert [option for option in re.findall(r"--[a-z-]+", listed) if option not in described] == []


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "example.com.zone").write_text(ZONE)
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    with redirect_stdout(out):
        exec(compile(block, "README.md", "exec"), {})
    assert out.getvalue().startswith("example.com fail\n")
    assert "error spf-permissive-all" in out.getvalue()


def test_links_lead_somewhere():
    root = Path(__file__).parent.parent
    assert [link for link in re.findall(r"\]\(([^)#:]+)\)", TEXT) if not (root / link).exists()] == []


def test_no_merge_is_left_half_done():
    root = Path(__file__).parent.parent
    pages = [root / "README.md", root / "CHANGELOG.md", root / "CONTRIBUTING.md", *(root / "docs").rglob("*.md")]
    marked = re.compile(r"(?m)^(<{7}|={7}|>{7})( |$)")
    assert [page.name for page in pages if marked.search(page.read_text("utf-8"))] == []
