"""A sheet of lines: the one place through which text reaches a terminal.

Every part is escaped, lines that a CI runner would obey are defused, and outside UTF-8 the symbols have
words. Prose wraps, records never do. Colours are the sixteen of the terminal's own theme.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Final, TypeAlias

import msgspec
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from deliverkit.model import escaped

WIDTH: Final = 80
NARROWEST: Final = 40
_WIDEST_PROSE: Final = 100

Part: TypeAlias = str | tuple[str, str]
"""Text, or text with a style."""

_ASCII: Final = str.maketrans({
    "✗": "x", "✓": "v", "·": "-", "└": "`", "├": "|", "│": "|", "─": "-", "…": "...", "→": "->", "–": "-",
    "—": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "§": "sec. ", "×": "x", "≤": "<=", "≥": ">=",
    "▸": ">", "•": "*",
})  # fmt: skip
_COMMAND: Final = re.compile(r"^(\s*):(?=:)")


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """How text is shown. `wrap` off: prose stays on one line, for logs and grep."""

    width: int = WIDTH
    wrap: bool = True
    color: bool = False
    ascii: bool = False
    verbose: bool = False
    quiet: bool = False

    def plain(self, text: str) -> str:
        """Text made safe to show, in ASCII where nothing else can be shown."""
        text = escaped(text)
        if self.ascii and not text.isascii():
            text = text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")
        return text


class Sheet:
    """Lines, as they are written."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self._lines: list[Text] = []

    def line(self, *parts: Part, indent: int = 0) -> None:
        """One line, never wrapped."""
        text = Text(" " * indent)
        for part in parts:
            words, style = (part, "") if isinstance(part, str) else part
            text.append(self.look.plain(words), style)
        self._put(text)

    def ends(self, left: Iterable[Part], right: Iterable[Part], *, indent: int = 0) -> None:
        """One line with its parts at both ends; where they do not fit, the right follows the left."""
        left, right = tuple(left), tuple(right)
        gap = self.look.width - indent - self.cells(left) - self.cells(right)
        self.line(*left, " " * max(gap, 3), *right, indent=indent)

    def prose(self, words: str, *, indent: int = 0, hang: int | None = None, lead: Part = "", style: str = "") -> None:
        """A paragraph after `lead`, its further lines indented by `hang` (default: as the first)."""
        hang = indent if hang is None else hang
        text = Text(" " * indent)
        head, head_style = (lead, "") if isinstance(lead, str) else lead
        text.append(self.look.plain(head), head_style)
        room = min(self.look.width, _WIDEST_PROSE)
        at = indent + cell_len(head)
        fresh = True
        for word in self.look.plain(words).split():
            size = cell_len(word)
            if not fresh and self.look.wrap and at + 1 + size > room:
                self._put(text)
                text, at, fresh = Text(" " * hang), hang, True
            if not fresh:
                text.append(" ")
                at += 1
            text.append(word, style)
            at += size
            fresh = False
        self._put(text)

    def blank(self) -> None:
        """An empty line, never two."""
        if self._lines and self._lines[-1].plain:
            self._lines.append(Text())

    def cells(self, parts: Iterable[Part]) -> int:
        """The columns that parts take."""
        return sum(cell_len(self.look.plain(part if isinstance(part, str) else part[0])) for part in parts)

    def _put(self, text: Text) -> None:
        text.rstrip()
        # A CI runner obeys a line that begins with `::`, and `##[` anywhere in one.
        if "##[" in text.plain or _COMMAND.match(text.plain):
            text = Text(_COMMAND.sub(r"\1\\x3a", text.plain).replace("##[", "#\\x23["))
        self._lines.append(text)

    def render(self) -> str:
        """The text, ending in a newline; "" where nothing was written."""
        while self._lines and not self._lines[-1].plain:
            self._lines.pop()
        if not self.look.color:
            return "".join(f"{line.plain}\n" for line in self._lines)
        out = io.StringIO()
        console = Console(
            file=out,
            force_terminal=True,
            color_system="standard",
            no_color=False,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
            width=self.look.width,
            _environ={},
        )
        for line in self._lines:
            console.print(line, soft_wrap=True)
        return out.getvalue()
