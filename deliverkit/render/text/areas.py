"""The view of one area in depth, as each area's own module draws it."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Final

from deliverkit.render.text.sheet import Sheet
from deliverkit.report.document import Facts

_AREAS: Final = ("mx", "spf", "dkim", "dmarc", "mta-sts", "tls-rpt", "dane", "dnssec", "smtp")


def write(sheet: Sheet, facts: Facts, command: str) -> None:
    """The command's area; nothing for `check`, and nothing where nothing is known.

    An area's module has `lines(known, ascii)`, each line as it stands, or `write(sheet, known)` where that is not
    enough.
    """
    field = command.replace("-", "_")
    known = getattr(facts, field) if command in _AREAS else None
    drawn = _module(field) if known is not None else None
    if drawn is None:
        return
    if hasattr(drawn, "write"):
        drawn.write(sheet, known)
        return
    lines = list(drawn.lines(known, sheet.look.ascii))
    if lines:
        sheet.blank()
    for line in lines:
        sheet.line(line, indent=2)


def _module(name: str) -> ModuleType | None:
    full = f"{__package__}.{name}"
    try:
        return importlib.import_module(full)
    except ModuleNotFoundError as error:
        if error.name != full:
            raise
        return None
