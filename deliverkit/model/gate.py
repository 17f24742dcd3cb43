"""What of a run is judged, and what counts as failed: `--fail-on`, `--select` and their like."""

from __future__ import annotations

from typing import Literal

import msgspec

from deliverkit.model.finding import Rule, Severity

FailOn = Literal["error", "warning", "notice", "never"]
OnInconclusive = Literal["report", "pass", "fail"]


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """What is judged, and what counts as failed. `select` and `ignore` hold rule ids and areas."""

    fail_on: FailOn = "error"
    inconclusive: OnInconclusive = "report"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exit_zero: bool = False

    def selects(self, rule: Rule) -> bool:
        """Whether the rule is judged at all."""
        return not self.select or rule.id in self.select or rule.area in self.select

    def ignores(self, rule: Rule) -> bool:
        """Whether the rule's findings are accepted."""
        return rule.id in self.ignore or rule.area in self.ignore

    def reached_by(self, severity: str) -> bool:
        """Whether a finding of this severity fails the run."""
        return self.fail_on != "never" and Severity(severity).rank <= Severity(self.fail_on).rank
