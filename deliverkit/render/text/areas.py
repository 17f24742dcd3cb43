"""The view of one area in depth, as each area's own module draws it."""

from __future__ import annotations

import importlib
from typing import Final

from deliverkit.report.document import Facts

_AREAS: Final = ("mx", "spf", "dkim", "dmarc", "dane", "dnssec")


def lines(facts: Facts, command: str, *, ascii: bool) -> list[str]:  # noqa: A002 - the word of the output
    """The lines of the command's area; none for `check`, and none where nothing is known."""
    if command not in _AREAS:
        return []
    known = getattr(facts, command)
    if known is None:
        return []
    try:
        drawn = importlib.import_module(f"deliverkit.render.text.{command}")
    except ModuleNotFoundError:
        return []
    return list(drawn.lines(known, ascii))
