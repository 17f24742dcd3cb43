"""Rules about tags of the DMARC record that do nothing, or no longer."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.dmarc import AppliedRecord
from deliverkit.model import Exhibit, Finding, Fix, Mark, Severity
from deliverkit.records.dmarc import KNOWN, REMOVED
from deliverkit.records.dmarc_repair import mended
from deliverkit.records.taglist import Tag
from deliverkit.rules.declare import rule

_USELESS = {
    "pct": "applied the policy to a share of the mail; use t=y to test",
    "rf": "chose the format of failure reports; there is only one",
    "ri": "asked for reports at an interval; they come daily",
}


def _marked(applied: AppliedRecord, tags: list[Tag], notes: dict[str, str]) -> Exhibit:
    marks = tuple(Mark(tag.name_span[0], tag.value_span[1], notes.get(tag.name.lower(), "")) for tag in tags[:8])
    return Exhibit(applied.record.text, title=f"{applied.found_at} TXT", marks=marks)


def _fix(applied: AppliedRecord, words: str) -> Fix:
    return Fix(
        words,
        name=applied.found_at,
        rdtype="TXT",
        before=applied.record.text,
        after=mended(applied.record, mailbox=applied.mailbox),
    )


@rule(Severity.NOTICE, "RFC 9989 Appendix C")
def dmarc_removed_tag(applied: AppliedRecord) -> Iterator[Finding]:
    """The record uses tags that DMARC no longer has: `pct`, `rf`, `ri`.

    RFC 9989 removed them in 2026: receivers pass over them. A `pct` below 100 is the one to look at, since new
    receivers apply the policy to all mail, and older ones to a share of it.

    ## Fix
    Take them out. What `pct=0` was used for, `t=y` says now.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; pct=50; ri=3600; rua=mailto:dmarc@example.com"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    tags = [tag for tag in applied.record.tags if tag.name.lower() in REMOVED]
    if not tags:
        return
    names = ", ".join(dict.fromkeys(tag.name.lower() for tag in tags))
    share = applied.record.tag("pct")
    partial = share is not None and share.value != "100"
    yield Finding(
        message=f"DMARC no longer has {names}: receivers on RFC 9989 pass over it"
        + (", and apply the policy to all mail" if partial else ""),
        subject=applied.domain,
        evidence=(_marked(applied, tags, _USELESS),),
        fix=_fix(applied, "Take it out; to test a policy, say t=y." if partial else "Take it out."),
    )


@rule(Severity.NOTICE, "RFC 9989 §4.7")
def dmarc_unknown_tag(applied: AppliedRecord) -> Iterator[Finding]:
    """The record holds a tag that DMARC does not have.

    Receivers pass over it. Often it is another tag misspelt, which then has no effect.

    ## Fix
    Correct the name, or take the tag out.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com; policy=reject"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    tags = [tag for tag in applied.record.tags if tag.name.isalpha() and tag.name.lower() not in KNOWN]
    if not tags:
        return
    names = ", ".join(dict.fromkeys(f"{tag.name[:32]}=" for tag in tags[:4]))
    yield Finding(
        message=f"DMARC has no tag {names}: receivers pass over it",
        subject=applied.domain,
        evidence=(_marked(applied, tags, {}),),
        fix=_fix(applied, "Correct its name or take it out."),
    )


@rule(Severity.NOTICE, "RFC 9989 §4.7")
def dmarc_fo_without_ruf(applied: AppliedRecord) -> Iterator[Finding]:
    """The record chooses which failures to report (`fo=`), and names no address for such reports (`ruf=`).

    Receivers pass over `fo=` where there is no `ruf=`.

    ## Fix
    Take `fo=` out, or name an address in `ruf=`. Few receivers send failure reports.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com; fo=1"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    tag = applied.record.tag("fo")
    if tag is not None and applied.record.tag("ruf") is None:
        yield Finding(
            message="fo= has no effect without ruf=: there is no address to send failure reports to",
            subject=applied.domain,
            evidence=(_marked(applied, [tag], {"fo": "without ruf="}),),
            fix=_fix(applied, "Take fo= out."),
        )
