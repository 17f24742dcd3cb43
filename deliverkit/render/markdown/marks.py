"""Text made safe for Markdown (CommonMark, and what GitHub and GitLab make of it).

A backslash does not keep forges from making a mention of `@name` or a link of a bare address; code does. So whatever
a peer or a user wrote stands in a code span or a fenced block, whose fence is longer than any within; in prose of ours
the same is done with each word that could act.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from deliverkit.model import shown
from deliverkit.model.display import RECORDED

_FIRST: Final = re.compile(r"(?:[-+=]|[0-9]{1,9}[.)])\S*")
"""What would begin a list or a heading where a line begins with it."""
_RUN: Final = re.compile(r"`+")
_ACTING: Final = re.compile(
    r"[^\s`]*(?:[@#<>\[\]*_|\\~&$`]|!\(|://|\bwww\.|\bGH-[0-9]|[!%][0-9]|\b[0-9a-f]{7,64}\b)\S*", re.IGNORECASE
)
"""A word that a forge would make markup, a mention, a link or a reference of."""
_OBEYED: Final = re.compile(r"##(?=\[|[A-Za-z]{1,32}\[)")
_COMMAND: Final = re.compile(r"(?m)^(\s*):(?=:)")
_QUOTED: Final = re.compile(r"`([^`]+)`")


def code(text: str, limit: int = RECORDED) -> str:
    """A code span; "" for nothing."""
    words = defused(shown(text, limit))
    if not words.strip():
        return f"`{words}`" if words else ""
    fence = "`" * (max((len(run) for run in _RUN.findall(words)), default=0) + 1)
    pad = " " if words.startswith(("`", " ")) or words.endswith(("`", " ")) else ""
    return f"{fence}{pad}{words}{pad}{fence}"


def block(lines: str, kind: str = "text") -> str:
    """A fenced block of lines that were made safe before, with its newline. `kind` is what highlights them."""
    lines = defused(lines)
    longest = max((len(run) for run in _RUN.findall(lines)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}{kind}\n{lines.removesuffix(chr(10))}\n{fence}\n"


def prose(text: str) -> str:
    """A sentence of ours, what stands in backticks as code; each word that could act as code, too."""
    words = defused(shown(text, RECORDED)).strip()
    first = _FIRST.match(words)
    if first is not None:
        words = f"`{first[0].replace('`', chr(39))}`{words[first.end() :]}"
    parts: list[str] = []
    end = 0
    for quoted in _QUOTED.finditer(words):
        parts += [_quiet(words[end : quoted.start()]), code(quoted[1])]
        end = quoted.end()
    return _apart([*parts, _quiet(words[end:])])


def _apart(parts: Iterable[str]) -> str:
    """The parts joined; a space between two code spans, whose fences would else run into one (CommonMark §6.1)."""
    joined = ""
    for part in parts:
        joined += f" {part}" if joined.endswith("`") and part.startswith("`") else part
    return joined


def _quiet(words: str) -> str:
    return _ACTING.sub(lambda found: _spanned(found[0]), words)


def _spanned(word: str) -> str:
    """The word as code, the stop behind it left outside."""
    bare = word.rstrip(".,;:!?")
    return code(bare) + word[len(bare) :] if bare else code(word)


def defused(text: str) -> str:
    """Without what a CI runner obeys: `::` where a line begins, `##[` and `##vso[` anywhere."""
    return _OBEYED.sub(r"#\\x23", _COMMAND.sub(r"\1\\x3a", text))
