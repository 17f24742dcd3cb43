"""Writes the outputs that README.md shows, as the lab's domains give them today."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

README: Final = Path(__file__).parent.parent / "README.md"
_SHOWN: Final = re.compile(r"<!-- lab: (.+) -->\n```console\n[^`]*```")
_ENVIRONMENT: Final = re.compile(r"(?m)^  \. (.+)$")
_RESOLVER: Final = re.compile(r"127\.0\.0\.1#\d+")
_STANDARD: Final = "127.0.0.1#5354"


def written() -> str:
    """The README with its outputs made anew. Starts the lab, and ends it."""
    command = [sys.executable, "-m", "deliverkit"]
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    with subprocess.Popen([*command, "lab", "--port", "0"], stdout=subprocess.PIPE, text=True) as lab:  # noqa: S603 - our own
        try:
            said = "".join(itertools.islice(lab.stdout, 4)) if lab.stdout else ""
            found, file = _RESOLVER.search(said), _ENVIRONMENT.search(said)
            if found is None or file is None:
                raise RuntimeError("the lab did not say where it answers")
            led = {**environment, **_variables(Path(file[1]).read_text("utf-8"))}

            def shown(match: re.Match[str]) -> str:
                sessions = match[1].startswith("smtp ")
                where = [] if sessions else ["--resolver", found[0]]
                run = subprocess.run(  # noqa: S603 - our own
                    [*command, *match[1].split(), *where],
                    capture_output=True, text=True, env=led if sessions else environment, check=False,
                )  # fmt: skip
                output = run.stdout.replace(found[0], _STANDARD)
                typed = match[1] if sessions else f"{match[1]} --resolver {_STANDARD}"
                return f"<!-- lab: {match[1]} -->\n```console\n$ deliverkit {typed}\n{output}```"

            return _SHOWN.sub(shown, README.read_text("utf-8"))
        finally:
            lab.terminate()


def _variables(text: str) -> dict[str, str]:
    """The variables that the lab's file exports."""
    return {
        name: value
        for line in shlex.split(text, comments=True)
        for name, equals, value in [line.partition("=")]
        if equals
    }


if __name__ == "__main__":
    README.write_text(written(), "utf-8")
