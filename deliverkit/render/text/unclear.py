"""What could not be told: one entry a question, with the rules that hang on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from deliverkit.model import area_of, shown
from deliverkit.render.text.sheet import Sheet
from deliverkit.render.text.words import UNCLEAR, count
from deliverkit.report import InconclusiveReport

_MOST_NAMED: Final = 24
"""Rules of one cause that are named without `-v`."""


def write_unclear(sheet: Sheet, entries: Sequence[InconclusiveReport]) -> None:
    """Entries of one cause stand together."""
    by_why: dict[str, dict[str, None]] = {}
    for entry in entries:
        by_why.setdefault(entry.why, {})[entry.rule] = None
    label, style = UNCLEAR
    sheet.line((label, style))
    # Causes that stop the very same rules are one entry of several lines.
    groups: dict[tuple[str, ...], list[str]] = {}
    for why, rules in by_why.items():
        groups.setdefault(tuple(rules), []).append(why)
    for names, whys in groups.items():
        for why in whys:
            sheet.prose(shown(why), indent=2, hang=4)
        lead = f"{count(len(names), 'rule')}: " if len(names) > 1 else ""
        if len(names) > _MOST_NAMED and not sheet.look.verbose:
            areas = ", ".join(dict.fromkeys(area_of(name) for name in names))
            sheet.prose(f"{lead}all that hangs on it in {areas} (-v names them)", indent=4, hang=6, style="dim")
            continue
        sheet.prose(" ".join(names), lead=(lead, "dim"), indent=4, hang=6, style="dim")
