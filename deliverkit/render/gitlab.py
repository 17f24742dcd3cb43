"""GitLab's Code Quality report: an array of exactly the keys that it reads, `[]` where nothing was found.

What could not be determined is not in it: GitLab compares two reports, and would show a resolver's bad day as code that
became worse. The exit code says it.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

from deliverkit.render.anchor import located
from deliverkit.render.entries import found, line, told
from deliverkit.render.formats import View
from deliverkit.render.json import safe
from deliverkit.report.document import Report

_SEVERITY: Final = {"error": "critical", "warning": "major", "notice": "info"}


def render(report: Report, view: View) -> str:
    """The array."""
    seen: Counter[str] = Counter()
    issues: list[dict[str, Any]] = []
    for target in report.targets:
        for entry in found(target, told(target.findings), view):
            place = located(entry)
            fingerprint = entry.finding.fingerprint if entry.finding is not None else ""
            seen[fingerprint] += 1
            issues.append(
                {
                    "description": line(f"{entry.subject}: {entry.message}"),
                    "check_name": entry.rule,
                    # Each issue needs its own: what shares one is numbered.
                    "fingerprint": fingerprint if seen[fingerprint] == 1 else f"{fingerprint}-{seen[fingerprint]}",
                    "severity": _SEVERITY[entry.severity],
                    "location": {"path": place.path, "lines": {"begin": place.line}},
                }
            )
    return safe(json.dumps(issues, ensure_ascii=False, indent=2)) + "\n"
