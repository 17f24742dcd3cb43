"""What `lint` did not judge, since it would have to ask for a name that no file holds."""

from __future__ import annotations

import msgspec

from deliverkit.model import shown
from deliverkit.render.text.sheet import Sheet
from deliverkit.render.text.words import count
from deliverkit.report.document import InconclusiveReport


def write_outside(sheet: Sheet, outside: tuple[InconclusiveReport, ...] | msgspec.UnsetType) -> None:
    """How many rules, and how to have them judged; the names with `-v`."""
    if isinstance(outside, msgspec.UnsetType) or not outside:
        return
    rules = count(len({entry.rule for entry in outside}), "rule")
    sheet.blank()
    sheet.prose(
        f"{rules} not applied: what they need stands in no file (--resolve-includes looks names up)",
        lead="· ",
        indent=2,
        hang=4,
    )
    if sheet.look.verbose:
        for why in dict.fromkeys(entry.why for entry in outside):
            named = " ".join(dict.fromkeys(entry.rule for entry in outside if entry.why == why))
            sheet.prose(f"{shown(why)}: {named}", indent=4, hang=6)
