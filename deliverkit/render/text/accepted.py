"""What was accepted, and by whom; and what the run found in the user's own files, where that is said."""

from __future__ import annotations

import collections
from typing import Final, Literal

from deliverkit.model import shown
from deliverkit.render.text.finding import write_finding
from deliverkit.render.text.gather import gathered
from deliverkit.render.text.sheet import Sheet
from deliverkit.render.text.words import SEVERITY, VERDICT, count
from deliverkit.report import TargetReport

_WORD: Final[dict[Literal["ignore", "baseline"], str]] = {"ignore": "ignored", "baseline": "in the baseline"}


def accepted_words(target: TargetReport) -> list[str]:
    """How many findings were accepted, by each way of it."""
    by = collections.Counter(finding.by for finding in target.suppressed)
    return [f"{by[way]} {word}" for way, word in _WORD.items() if by[way]]


def write_suppressed(sheet: Sheet, target: TargetReport) -> None:
    """Each finding that was accepted, on a line, with the reason."""
    if not target.suppressed:
        return
    sheet.blank()
    sheet.line(("accepted", "bold"))
    for finding in target.suppressed:
        label, style = SEVERITY[finding.severity]
        why = [_WORD[finding.by]]
        if finding.expires is not None:
            why.append(f"until {finding.expires}")
        if finding.reason is not None:
            why.append(shown(finding.reason))
        sheet.line((label.ljust(9), style), f" {finding.rule}  {shown(finding.subject)}", indent=2)
        sheet.prose(" · ".join(why), indent=12, style="dim")


def write_file(sheet: Sheet, target: TargetReport) -> None:
    """What was found in a file of the user's, each with its line."""
    label, style = VERDICT[target.verdict]
    groups = gathered(target.findings)
    standing = collections.Counter(group.head.severity for group in groups)
    words = [count(standing[severity], severity) for severity in SEVERITY if standing[severity]]
    sheet.line((shown(target.target), "bold"), "   ", (label, style), "   ", " · ".join(words + accepted_words(target)))
    for group in groups:
        sheet.blank()
        write_finding(sheet, group, target.target)
    if sheet.look.verbose and not sheet.look.quiet:
        write_suppressed(sheet, target)
