"""JSON Lines: one object a line, for what reads a stream: each target, then what it met.

`schema` says what a line is: `deliverkit/target/1` is a target without its findings, `deliverkit/finding/1` a finding
(`status` fail or suppressed) or what could not be determined (`status` inconclusive).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from deliverkit.render import json
from deliverkit.render.entries import Entry, of_target
from deliverkit.render.formats import View
from deliverkit.report.document import Report, TargetReport

TARGET: Final = "deliverkit/target/1"
FINDING: Final = "deliverkit/finding/1"
_APART: Final = frozenset({"findings", "inconclusive", "suppressed"})


def render(report: Report, view: View) -> str:
    """The lines."""
    return "".join(json.render(item, indent=None) for item in _items(report, view))


def _items(report: Report, view: View) -> Iterator[dict[str, Any]]:
    for target in report.targets:
        yield _target(report, target)
        for entry in of_target(target, view):
            yield _entry(entry)


def _target(report: Report, target: TargetReport) -> dict[str, Any]:
    built = msgspec.to_builtins(target, str_keys=True)
    kept = {key: value for key, value in built.items() if key not in _APART}
    return {"schema": TARGET, "tool": msgspec.to_builtins(report.tool), "started_at": report.started_at, **kept}


def _entry(entry: Entry) -> dict[str, Any]:
    head = {"schema": FINDING, "target": entry.target, "status": entry.status}
    if entry.finding is not None:
        return {**head, **msgspec.to_builtins(entry.finding)}
    return {**head, "rule": entry.rule, "area": entry.area, "severity": entry.severity, "message": entry.message}
