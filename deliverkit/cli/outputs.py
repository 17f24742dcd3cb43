"""Where reports go: stdout in one format, and files in any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from deliverkit.cli.errors import UsageError, nearest
from deliverkit.cli.targets import reason, writable
from deliverkit.model import escaped

FORMATS: Final = ("text", "json")
PLANNED: Final = (
    "compact", "jsonl", "csv", "markdown", "html", "junit", "sarif", "github", "gitlab", "nagios", "prometheus",
)  # fmt: skip


def known_format(name: str, option: str = "--format", formats: Sequence[str] = FORMATS) -> str:
    """The format's name, of those that the command writes. Raises `UsageError`."""
    if name in formats:
        return name
    if name in PLANNED:
        written = f"{', '.join(formats[:-1])} and {formats[-1]}"
        raise UsageError(f"{option} {name}: not yet; this version writes {written}")
    raise UsageError(f"{option} {name}: no such format{nearest(name, formats)}")


def parsed(outputs: Sequence[str], formats: Sequence[str] = FORMATS) -> list[tuple[str, Path]]:
    """Each `-o FORMAT=PATH`, checked before the run. Raises `UsageError`."""
    found: list[tuple[str, Path]] = []
    for output in outputs:
        name, equals, path = output.partition("=")
        if not equals or not path:
            raise UsageError(f"-o {output}: expected FORMAT=PATH, as in json=report.json")
        known_format(name, "-o", formats)
        if path != "-":
            writable(Path(path))
        found.append((name, Path(path)))
    return found


def write_files(outputs: Sequence[tuple[str, Path]], render: Callable[[str], str]) -> None:
    """Writes each report. Raises `UsageError` for a file that cannot be written."""
    for name, path in outputs:
        try:
            path.write_text(render(name), "utf-8")
        except OSError as error:
            raise UsageError(f"{escaped(str(path))}: {reason(error)}") from error
