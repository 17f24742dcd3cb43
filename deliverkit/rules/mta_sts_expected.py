"""Rule of area `mta-sts` about what the configuration expects."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.mta_sts import MtaStsFacts, PolicyFacts
from deliverkit.model import Exhibit, Finding, Fix, NotApplicable, Severity, Who, known
from deliverkit.rules.declare import rule
from deliverkit.rules.mta_sts_exhibit import line_marks, policy_exhibit


@rule(Severity.ERROR, "deliverkit configuration: domains.*.mta_sts", "RFC 8461 §3.2", who=Who.MAIL_ADMIN)
def mta_sts_not_as_expected(sts: MtaStsFacts) -> Iterator[Finding]:
    """MTA-STS is not in the mode that the configuration expects.

    What senders go by is compared: the mode of the policy where record and policy can both be used, else none. A policy
    that fell back to `testing`, or a record that got lost, leaves mail open to whoever sits between the servers; one
    that is enforced before it is meant to be may keep mail out.

    ## Fix
    Serve the policy in the mode that is meant and give the record a new id; or correct `mta_sts` in the configuration.

    ## Bad
        ; check example.com --mta-sts testing
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800

    ## Good
        ; check example.com --mta-sts enforce
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
    expected = sts.expected
    if expected is None:
        raise NotApplicable("no mode is expected")
    policy = _in_force(sts)
    if (policy.mode if policy else "none") == expected:
        return
    if policy is None:
        stands = "no MTA-STS is in force" if not sts.records else "the policy cannot be used"
    else:
        stands = f"the policy's mode is {policy.mode}"
    yield Finding(
        message=f"{stands}, expected is {expected}",
        subject=sts.domain,
        evidence=(policy_exhibit(policy, *line_marks(policy, "mode")),)
        if policy
        else tuple(Exhibit(record.text, title=f"{sts.name} TXT") for record in sts.records[:4]),
        fix=Fix(
            "Serve the policy in the mode that is expected, and give the record a new id.",
            name=policy.source,
            before=f"mode: {policy.mode}",
            after=f"mode: {expected}",
        )
        if policy
        else Fix("Publish the record and serve the policy; or correct the configuration."),
    )


def _in_force(sts: MtaStsFacts) -> PolicyFacts | None:
    """The policy that senders use; None where they use none. Stops where that could not be told."""
    known(sts.texts)
    if sts.record is None and not sts.from_file:
        return None
    policy = known(sts.policy)
    return policy if policy is not None and policy.valid else None
