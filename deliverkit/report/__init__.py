"""Outcomes and facts folded into a `Report`: the document that every renderer reads.

Its structs are the contract of the JSON output; `schema report` is generated from them.
"""

from deliverkit.report.document import (
    Counts,
    Facts,
    FindingReport,
    InconclusiveReport,
    QuestionReport,
    Report,
    ResolverReport,
    SuppressedReport,
    TargetReport,
    Tool,
    Vantage,
)

__all__ = [
    "Counts",
    "Facts",
    "FindingReport",
    "InconclusiveReport",
    "QuestionReport",
    "Report",
    "ResolverReport",
    "SuppressedReport",
    "TargetReport",
    "Tool",
    "Vantage",
]
