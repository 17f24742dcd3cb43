"""The domains of a command line: typed, or read from a file."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from deliverkit.cli.errors import UsageError
from deliverkit.cli.terminal import say
from deliverkit.model import escaped, shown

_MAX_FILE: Final = 16 * 1024 * 1024
_MAX_LINE: Final = 1024


def domains(words: Sequence[str], *, any_name: bool = False) -> list[str]:
    """The domains in A-labels, each once, in the order given. Raises `UsageError`.

    `any_name` takes malformed names too, as check_host() does (RFC 7208 §4.3).
    """
    from deliverkit.records.names import parse_domain  # noqa: PLC0415 - what writes files needs no names

    found: dict[str, None] = {}
    for word, place in expanded(words):
        try:
            name = parse_domain(word)
        except ValueError as error:
            if not any_name:
                raise UsageError(f"{place}{error}") from error
            found[word.removesuffix(".").lower()] = None
            continue
        if name.mixed_script:
            say(f"deliverkit: warning: {shown(name.unicode)} ({name.ascii}) mixes scripts, as look-alike names do")
        found[name.ascii] = None
    return list(found)


def expanded(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each domain or host, and for a file's the place it stands at."""
    for word in words:
        if not word.startswith("@"):
            yield word, ""
            continue
        named = word[1:]
        before = None
        for number, line in enumerate(_read(named).splitlines(), 1):
            text = line.partition("#")[0].strip()
            if text:
                if len(text) > _MAX_LINE or any(ord(char) < 0x20 or ord(char) == 0x7F for char in text):  # noqa: PLR2004 - C0, DEL
                    raise UsageError(f"{escaped(named)}:{number}: not a domain name")
                before = text
                yield text, f"{escaped(named)}:{number}: "
        if before is None:
            raise UsageError(f"{escaped(named)}: names no domain")


def _read(named: str) -> str:
    if named == "-":
        return _text(sys.stdin.buffer.read(_MAX_FILE + 1), "standard input")
    return _text(read_file(Path(named), _MAX_FILE), named)


def _text(octets: bytes, named: str) -> str:
    if len(octets) > _MAX_FILE:
        raise UsageError(f"{escaped(named)}: larger than {_MAX_FILE // 1024 // 1024} MiB")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{escaped(named)}: not UTF-8 at octet {error.start}") from error


def read_file(path: Path, limit: int) -> bytes:
    """An ordinary file's octets, one more than `limit` at most. Raises `UsageError`."""
    try:
        if stat.S_ISDIR(path.stat().st_mode):
            raise UsageError(f"{escaped(str(path))}: is a directory")
        with path.open("rb") as file:
            return file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise UsageError(f"{escaped(str(path))}: {reason(error)}") from error


def writable(path: Path) -> None:
    """Refuses a path that cannot be written, before the work is done. Raises `UsageError`."""
    import os  # noqa: PLC0415 - used here alone

    if path.is_dir():
        raise UsageError(f"{escaped(str(path))}: is a directory")
    parent = path.parent
    if not parent.is_dir():
        raise UsageError(f"{escaped(str(path))}: no such directory: {escaped(str(parent))}")
    if not os.access(path if path.exists() else parent, os.W_OK):
        raise UsageError(f"{escaped(str(path))}: permission denied")


def reason(error: Exception) -> str:
    """Why a file could not be used, in words."""
    return (getattr(error, "strerror", None) or str(error)).lower()
