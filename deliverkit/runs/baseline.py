"""The baseline's file: read strictly, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

from deliverkit.model import escaped
from deliverkit.report.baseline import Baseline, BaselineError, decode, encode
from deliverkit.runs.options import RunError

_MAX_FILE: Final = 64 * 1024 * 1024


def load(path: Path) -> Baseline:
    """The baseline in a file. Raises `RunError`."""
    name = escaped(str(path))
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise RunError(f"{name}: not an ordinary file")
        with path.open("rb") as file:
            octets = file.read(_MAX_FILE + 1)
    except (OSError, ValueError) as error:
        raise RunError(f"{name}: {_reason(error)}") from error
    if len(octets) > _MAX_FILE:
        raise RunError(f"{name}: larger than {_MAX_FILE // 1024 // 1024} MiB")
    try:
        return decode(octets, name)
    except BaselineError as error:
        raise RunError(str(error)) from error


def save(path: Path, baseline: Baseline) -> None:
    """Writes the file. One that is there keeps its mode, and a link stays a link. Raises `RunError`."""
    try:
        real = path.resolve()
        handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(encode(baseline))
            Path(name).chmod(_mode(real))
            Path(name).replace(real)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except (OSError, RuntimeError) as error:
        raise RunError(f"{escaped(str(path))}: {_reason(error)}") from error


def _mode(path: Path) -> int:
    """The mode of the file that is there; of a new one what the umask leaves."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
