"""The action's steps, run here as action.yml says: each `run` by bash, the inputs in the environment alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
REPOSITORY = ROOT / "fixtures" / "gate-repo"
PROGRAM = Path(sys.executable).with_name("deliverkit")
DOWN = "example.com. SERVFAIL\nnews.example.com. SERVFAIL\nexample.org. SERVFAIL\n"
_EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")

pytestmark = [
    pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here"),
    pytest.mark.skipif(not PROGRAM.exists(), reason="deliverkit is not installed beside this Python"),
]


class Ran(NamedTuple):
    code: int
    out: str
    outputs: dict[str, str]
    summary: str


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "repository"
    shutil.copytree(REPOSITORY, path)
    (path / ".git").mkdir()
    return path


@pytest.fixture
def pull_request(repository: Path) -> Path:
    shutil.copy(repository / "pull-request" / "example.com.zone", repository / "zones")
    return repository


def act(folder: Path, **given: str) -> Ran:
    """The action as a runner runs it; `fail_on` is the input fail-on."""
    inputs = {name: entry["default"] for name, entry in ACTION["inputs"].items()} | {"version": "installed"}
    inputs |= {name.replace("_", "-"): value for name, value in given.items()}
    values = {f"inputs.{name}": value for name, value in inputs.items()} | {"github.action_path": str(ROOT)}
    temporary = folder.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    summary = temporary / "summary.md"
    summary.write_text("")
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    said, code = "", 0
    for step in ACTION["runs"]["steps"]:
        output = temporary / f"output-{step['id']}"
        output.write_text("")
        environment = {name: _EXPRESSION.sub(lambda m: values[m[1]], text) for name, text in step["env"].items()}
        environment |= {
            "PATH": path, "HOME": str(temporary), "RUNNER_TEMP": str(temporary), "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_ACTIONS": "true",
        }  # fmt: skip
        assert step["shell"] == "bash"
        run = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        said, code = said + run.stdout + run.stderr, run.returncode
        for line in output.read_text().splitlines():
            name, _, value = line.partition("=")
            values[f"steps.{step['id']}.outputs.{name}"] = value
        if code:
            break
    outputs = {
        name: values.get(_EXPRESSION.fullmatch(entry["value"])[1], "") for name, entry in ACTION["outputs"].items()
    }
    return Ran(code, said, outputs, summary.read_text())


def test_no_input_is_written_into_a_script():
    assert ACTION["runs"]["using"] == "composite"
    assert [step["run"] for step in ACTION["runs"]["steps"] if "${{" in step["run"]] == []
    passed = {text for step in ACTION["runs"]["steps"] for text in step["env"].values()}
    assert {f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]} <= passed
    assert all(entry["description"] for entry in (*ACTION["inputs"].values(), *ACTION["outputs"].values()))
    assert list(ACTION["outputs"]) == ["exit-code", "errors", "warnings", "report"]
    # The command line reads DELIVERKIT_...: an input under such a name would be an option twice.
    assert [name for step in ACTION["runs"]["steps"] for name in step["env"] if name.startswith("DELIVERKIT_")] == []


def test_a_change_that_breaks_spf_is_red_at_its_line(pull_request: Path):
    ran = act(pull_request, sarif_file="out.sarif")
    assert ran.code == 1
    assert "::error file=zones/example.com.zone,line=17," in ran.out
    assert (ran.outputs["exit-code"], ran.outputs["errors"], ran.outputs["warnings"]) == ("1", "1", "2")
    assert json.loads(Path(ran.outputs["report"]).read_text())["schema"] == "deliverkit/report/1"
    assert json.loads((pull_request / "out.sarif").read_text())["runs"][0]["results"]
    assert "spf-too-many-lookups" in ran.summary


def test_what_is_published_is_green(repository: Path):
    ran = act(repository, summary="false")
    assert (ran.code, ran.outputs["exit-code"], ran.outputs["errors"]) == (0, "0", "0")
    assert "::error" not in ran.out
    assert ran.summary == ""


def test_the_inputs_reach_the_run(repository: Path):
    shutil.move(repository / "deliverkit.toml", repository / "zones" / "other.toml")
    ran = act(repository, config="zones/other.toml", args="'zones/example.com.zone'", format="text", fail_on="warning")
    assert ran.code == 1
    assert "dmarc-policy-none" in ran.out
    stop = re.search(r"^::stop-commands::(\w+)$", ran.out, re.MULTILINE)
    assert stop
    assert f"\n::{stop[1]}::\n" in ran.out
    assert "| target | verdict" in ran.summary


def test_a_resolver_that_is_down_is_a_warning_and_no_red_build(repository: Path):
    (repository / "down.world").write_text(DOWN)
    ran = act(repository, command="check", args="--offline --zone down.world")
    assert (ran.code, ran.outputs["exit-code"], ran.outputs["errors"]) == (0, "3", "0")
    assert "::warning title=deliverkit::Nothing failed, but" in ran.out
    assert "::error" not in ran.out


@pytest.mark.parametrize(
    "given",
    [
        {"command": "lint; touch owned"}, {"command": "$(touch owned)"}, {"args": "$(touch owned) `touch owned`"},
        {"args": "; touch owned"}, {"config": "$(touch owned)"}, {"fail_on": "error; touch owned"},
        {"format": "text\ntouch owned"}, {"version": "1 --index-url=x"}, {"version": "../x"}, {"args": "'"},
        {"summary": "`touch owned`"}, {"format": "nagios"}, {"sarif_file": "no/such/$(touch owned)"},
    ],
    ids=str,
)  # fmt: skip
def test_hostile_and_wrong_inputs_run_nothing(repository: Path, given: dict[str, str]):
    ran = act(repository, **given)
    assert ran.code == 2, ran
    assert not (repository / "owned").exists()
    assert "Traceback" not in ran.out
    assert len([line for line in ran.out.splitlines() if line and not re.match("::(stop|[0-9a-f]{32})", line)]) == 1
