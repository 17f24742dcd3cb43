"""Rules of area `config`: the ignores of the user's, which judge the run itself."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.config import IgnoreFacts
from deliverkit.model import Exhibit, Finding, Fix, NotApplicable, Severity, Who
from deliverkit.rules.declare import rule

_DOCS = "docs/ignores-and-baseline.md"


@rule(Severity.ERROR, _DOCS, who=Who.MAIL_ADMIN)
def config_ignore_invalid(ignore: IgnoreFacts) -> Iterator[Finding]:
    """An ignore names no rule that there is, or a day that is none, and accepts nothing.

    A slip of the pen in an ignore is silent otherwise: whoever wrote it believes the finding accepted. In the
    configuration most slips end the command at once; in the comments of a zone file they are told here.

    ## Fix
    Name a rule as its findings do (`deliverkit rules` lists them) or an area, and the day as `until=2027-01-31`.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx
        mx     A     192.0.2.1

        [deliverkit.toml]
        [[ignore]]
        rule = "mx-no-ipv7"
        domain = "example.com"
        reason = "OPS-412: the new host has IPv6"
        expires = 2027-03-31

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx
        mx     A     192.0.2.1

        [deliverkit.toml]
        [[ignore]]
        rule = "mx-no-ipv6"
        domain = "example.com"
        reason = "OPS-412: the new host has IPv6"
        expires = 2027-03-31
    """
    if ignore.problem is not None:
        yield Finding(
            message=f"the ignore of {_names(ignore)} accepts nothing: {ignore.problem}",
            subject=_names(ignore),
            evidence=_written(ignore),
            cause="invalid",
        )


@rule(Severity.ERROR, _DOCS, who=Who.MAIL_ADMIN)
def config_ignore_without_reason(ignore: IgnoreFacts) -> Iterator[Finding]:
    """An ignore does not say why.

    An accepted fault outlives whoever accepted it. Without the reason nobody can tell later whether it still
    holds, so nobody dares to take the ignore out, and what it hides stays hidden. The ignore accepts what it names
    all the same: this finding is about it, not about the mail.

    ## Fix
    Say why the finding is accepted, and where that was decided: `reason = "OPS-412: moves to the new host in March"`.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx
        mx     A     192.0.2.1

        [deliverkit.toml]
        [[ignore]]
        rule = "mx-no-ipv6"
        domain = "example.com"
        expires = 2027-03-31

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx
        mx     A     192.0.2.1

        [deliverkit.toml]
        [[ignore]]
        rule = "mx-no-ipv6"
        domain = "example.com"
        reason = "OPS-412: the new host has IPv6"
        expires = 2027-03-31
    """
    if ignore.reason is None:
        yield Finding(
            message=f"the ignore of {_names(ignore)} gives no reason",
            subject=_names(ignore),
            evidence=_written(ignore),
        )


@rule(Severity.WARNING, _DOCS, who=Who.MAIL_ADMIN)
def config_ignore_expired(ignore: IgnoreFacts) -> Iterator[Finding]:
    """An ignore has expired, and accepts nothing any more.

    Its last day has passed: what it named counts again, from the day after (UTC). That is what the date is for, a
    fault that was to be mended by then is looked at anew.

    ## Fix
    Mend what it hid and take the ignore out; or decide again, and give it a new `expires` with a reason that holds.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx
        mx     A     192.0.2.1

        [deliverkit.toml]
        [[ignore]]
        rule = "mx-no-ipv6"
        domain = "example.com"
        reason = "OPS-412: the new host has IPv6"
        expires = 2026-03-31

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx
        mx     A     192.0.2.1

        [deliverkit.toml]
        [[ignore]]
        rule = "mx-no-ipv6"
        domain = "example.com"
        reason = "OPS-412: the new host has IPv6"
        expires = 2027-03-31
    """
    if ignore.expires is None:
        raise NotApplicable("it has no last day")
    if ignore.today > ignore.expires:
        yield Finding(
            message=f"the ignore of {_names(ignore)} has expired: it accepts nothing any more",
            subject=_names(ignore),
            evidence=_written(ignore),
        )


@rule(Severity.NOTICE, _DOCS, who=Who.MAIL_ADMIN)
def config_ignore_unused(ignore: IgnoreFacts) -> Iterator[Finding]:
    """An ignore accepts nothing, since nothing is found there.

    Perhaps the fault was mended, perhaps the ignore names another domain than was meant. Left in the file it would
    hide the next fault of its kind. It is told only where the run judged all that the ignore names, to the end: a
    resolver that is down makes no ignore unused, nor does a command that judges another area.

    ## Fix
    Take the ignore out.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx
        mx     A     192.0.2.1
        mx     AAAA  2001:db8::1

        [deliverkit.toml]
        [[ignore]]
        rule = "mx-no-ipv6"
        domain = "example.com"
        reason = "OPS-412: the new host has IPv6"
        expires = 2027-03-31

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx
        mx     A     192.0.2.1

        [deliverkit.toml]
        [[ignore]]
        rule = "mx-no-ipv6"
        domain = "example.com"
        reason = "OPS-412: the new host has IPv6"
        expires = 2027-03-31
    """
    if ignore.problem is not None or (ignore.expires is not None and ignore.today > ignore.expires):
        raise NotApplicable("it accepts nothing")
    if not ignore.held and not ignore.told:
        raise NotApplicable("not all that it names was judged")
    if not ignore.held:
        yield Finding(
            message=f"the ignore of {_names(ignore)} is not used: nothing of it is found",
            subject=_names(ignore),
            evidence=_written(ignore),
        )


@rule(Severity.WARNING, _DOCS, who=Who.MAIL_ADMIN)
def config_ignore_too_long(ignore: IgnoreFacts) -> Iterator[Finding]:
    """An ignore holds for longer than `max_ignore_days`.

    An ignore is a debt with a date. One whose last day lies further ahead than the team allows itself (365 days unless
    `max_ignore_days` says otherwise) is a decision for good in the form of a delay. One without a last day is told
    as a notice. The ignore accepts what it names all the same.

    ## Fix
    Give it an `expires` within `max_ignore_days`. What is meant for good is better said as a rule's severity:
    `[rules]` with `"mx-no-ipv6" = "off"`.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx
        mx     A     192.0.2.1

        [deliverkit.toml]
        max_ignore_days = 90
        [[ignore]]
        rule = "mx-no-ipv6"
        domain = "example.com"
        reason = "OPS-412: the new host has IPv6"
        expires = 2028-03-31

    ## Bad
        $ORIGIN example.com.
        @      MX    10 mx
        mx     A     192.0.2.1

        [deliverkit.toml]
        [[ignore]]
        rule = "mx-no-ipv6"
        domain = "example.com"
        reason = "OPS-412: the new host has IPv6"

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx
        mx     A     192.0.2.1

        [deliverkit.toml]
        max_ignore_days = 365
        [[ignore]]
        rule = "mx-no-ipv6"
        domain = "example.com"
        reason = "OPS-412: the new host has IPv6"
        expires = 2027-03-31
    """
    if ignore.problem is not None:
        raise NotApplicable("it accepts nothing")
    if ignore.expires is None:
        yield Finding(
            message=f"the ignore of {_names(ignore)} has no last day",
            subject=_names(ignore),
            evidence=_written(ignore),
            severity=Severity.NOTICE,
            fix=Fix(text="Say with `expires` until when the finding is accepted."),
        )
    elif (ignore.expires - ignore.today).days > ignore.most_days:
        yield Finding(
            message=f"the ignore of {_names(ignore)} holds for longer than max_ignore_days allows",
            subject=_names(ignore),
            evidence=_written(ignore),
        )


def _names(ignore: IgnoreFacts) -> str:
    """What it accepts, in words."""
    if ignore.inline:
        return f"{ignore.rule or 'no rule'} beside the record"
    return f"{ignore.rule} for {ignore.domain}" if ignore.domain is not None else f"{ignore.rule} for every domain"


def _written(ignore: IgnoreFacts) -> tuple[Exhibit, ...]:
    """It, as it is written."""
    until = ignore.expires.isoformat() if ignore.expires is not None else ""
    if ignore.inline:
        words = [f"; deliverkit: ignore[{ignore.rule}]", f"until={until}" if until else "", ignore.reason or ""]
        return (Exhibit(text=" ".join(filter(None, words)), title=f"{ignore.path}:{ignore.line}"),)
    lines = ["[[ignore]]", f'rule = "{ignore.rule}"']
    if ignore.domain is not None:
        lines.append(f'domain = "{ignore.domain}"')
    if ignore.reason is not None:
        lines.append(f'reason = "{ignore.reason}"')
    if until:
        lines.append(f"expires = {until}")
    return (Exhibit(text="\n".join(lines), title=f"{ignore.path}:{ignore.line}"),)
