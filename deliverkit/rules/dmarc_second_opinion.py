"""Where another program reads the same DMARC answers otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.domain import DomainFacts
from deliverkit.model import Exhibit, Finding, Fix, NotApplicable, Severity, known, need
from deliverkit.rules.declare import rule


@rule(Severity.NOTICE, "RFC 9989 §4.10")
def dmarc_second_opinion_differs(domain: DomainFacts) -> Iterator[Finding]:
    """A second program reads the domain's DMARC record otherwise.

    With `--second-opinion`, checkdmarc judges the same DNS answers. Where the two differ, one of them is wrong or
    stricter than the standard, and receivers may differ in the same way.

    ## Fix
    Look at the part of the record that the two read differently, and write it so that both agree.

    ## Bad
        ; check example.com --second-opinion
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        _dmarc  TXT  "a note that someone left here"

    ## Good
        ; check example.com --second-opinion
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    opinion = need(domain.second_opinion)
    theirs = need(opinion.dmarc)
    dmarc = need(domain.dmarc)
    applied = known(dmarc.applied)
    if applied is None and theirs.record is None:
        if theirs.valid:
            raise NotApplicable("no record either way")
        return
    usable = applied is not None and applied.record.usable
    policy = applied.record.policy if applied else None
    if (usable, policy) == (theirs.valid, theirs.policy) and (not applied or applied.domain == theirs.location):
        return
    ours_said = f"the policy {policy} at {applied.domain}" if usable and applied else "no usable record"
    they_said = (
        f"the policy {theirs.policy} at {theirs.location}"
        if theirs.valid
        else f"an error ({theirs.error or 'unnamed'})"
    )
    yield Finding(
        message=f"deliverkit finds {ours_said}, {opinion.library} finds {they_said}",
        subject=domain.inputs.domain,
        evidence=(
            *((Exhibit(applied.record.text, title=f"{applied.found_at} TXT"),) if applied else ()),
            *((Exhibit(theirs.words, title=f"{opinion.library} {opinion.version}"),) if theirs.words else ()),
        ),
        fix=Fix("Write the record so that both read it alike."),
    )
