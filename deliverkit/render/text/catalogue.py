"""The rules themselves: the list, and one rule's page."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from deliverkit.model import Example, Rule
from deliverkit.render.text.finding import write_markdown
from deliverkit.render.text.sheet import Look, Sheet
from deliverkit.render.text.words import SEVERITY, WHO, count


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as `rules --format json` lists it."""

    rule: str
    area: str
    severity: str
    summary: str
    references: tuple[str, ...]


class Explained(Listed, frozen=True, kw_only=True):
    """A rule as `explain --format json` shows it: `bad` and `good` are worlds."""

    why: str
    fix: str
    bad: tuple[str, ...]
    good: tuple[str, ...]
    who: str


def listed(rule: Rule) -> Listed:
    """The rule in the list."""
    return Listed(
        rule=rule.id,
        area=rule.area,
        severity=rule.severity.value,
        summary=rule.doc.summary,
        references=rule.references,
    )


def explained(rule: Rule) -> Explained:
    """The whole of the rule."""
    return Explained(
        rule=rule.id,
        area=rule.area,
        severity=rule.severity.value,
        summary=rule.doc.summary,
        references=rule.references,
        why=rule.doc.why,
        fix=rule.doc.fix,
        bad=tuple(block.world for block in rule.doc.bad),
        good=tuple(block.world for block in rule.doc.good),
        who=rule.who.value,
    )


def table(rules: Iterable[Rule], look: Look) -> str:
    """The rules by area, a line each where it fits."""
    sheet = Sheet(look)
    by_area: dict[str, list[Rule]] = {}
    for rule in rules:
        by_area.setdefault(rule.area, []).append(rule)
    for area, members in by_area.items():
        sheet.blank()
        sheet.line((area, "bold"), (f"   {count(len(members), 'rule')}", "dim"))
        for rule in members:
            label, style = SEVERITY[rule.severity.value]
            sheet.line((label.ljust(9), style), f" {rule.id}", indent=2)
            sheet.prose(rule.doc.summary, indent=12, style="dim")
    return sheet.render()


def page(rule: Rule, look: Look) -> str:
    """One rule's page."""
    sheet = Sheet(look)
    label, style = SEVERITY[rule.severity.value]
    sheet.ends(((rule.id, "bold"), "   ", (label, style)), ((WHO[rule.who.value], "dim"),))
    sheet.blank()
    sheet.prose(rule.doc.summary)
    for title, words in (("Why", rule.doc.why), ("Fix", rule.doc.fix)):
        sheet.blank()
        sheet.line((title, "bold"))
        write_markdown(sheet, words, indent=2)
    _examples(sheet, "Bad", "red", rule.doc.bad)
    _examples(sheet, "Good", "green", rule.doc.good)
    sheet.blank()
    sheet.line(("References", "bold"))
    for reference in rule.references:
        sheet.line(reference, indent=2)
    return sheet.render()


def _examples(sheet: Sheet, title: str, style: str, examples: Iterable[Example]) -> None:
    for example in examples:
        sheet.blank()
        sheet.line((title, "bold"))
        for line in example.world.rstrip("\n").split("\n"):
            sheet.line((line, style), indent=4)
