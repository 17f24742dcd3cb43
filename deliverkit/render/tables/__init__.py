"""The facts of a target as tables: what HTML and Markdown both draw, an area a chapter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from deliverkit.render.tables import authentication, mail, policies, secured, sessions, spf
from deliverkit.render.tables.shape import Block, Cell, Chapter, Item, Row, Table
from deliverkit.report.document import Facts

__all__ = ["Block", "Cell", "Chapter", "Item", "Row", "Table", "chapters"]


_DRAWN: Final[tuple[tuple[str, Callable[[Any], Chapter]], ...]] = (
    ("mx", mail.mx),
    ("spf", spf.chapter),
    ("dkim", mail.dkim),
    ("dmarc", policies.dmarc),
    ("mta_sts", policies.mta_sts),
    ("tls_rpt", policies.tls_rpt),
    ("dane", secured.dane),
    ("dnssec", secured.dnssec),
    ("smtp", sessions.chapter),
    ("delivery", authentication.chapter),
    ("second_opinion", policies.second_opinion),
)


def chapters(facts: Facts) -> dict[str, Chapter]:
    """What is known by area, as areas and their commands are named; nothing of areas that were not asked for."""
    known = ((area, draw, getattr(facts, area)) for area, draw in _DRAWN)
    drawn = {area.replace("_", "-"): draw(found) for area, draw, found in known if found is not None}
    return {area: chapter for area, chapter in drawn.items() if chapter.items or chapter.notes}
