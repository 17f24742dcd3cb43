"""Writes the outputs that README.md shows, as the lab's domains give them today."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

README: Final = Path(__file__).parent.parent / "README.md"
_SHOWN: Final = re.compile(r"<!-- lab: (.+) -->\n```console\n[^`]*```")
_RESOLVER: Final = re.compile(r"127\.0\.0\.1#\d+")
_STANDARD: Final = "127.0.0.1#5354"


def written() -> str:
    """The README with its outputs made anew. Starts the lab, and ends it."""
    command = [sys.executable, "-m", "deliverkit"]
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    with subprocess.Popen([*command, "lab", "--port", "0"], stdout=subprocess.PIPE, text=True) as lab:  # noqa: S603 - our own
        try:
            found = _RESOLVER.search(lab.stdout.readline() if lab.stdout else "")
            if found is None:
                raise RuntimeError("the lab did not say where it answers")

            def shown(match: re.Match[str]) -> str:
                words = [*match[1].split(), "--resolver", found[0]]
                run = subprocess.run([*command, *words], capture_output=True, text=True, env=environment, check=False)  # noqa: S603 - our own
                output = run.stdout.replace(found[0], _STANDARD)
                return (
                    f"<!-- lab: {match[1]} -->\n```console\n$ deliverkit {match[1]} --resolver {_STANDARD}\n{output}```"
                )

            return _SHOWN.sub(shown, README.read_text("utf-8"))
        finally:
            lab.terminate()


if __name__ == "__main__":
    README.write_text(written(), "utf-8")
