"""The files of `lint`: those that are named, those that a directory holds, or standard input."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from deliverkit.cli.errors import UsageError
from deliverkit.model import Source, escaped
from deliverkit.model.source import Place, SourceProblem
from deliverkit.sources import SourceError, read, read_text
from deliverkit.sources.file import MAX_FILE, decoded, origin_of, shown_path

MAX_FILES: Final = 10_000
"""Files that directories are searched for."""
_ZONE: Final = re.compile(r"(?:.*\.(?:zone|db)|db\..+)", re.IGNORECASE | re.DOTALL)
_YAML: Final = re.compile(r".*\.ya?ml", re.IGNORECASE | re.DOTALL)
_HEAD: Final = 65_536
_PLAN: Final = re.compile(rb'"(?:planned_values|terraform_version)"')
_IR: Final = re.compile(rb'"(?:domains|registrars|dns_providers)"\s*:\s*\[')


def sources_of(paths: Sequence[Path], origin: str | None) -> list[Source]:
    """Every source, each once, without those that another includes. Raises `UsageError`."""
    found: dict[str, Source] = {}
    for path in paths:
        if str(path) == "-":
            found["-"] = _standard_input(origin)
        elif path.is_dir():
            inside = list(_inside(path))
            if not inside:
                raise UsageError(
                    f"{escaped(str(path))}: holds no zone file, octoDNS YAML, DNSControl or Terraform JSON"
                )
            for each in inside:
                found.setdefault(shown_path(each), _found(each, origin))
        else:
            found.setdefault(shown_path(path), _named(path, origin))
    included = {name for source in found.values() for name in source.includes}
    kept = {name: source for name, source in found.items() if name not in included}
    covered = {name for source in kept.values() for name in source.includes}
    for name, source in found.items():
        if name not in kept and name not in covered:
            # Files that include each other: each is included, and yet one of them has to be read for all.
            kept[name] = source
            covered.update(source.includes)
    return list(kept.values())


def _named(path: Path, origin: str | None) -> Source:
    try:
        return read(path, origin)
    except SourceError as error:
        raise UsageError(escaped(str(error))) from error


def _found(path: Path, origin: str | None) -> Source:
    """A file of a directory: that it cannot be read is a finding among others."""
    try:
        return read(path, origin)
    except SourceError as error:
        where = shown_path(path)
        why = str(error).removeprefix(f"{where}: ")
        return Source(
            path=where,
            kind="zone",
            problems=(SourceProblem(place=Place(where, 1, 1), message=why, kind="unreadable"),),
        )


def _standard_input(origin: str | None) -> Source:
    if sys.stdin is None:
        raise UsageError("lint: standard input is closed")
    octets = sys.stdin.buffer.read(MAX_FILE + 1)
    if len(octets) > MAX_FILE:
        raise UsageError(f"standard input: larger than {MAX_FILE // 1024 // 1024} MiB")
    try:
        return read_text(decoded(octets), Path("-"), origin)
    except SourceError as error:
        raise UsageError(escaped(str(error))) from error


def _inside(folder: Path) -> Iterator[Path]:
    """The files below a directory whose names or first octets say what they are."""
    count = 0
    for at, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            count += 1
            if count > MAX_FILES:
                raise UsageError(f"{escaped(str(folder))}: more than {MAX_FILES} files; name the folder of the zones")
            path = Path(at) / name
            if not name.startswith(".") and _is_source(path):
                yield path


def _is_source(path: Path) -> bool:
    if not path.is_file():
        return False
    if _ZONE.fullmatch(path.name):
        return True
    if _YAML.fullmatch(path.name):
        return origin_of(path) is not None
    if path.suffix.lower() != ".json":
        return False
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return bool(_PLAN.search(head) or _IR.search(head))
