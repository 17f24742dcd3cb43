"""Rules about what an MTA-STS policy asks for, and for how long (RFC 8461 §3.2, §5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.mta_sts import PolicyFacts
from deliverkit.model import Finding, Fix, Severity, Who
from deliverkit.records.mta_sts import LONGEST
from deliverkit.rules.declare import rule
from deliverkit.rules.mta_sts_exhibit import WEEK, line_marks, policy_exhibit

_DAY: Final = 86_400


@rule(Severity.NOTICE, "RFC 8461 §5", "RFC 8461 §8.2", who=Who.MAIL_ADMIN)
def mta_sts_mode_testing(policy: PolicyFacts) -> Iterator[Finding]:
    """The policy is in testing mode: nobody enforces it.

    Senders report failures and deliver all the same, so that mail can still be intercepted.

    ## Fix
    When the reports (TLS-RPT) have shown no failure for some weeks, change to `mode: enforce` and give the record a
    new id.

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: testing
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
    if policy.valid and policy.mode == "testing":
        yield Finding(
            message="the policy is in testing mode: senders report failures, and deliver all the same",
            subject=policy.domain,
            evidence=(policy_exhibit(policy, *line_marks(policy, "mode")),),
            fix=Fix(
                "When reports show no failure for some weeks, serve this, then give the record a new id.",
                name=policy.source,
                before="mode: testing",
                after="mode: enforce",
            ),
        )


@rule(Severity.NOTICE, "RFC 8461 §5", "RFC 8461 §8.3", who=Who.MAIL_ADMIN)
def mta_sts_mode_none(policy: PolicyFacts) -> Iterator[Finding]:
    """The policy's mode is none: it asks for nothing.

    This is how a domain gives MTA-STS up: senders forget the policy that they hold. Afterwards it serves no purpose.

    ## Fix
    To give MTA-STS up, leave it so for as long as the old `max_age`, then delete record and policy. Else change to
    `mode: testing`, later `mode: enforce`, and give the record a new id.

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: none
          max_age: 86400

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
    if policy.valid and policy.mode == "none":
        yield Finding(
            message="the policy's mode is none: senders are not asked for verified TLS",
            subject=policy.domain,
            evidence=(policy_exhibit(policy, *line_marks(policy, "mode")),),
        )


@rule(Severity.WARNING, "RFC 8461 §3.2", "RFC 8461 §10.2", who=Who.MAIL_ADMIN)
def mta_sts_max_age_short(policy: PolicyFacts) -> Iterator[Finding]:
    """The policy may be kept for less than a day.

    What protects is the policy that senders hold: an attacker who can block the policy host has to wait only until
    it is forgotten. Values of weeks are expected; Google takes none under a day.

    ## Fix
    Once the policy is settled, set `max_age` to 604800 (a week) or more, and give the record a new id.

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 3600

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
    if policy.valid and policy.mode != "none" and policy.max_age is not None and policy.max_age < _DAY:
        yield Finding(
            message="max_age is less than a day: senders forget the policy too soon for it to protect",
            subject=policy.domain,
            severity=Severity.NOTICE if policy.mode == "testing" else None,
            evidence=(policy_exhibit(policy, *line_marks(policy, "max_age")),),
            fix=_age_fix(policy, WEEK),
        )


@rule(Severity.WARNING, "RFC 8461 §3.2", who=Who.MAIL_ADMIN)
def mta_sts_max_age_too_long(policy: PolicyFacts) -> Iterator[Finding]:
    """The policy may be kept for longer than the year that the standard allows.

    Some senders then refuse the policy, others take a year.

    ## Fix
    Set `max_age` to at most 31557600, and give the record a new id.

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 63115200

    ## Good
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
    if policy.valid and policy.max_age is not None and policy.max_age > LONGEST:
        yield Finding(
            message="max_age is more than a year, the most that the standard allows: some senders refuse the policy",
            subject=policy.domain,
            evidence=(policy_exhibit(policy, *line_marks(policy, "max_age")),),
            fix=_age_fix(policy, LONGEST),
        )


def _age_fix(policy: PolicyFacts, seconds: int) -> Fix:
    return Fix(
        "Change the policy, then give the record a new id.",
        name=policy.source,
        before=f"max_age: {policy.max_age}",
        after=f"max_age: {seconds}",
    )
