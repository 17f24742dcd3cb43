"""A sheet of lines: the one place through which text reaches a terminal.

Every part is escaped, lines that a CI runner would obey are defused, and outside UTF-8 the symbols have
words. Prose wraps, records never do. Colours are the sixteen of the terminal's own theme.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterable
from typing import Final, TypeAlias

import msgspec

from deliverkit.model import escaped

WIDTH: Final = 80
NARROWEST: Final = 40
_WIDEST_PROSE: Final = 100

Part: TypeAlias = str | tuple[str, str]
"""Text, or text with a style."""

_ASCII: Final = str.maketrans({
    "✗": "x", "✓": "v", "·": "-", "└": "`", "├": "|", "│": "|", "─": "-", "…": "...", "→": "->", "–": "-",
    "—": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "§": "sec. ", "×": "x", "≤": "<=", "≥": ">=",
    "▸": ">", "•": "*", "◷": "~",
})  # fmt: skip
_NO_COLUMN: Final = frozenset({"Mn", "Me"})
_COMMAND: Final = re.compile(r"^(\s*):(?=:)")
_OBEYED: Final = re.compile(r"##(?=\[|[A-Za-z]{1,32}\[)")


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


def width_of(text: str) -> int:
    """The columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.category(char) in _NO_COLUMN else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


class Sheet:
    """Lines, as they are written: each a list of texts, safe to show, with their styles."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self._lines: list[list[tuple[str, str]]] = []

    def line(self, *parts: Part, indent: int = 0) -> None:
        """One line, never wrapped."""
        line = [(" " * indent, "")]
        for part in parts:
            words, style = (part, "") if isinstance(part, str) else part
            line.append((self.look.plain(words), style))
        self._put(line)

    def ends(self, left: Iterable[Part], right: Iterable[Part], *, indent: int = 0) -> None:
        """One line with its parts at both ends; where they do not fit, the right follows the left."""
        left, right = tuple(left), tuple(right)
        gap = self.look.width - indent - self.cells(left) - self.cells(right)
        self.line(*left, " " * max(gap, 3), *right, indent=indent)

    def prose(self, words: str, *, indent: int = 0, hang: int | None = None, lead: Part = "", style: str = "") -> None:
        """A paragraph after `lead`, its further lines indented by `hang` (default: as the first)."""
        hang = indent if hang is None else hang
        head, head_style = (lead, "") if isinstance(lead, str) else lead
        head = self.look.plain(head)
        line = [(" " * indent, ""), (head, head_style)]
        room = min(self.look.width, _WIDEST_PROSE)
        at = indent + width_of(head)
        held: list[str] = []
        for word in self.look.plain(words).split():
            size = width_of(word)
            if held and self.look.wrap and at + 1 + size > room:
                self._put([*line, (" ".join(held), style)])
                line, at, held = [(" " * hang, "")], hang, []
            at += size + bool(held)
            held.append(word)
        self._put([*line, (" ".join(held), style)])

    def blank(self) -> None:
        """An empty line, never two."""
        if self._lines and self._lines[-1]:
            self._lines.append([])

    def cells(self, parts: Iterable[Part]) -> int:
        """The columns that parts take."""
        return sum(width_of(self.look.plain(part if isinstance(part, str) else part[0])) for part in parts)

    def _put(self, line: list[tuple[str, str]]) -> None:
        while line and not line[-1][0].rstrip():
            line.pop()
        if line:
            line[-1] = (line[-1][0].rstrip(), line[-1][1])
        # A CI runner obeys a line that begins with `::`, and `##[` or `##vso[` anywhere in one.
        whole = "".join(text for text, _ in line)
        if _OBEYED.search(whole) or _COMMAND.match(whole):
            line = [(_OBEYED.sub(r"#\\x23", _COMMAND.sub(r"\1\\x3a", whole)), "")]
        self._lines.append(line)

    def render(self) -> str:
        """The text, ending in a newline; "" where nothing was written."""
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        if self.look.color:
            return self._coloured()
        return "".join("".join(text for text, _ in line) + "\n" for line in self._lines)

    def _coloured(self) -> str:
        from rich.console import Console  # noqa: PLC0415 - only where there is colour
        from rich.text import Text  # noqa: PLC0415 - as above

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
            console.print(Text.assemble(*line), soft_wrap=True)
        return out.getvalue()
