"""What is imported while answers are awaited: after the first question, and never in the way of it."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deliverkit.runs import ahead


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("ahead_one", "ahead_two", "ahead_slow"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "ahead_one.py").write_text("raise RuntimeError('broken')\n")
    (tmp_path / "ahead_two.py").write_text("")
    (tmp_path / "ahead_slow.py").write_text("import time; time.sleep(0.2); ready = True\n")
    return tmp_path


def during(seconds: float, *modules: str) -> None:
    async def run() -> None:
        with ahead.importing(*modules):
            await asyncio.sleep(seconds)

    asyncio.run(run())


def test_they_are_imported_in_turn_though_one_fails(written):
    def wait() -> None:
        until = time.monotonic() + 10
        while "ahead_two" not in sys.modules and time.monotonic() < until:
            time.sleep(0.01)

    async def run() -> None:
        with ahead.importing("ahead_one", "ahead_two"):
            await asyncio.to_thread(wait)

    asyncio.run(run())
    assert "ahead_two" in sys.modules
    with pytest.raises(RuntimeError, match="broken"):
        importlib.import_module("ahead_one")


def test_a_run_that_is_over_at_once_imports_nothing(written):
    during(0, "ahead_two")
    time.sleep(0.05)
    assert "ahead_two" not in sys.modules


def test_none_is_begun_after_the_end_and_who_needs_one_gets_it_whole(written):
    during(0.1, "ahead_slow", "ahead_two")
    assert importlib.import_module("ahead_slow").ready
    time.sleep(0.1)
    assert "ahead_two" not in sys.modules


def test_the_first_question_waits_for_neither_rules_nor_report():
    code = """
import sys
from deliverkit.cli import check  # as the command line does
from deliverkit.model import Inputs, Lookup, LookupOutcome
from deliverkit.runs import check as runs
from deliverkit.runs.options import CHECK_AREAS, RunOptions
LATE = {"deliverkit.engine", "deliverkit.report", "deliverkit.rules", "deliverkit.render.text.page",
        "deliverkit.dns.zone", "deliverkit.https.live", "OpenSSL", "cryptography", "dkim", "httpx"}
seen = []
class Asked:
    async def lookup(self, name, rdtype, *, server=None):
        seen.append(sorted(LATE & set(sys.modules)))
        return Lookup(name=name, rdtype=rdtype, outcome=LookupOutcome.NXDOMAIN, why="no such name")
report = runs.check((Inputs(domain="example.com", areas=CHECK_AREAS),), RunOptions(), port=Asked())
print(seen[0], report.exit_code)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[] 1\n", "")


def test_a_run_of_sessions_is_loaded_before_it_dials():
    code = """
import sys
from deliverkit.evidence.recorder import Nowhere
from deliverkit.model import Inputs, Sessions
from deliverkit.runs import check as runs
from deliverkit.runs.options import SESSION_AREAS, RunOptions
from deliverkit.world import World
seen = []
class Watched(Nowhere):
    async def session(self, call):
        seen.append("deliverkit.runs.judging" in sys.modules)
        return await super().session(call)
inputs = Inputs(domain="192.0.2.1", areas=SESSION_AREAS, sessions=Sessions(), allow_private=True)
runs.check((inputs,), RunOptions(), port=World(""), dialler=Watched())
print(seen and all(seen))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")
