"""Rules about the MTA-STS record: is there one, one alone, and whole."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.mta_sts import MtaStsFacts
from deliverkit.model import Exhibit, Finding, Fix, Found, Mark, NotApplicable, Severity, Unknown, known, need
from deliverkit.records.mta_sts import StsRecord, looks_like_sts
from deliverkit.rules.declare import rule
from deliverkit.rules.mta_sts_exhibit import NEW_ID, document, file_fix, fresh_record, policy_exhibit


@rule(Severity.NOTICE, "RFC 8461 §3", "RFC 8461 §3.1")
def mta_sts_missing(sts: MtaStsFacts) -> Iterator[Finding]:
    """The domain takes mail, but asks no sender for verified TLS.

    Without MTA-STS or DANE a sender uses TLS only where it is offered, with any certificate: whoever sits between
    the servers can remove the offer or take the mail himself, unseen.

    ## Fix
    Serve a policy over HTTPS at `https://mta-sts.DOMAIN/.well-known/mta-sts.txt`, begin with `mode: testing`, and
    publish the record at `_mta-sts.DOMAIN`. Publish TLS-RPT beside it, so that senders report what fails.

    ## Bad
        example.com.  MX  10 mx.example.com.

    ## Good
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800
    """
    hosts = need(sts.hosts)
    known(sts.texts)
    if sts.records:
        return
    if sts.expected == "none":
        raise NotApplicable("the configuration expects no MTA-STS")
    served = isinstance(sts.policy, Found)
    explained = "mta-sts-syntax" if _near_misses(sts) else "mta-sts-policy-without-record" if served else None
    yield Finding(
        message="senders are not asked for verified TLS (no MTA-STS): mail to the domain can be intercepted unseen",
        subject=sts.domain,
        fix=Fix(f"Mend what {explained} tells of: a record then applies.") if explained else file_fix(sts, hosts),
        part_of=explained or ("mta-sts-not-as-expected" if sts.expected and not sts.from_file else None),
    )


@rule(Severity.NOTICE, "RFC 8461 §3.1")
def mta_sts_policy_without_record(sts: MtaStsFacts) -> Iterator[Finding]:
    """A policy is served, but no record tells senders of it.

    Senders fetch a policy only where the TXT record at `_mta-sts` says that there is one.

    ## Fix
    Publish the TXT record at `_mta-sts.DOMAIN`.

    ## Bad
        example.com.           MX   10 mx.example.com.
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800

    ## Good
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800
    """
    known(sts.texts)
    if sts.from_file:
        raise NotApplicable("the policy is a file")
    policy = need(sts.policy)
    if sts.records or not policy.valid:
        return
    yield Finding(
        message="a policy is served, but no sender reads it: the record at _mta-sts is missing",
        subject=sts.domain,
        evidence=(policy_exhibit(policy),),
        fix=fresh_record(sts, "Publish the record."),
        part_of="mta-sts-syntax" if _near_misses(sts) else None,
    )


@rule(Severity.ERROR, "RFC 8461 §3.1")
def mta_sts_multiple_records(sts: MtaStsFacts) -> Iterator[Finding]:
    """More than one MTA-STS record stands at `_mta-sts`.

    Senders then act as if there were none, and deliver without verified TLS.

    ## Fix
    Delete all but one.

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        _mta-sts.example.com.  TXT  "v=STSv1; id=20260101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800

    ## Good
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800
    """
    need(sts.texts)
    if len(sts.records) > 1:
        texts = [record.text for record in sts.records[:8]]
        best = max((record for record in sts.records if record.valid), key=lambda record: record.id or "", default=None)
        yield Finding(
            message="has several MTA-STS records: senders act as if there were none",
            subject=sts.domain,
            evidence=tuple(Exhibit(text, title=f"{sts.name} TXT") for text in texts),
            fix=Fix(
                "Delete all but one.",
                name=sts.name,
                rdtype="TXT",
                before="\n".join(texts),
                after=best.text if best else f"v=STSv1; id={NEW_ID}",
            ),
        )


@rule(Severity.ERROR, "RFC 8461 §3.1")
def mta_sts_syntax(sts: MtaStsFacts) -> Iterator[Finding]:
    """The MTA-STS record is malformed.

    Senders act as if there were none. It begins with exactly `v=STSv1;`, and its `id` is 1 to 32 letters and digits.

    ## Fix
    Publish it as `v=STSv1; id=20270101T000000`, with a new id whenever the policy changes.

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=2027-01-01"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800

    ## Good
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1 id=20270101"

    ## Good
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101;"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800
    """
    need(sts.texts)
    for record in sts.records:
        if record.problems:
            yield _broken(sts, record)
    for text in _near_misses(sts):
        yield Finding(
            message="no sender recognises the MTA-STS record: it does not begin with exactly v=STSv1;",
            subject=sts.domain,
            evidence=(Exhibit(text, title=f"{sts.name} TXT"),),
            fix=fresh_record(sts, "Write it as senders read it.", before=text),
        )


def _broken(sts: MtaStsFacts, record: StsRecord) -> Finding:
    first = next((problem for problem in record.problems if not problem.mild), record.problems[0])
    return Finding(
        message=f"the MTA-STS record is malformed ({first.message}): "
        + ("some senders ignore it" if record.valid else "senders act as if there were none"),
        subject=sts.domain,
        severity=Severity.WARNING if record.valid else None,
        evidence=(
            Exhibit(
                record.text,
                title=f"{sts.name} TXT",
                marks=tuple(Mark(p.start, p.end, p.message) for p in record.problems),
            ),
        ),
        fix=Fix(
            "Write it as senders read it.",
            name=sts.name,
            rdtype="TXT",
            before=record.text,
            after=f"v=STSv1; id={record.id or _cleaned(record)}",
        ),
    )


def _cleaned(record: StsRecord) -> str:
    """The id without what may not stand in one, where something is left of it."""
    raw = record.text.partition("id=")[2].partition(";")[0]
    return "".join(char for char in raw if char.isascii() and char.isalnum())[:32] or NEW_ID


def _near_misses(sts: MtaStsFacts) -> tuple[str, ...]:
    """What somebody meant for a record, where senders recognise none."""
    if sts.records or not isinstance(sts.texts, Found):
        return ()
    return tuple(text for text in sts.texts.value if looks_like_sts(text))[:4]


@rule(Severity.WARNING, "RFC 8461 §3.1")
def mta_sts_id_unchanged(sts: MtaStsFacts) -> Iterator[Finding]:
    """The policy changes, but the id of the record does not.

    Senders that hold the old policy look at the id alone, and go on with what they hold until its `max_age` is over.
    Told with `--policy FILE`, by comparing it with the policy that is published.

    ## Fix
    Publish the new policy first, then the record with a new id.

    ## Bad
        ; check example.com --policy
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https new.example]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: old.example.com
          max_age: 604800

    ## Good
        ; check example.com --policy
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800
    """
    if not sts.from_file:
        raise NotApplicable("no policy file to compare with")
    policy = need(sts.policy)
    if sts.from_zone:
        raise NotApplicable("the record is a zone file's: its id may be the new one")
    if isinstance(sts.published, Unknown):
        raise NotApplicable("the published policy could not be fetched")
    published = need(sts.published)
    record = sts.record
    if record is None:
        raise NotApplicable("no record is published")
    if published.split() != policy.text.split():
        yield Finding(
            message="the policy differs from the published one, and the record's id is still the old one: "
            "senders that hold the old policy keep it",
            subject=sts.domain,
            evidence=(
                Exhibit(record.text, title=f"{sts.name} TXT"),
                Exhibit(document(published), title="published"),
            ),
            fix=Fix(
                "Publish the policy, then the record with a new id (such as the date and time).",
                name=sts.name,
                rdtype="TXT",
                before=record.text,
                after=f"v=STSv1; id={NEW_ID if record.id != NEW_ID else NEW_ID + 'a'}",
            ),
        )
