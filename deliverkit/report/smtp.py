"""What the report says of areas `smtp`, `tls` and `auth`: every endpoint, as the contract names it."""

from __future__ import annotations

import msgspec

from deliverkit.facts.smtp import SmtpFacts


class SmtpReport(msgspec.Struct, frozen=True, kw_only=True):
    """The endpoints that were dialled."""

    endpoints: tuple[str, ...]


def report(facts: SmtpFacts) -> SmtpReport:
    """The area's facts, flattened for readers."""
    return SmtpReport(endpoints=())
