"""A rule's advice, which is Markdown of ours, cut into paragraphs, list entries and code.

What it quotes of a peer stands in it as plain text: who draws a block makes its lines safe.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

import msgspec

from deliverkit.report import FindingReport
from deliverkit.report.fold import change_lines

Kind: TypeAlias = Literal["paragraph", "entry", "code"]
_INDENT: Final = "    "


class Text(msgspec.Struct, frozen=True):
    """A paragraph or an entry of a list on one line, or the lines of code as they stand."""

    kind: Kind
    lines: tuple[str, ...]


class Advice(msgspec.Struct, frozen=True):
    """A fix: the words, and the lines of a diff beneath their heading, where there is a record to publish."""

    words: tuple[Text, ...]
    heading: str
    diff: tuple[str, ...]


def advice(finding: FindingReport) -> Advice:
    """How to mend it; the diff, which the fix ends in, taken apart from its words."""
    if finding.change is None:
        return Advice(tuple(blocks(finding.fix)), "", ())
    heading, *diff = change_lines(finding.change)
    words = finding.fix.removesuffix("\n".join([heading, *diff])).rstrip("\n")
    return Advice(tuple(blocks(words)), heading, tuple(diff))


def blocks(text: str) -> Iterator[Text]:
    """The blocks of a text in the Markdown that docstrings use: no more than paragraphs, lists and code."""
    kind: Kind = "paragraph"
    held: list[str] = []
    fenced = False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            yield from _block(kind, held)
            fenced = not fenced
            kind = "code" if fenced else "paragraph"
        elif fenced:
            held.append(line)
        elif line.startswith(_INDENT) and (kind == "code" or not held):
            kind = "code"
            held.append(line.removeprefix(_INDENT))
        elif not line.strip():
            yield from _block(kind, held)
            kind = "paragraph"
        elif line.lstrip().startswith(("- ", "* ")):
            yield from _block(kind, held)
            kind = "entry"
            held.append(line.lstrip()[2:])
        else:
            if kind == "code":
                yield from _block(kind, held)
                kind = "paragraph"
            held.append(line.strip())
    yield from _block(kind, held)


def _block(kind: Kind, held: list[str]) -> Iterator[Text]:
    if held:
        yield Text(kind, tuple(held) if kind == "code" else (" ".join(held),))
    held.clear()
