"""The words every room shares.

An answer is one of three, never one of two: `Found`, `Absent` or `Unknown`. A `Lookup` is the
record of one DNS question and what became of it. A `Finding` is what a rule says of a fact.
`shown` is the one sanitiser through which a peer's text reaches a person.
"""

from deliverkit.model.answer import Absent, Answer, Found, Inconclusive, NotApplicable, Unknown, known, need
from deliverkit.model.display import clipped, escaped, shown
from deliverkit.model.finding import (
    AREAS,
    Example,
    Exhibit,
    Finding,
    Fix,
    Mark,
    Outcome,
    Rule,
    RuleDoc,
    Severity,
    Status,
    Undetermined,
    Who,
    area_of,
)
from deliverkit.model.inputs import Expected, Inputs
from deliverkit.model.lookup import Address, Host, Lookup, Mx, Note, Other, Rdata, Soa, Txt
from deliverkit.model.lookup import Outcome as LookupOutcome

__all__ = [
    "AREAS",
    "Absent",
    "Address",
    "Answer",
    "Example",
    "Exhibit",
    "Expected",
    "Finding",
    "Fix",
    "Found",
    "Host",
    "Inconclusive",
    "Inputs",
    "Lookup",
    "LookupOutcome",
    "Mark",
    "Mx",
    "NotApplicable",
    "Note",
    "Other",
    "Outcome",
    "Rdata",
    "Rule",
    "RuleDoc",
    "Severity",
    "Soa",
    "Status",
    "Txt",
    "Undetermined",
    "Unknown",
    "Who",
    "area_of",
    "clipped",
    "escaped",
    "known",
    "need",
    "shown",
]
