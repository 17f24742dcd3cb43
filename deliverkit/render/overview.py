"""A target in short: what it comes to, what could not be told, what passed. Shared by HTML and Markdown."""

from __future__ import annotations

import collections
import re
from collections.abc import Sequence
from typing import Final

from deliverkit.model import area_of
from deliverkit.render.text.accepted import accepted_words
from deliverkit.render.text.gather import Group, gathered
from deliverkit.render.text.words import SEVERITY, count
from deliverkit.report import InconclusiveReport, Report, TargetReport
from deliverkit.report.document import Location, ResolverReport, SuppressedReport

_RFC: Final = re.compile(
    r"RFC ([1-9][0-9]{0,4})(?: (?:§([0-9]{1,3}(?:\.[0-9]{1,3}){0,5})|Appendix ([A-Z](?:\.[0-9]{1,3}){0,4})))?"
)
_PLAIN: Final = re.compile(r"[a-z]+ ")


def title(target: TargetReport) -> str:
    """The target's name, in both forms where it has two."""
    return target.target if target.unicode == target.target else f"{target.unicode} ({target.target})"


def standing(target: TargetReport) -> collections.Counter[str]:
    """How many findings there are of each severity, those that another explains not counted."""
    return collections.Counter(group.head.severity for group in gathered(target.findings))


def counted(target: TargetReport) -> list[str]:
    """What the target comes to in words: `2 errors`, `1 warning`, `43 passed`."""
    found = standing(target)
    words = [count(found[severity], severity) for severity in SEVERITY if found[severity]]
    words += accepted_words(target)
    if (target.counts.passed and not target.about) or not words:
        words.append(f"{target.counts.passed} passed")
    unclear = len({entry.rule for entry in target.inconclusive})
    return [*words, f"{unclear} not determined"] if unclear else words


def unclear(entries: Sequence[InconclusiveReport]) -> list[tuple[list[str], tuple[str, ...]]]:
    """Causes, and the rules that hang on them; causes that stop the very same rules stand together."""
    by_why: dict[str, dict[str, None]] = {}
    for entry in entries:
        by_why.setdefault(entry.why, {})[entry.rule] = None
    groups: dict[tuple[str, ...], list[str]] = {}
    for why, rules in by_why.items():
        groups.setdefault(tuple(rules), []).append(why)
    return [(whys, rules) for rules, whys in groups.items()]


def by_area(rules: Sequence[str]) -> dict[str, list[str]]:
    """Rule ids by their area."""
    found: dict[str, list[str]] = {}
    for rule in rules:
        found.setdefault(area_of(rule), []).append(rule)
    return found


def sentence(text: str) -> str:
    """A message as a sentence; one that begins with a name or a record stays as it is."""
    text = text[:1].upper() + text[1:] if _PLAIN.match(text) else text
    return text if text.endswith((".", "!", "?", ":")) else f"{text}."


def page_of(reference: str) -> str | None:
    """The RFC's page, at its section; None for what is no reference to an RFC and nothing else."""
    match = _RFC.fullmatch(reference)
    if match is None:
        return None
    number, section, appendix = match.groups()
    at = f"#section-{section}" if section else f"#appendix-{appendix}" if appendix else ""
    return f"https://www.rfc-editor.org/rfc/rfc{number}{at}"


def position(location: Location) -> str:
    """`path:line:column`."""
    at = f"{location.path}:{location.line}"
    return at if location.column is None else f"{at}:{location.column}"


def resolver(entry: ResolverReport) -> tuple[str, str, str]:
    """A resolver's address, whose it is, and whether it validates."""
    public = {True: "public", False: "not public", None: "not known"}[entry.public]
    validating = {True: "yes", False: "no", None: "not known"}[entry.validating]
    return entry.address, public, validating


def accepted(finding: SuppressedReport) -> str:
    """By what a finding was accepted, until when, and why."""
    until = f", until {finding.expires}" if finding.expires is not None else ""
    return f"{finding.by}{until}{f': {finding.reason}' if finding.reason is not None else ''}"


def judged(report: Report) -> list[TargetReport]:
    """The targets that were asked for, without the files of the user's in which the run itself found something."""
    return [target for target in report.targets if not target.about]


def verdicts(report: Report) -> str:
    """`1 fail · 0 inconclusive · 2 pass`."""
    found = collections.Counter(target.verdict for target in judged(report))
    return " · ".join(f"{found[verdict]} {verdict}" for verdict in ("fail", "inconclusive", "pass"))


def heads(target: TargetReport) -> list[Group]:
    """The findings as they are told."""
    return gathered(target.findings)
