"""Rules of area `mx`: the null MX, by which a domain takes no mail (RFC 7505)."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.mx import MxFacts, may_send
from deliverkit.model import (
    Exhibit,
    Finding,
    Fix,
    Mark,
    NotApplicable,
    Severity,
    known,
    need,
)
from deliverkit.rules.declare import rule
from deliverkit.rules.mx_exhibit import spf_exhibits


@rule(Severity.ERROR, "RFC 7505 §3")
def mx_null_with_others(mx: MxFacts) -> Iterator[Finding]:
    """A null MX stands beside other MX records.

    The null MX says "this domain takes no mail", the others say where to bring it. A domain that
    publishes a null MX must publish no other; senders bounce the mail or deliver it as they please.

    ## Fix
    Delete the null MX if the domain takes mail, else all the others.

    ## Bad
        $ORIGIN example.com.
        @      MX    0 .
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1

    ## Good
        $ORIGIN example.com.
        @      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    records = need(mx.records)
    null = [preference for preference, host in records if not host]
    if not null or len(null) == len(records):
        return
    yield Finding(
        message="a null MX (no mail wanted) stands beside other MX records; some senders bounce all mail",
        subject=mx.domain,
        evidence=tuple(
            Exhibit(
                text=f"{preference} {host}.",
                title=f"{mx.domain} MX",
                marks=() if host else (Mark(0, len(f"{preference} ."), "null MX"),),
            )
            for preference, host in records[:16]
        ),
        fix=Fix(
            text="Delete the null MX if the domain takes mail; if not, delete all the others.",
            name=mx.domain,
            rdtype="MX",
            before=f"{null[0]} .",
        ),
    )


@rule(Severity.WARNING, "RFC 7505 §3")
def mx_null_preference(mx: MxFacts) -> Iterator[Finding]:
    """The null MX has another preference than 0.

    The null MX is exactly `0 .`. Software that compares it as written does not recognise another
    number, and treats the root of the DNS as a mail host that cannot be found.

    ## Fix
    Publish `0 .`.

    ## Bad
        $ORIGIN example.com.
        @      MX    10 .
        @      TXT   "v=spf1 -all"

    ## Good
        $ORIGIN example.com.
        @      MX    0 .
        @      TXT   "v=spf1 -all"
    """
    records = need(mx.records)
    if not mx.null:
        raise NotApplicable("no null MX")
    for preference, _ in records:
        if preference:
            yield Finding(
                message="the null MX has a preference other than 0; some senders do not recognise it",
                subject=mx.domain,
                evidence=(
                    Exhibit(
                        text=f"{preference} .",
                        title=f"{mx.domain} MX",
                        marks=(Mark(0, len(str(preference)), "0 expected"),),
                    ),
                ),
                fix=Fix(
                    text="Write it as RFC 7505 has it.",
                    name=mx.domain,
                    rdtype="MX",
                    before=f"{preference} .",
                    after="0 .",
                ),
            )
            return


@rule(Severity.WARNING, "RFC 7505 §4.2")
def mx_null_but_sends(mx: MxFacts) -> Iterator[Finding]:
    """A domain with a null MX lets somebody send mail in its name.

    Receivers refuse mail from a domain that takes none, since nobody could be told of a failure
    (`550 5.7.27`). A null MX and an SPF record that authorises senders contradict each other.

    ## Fix
    If the domain sends, publish a real MX. If it does not, publish `v=spf1 -all`.

    ## Bad
        $ORIGIN example.com.
        @      MX    0 .
        @      TXT   "v=spf1 ip4:192.0.2.0/24 -all"

    ## Good
        $ORIGIN example.com.
        @      MX    0 .
        @      TXT   "v=spf1 -all"
    """
    need(mx.records)
    if not mx.null:
        raise NotApplicable("no null MX")
    spf = known(mx.spf)
    if spf is not None and may_send(spf):
        yield Finding(
            message="the domain takes no mail (null MX), yet its SPF lets somebody send: receivers refuse such mail",
            subject=mx.domain,
            evidence=(Exhibit(text="0 .", title=f"{mx.domain} MX"), *spf_exhibits(mx)),
            fix=Fix(
                text="If the domain sends no mail, say so in SPF; if it does, replace the null MX by your server.",
                name=mx.domain,
                rdtype="TXT",
                before=spf[0],
                after="v=spf1 -all",
            ),
        )
