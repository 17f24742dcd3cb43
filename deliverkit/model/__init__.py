"""The words every room shares.

An answer is one of three, never one of two: `Found`, `Absent` or `Unknown`. A `Lookup` is the
record of one DNS question and what became of it. A `Finding` is what a rule says of a fact.
`shown` is the one sanitiser through which a peer's text reaches a person.
"""

from deliverkit.model.answer import Absent, Answer, Found, Inconclusive, NotApplicable, Unknown, known, need
from deliverkit.model.delivery import WORST, Attempt, Delivered, Demand, Envelope, Hop, Result, Stage
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
from deliverkit.model.inputs import Expected, Inputs, Sessions
from deliverkit.model.lookup import Address, Host, Lookup, Mx, Note, Other, Rdata, Signature, Soa, Txt
from deliverkit.model.lookup import Outcome as LookupOutcome
from deliverkit.model.transport import (
    Call,
    Fetch,
    FetchOutcome,
    Handshake,
    Mode,
    Purpose,
    Request,
    Session,
    State,
    Step,
    Trouble,
)

__all__ = [
    "AREAS",
    "WORST",
    "Absent",
    "Address",
    "Answer",
    "Attempt",
    "Call",
    "Delivered",
    "Demand",
    "Envelope",
    "Example",
    "Exhibit",
    "Expected",
    "Fetch",
    "FetchOutcome",
    "Finding",
    "Fix",
    "Found",
    "Handshake",
    "Hop",
    "Host",
    "Inconclusive",
    "Inputs",
    "Lookup",
    "LookupOutcome",
    "Mark",
    "Mode",
    "Mx",
    "NotApplicable",
    "Note",
    "Other",
    "Outcome",
    "Purpose",
    "Rdata",
    "Request",
    "Result",
    "Rule",
    "RuleDoc",
    "Session",
    "Sessions",
    "Severity",
    "Signature",
    "Soa",
    "Stage",
    "State",
    "Status",
    "Step",
    "Trouble",
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
