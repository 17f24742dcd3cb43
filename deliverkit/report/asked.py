"""What a run was asked, and so what its silence means: a rule without a finding passed only where it was judged."""

from __future__ import annotations

from typing import Final

import msgspec

from deliverkit.model import AREAS, area_of
from deliverkit.model.gate import Gate
from deliverkit.report.document import TargetReport

_SESSIONS: Final = frozenset({"smtp", "tls", "auth", "delivery"})
"""Where a rule without a subject tells nothing: the session did not come that far."""
_ON_REQUEST: Final = frozenset({"dkim-key-mismatch", "mta-sts-id-unchanged"})
"""Rules that need more than a domain, as do all whose ids say `second-opinion`."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The areas of a run, and its gate. Without areas nothing is known of what had no subject."""

    areas: tuple[str, ...] = ()
    gate: Gate = Gate()

    def told(self, target: TargetReport, rule: str) -> bool:
        """Whether the target's report comes to a result about a rule or an area: what was not seen is not gone."""
        area = _area(rule)
        if area is None:
            return True  # no rule of this version: it finds nothing any more
        if target.error is not None or not self.gate.judges(rule, area) or self.gate.accepts(rule, area):
            return False
        outside = () if isinstance(target.outside, msgspec.UnsetType) else target.outside
        if any(rule in (entry.rule, entry.area) for entry in (*target.inconclusive, *outside)):
            return False
        if rule in target.passed or any(each.rule == rule for each in (*target.findings, *target.suppressed)):
            return True
        if target.outside is not msgspec.UNSET and rule != area:
            return False  # files alone: what does not apply to them may well apply to what is published
        on_request = rule in _ON_REQUEST or "second-opinion" in rule
        return area in self.areas and (rule == area or (area not in _SESSIONS and not on_request))


def _area(rule: str) -> str | None:
    if rule in AREAS:
        return rule
    try:
        return area_of(rule)
    except ValueError:
        return None
