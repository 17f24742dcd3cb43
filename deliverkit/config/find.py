"""Which file is the configuration, and its octets: never more than a configuration can have, never a wait."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from deliverkit.config.settings import ConfigError
from deliverkit.model import escaped

NAMES: Final = ("deliverkit.toml", ".deliverkit.toml", "pyproject.toml")
"""In each folder the first of these; of `pyproject.toml` the table `[tool.deliverkit]`."""
PYPROJECT: Final = "pyproject.toml"
LIMIT: Final = 1024 * 1024
"""Octets: three thousand domains."""
_DEEPEST: Final = 128
"""Folders looked at at most."""


def find(start: Path) -> Path | None:
    """The configuration that holds in a folder: from there upwards to the root of its repository.

    Outside a repository only the folder itself counts, since whose the ones above are cannot be told. Raises
    `ConfigError` for a `pyproject.toml` that cannot be read and might be it.
    """
    here = Path(os.path.abspath(start))  # noqa: PTH100 - the folder as it was entered, through whatever link
    folders = [here, *here.parents][:_DEEPEST]
    root = next((number for number, folder in enumerate(folders) if _there(folder / ".git")), 0)
    for folder in folders[: root + 1]:
        for name in NAMES:
            path = folder / name
            if _there(path) and (name != PYPROJECT or _is_ours(path)):
                return path
    return None


def named(path: Path) -> str:
    """A path as it is shown: relative to the working directory where that is shorter, with forward slashes."""
    whole = os.path.abspath(path)  # noqa: PTH100 - through whatever link
    try:
        relative = os.path.relpath(path)
    except ValueError:  # on another drive
        relative = whole
    return Path(min(relative, whole, key=len)).as_posix()


def octets_of(path: Path) -> tuple[bytes, bool]:
    """A file's octets, and whether everybody on this machine may read them. Raises `ConfigError`."""
    shown = escaped(named(path))
    try:
        # Without waiting for whoever might write into a FIFO.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        try:
            mode = os.fstat(handle).st_mode
            if stat.S_ISDIR(mode):
                raise ConfigError(f"{shown}: is a directory")
            if not stat.S_ISREG(mode):
                raise ConfigError(f"{shown}: not a regular file")
            with open(handle, "rb", closefd=False) as file:
                octets = file.read(LIMIT + 1)
        finally:
            os.close(handle)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{shown}: {(getattr(error, 'strerror', None) or str(error)).lower()}") from error
    if len(octets) > LIMIT:
        raise ConfigError(f"{shown}: larger than {LIMIT // 1024 // 1024} MiB")
    return octets, bool(mode & stat.S_IROTH)


def _there(path: Path) -> bool:
    """Whether there is such an entry, be it a link that leads nowhere."""
    return os.path.lexists(path)


def _is_ours(path: Path) -> bool:
    """Whether a `pyproject.toml` has our table. One that is broken, and does not name us, is not our business."""
    try:
        octets, _ = octets_of(path)
    except ConfigError:
        return False
    if b"deliverkit" not in octets:
        return False
    import tomllib  # noqa: PLC0415 - most folders have no such file

    try:
        tool = tomllib.loads(octets.decode("utf-8-sig")).get("tool")
    except (ValueError, RecursionError):
        return b"tool.deliverkit" in octets
    return isinstance(tool, dict) and "deliverkit" in tool
