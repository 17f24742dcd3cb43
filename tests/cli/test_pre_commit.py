"""The hooks of .pre-commit-hooks.yaml, run as the file says, and by pre-commit itself in a repository of its own."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
HOOKS = {hook["id"]: hook for hook in yaml.safe_load(MANIFEST.read_text())}
REPOSITORY = ROOT / "fixtures" / "gate-repo"
PRE_COMMIT = Path(sys.executable).with_name("pre-commit")
LINT, CHECK = "deliverkit-lint", "deliverkit-check"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "repository"
    shutil.copytree(REPOSITORY, path)
    (path / ".git").mkdir()
    monkeypatch.chdir(path)
    return path


def hook(cli, name: str, files: list[str], *more: str):
    """The hook's entry on a commit of these files."""
    entry = HOOKS[name]
    words = [*shlex.split(entry["entry"])[1:], *entry.get("args", []), *more]
    passed = [file for file in files if re.search(entry.get("files", ""), file)]
    return cli(*words, *(passed if entry["pass_filenames"] else []))


def test_a_commit_of_zones_is_linted(cli, repository: Path):
    files = ["zones/example.com.zone", "deliverkit.toml", "README.md"]
    assert hook(cli, LINT, files).code == 0
    shutil.copy("pull-request/example.com.zone", "zones")
    result = hook(cli, LINT, files)
    assert result.code == 1
    assert "In    zones/example.com.zone:17:" in result.out


def test_only_the_files_of_the_commit_are_judged(cli, repository: Path):
    shutil.copy("pull-request/example.com.zone", "zones")
    result = hook(cli, LINT, ["zones/example.org.zone"])
    assert result.code == 0
    assert "example.com  " not in result.out


def test_which_files_are_zones():
    named = HOOKS[LINT]["files"]
    assert [f for f in ("a.zone", "z/b.db", "c.zone.bak", "d.toml", "zone", "a.db.txt") if re.search(named, f)] == [
        "a.zone", "z/b.db"
    ]  # fmt: skip


def test_a_fragment(cli, repository: Path):
    Path("zones/part.zone").write_text('$ORIGIN example.net.\n@ MX 10 mail.example.net.\n@ TXT "v=spf1 mx -all"\n')
    assert hook(cli, LINT, ["zones/part.zone"]).code == 1
    assert hook(cli, LINT, ["zones/part.zone"], "--zone-partial").code == 0


def test_check_asks_when_it_is_called(cli, repository: Path):
    entry = HOOKS[CHECK]
    assert entry["stages"] == ["manual"]
    Path("down.world").write_text("example.com. SERVFAIL\nnews.example.com. SERVFAIL\nexample.org. SERVFAIL\n")
    assert hook(cli, CHECK, ["zones/example.com.zone"], "--offline", "--zone", "down.world").code == 3


@pytest.mark.skipif(not PRE_COMMIT.exists() or shutil.which("git") is None, reason="no pre-commit or no git here")
def test_pre_commit_itself(tmp_path: Path):
    """With the deliverkit of this Python: what pre-commit would install needs a network."""
    folder = tmp_path / "repository"
    shutil.copytree(REPOSITORY, folder)
    broken = (folder / "pull-request" / "example.com.zone").read_text()
    shutil.rmtree(folder / "pull-request")
    local = {"repos": [{"repo": "local", "hooks": [{**each, "language": "system"} for each in HOOKS.values()]}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(local))
    environment = {
        "PATH": f"{PRE_COMMIT.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8",
        "PRE_COMMIT_HOME": str(tmp_path / "home"), "GIT_CONFIG_NOSYSTEM": "1", "NO_COLOR": "1",
    }  # fmt: skip

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*map(str, words)], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    assert run(PRE_COMMIT, "validate-manifest", MANIFEST).returncode == 0
    run("git", "init", "-q")
    run("git", "add", ".")
    result = run(PRE_COMMIT, "run", "--all-files")
    assert result.returncode == 0, result
    assert "deliverkit lint" in result.stdout
    assert "deliverkit check" not in result.stdout
    (folder / "zones" / "example.com.zone").write_text(broken)
    run("git", "add", "-A")
    result = run(PRE_COMMIT, "run")  # what is staged
    assert result.returncode == 1, result
    assert "spf-too-many-lookups" in result.stdout
