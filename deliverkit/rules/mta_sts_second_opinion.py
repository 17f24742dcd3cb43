"""Where another program reads the same MTA-STS record or policy otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.domain import DomainFacts
from deliverkit.facts.mta_sts import MtaStsFacts, PolicyFacts
from deliverkit.facts.second_opinion import MtaStsOpinion, PolicyOpinion, SecondOpinionFacts
from deliverkit.model import Exhibit, Finding, Fix, Mark, NotApplicable, Severity, known, need
from deliverkit.records.mta_sts import LONGEST, StsRecord
from deliverkit.rules.declare import rule
from deliverkit.rules.mta_sts_exhibit import policy_exhibit


@rule(Severity.NOTICE, "RFC 8461 §3.1", "RFC 8461 §3.2")
def mta_sts_second_opinion(domain: DomainFacts) -> Iterator[Finding]:
    """A second program reads the domain's MTA-STS record or policy otherwise.

    With `--second-opinion`, checkdmarc judges the same record and the same policy. Where the two differ, one of them
    is wrong or stricter than the standard, and senders may differ in the same way.

    ## Fix
    Look at the part that the two read differently, and write it so that both agree.

    ## Bad
        ; check example.com --second-opinion
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101;;"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800

    ## Good
        ; check example.com --second-opinion
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101;"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800

    ## Bad
        ; check example.com --second-opinion
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 63072000

    ## Good
        ; check example.com --second-opinion
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 31557600
    """
    opinion = need(domain.second_opinion)
    sts = need(domain.mta_sts)
    record = known(opinion.mta_sts)
    if record is not None and (finding := _record(opinion, sts, record, sts.records[0])):
        yield finding
    judged = known(opinion.mta_sts_policy)
    if judged is not None and (finding := _policy(opinion, judged, need(sts.policy))):
        yield finding
    if record is None and judged is None:
        raise NotApplicable("no record and no policy to judge")


def _record(opinion: SecondOpinionFacts, sts: MtaStsFacts, theirs: MtaStsOpinion, ours: StsRecord) -> Finding | None:
    if (ours.valid, ours.id if ours.valid else None) == (theirs.valid, theirs.id):
        return None
    return Finding(
        message=f"deliverkit finds {_said('record', f'the id {ours.id}' if ours.valid else None)}, "
        f"{opinion.library} {_said('record', f'the id {theirs.id}' if theirs.valid else None, theirs.error)}",
        subject=sts.domain,
        evidence=(Exhibit(ours.text, title=f"{sts.name} TXT"), *_words(opinion, theirs)),
        fix=Fix(
            "Write it so that both read it alike.",
            name=sts.name,
            rdtype="TXT",
            before=ours.text,
            after=f"v=STSv1; id={ours.id or theirs.id}",
        ),
        part_of="mta-sts-syntax" if ours.problems else None,
    )


def _policy(opinion: SecondOpinionFacts, theirs: PolicyOpinion, ours: PolicyFacts) -> Finding | None:
    mine = (ours.valid, *((ours.mode, ours.mx, ours.max_age) if ours.valid else ()))
    if mine == (theirs.valid, *((theirs.mode, theirs.mx, theirs.max_age) if theirs.valid else ())):
        return None
    read = _read(ours.mode, ours.mx) if ours.valid else None
    they_read = _read(theirs.mode, theirs.mx) if theirs.valid else None
    return Finding(
        message=f"deliverkit finds {_said('policy', read)}, "
        f"{opinion.library} {_said('policy', they_read, theirs.error)}",
        subject=ours.domain,
        evidence=(
            policy_exhibit(ours, *(Mark(p.start, p.end, p.message) for p in ours.problems)),
            *_words(opinion, theirs),
        ),
        fix=Fix("Write the policy so that both read it alike, then give the record a new id."),
        part_of=_told(ours),
    )


def _told(policy: PolicyFacts) -> str | None:
    """Our own rule that tells of the same."""
    if policy.problems:
        return "mta-sts-policy-syntax"
    return "mta-sts-max-age-too-long" if policy.max_age is not None and policy.max_age > LONGEST else None


def _read(mode: str | None, mx: tuple[str, ...]) -> str:
    return f"the mode {mode} and {len(mx)} {'mx line' if len(mx) == 1 else 'mx lines'}"


def _said(what: str, read: str | None, error: str | None = None) -> str:
    if read is not None:
        return f"a {what} with {read}"
    return f"an error in the {what}" + (f" ({error})" if error else "")


def _words(opinion: SecondOpinionFacts, theirs: MtaStsOpinion | PolicyOpinion) -> tuple[Exhibit, ...]:
    return (Exhibit(theirs.words, title=f"{opinion.library} {opinion.version}"),) if theirs.words else ()
