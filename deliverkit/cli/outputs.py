"""Where reports go: stdout in one format, and files in any."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from deliverkit.cli import terminal
from deliverkit.cli.errors import UsageError, nearest
from deliverkit.cli.targets import reason, writable
from deliverkit.model import escaped
from deliverkit.render.text.sheet import WIDTH, Look

if TYPE_CHECKING:
    from deliverkit.render.formats import View
    from deliverkit.report import Report

PLAIN: Final = ("text", "json")
"""What a command without findings writes."""
REPORTS: Final = (
    "text", "compact", "json", "jsonl", "csv", "markdown", "html", "junit", "sarif", "github", "gitlab", "nagios",
    "prometheus",
)  # fmt: skip
"""What a command with findings writes: the names of `render/formats.py`, in the order of the help."""
NAGIOS: Final = "nagios"


def known_format(name: str, option: str = "--format", formats: Sequence[str] = PLAIN) -> str:
    """The format's name, of those that the command writes. Raises `UsageError`."""
    if name in formats:
        return name
    written = f"{', '.join(formats[:-1])} and {formats[-1]}"
    if name in REPORTS:
        raise UsageError(f"{option} {name}: not of this command, which writes {written}")
    raise UsageError(f"{option} {name}: no such format{nearest(name, formats)}")


def parsed(outputs: Sequence[str], formats: Sequence[str] = REPORTS) -> list[tuple[str, Path]]:
    """Each `-o FORMAT=PATH`, checked before the run. Raises `UsageError`."""
    found: list[tuple[str, Path]] = []
    for output in outputs:
        name, equals, path = output.partition("=")
        if not equals or not path:
            raise UsageError(f"-o {output}: expected FORMAT=PATH, as in json=report.json")
        known_format(name, "-o", formats)
        if path != "-":
            writable(Path(path))
            if any(path == str(other) for _, other in found):
                raise UsageError(f"-o {output}: {escaped(path)} is the file of another report")
        found.append((name, Path(path)))
    return found


def streams_of(outputs: Sequence[tuple[str, Path]], form: str) -> list[str]:
    """What stdout shows: the formats whose path is `-`, else that of `--format`."""
    return [name for name, path in outputs if str(path) == "-"] or [form]


def publish(
    report: Report, form: str, outputs: Sequence[tuple[str, Path]], view: View, *, exit_zero: bool = False
) -> int:
    """Prints the report and writes its files; the exit code. Raises `UsageError` for a file that cannot be written.

    Where stdout shows `nagios` alone the exit code is the plugin's; no other format changes it.
    """
    from deliverkit.render.formats import render  # noqa: PLC0415 - loaded ahead, while the answers were awaited

    streams = streams_of(outputs, form)
    for name in streams:
        terminal.write(render(name, report, view))
    plain = msgspec.structs.replace(
        view, look=Look(width=WIDTH, wrap=False, verbose=view.look.verbose, quiet=view.look.quiet)
    )
    write_files([(name, path) for name, path in outputs if str(path) != "-"], lambda name: render(name, report, plain))
    if "github" in streams or any(name == "github" for name, _ in outputs):
        _summarise(report, plain)
    if streams != [NAGIOS]:
        return report.exit_code
    from deliverkit.render import nagios  # noqa: PLC0415 - only where it is asked for

    state = nagios.exit_code(report, view)
    return nagios.OK if exit_zero and state in {nagios.WARNING, nagios.CRITICAL} else state


def plugin(message: str) -> int:
    """A check that a monitoring system asked for, and that could not be made: its line, and the code for it."""
    from deliverkit.render import nagios  # noqa: PLC0415 - only where it is asked for

    terminal.write(nagios.unknown(message))
    return nagios.UNKNOWN


def _summarise(report: Report, view: View) -> None:
    """Appends to the summary of a GitHub step, where there is one. Raises `UsageError` where it cannot be written."""
    named = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if not named:
        return
    from deliverkit.render import github  # noqa: PLC0415 - only where it is asked for

    text = github.summary(report, view)
    try:
        with Path(named).open("a", encoding="utf-8", newline="") as file:
            file.write(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"GITHUB_STEP_SUMMARY: {escaped(named)}: {reason(error)}") from error


def write_files(outputs: Sequence[tuple[str, Path]], render: Callable[[str], str]) -> None:
    """Writes each report, its line ends as they are. Raises `UsageError` for a file that cannot be written."""
    for name, path in outputs:
        text = render(name)
        try:
            path.write_text(text, "utf-8", newline="")
        except OSError as error:
            raise UsageError(f"{escaped(str(path))}: {reason(error)}") from error
