"""The action's second step: runs deliverkit with the inputs, and says in GITHUB_OUTPUT what came of it.

Exit 3 is no red build: a name server's bad day is not this change's fault. It is annotated as a warning, and
`exit-code` tells it to whoever wants to be stricter (or `--inconclusive fail` among `args`).
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, NoReturn

COMMANDS: Final = (
    "lint", "check", "mx", "spf", "dkim", "dmarc", "mta-sts", "tls-rpt", "dane", "dnssec", "smtp",
)  # fmt: skip
GITHUB: Final = "github"
USAGE: Final = 2
INCONCLUSIVE: Final = 3
_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def main() -> int:
    """The step's exit code."""
    folder = Path(tempfile.mkdtemp(prefix="deliverkit-", dir=os.environ.get("RUNNER_TEMP") or None))
    report = folder / "report.json"
    command, environment = planned(report, folder / "github.txt")
    form = given("FORMAT") or GITHUB
    token = secrets.token_hex(16)
    # Only annotations that are meant are read as such: in no other format is a line a command.
    if form != GITHUB:
        print(f"::stop-commands::{token}", flush=True)
    code = subprocess.run(command, env=environment, check=False).returncode
    if form != GITHUB:
        print(f"::{token}::", flush=True)
    tell(code, report)
    if code == INCONCLUSIVE:
        print("::warning title=deliverkit::Nothing failed, but not everything could be determined (exit code 3).")
        return 0
    return code


def planned(report: Path, annotations: Path) -> tuple[list[str], dict[str, str]]:
    """The command line, and its environment. What `args` says comes last and wins."""
    command, form = given("COMMAND") or COMMANDS[0], given("FORMAT") or GITHUB
    if command not in COMMANDS:
        fail(f"command: expected one of {', '.join(COMMANDS)}")
    if form == "nagios":
        fail("format: nagios has exit codes of its own, and is for monitoring")
    summary = _WORDS.get((given("SUMMARY") or "true").lower())
    if summary is None:
        fail("summary: expected true or false")
    try:
        words = shlex.split(os.environ.get("INPUT_ARGS", ""))
    except ValueError:
        fail("args: a quote is not closed")
    line = [os.environ["DELIVERKIT"], command, "--format", form, "-o", f"json={report}"]
    line += [
        word
        for name in ("CONFIG", "FAIL_ON")
        if given(name)
        for word in (f"--{name.lower()}".replace("_", "-"), given(name))
    ]
    if given("SARIF_FILE"):
        line += ["-o", f"sarif={given('SARIF_FILE')}"]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("INPUT_") and name != "DELIVERKIT"
    }
    if not summary:
        environment.pop("GITHUB_STEP_SUMMARY", None)
    elif form != GITHUB:
        line += ["-o", f"github={annotations}"]  # the summary comes with it
    return [*line, *words], environment


def tell(code: int, report: Path) -> None:
    """The outputs. A run that made no report (wrong usage, a bug) has no counts."""
    severities: list[str] | None = None
    if report.exists():
        document = json.loads(report.read_text("utf-8"))
        severities = [each["severity"] for target in document["targets"] for each in target["findings"]]
    outputs = {
        "exit-code": str(code),
        "errors": "" if severities is None else str(severities.count("error")),
        "warnings": "" if severities is None else str(severities.count("warning")),
        "report": str(report) if severities is not None else "",
    }
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in outputs.items())


def given(name: str) -> str:
    """An input, "" where it was left out."""
    return os.environ.get(f"INPUT_{name}", "").strip()


def fail(message: str) -> NoReturn:
    """Ends the step with an annotation. Nothing of an input is in the message."""
    print(f"::error title=deliverkit::{message}")
    sys.exit(USAGE)


if __name__ == "__main__":
    sys.exit(main())
