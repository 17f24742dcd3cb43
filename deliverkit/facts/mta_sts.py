"""Facts of area `mta-sts`: the record, the policy host and the policy (RFC 8461)."""

from __future__ import annotations

from deliverkit.facts.tree import Fact
from deliverkit.model import Answer


class PolicyFacts(Fact, frozen=True, kw_only=True):
    """A policy document that could be read."""

    domain: str
    text: str
    mode: str | None
    """`enforce`, `testing` or `none`; None where it is missing or unknown."""
    mx: tuple[str, ...]
    max_age: int | None
    valid: bool


class MtaStsFacts(Fact, frozen=True, kw_only=True):
    """What a domain says of MTA-STS."""

    domain: str
    policy: Answer[PolicyFacts]
