"""The facts of a target as tables: what HTML and Markdown both draw, an area a chapter."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.render.tables import mail, policies, secured, sessions, spf
from deliverkit.render.tables.shape import Block, Cell, Chapter, Item, Row, Table
from deliverkit.report.document import Facts

__all__ = ["Block", "Cell", "Chapter", "Item", "Row", "Table", "chapters"]


def chapters(facts: Facts) -> Iterator[Chapter]:
    """What is known, an area at a time; nothing of areas that were not asked for."""
    if facts.mx is not None:
        yield mail.mx(facts.mx)
    if facts.spf is not None:
        yield spf.chapter(facts.spf)
    if facts.dkim is not None:
        yield mail.dkim(facts.dkim)
    if facts.dmarc is not None:
        yield policies.dmarc(facts.dmarc)
    if facts.mta_sts is not None:
        yield policies.mta_sts(facts.mta_sts)
    if facts.tls_rpt is not None:
        yield policies.tls_rpt(facts.tls_rpt)
    if facts.dane is not None:
        yield secured.dane(facts.dane)
    if facts.dnssec is not None:
        yield secured.dnssec(facts.dnssec)
    if facts.smtp is not None:
        yield sessions.chapter(facts.smtp)
    if facts.second_opinion is not None:
        yield policies.second_opinion(facts.second_opinion)
