"""Rules of area `config`: the baseline."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.config import BaselineEntryFacts
from deliverkit.model import Exhibit, Finding, Severity, Who
from deliverkit.rules.declare import rule


@rule(Severity.NOTICE, "docs/ignores-and-baseline.md", who=Who.MAIL_ADMIN)
def config_baseline_stale(entry: BaselineEntryFacts) -> Iterator[Finding]:
    """The baseline accepts a finding that is found no more.

    Somebody mended it. Left in the file, the entry would accept the same fault when it comes back. It is told only
    where the run judged the rule on that domain to its end.

    ## Fix
    Run `deliverkit baseline --update`: it takes out what is found no more, and accepts nothing new.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx
        mx     A     192.0.2.1
        mx     AAAA  2001:db8::1

        [.deliverkit-baseline.json]
        {"schema": "deliverkit/baseline/1", "findings": [
          {"domain": "example.com", "rule": "mx-no-ipv6", "subject": "example.com",
           "fingerprint": "5de29bb90b0cc56f7b4f", "severity": "notice"}]}

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx
        mx     A     192.0.2.1

        [.deliverkit-baseline.json]
        {"schema": "deliverkit/baseline/1", "findings": [
          {"domain": "example.com", "rule": "mx-no-ipv6", "subject": "example.com",
           "fingerprint": "5de29bb90b0cc56f7b4f", "severity": "notice"}]}
    """
    if entry.stale:
        yield Finding(
            message=f"the baseline accepts {entry.rule} of {entry.subject}, which is found no more",
            subject=f"{entry.rule} of {entry.subject}",
            evidence=(Exhibit(text=f"{entry.rule} of {entry.subject} on {entry.domain}", title=entry.path),),
        )
