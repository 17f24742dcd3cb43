"""From a path to a source: the octets, bounded, and the reader that fits them."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import stat
from pathlib import Path
from typing import Final

from deliverkit.model.source import Source, SourceKind

MAX_FILE: Final = 64 * 1024 * 1024
"""Octets of one file."""
_READERS: Final[dict[SourceKind, str]] = {
    "zone": "deliverkit.sources.zone",
    "octodns": "deliverkit.sources.octodns",
    "dnscontrol": "deliverkit.sources.dnscontrol",
    "terraform": "deliverkit.sources.terraform",
}
"""Modules with `read(text, path, *, origin) -> Source`, loaded when a file asks for them."""
_ZONE: Final = (".zone", ".db")
_YAML: Final = (".yaml", ".yml")
_SUFFIX: Final = re.compile(r"\.(zone|db|txt|hosts|dns|zonefile|yaml|yml|json|bind)$", re.IGNORECASE)
_NAME: Final = re.compile(r"(?:[\w-]{1,63}\.)+[\w-]{1,63}", re.ASCII)


class SourceError(Exception):
    """The file cannot be read at all; one line that names it."""


def read(path: Path, origin: str | None = None) -> Source:
    """What the file would publish. `origin`: what relative names stand under. Raises `SourceError`."""
    return read_text(text_of(path), path, origin)


def read_text(text: str, path: Path, origin: str | None = None) -> Source:
    """As `read`, of a text that stands at `path`, or would."""
    kind = kind_of(path, text)
    try:
        reader = importlib.import_module(_READERS[kind])
    except ModuleNotFoundError as error:
        raise SourceError(f"{shown_path(path)}: {kind} files cannot be read here: {error}") from error
    source: Source = reader.read(text, path, origin=origin if origin is not None else origin_of(path))
    return source


def kind_of(path: Path, text: str) -> SourceKind:
    """Which format this is, by its name and its first characters."""
    suffix = path.suffix.lower()
    head = text[:4096].lstrip("\ufeff \t\r\n")
    if suffix in _YAML:
        return "octodns"
    if suffix == ".json" or (head.startswith("{") and suffix not in _ZONE):
        return "terraform" if re.search(r'"(format_version|terraform_version)"', text[:65536]) else "dnscontrol"
    return "zone"


def origin_of(path: Path) -> str | None:
    """The zone that a file's name tells (`example.com.zone`, `db.example.com`); None: none."""
    name = _SUFFIX.sub("", path.name).removeprefix("db.").removesuffix(".")
    return name.lower() if _NAME.fullmatch(name) else None


def text_of(path: Path) -> str:
    """The file's text. Raises `SourceError`."""
    return decoded(octets_of(path))


def octets_of(path: Path) -> bytes:
    """The file's octets, if it is a file and not too large. Raises `SourceError`."""
    where = shown_path(path)
    try:
        # Not blocking: opening a FIFO would wait for whoever writes into it.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError) as error:
        raise SourceError(f"{where}: {(getattr(error, 'strerror', None) or str(error)).lower()}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SourceError(f"{where}: not a file")
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor
        try:
            octets = file.read(MAX_FILE + 1)
        except OSError as error:
            raise SourceError(f"{where}: {(error.strerror or str(error)).lower()}") from error
    if len(octets) > MAX_FILE:
        raise SourceError(f"{where}: larger than {MAX_FILE // 1024 // 1024} MiB")
    return octets


def decoded(octets: bytes) -> str:
    """Octets as text, a byte-order mark taken off."""
    if octets.startswith((b"\xff\xfe", b"\xfe\xff")):
        return octets.decode("utf-16", "replace")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Octets that are no UTF-8 stay what they are, a character each.
        return octets.decode("utf-8-sig", "surrogateescape")


def shown_path(path: Path) -> str:
    r"""The path as a report says it: relative to the working directory where it lies below it, with slashes.

    An octet of a file's name that is no UTF-8 is shown as `\xNN`: JSON and XML have no place for a lone surrogate.
    """
    climbs = ".." in path.parts
    # `zones/../shared/mail.zone` is one file with `shared/mail.zone`, and a forge finds it under this name alone.
    shown = Path(os.path.normpath(path)).as_posix() if climbs else path.as_posix()
    with contextlib.suppress(ValueError, OSError):
        here = Path.cwd()
        shown = (
            (path.resolve() if climbs else path.absolute()).relative_to(here.resolve() if climbs else here).as_posix()
        )
    return shown.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
