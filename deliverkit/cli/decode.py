"""`deliverkit decode`: replies explained, from the command line or from stdin."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from typer import Argument, Option

from deliverkit.cli import decode_outputs, terminal
from deliverkit.cli.colour import Colour
from deliverkit.cli.declare import application
from deliverkit.cli.errors import UsageError, nearest
from deliverkit.cli.outputs import parsed
from deliverkit.model import escaped, shown
from deliverkit.replies import STAGES, providers
from deliverkit.replies.inputs import Counts
from deliverkit.runs.decode import Reply, replies_in, replies_of

_OUT: Final = "Output"
_CODE: Final = re.compile(r"[2-5]\d\d-?|[245]\.\d{1,3}\.\d{1,3}", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Telling:
    """What is decoded, what the input itself does not tell, and how much is told of it."""

    text: Annotated[
        list[str],
        Argument(
            metavar="TEXT",
            show_default=False,
            help="A reply, a bounce line or a log line (repeatable); without any, stdin is read.",
        ),
    ] = field(default_factory=list)
    provider: Annotated[
        str | None,
        Option("--provider", metavar="NAME", help="Whose server replied, where neither text nor host tells it: gmail."),
    ] = None
    stage: Annotated[
        str | None,
        Option("--stage", metavar="STAGE", help="What was answered, where the input does not tell it: rcpt, eod."),
    ] = None
    summary: Annotated[
        bool, Option("--summary", help="A log in numbers: what failed, where, and whose move is next.")
    ] = False


@dataclass(frozen=True)
class Printing:
    """What is printed."""

    format: Annotated[
        str, Option("--format", metavar="FORMAT", rich_help_panel=_OUT, help="text, json, jsonl or markdown.")
    ] = "text"
    output: Annotated[
        list[str],
        Option(
            "-o", "--output", metavar="FORMAT=PATH", rich_help_panel=_OUT, help="Write to a file as well (repeatable)."
        ),
    ] = field(default_factory=list)
    verbose: Annotated[
        bool, Option("-v", "--verbose", rich_help_panel=_OUT, help="Everything that is known of each reply.")
    ] = False
    quiet: Annotated[bool, Option("-q", "--quiet", rich_help_panel=_OUT, help="A line each.")] = False
    color: Annotated[Colour, Option("--color", metavar="WHEN", rich_help_panel=_OUT, help="auto, always or never.")] = (
        Colour.AUTO
    )
    debug: Annotated[bool, Option("--debug", rich_help_panel=_OUT, help="Show the traceback of a bug.")] = False


def decode(*, telling: Telling, printing: Printing) -> int:
    """Explain a reply, a bounce or a log: what it means, whose move it is, whether to try again."""
    provider = _provider(telling.provider) if telling.provider is not None else None
    stage = _stage(telling.stage) if telling.stage is not None else None
    decode_outputs.known(printing.format, "--format")
    outputs = parsed(printing.output, decode_outputs.FORMATS)
    for _, path in outputs:
        if _CONTROL.search(str(path)):
            raise UsageError(f"-o {escaped(str(path))}: a control character")
    counts = Counts()
    look = terminal.look(printing.color.value, verbose=printing.verbose, quiet=printing.quiet)
    with decode_outputs.opened(printing.format, outputs, look, counts, summary=telling.summary) as sinks:
        found = False
        for item, decoded in _replies(telling.text, counts, provider, stage):
            found = True
            for sink in sinks:
                sink.add(item, decoded)
        for sink in sinks:
            sink.end()
    _say(counts, found=found, words=telling.text)
    return 0


def _replies(words: Sequence[str], counts: Counts, provider: str | None, stage: str | None) -> Iterator[Reply]:
    if words and list(words) != ["-"]:
        return replies_of(_texts(words), counts, provider=provider, stage=stage)
    if sys.stdin is None:
        raise UsageError("decode: standard input is closed; deliverkit decode '550 5.7.26 …'")
    if sys.stdin.isatty():
        terminal.say("Paste a reply, a bounce or log lines; Ctrl-D ends.")
    return replies_in(sys.stdin.buffer, counts, provider=provider, stage=stage)


def _texts(words: Sequence[str]) -> list[str]:
    """Each argument is a text; words that a shell took apart are one again."""
    texts = [os.fsencode(word).decode("utf-8", "backslashreplace") for word in words]
    codes = [_CODE.fullmatch(text) is not None for text in texts]
    return [" ".join(texts)] if (codes[0] and not all(codes)) or (codes == [True, True] and "." in texts[1]) else texts


def _provider(name: str) -> str:
    """The provider's slug, from it or its name in any case. Raises `UsageError`."""
    known = {provider.slug: provider.slug for provider in providers()}
    known.update({provider.name.lower(): provider.slug for provider in providers()})
    word = name.strip().lower()
    if word in known:
        return known[word]
    raise UsageError(
        f"--provider {shown(name, 80)}: no such provider{nearest(word, known) or f'; known are {_listed()}'}"
    )


def _listed() -> str:
    return ", ".join(sorted(provider.slug for provider in providers()))


def _stage(name: str) -> str:
    word = name.strip().lower()
    if word in STAGES:
        return word
    hint = nearest(word, STAGES) or f"; there are {', '.join(STAGES)}"
    raise UsageError(f"--stage {shown(name, 80)}: no such stage{hint}")


def _say(counts: Counts, *, found: bool, words: Sequence[str]) -> None:
    """What was read and not shown, on stderr."""
    if counts.skipped:
        lines = "1 line" if counts.skipped == 1 else f"{counts.skipped} lines"
        terminal.say(f"deliverkit: skipped {lines} without a reply, of {counts.lines}")
    elif not found:
        terminal.say("deliverkit: nothing to decode: the input is empty")
    if counts.cut:
        terminal.say(f"deliverkit: {counts.cut} over-long {'line was' if counts.cut == 1 else 'lines were'} cut")
    for word in words:
        if len(word) < 4096 and _CODE.match(word) is None and "\0" not in word and Path(word).is_file():  # noqa: PLR2004 - a path's length
            terminal.say(f"deliverkit: {shown(word)} is a file: deliverkit decode < {shown(word)}")


app = application(decode, name="decode")
