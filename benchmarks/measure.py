"""Processes measured from start to exit, in turn, and the rows of a table."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

ROUNDS = 9
DELIVERKIT = [sys.executable, "-m", "deliverkit"]
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith(("DELIVERKIT_", "PYTHONDONT"))}


class Row(NamedTuple):
    """What, how much, what is wanted, and whether it is so."""

    what: str
    value: str = ""
    wanted: str = ""
    fine: bool = True


def run(*command: str, code: int = 0, env: dict[str, str] | None = None) -> float:
    """Milliseconds from start to exit."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=env or ENVIRONMENT, check=False)
    taken = (time.perf_counter() - began) * 1000
    if done.returncode != code:
        raise SystemExit(f"{' '.join(command)} exited {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return taken


def medians(*measures: Callable[[], float]) -> list[float]:
    """The median of each, measured in turn, after a round to warm up."""
    rounds = [[measure() for measure in measures] for _ in range(ROUNDS + 1)][1:]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]
