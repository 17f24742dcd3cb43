"""What of a run is judged, how hard, and what counts as failed: `--fail-on`, `--select` and their like."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from deliverkit.model.finding import Rule, Severity

FailOn = Literal["error", "warning", "notice", "never"]
OnInconclusive = Literal["report", "pass", "fail"]
OFF: Final = "off"
"""In place of a severity: the rule is not judged."""


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """What is judged, and what counts as failed. `select` and `ignore` hold rule ids and areas."""

    fail_on: FailOn = "error"
    inconclusive: OnInconclusive = "report"
    by_area: dict[str, OnInconclusive] = {}
    """What the undetermined of an area does to the run, where that is not what `inconclusive` says."""
    severities: dict[str, str] = {}
    """By rule id: the severity it has here, or `off`."""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exit_zero: bool = False

    def selects(self, rule: Rule) -> bool:
        """Whether the rule is judged at all; one that is off is, where its very id is selected."""
        return self.judges(rule.id, rule.area)

    def judges(self, rule: str, area: str) -> bool:
        """As `selects`, by id and area."""
        if rule in self.select:
            return True
        return self.severities.get(rule) != OFF and (not self.select or area in self.select)

    def ignores(self, rule: Rule) -> bool:
        """Whether the rule's findings are accepted."""
        return self.accepts(rule.id, rule.area)

    def accepts(self, rule: str, area: str) -> bool:
        """As `ignores`, by id and area."""
        return rule in self.ignore or area in self.ignore

    def severity(self, rule: Rule, found: Severity | None = None) -> Severity:
        """How hard a finding is: as its rule is here; weaker, where what was found is weaker than the rule."""
        word = self.severities.get(rule.id, OFF)
        here = rule.severity if word == OFF else Severity(word)
        if found is None or found == rule.severity:
            return here
        return max(here, found, key=lambda severity: severity.rank)

    def reached_by(self, severity: str) -> bool:
        """Whether a finding of this severity fails the run."""
        return self.fail_on != "never" and Severity(severity).rank <= Severity(self.fail_on).rank

    def on_inconclusive(self, area: str) -> OnInconclusive:
        """What the undetermined of this area does to the run."""
        return self.by_area.get(area, self.inconclusive)
