"""Where decoded replies go: each output takes them one by one, so that a log of any length fits."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol, TextIO

from deliverkit.cli import terminal
from deliverkit.cli.errors import UsageError
from deliverkit.cli.outputs import known_format
from deliverkit.cli.targets import reason
from deliverkit.model import escaped
from deliverkit.render import json
from deliverkit.render.text.sheet import WIDTH, Look
from deliverkit.replies import Decoded
from deliverkit.replies.document import told
from deliverkit.replies.inputs import Counts, Item

FORMATS: Final = ("text", "json", "jsonl", "markdown")
_AT_ONCE: Final = 64 * 1024
"""Characters that are gathered before they are written."""

Write = Callable[[str], object]


class Sink(Protocol):
    """Takes replies, and writes what it makes of them."""

    def add(self, item: Item, decoded: Decoded) -> None:
        """Takes one reply."""

    def end(self) -> None:
        """Writes what is left."""


class JsonSink:
    """One object, or an array where there are several; with `lines` one object a line."""

    def __init__(self, write: Write, *, lines: bool) -> None:
        self._write = write
        self._lines = lines
        self._held = ""
        self._parts: list[str] = []
        self._size = 0
        self._count = 0

    def add(self, item: Item, decoded: Decoded) -> None:
        """Takes one reply; the first waits until it is known whether it is alone."""
        text = json.quick(told(item, decoded), indent=None if self._lines else 2)
        self._count += 1
        if self._lines:
            self._write(text)  # at once: somebody may be following a log
        elif self._count == 1:
            self._held = text
        else:
            self._put(f"[\n{self._held.rstrip()},\n{text.rstrip()}" if self._count == 2 else f",\n{text.rstrip()}")  # noqa: PLR2004 - the second opens the array

    def end(self) -> None:
        """Closes the array."""
        if not self._lines:
            self._put("[]\n" if not self._count else self._held if self._count == 1 else "\n]\n")
        self._flush()

    def _put(self, text: str) -> None:
        self._parts.append(text)
        self._size += len(text)
        if self._size > _AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if self._parts:
            self._write("".join(self._parts))
        self._parts, self._size = [], 0


class PageSink:
    """Text or Markdown: one reply whole, several gathered by what they mean."""

    def __init__(self, write: Write, look: Look, *, markdown: bool) -> None:
        from deliverkit.replies.groups import Groups  # noqa: PLC0415 - not for JSON

        self._write = write
        self._look = look
        self._markdown = markdown
        self._groups = Groups(_now())

    def add(self, item: Item, decoded: Decoded) -> None:
        """Counts one reply."""
        self._groups.add(item, decoded)

    def end(self) -> None:
        """Writes the page."""
        from deliverkit.render.text import decode  # noqa: PLC0415 - as above

        groups = self._groups.all()
        if self._markdown:
            from deliverkit.render import markdown  # noqa: PLC0415 - as above

            self._write(markdown.replies(groups))
        else:
            self._write(decode.render(groups, self._look))


class SummarySink:
    """A log in numbers."""

    def __init__(self, write: Write, look: Look, counts: Counts, form: str) -> None:
        from deliverkit.replies.summary import Collector  # noqa: PLC0415 - only where it is asked for

        self._write = write
        self._look = look
        self._counts = counts
        self._form = form
        self._collector = Collector(_now())

    def add(self, item: Item, decoded: Decoded) -> None:
        """Counts one reply."""
        self._collector.add(item, decoded)

    def end(self) -> None:
        """Writes the summary."""
        summary = self._collector.summary(self._counts)
        if self._form in ("json", "jsonl"):
            self._write(json.render(summary, indent=2 if self._form == "json" else None))
        elif self._form == "markdown":
            from deliverkit.render import markdown  # noqa: PLC0415 - only where it is asked for

            self._write(markdown.summary(summary))
        else:
            from deliverkit.render.text import log  # noqa: PLC0415 - as above

            self._write(log.render(summary, self._look))


@contextlib.contextmanager
def opened(
    form: str, outputs: Sequence[tuple[str, Path]], look: Look, counts: Counts, *, summary: bool
) -> Iterator[list[Sink]]:
    """The outputs: stdout's, and a file's each. Raises `UsageError` for a file that cannot be written."""
    plain = Look(width=WIDTH, wrap=False, verbose=look.verbose, quiet=look.quiet)

    def sink(name: str, write: Write, shape: Look) -> Sink:
        if summary:
            return SummarySink(write, shape, counts, name)
        if name in ("json", "jsonl"):
            return JsonSink(write, lines=name == "jsonl")
        return PageSink(write, shape, markdown=name == "markdown")

    streams = [name for name, path in outputs if str(path) == "-"] or [form]
    with contextlib.ExitStack() as stack:
        sinks = [sink(name, terminal.write, look) for name in streams]
        for name, path in outputs:
            if str(path) == "-":
                continue
            try:
                file = stack.enter_context(path.open("w", encoding="utf-8"))
            except OSError as error:
                raise UsageError(f"{escaped(str(path))}: {reason(error)}") from error
            sinks.append(sink(name, _to(file, path), plain))
        yield sinks


def _to(file: TextIO, path: Path) -> Write:
    def write(text: str) -> None:
        try:
            file.write(text)
            file.flush()
        except OSError as error:
            raise UsageError(f"{escaped(str(path))}: {reason(error)}") from error

    return write


def known(name: str, option: str) -> str:
    """The format's name. Raises `UsageError`."""
    return known_format(name, option, FORMATS)


def _now() -> dt.datetime:
    return dt.datetime.now().astimezone()
