"""The action's first step: deliverkit in an environment of its own; says in GITHUB_OUTPUT where its program is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Final, NoReturn

INSTALLED: Final = "installed"
_VERSION: Final = re.compile(r"[0-9][0-9A-Za-z.+!]{0,63}")


def main() -> None:
    """Install what `version` names: nothing, a version from PyPI, or this checkout."""
    version = os.environ.get("INPUT_VERSION", "").strip()
    if version == INSTALLED:
        found = shutil.which("deliverkit")
        if found is None:
            fail("version: no deliverkit is on the PATH")
        tell(found)
        return
    if version and not _VERSION.fullmatch(version):
        fail("version: expected a version as 1.2.3, or installed")
    if sys.version_info < (3, 11):  # noqa: UP036 - the runner's Python, not the one that deliverkit gets
        fail("Python 3.11 or later is needed: put actions/setup-python before this step")
    folder = Path(tempfile.mkdtemp(prefix="deliverkit-", dir=os.environ.get("RUNNER_TEMP") or None))
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    what = f"deliverkit=={version}" if version else os.environ["ACTION_FOLDER"]
    command = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--", what]
    if subprocess.run(command, check=False).returncode:
        fail("deliverkit could not be installed")
    tell(str(programs / "deliverkit"))


def tell(program: str) -> None:
    """The program, for the next step."""
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(f"program={program}\n")


def fail(message: str) -> NoReturn:
    """Ends the step with an annotation. Nothing of an input is in the message."""
    print(f"::error title=deliverkit::{message}")
    sys.exit(2)


if __name__ == "__main__":
    main()
