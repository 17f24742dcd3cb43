"""Writes the outputs that README.md shows, as the lab's domains give them today."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

README: Final = Path(__file__).parent.parent / "README.md"
_SHOWN: Final = re.compile(r"<!-- lab: (.+) -->\n```console\n[^`]*```")
_RESOLVER: Final = re.compile(r"127\.0\.0\.1#\d+")
_ENVIRONMENT: Final = re.compile(r"^  \. (\S+)$", re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (\w+)=(.*)$", re.MULTILINE)
_STANDARD: Final = "127.0.0.1#5354"


def written() -> str:
    """The README with its outputs made anew. Starts the lab, and ends it."""
    command = [sys.executable, "-m", "deliverkit"]
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    with subprocess.Popen([*command, "lab", "--port", "0"], stdout=subprocess.PIPE, text=True) as lab:  # noqa: S603 - our own
        try:
            said = ""
            while _ENVIRONMENT.search(said) is None:
                line = lab.stdout.readline() if lab.stdout else ""
                if not line:
                    raise RuntimeError("the lab did not say how it is reached")
                said += line
            file = Path(_ENVIRONMENT.findall(said)[0])
            environment |= {name: shlex.split(value)[0] for name, value in _EXPORT.findall(file.read_text("utf-8"))}

            def shown(match: re.Match[str]) -> str:
                words = shlex.split(match[1])
                run = subprocess.run([*command, *words], capture_output=True, text=True, env=environment, check=False)  # noqa: S603 - our own
                output = _RESOLVER.sub(_STANDARD, run.stdout)
                return f"<!-- lab: {match[1]} -->\n```console\n$ deliverkit {match[1]}\n{output}```"

            return _SHOWN.sub(shown, README.read_text("utf-8"))
        finally:
            lab.terminate()


if __name__ == "__main__":
    README.write_text(written(), "utf-8")
