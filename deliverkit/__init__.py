"""deliverkit: email deliverability diagnostics.

import deliverkit

report = deliverkit.check("example.com")
for finding in report.targets[0].findings:
    print(finding.rule, finding.message)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deliverkit.replies import Decoded, decode
    from deliverkit.report.document import FindingReport, InconclusiveReport, Report, TargetReport
    from deliverkit.runs.api import check, check_async, check_smtp, check_smtp_async
    from deliverkit.runs.options import RunError

__version__ = "0.1.0"

__all__ = [
    "Decoded",
    "FindingReport",
    "InconclusiveReport",
    "Report",
    "RunError",
    "TargetReport",
    "__version__",
    "check",
    "check_async",
    "check_smtp",
    "check_smtp_async",
    "decode",
]

_HOMES = {
    "check": "deliverkit.runs.api",
    "check_async": "deliverkit.runs.api",
    "check_smtp": "deliverkit.runs.api",
    "check_smtp_async": "deliverkit.runs.api",
    "decode": "deliverkit.replies",
    "Decoded": "deliverkit.replies",
    "RunError": "deliverkit.runs.options",
    "FindingReport": "deliverkit.report.document",
    "InconclusiveReport": "deliverkit.report.document",
    "Report": "deliverkit.report.document",
    "TargetReport": "deliverkit.report.document",
}


def __getattr__(name: str) -> Any:
    """What `__all__` names, imported when first used: `import deliverkit` alone costs nothing (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - as said

    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
