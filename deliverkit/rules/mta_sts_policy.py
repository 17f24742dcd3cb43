"""Rules about an MTA-STS policy as a document: its grammar, its mode, its age, and the hosts it covers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.mta_sts import PolicyFacts
from deliverkit.model import Finding, Fix, Mark, NotApplicable, Severity, Who, need
from deliverkit.records.mta_sts import is_plain_text, mx_covered
from deliverkit.rules.declare import rule
from deliverkit.rules.mta_sts_exhibit import WEEK, document, policy_exhibit, policy_text, weakened

_NAMED: Final = 5


@rule(Severity.ERROR, "RFC 8461 §3.2", who=Who.MAIL_ADMIN)
def mta_sts_policy_syntax(policy: PolicyFacts) -> Iterator[Finding]:
    """The policy is malformed.

    Senders act as if there were none. It holds `version: STSv1`, `mode:`, `max_age:` in seconds and, unless the mode
    is none, an `mx:` line for each mail host, in lines of `name: value`.

    ## Fix
    Serve a policy like the one shown, as plain text in UTF-8.

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforced
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
    if not policy.problems:
        return
    first = next((problem for problem in policy.problems if not problem.mild), policy.problems[0])
    follows = "senders act as if there were none" if not policy.valid else "senders may read it otherwise than meant"
    hosts = getattr(policy.hosts, "value", ())
    mode = policy.mode or "testing"
    covered = tuple(dict.fromkeys(policy.mx)) or hosts or ("mx.example.com",)
    yield Finding(
        message=f"the policy is malformed ({first.message}): {follows}",
        subject=policy.domain,
        severity=Severity.NOTICE if policy.valid else None,
        evidence=(policy_exhibit(policy, *(Mark(p.start, p.end, p.message) for p in policy.problems)),),
        fix=Fix(
            "Serve this in its place.",
            name=policy.source,
            after=policy_text(() if mode == "none" else covered, mode=mode, max_age=policy.max_age or WEEK),
        ),
    )


@rule(Severity.ERROR, "RFC 8461 §4.1", "RFC 8461 §5", who=Who.MAIL_ADMIN)
def mta_sts_mx_not_covered(policy: PolicyFacts) -> Iterator[Finding]:
    """A mail host of the domain is covered by no `mx:` line of its policy.

    Senders that honour an enforced policy do not deliver to such a host; where none is covered, they deliver
    nothing. In testing mode they report it and deliver.

    ## Fix
    Add an `mx:` line for the host to the policy, and give the record a new id. Change the policy before the MX
    records: senders go by the one that they hold.

    ## Bad
        example.com.           MX   10 mx.example.com.
        example.com.           MX   20 backup.example.net.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: *.example.com
          max_age: 604800

    ## Good
        example.com.           MX   10 mx.example.com.
        example.com.           MX   20 backup.example.net.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: *.example.com
          mx: backup.example.net
          max_age: 604800
    """
    if not policy.valid:
        raise NotApplicable("the policy is malformed")
    if policy.mode == "none":
        raise NotApplicable("the policy's mode is none")
    hosts = need(policy.hosts)
    missed = tuple(host for host in hosts if not policy.covers(host))
    if not missed:
        return
    named = ", ".join(missed[:_NAMED]) + (" and others" if len(missed) > _NAMED else "")
    whole = "to the domain" if len(missed) == len(hosts) else "there"
    follows = (
        f"senders that honour it deliver nothing {whole}"
        if policy.mode == "enforce"
        else f"once it is enforced, senders deliver nothing {whole}"
    )
    yield Finding(
        message=f"the policy does not cover {named}: {follows}",
        subject=policy.domain,
        severity=weakened(policy),
        evidence=(policy_exhibit(policy, *(Mark(p.start, p.end) for p in policy.patterns)),),
        fix=Fix(
            "Add the hosts to the policy, then give the record a new id.",
            name=policy.source,
            before=document(policy.text).rstrip("\n"),
            after=_with(policy, missed),
        ),
        cause=f"not covered {policy.mode}: {named}",
    )


def _with(policy: PolicyFacts, hosts: tuple[str, ...]) -> str:
    """The policy with an `mx:` line more for each of these, behind those that it has."""
    last = max((pattern.end for pattern in policy.patterns), default=0)
    lines = document(policy.text).rstrip("\n").split("\n")
    at = policy.text.count("\n", 0, last) + 1
    return "\n".join((*lines[:at], *(f"mx: {host}" for host in hosts), *lines[at:]))


@rule(Severity.NOTICE, "RFC 8461 §4.1", who=Who.MAIL_ADMIN)
def mta_sts_mx_pattern_unused(policy: PolicyFacts) -> Iterator[Finding]:
    """The policy covers a host that is no MX of the domain.

    It does no harm while the host is on its way in or out. Left over, it lets whoever takes over that name stand in
    for the domain's mail host.

    ## Fix
    Remove the line from the policy once the host is no MX any more, and give the record a new id.

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          mx: old.example.net
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
    if not policy.valid or policy.mode == "none":
        raise NotApplicable("no policy that covers hosts")
    hosts = need(policy.hosts)
    if not any(policy.covers(host) for host in hosts):
        return  # the policy is for other hosts altogether: mta-sts-mx-not-covered tells
    unused = [p for p in policy.patterns if not any(mx_covered(p.pattern, host) for host in hosts)]
    if unused:
        named = ", ".join(p.pattern for p in unused[:_NAMED]) + (" and others" if len(unused) > _NAMED else "")
        yield Finding(
            message=f"the policy covers {named}, which no MX of the domain is",
            subject=policy.domain,
            evidence=(policy_exhibit(policy, *(Mark(p.start, p.end, "no MX") for p in unused)),),
            cause=f"unused {named}",
        )


@rule(Severity.WARNING, "RFC 8461 §3.2", who=Who.MAIL_ADMIN)
def mta_sts_policy_content_type(policy: PolicyFacts) -> Iterator[Finding]:
    """The policy is not served as `text/plain`.

    Senders should check the type, so that whoever may merely upload files to the host cannot publish a policy: those
    that do act as if there were none.

    ## Fix
    Have the web server send `Content-Type: text/plain` for `/.well-known/mta-sts.txt`.

    ## Bad
        example.com.           MX   10 mx.example.com.
        _mta-sts.example.com.  TXT  "v=STSv1; id=20270101"
        mta-sts.example.com.   A    192.0.2.80

        [https mta-sts.example.com]
        type  application/octet-stream
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
        type  text/plain; charset=utf-8
        body
          version: STSv1
          mode: enforce
          mx: mx.example.com
          max_age: 604800
    """
    if not is_plain_text(policy.media_type):
        sent = "without a content type" if not policy.media_type else "as something else than text/plain"
        yield Finding(
            message=f"the policy is served {sent}: senders that check it act as if there were none",
            subject=policy.domain,
            evidence=(policy_exhibit(policy),),
            fix=Fix(
                "Set the type in the web server.",
                name=policy.source,
                before=f"Content-Type: {policy.media_type}" if policy.media_type else None,
                after="Content-Type: text/plain",
            ),
        )
