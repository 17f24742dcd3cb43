"""What the rules of area `dkim` have in common: how a finding about a selector is written."""

from __future__ import annotations

from deliverkit.facts.dkim import SelectorFacts
from deliverkit.model import Exhibit, Finding, Fix, Mark, NotApplicable, Severity, need
from deliverkit.records.dkim import KeyRecord
from deliverkit.records.dkim_damage import Kind

EXPLAINS = {
    Kind.PRIVATE: "dkim-private-key-published",
    Kind.CUT: "dkim-key-cut",
    Kind.SPLIT: "dkim-key-cut",
    Kind.ENCODED: "dkim-key-html-encoded",
    Kind.ESCAPED: "dkim-key-escaped",
    Kind.QUOTED: "dkim-key-quoted",
    Kind.SPACES: "dkim-key-spaces",
}
"""The rule that says each kind of damage, the worst first."""

HOW = (
    "Publish it as one TXT record: longer than 255 characters, as several quoted strings of that one record, with "
    "nothing left out between them."
)


def published(selector: SelectorFacts) -> KeyRecord:
    """The record at a selector; not applicable where there is no DKIM record, inconclusive where unknown."""
    need(selector.texts)
    if selector.record is None or selector.foreign:
        raise NotApplicable(f"no DKIM record at {selector.name}")
    return selector.record


def main_damage(selector: SelectorFacts) -> str | None:
    """The rule that says the worst damage of the record."""
    if selector.diagnosis is None:
        return None
    for kind, rule in EXPLAINS.items():
        # White space alone explains nothing where the record cannot be read without it either.
        if selector.diagnosis.has(kind) and not (kind is Kind.SPACES and selector.diagnosis.corrected is None):
            return rule
    return None


def explained(selector: SelectorFacts, rule: str) -> str | None:
    """The rule that explains `rule`'s finding: that of a worse damage."""
    main = main_damage(selector)
    return None if main == rule else main


def about(
    selector: SelectorFacts,
    message: str,
    *,
    marks: tuple[Mark, ...] = (),
    evidence: tuple[Exhibit, ...] | None = None,
    fix: Fix | None = None,
    severity: Severity | None = None,
    part_of: str | None = None,
) -> Finding:
    """A finding about a selector: a notice where the selector was only guessed."""
    if evidence is None:
        text = selector.record.text if selector.record else ""
        evidence = (Exhibit(text=text, title=f"{selector.name} TXT", marks=marks),) if text else ()
    return Finding(
        message=message,
        subject=selector.name,
        evidence=evidence,
        fix=fix,
        severity=Severity.NOTICE if selector.guessed else severity,
        part_of=part_of,
    )


def change(selector: SelectorFacts, text: str, after: str | None) -> Fix:
    """The record to publish in the place of the one that stands; `after` None: words only."""
    if after is None:
        return Fix(text=text, name=selector.name, rdtype="TXT")
    before = selector.record.text if selector.record else None
    return Fix(text=text, name=selector.name, rdtype="TXT", before=before, after=after)
