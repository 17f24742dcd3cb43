"""The man page is what the commands say, and readers of manuals take it."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from deliverkit.cli.main import COMMANDS
from docs import man


def test_it_is_fresh(monkeypatch: pytest.MonkeyPatch):
    assert man.PAGE.read_text("utf-8") == man.page(), "run: make docs"
    assert man.main(["--check"]) == 0
    for width in ("40", "200"):
        monkeypatch.setenv("COLUMNS", width)
        assert man.main(["--check"]) == 0


def test_a_page_that_is_stale_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path, capsys):
    monkeypatch.setattr(man, "PAGE", tmp_path / "man" / "deliverkit.1")
    assert man.main(["--check"]) == 1
    assert "make docs" in capsys.readouterr().err
    assert man.main([]) == 0
    assert man.main(["--check"]) == 0


def test_every_command_and_no_machine_is_in_it():
    text = man.page()
    assert re.findall(r'^\.SS "(.+)"$', text, re.MULTILINE) == [name.replace("-", r"\-") for name in COMMANDS]
    assert r"\fB\-\-fail\-on LEVEL\fR" in text
    assert "/home/" not in text
    assert "/root" not in text
    assert text.isascii()


def test_no_words_are_requests():
    known = {"TH", "SH", "SS", "TP", "PP", "B", "I", "BR", "nf", "fi", "RS", "RE", '\\"'}
    requests = re.findall(r"^[.'](\S*)", man.page(), re.MULTILINE)
    assert set(requests) <= known
    assert man._text(".so /etc/passwd").startswith(r"\&.")
    assert man._text("'so x\\fB") == r"\(aqso x\efB"


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff here")
def test_groff_reads_it_without_a_warning():
    words = ["groff", "-man", "-Tascii", "-P-c", "-ww", str(man.PAGE)]
    run = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    assert (run.returncode, run.stderr) == (0, "")
    plain = re.sub(r".\x08", "", run.stdout)
    assert "deliverkit - email deliverability diagnostics" in plain
    assert "--fail-on LEVEL" in plain


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="no mandoc here")
def test_mandoc_reads_it():
    words = ["mandoc", "-Tlint", "-Werror", str(man.PAGE)]
    assert subprocess.run(words, capture_output=True, check=False, timeout=30).returncode == 0
