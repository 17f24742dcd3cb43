"""What the terminal can show, and how text reaches it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Final, TextIO

from deliverkit.cli.errors import encodable
from deliverkit.model import shown
from deliverkit.render.text.sheet import NARROWEST, WIDTH, Look

_WIDEST: Final = 1000


def look(color: str, *, verbose: bool = False, quiet: bool = False, stream: TextIO | None = None) -> Look:
    """How to show text on this stream (stdout).

    Prose wraps at the terminal's width, or at COLUMNS. In a pipe without COLUMNS it does not wrap: logs and
    grep want whole lines.
    """
    stream = stream or sys.stdout
    columns = columns_of(os.environ, stream)
    return Look(
        width=columns or WIDTH,
        wrap=columns is not None,
        color=coloured(color, os.environ, stream),
        ascii=not unicode_of(stream),
        verbose=verbose,
        quiet=quiet,
    )


def columns_of(environ: Mapping[str, str], stream: TextIO) -> int | None:
    """The width to wrap at; None: do not."""
    said = environ.get("COLUMNS", "")
    if said.isascii() and said.isdigit() and int(said[:6]) > 0:
        return min(max(int(said[:6]), NARROWEST), _WIDEST)
    if not _tty(stream):
        return None
    try:
        return min(max(os.get_terminal_size(stream.fileno()).columns, NARROWEST), _WIDEST)
    except (OSError, ValueError):
        return WIDTH


def coloured(color: str, environ: Mapping[str, str], stream: TextIO) -> bool:
    """`--color`, then NO_COLOR, then CLICOLOR_FORCE and FORCE_COLOR, then whether this is a terminal."""
    if color != "auto":
        return color == "always"
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "0") not in {"", "0"} for name in ("CLICOLOR_FORCE", "FORCE_COLOR")):
        return True
    if environ.get("CLICOLOR") == "0" or environ.get("TERM") == "dumb":
        return False
    return _tty(stream)


def unicode_of(stream: TextIO) -> bool:
    """Whether the stream takes the symbols."""
    return (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "").replace("_", "") in {
        "utf8",
        "utf16",
        "utf32",
        "cp65001",
        "gb18030",
    }


def write(text: str) -> None:
    """A result to stdout; what its encoding cannot hold is written as an escape."""
    sys.stdout.write(encodable(text, sys.stdout))
    sys.stdout.flush()


def say(text: str) -> None:
    """A line to stderr, which holds everything but results."""
    sys.stderr.write(encodable(f"{text}\n", sys.stderr))
    sys.stderr.flush()


def progress(*, quiet: bool) -> Callable[[int, int], None] | None:
    """How far the run is, on stderr, once it takes more than a second; None where nobody watches."""
    if quiet or not _tty(sys.stderr):
        return None
    began = time.monotonic()
    written = False

    def show(done: int, total: int) -> None:
        nonlocal written
        taken = time.monotonic() - began
        if done < total and taken >= 1:
            sys.stderr.write(f"\r{done} of {total} done, {taken:.0f} s\x1b[K")
            written = True
        elif done == total and written:
            sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()

    return show


_ENDED: Final = frozenset({"open", "refused", "timeout", "unreachable", "error"})
Progress = Callable[[int, int], None]
Watch = Callable[[str, int, str], None]


def watching(*, quiet: bool) -> tuple[Progress | None, Watch | None]:
    """How far each port is, on stderr, once it takes more than a second; None where nobody watches.

    `25 open · 587 TLS handshake`, or how many targets are done where there are several.
    """
    if quiet or not _tty(sys.stderr):
        return None, None
    dot = " · " if unicode_of(sys.stderr) else ", "
    began = time.monotonic()
    stages: dict[tuple[str, int], str] = {}
    written = False

    def watch(host: str, port: int, words: str) -> None:
        stages[host, port] = words

    def show(done: int, total: int) -> None:
        nonlocal written
        taken = time.monotonic() - began
        if done < total and taken >= 1:
            one = total == 1
            under_way = [item for item in stages.items() if one or item[1] not in _ENDED]
            parts = [f"{port if one else f'{shown(host)}:{port}'} {stage}" for (host, port), stage in under_way]
            if not one:
                parts.insert(0, f"{done} of {total} done")
            words = dot.join(parts) or "asking the DNS"
            width = columns_of(os.environ, sys.stderr) or WIDTH
            room = width - len(f", {taken:.0f} s") - 1
            line = encodable(words if len(words) <= room else f"{words[: room - 3]}...", sys.stderr)
            sys.stderr.write(f"\r{line}, {taken:.0f} s\x1b[K")
            written = True
        elif done == total and written:
            sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()

    return show, watch


def _tty(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False
