"""Whether DNSSEC secures an answer: what AD says, and what its want says (RFC 4035 §3.2.3, RFC 6840 §5.8).

AD is the resolver's word. Where no answer at all comes with it, the root's included, the resolver does not validate,
and nothing can be told: neither that an answer is secure nor that it is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from deliverkit.model import Answer, Found, Lookup, LookupOutcome, Unknown

ROOT: Final = ("", "SOA")
"""The question whose answer is signed everywhere."""


def validates(lookups: Iterable[Lookup]) -> bool | None:
    """Whether the resolver validates, by what it answered; None where no answer tells."""
    known = [lookup for lookup in lookups if lookup.outcome is not LookupOutcome.UNKNOWN]
    if any(lookup.authenticated for lookup in known):
        return True
    # A zone file is no resolver, and a domain's own answers may well be unsigned: only the root's tells.
    return False if any((lookup.name, lookup.rdtype) == ROOT for lookup in known) else None


def secured(lookups: Iterable[Lookup], *, validating: bool | None) -> Answer[bool]:
    """Whether all these answers are secure; Unknown where any did not come or the resolver does not validate."""
    told = True
    for lookup in lookups:
        if lookup.outcome in (LookupOutcome.UNKNOWN, LookupOutcome.INVALID):
            return Unknown(lookup.why)
        if lookup.authenticated:
            continue
        if lookup.server.startswith("zone "):
            return Unknown(f"{lookup.server} answers for {lookup.name} {lookup.rdtype}: a file says nothing of DNSSEC")
        if not validating:
            return Unknown(not_validating(lookup))
        told = False
    return Found(told)


def not_validating(lookup: Lookup) -> str:
    """Why nothing can be told of an answer: in the same words for each, as it is one and the same reason."""
    return f"{lookup.server or 'the resolver'} does not validate DNSSEC (--resolver ADDR names one that does)"
