"""The answer of a policy host that rules judge, and what follows where there is none."""

from __future__ import annotations

from typing import Final

from deliverkit.facts.mta_sts import FetchFacts, MtaStsFacts
from deliverkit.model import FetchOutcome, Inconclusive, NotApplicable, Unknown

NO_POLICY: Final = "senders get no policy, and those that hold none deliver without verified TLS"


def the_fetch(sts: MtaStsFacts) -> FetchFacts:
    """The answer that counts, where there is a record that asks for it; stops the rule where there is none."""
    if sts.from_file:
        raise NotApplicable("the policy is a file")
    if sts.fetch is None:
        if isinstance(sts.policy, Unknown):
            raise Inconclusive(sts.policy.why)
        raise NotApplicable("no policy was fetched")
    if sts.fetch.outcome is FetchOutcome.UNKNOWN:
        raise Inconclusive(sts.fetch.why)
    return sts.fetch


def exact_cause(sts: MtaStsFacts) -> str | None:
    """The rule that says more exactly why there is no policy."""
    fetch = sts.fetch
    if fetch is None:
        return "mta-sts-policy-private-address" if sts.withheld else None
    match fetch.outcome:
        case FetchOutcome.UNTRUSTED if not fetch.trusted:
            return "mta-sts-certificate-expired" if fetch.expired else "mta-sts-certificate-untrusted"
        case FetchOutcome.UNTRUSTED:
            return "mta-sts-certificate-name-mismatch"
        case FetchOutcome.TOO_LARGE:
            return "mta-sts-policy-too-large"
        case FetchOutcome.ANSWERED if 300 <= fetch.status < 400:  # noqa: PLR2004 - the class of redirects
            return "mta-sts-policy-redirect"
    return None
