"""docs/ci.md and its examples: what they call exists and does what they say; the image holds what it needs."""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deliverkit.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "ci.md").read_text("utf-8")
EXAMPLES = sorted((ROOT / "docs" / "examples").iterdir())
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
GITLAB = yaml.safe_load((ROOT / "docs" / "examples" / "gitlab-ci.yml").read_text())
_CALL = re.compile(r"(?:^|[\s'/(`])deliverkit ((?:[a-z]+(?:-[a-z]+)*)[^\n`|&>')]*)")
PROGRAM = Path(sys.executable).with_name("deliverkit")
_NO_SHELL = shutil.which("sh") is None or not PROGRAM.exists()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "repository"
    shutil.copytree(ROOT / "fixtures" / "gate-repo", path)
    (path / ".git").mkdir()
    monkeypatch.chdir(path)
    return path


def test_links_lead_somewhere():
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^):]+)\)", TEXT)]
    assert len(links) > 8
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
    assert {f"examples/{path.name}" for path in EXAMPLES} <= set(links)


def test_every_command_and_option_exists(cli):
    called = _CALL.findall("\n".join([TEXT, *(path.read_text("utf-8") for path in EXAMPLES)]))
    words = [line.split() for line in called if line.split()[0] in COMMANDS]
    assert {line[0] for line in words} >= {"lint", "check", "baseline"}
    for name in sorted({line[0] for line in words}):
        described = cli(name, "--help").out
        options = {word for line in words if line[0] == name for word in line if re.fullmatch(r"--[a-z-]+", word)}
        assert [option for option in sorted(options) if option not in described] == [], name


def test_the_action_is_called_as_it_is():
    for path in EXAMPLES:
        if not path.name.startswith("github-"):
            continue
        steps = [step for job in yaml.safe_load(path.read_text())["jobs"].values() for step in job["steps"]]
        (ours,) = [step for step in steps if step.get("uses", "").endswith("/deliverkit@v0")]
        assert set(ours["with"]) <= set(ACTION["inputs"])
        named = re.findall(r"steps\.mail\.outputs\.([\w-]+)", path.read_text())
        assert set(named) <= set(ACTION["outputs"])
    told = set(re.findall(r"^\| `([\w-]+)` \|", TEXT, re.MULTILINE))
    assert set(ACTION["inputs"]) <= told


def test_gitlabs_lint_writes_what_gitlab_collects(cli, repository: Path):
    reports = GITLAB[".deliverkit"]["artifacts"]["reports"]
    assert GITLAB[".deliverkit"]["allow_failure"]["exit_codes"] == [3]
    for job, code in (("deliverkit-lint", 0), ("deliverkit-check", 3)):
        (line,) = GITLAB[job]["script"]
        Path("down.world").write_text("example.com. SERVFAIL\nnews.example.com. SERVFAIL\nexample.org. SERVFAIL\n")
        more = () if job.endswith("lint") else ("--offline", "--zone", "down.world")
        assert cli(*shlex.split(line)[1:], *more).code == code
        for path in reports.values():
            Path(path).unlink()


@pytest.mark.skipif(_NO_SHELL, reason="no sh, or deliverkit is not installed beside this Python")
def test_prometheus_and_cron_run_as_they_stand(repository: Path):
    (block,) = re.findall(r"```sh\n(out=.*?)```", TEXT, re.DOTALL)
    (line,) = re.findall(r"^17 5 \* \* \*  cd /srv/dns && (.*)$", TEXT, re.MULTILINE)
    zones = "--offline --inconclusive pass --zone zones/example.com.zone --zone zones/example.org.zone"

    def run(script: str) -> str:
        script = script.replace("/opt/deliverkit/bin/", "").replace("deliverkit check", f"deliverkit check {zones}")
        environment = {"PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            ["sh", "-c", script], env=environment, capture_output=True, text=True, check=False, timeout=60
        ).stdout

    assert run(block.replace("/var/lib/node_exporter/", "")) == ""
    assert "deliverkit_run_exit_code 0\n" in Path("deliverkit.prom").read_text()
    assert not Path("deliverkit.tmp").exists()
    assert run(line) == ""
    shutil.copy("pull-request/example.com.zone", "zones")
    assert "spf-too-many-lookups" in run(line)


def test_the_image_has_what_it_copies_and_nobody_runs_it_as_root():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    stages = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert stages == ["python:3-slim", "python:3-slim"]
    (user,) = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert user.partition(":")[0] not in {"0", "root"}
    assert lines.index(f"USER {user}") < lines.index('ENTRYPOINT ["deliverkit"]')
    sources = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]

    def sent(path: str) -> bool:
        kept = True
        parts = path.split("/")
        for rule in rules:
            pattern = rule.removeprefix("!").removeprefix("**/")
            if any(fnmatch.fnmatch("/".join(parts[: n + 1]), pattern) for n in range(len(parts))):
                kept = rule.startswith("!")
        return kept

    assert [path for path in sources if not (ROOT / path).exists() or not sent(path)] == []
    for path in (".git", ".venv", "tests", "docs/ci.md", "id_rsa", ".env"):
        assert not sent(path), path
    # What the build reads: a file that pyproject names and the image lacks would end it.
    project = (ROOT / "pyproject.toml").read_text()
    for path in ("README.md", "LICENSE", "docs/man"):
        assert path in project
        assert path in sources


@pytest.mark.skipif(not PROGRAM.exists(), reason="deliverkit is not installed beside this Python")
@pytest.mark.parametrize(
    ("typed", "number", "wanted"),
    [("deliverkit li", 1, "lint"), ("deliverkit lint --fa", 2, "--fail-on"), ("deliverkit mta", 1, "mta-sts")],
)
def test_completion(typed: str, number: int, wanted: str):
    environment = {
        "COMP_WORDS": typed, "COMP_CWORD": str(number), "_DELIVERKIT_COMPLETE": "complete_bash",
        "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
    }  # fmt: skip
    run = subprocess.run([PROGRAM], env=environment, capture_output=True, text=True, check=False, timeout=30)
    assert wanted in run.stdout.split()
