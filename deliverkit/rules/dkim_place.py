"""Rules about records that stand in the wrong place below _domainkey, or are none of DKIM's (RFC 6376 §3.6.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deliverkit.facts.dkim import SelectorFacts
from deliverkit.model import (
    Exhibit,
    Finding,
    Fix,
    Inconclusive,
    LookupOutcome,
    Mark,
    NotApplicable,
    Severity,
    known,
    need,
)
from deliverkit.records.dkim import looks_like_key
from deliverkit.records.dkim_damage import Kind
from deliverkit.rules.declare import rule
from deliverkit.rules.dkim_finding import about, change

_GONE = (LookupOutcome.NXDOMAIN, LookupOutcome.NODATA, LookupOutcome.INVALID)
_HOST = re.compile(r"(?i)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){2,}\.?")


@rule(Severity.ERROR, "RFC 6376 §3.6.2.1")
def dkim_name_doubled(selector: SelectorFacts) -> Iterator[Finding]:
    """The key is published under a name that repeats the domain's name.

    Many zone editors append the zone's name to what is typed. Whoever types the full name publishes at
    `selector._domainkey.domain.domain`, where no receiver looks.

    ## Fix
    Enter the name without the domain (`s1._domainkey`), or end it with a dot.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s2._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        s1._domainkey.example.com TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    if selector.guessed:
        raise NotApplicable("the selector was only guessed")
    if known(selector.texts) is not None:
        return
    for name in selector.doubled[:1]:
        yield about(
            selector,
            f"The key of {selector.selector} stands at {name}, with the domain's name repeated: "
            "no receiver looks there",
            evidence=(
                Exhibit(text=name, title="published at"),
                Exhibit(text=selector.name, title="looked for at"),
                *(Exhibit(text=text, title=f"{name} TXT") for text in selector.doubled_texts[:1]),
            ),
            fix=Fix(
                text=f"Move the record to {selector.name}: in the zone editor the name is "
                f"{selector.selector}._domainkey, without the domain.",
                name=selector.name,
                rdtype="TXT",
                after=selector.doubled_texts[0] if selector.doubled_texts else None,
            ),
        )


def _differs(selector: SelectorFacts) -> bool:
    expected = selector.expected_cname
    return expected is not None and selector.cname != expected.rstrip(".").lower()


@rule(Severity.ERROR, "RFC 6376 §3.6.2.1")
def dkim_cname_not_as_expected(selector: SelectorFacts) -> Iterator[Finding]:
    """A selector's CNAME does not lead where the configuration says it should.

    The key then is another service's, an old one's, or nobody's.

    ## Fix
    Set the CNAME as expected, or correct `dkim_cnames` in the configuration.

    ## Bad
        ; check example.com --dkim-cname s1=s1.dkim.vendor.example
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey CNAME s1.dkim.other.example.
        s1.dkim.other.example. TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    ## Good
        ; check example.com --dkim-cname s1=s1.dkim.vendor.example
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey CNAME s1.dkim.vendor.example.
        s1.dkim.vendor.example. TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    if selector.expected_cname is None:
        raise NotApplicable("no CNAME is expected")
    if selector.cname is None and selector.lookup.outcome is LookupOutcome.UNKNOWN:
        raise Inconclusive(selector.lookup.why)
    if _differs(selector):
        expected = selector.expected_cname.rstrip(".").lower()
        stands = f"leads to {selector.cname}" if selector.cname else "is missing"
        yield about(
            selector,
            f"The CNAME of {selector.selector} {stands}; expected is {expected}",
            evidence=(Exhibit(text=selector.cname or selector.lookup.why or "none", title=f"{selector.name} CNAME"),),
            fix=Fix(
                text="Set the CNAME as expected.",
                name=selector.name,
                rdtype="CNAME",
                before=selector.cname,
                after=expected,
            ),
            part_of="dkim-missing" if selector.cname is None and selector.lookup.outcome in _GONE else None,
        )


@rule(Severity.ERROR, "RFC 6376 §3.6.2.2")
def dkim_multiple_records(selector: SelectorFacts) -> Iterator[Finding]:
    """A selector has more than one TXT record.

    TXT records of a selector must be unique: with two, which one a receiver takes is undefined, and many take none.

    ## Fix
    Keep the record of the key that is in use, and delete the others.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        s1._domainkey TXT (
            "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDEllUxCcOFIIHKaywngNOj0GXr6Z"
            "7ANFJEGO2tvdJFk5ebsY+qAJCSxUeW+uFrUftx9uv6c4OhJXYZ85j67V7eoz+AlicQYz2Vlk9kzNtGn5nhIT"
            "rcWL70rCEmcWY0TNNrPlx2zHG0bZvB4x49DopCqJlUFgSggJCLyBpPf5b48QIDAQAB" )

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    texts = need(selector.texts)
    if len(texts) < 2:  # noqa: PLR2004 - more than one
        return
    split = selector.diagnosis is not None and selector.diagnosis.has(Kind.SPLIT)
    after = selector.diagnosis.corrected if split and selector.diagnosis else None
    yield about(
        selector,
        f"{len(texts)} TXT records stand at the selector {selector.selector}; there must be one",
        evidence=tuple(Exhibit(text=text, title=f"{selector.name} TXT") for text in texts[:8]),
        fix=change(selector, "Delete all but the record of the key that is in use.", after),
        part_of="dkim-key-cut" if split else None,
    )


@rule(Severity.ERROR, "RFC 6376 §3.6.1")
def dkim_record_not_dkim(selector: SelectorFacts) -> Iterator[Finding]:
    """What stands at a selector is no DKIM record.

    Often it is the target of a CNAME, typed into a TXT record.

    ## Fix
    If the service showed a name, publish it as CNAME and not as TXT; else publish the key record.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "s1.dkim.vendor.example"

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    texts = need(selector.texts)
    if any(looks_like_key(text) for text in texts):
        return
    text = texts[0]
    host = _HOST.fullmatch(text.strip())
    yield about(
        selector,
        f"The TXT record of {selector.selector} is "
        + ("a host name: it was meant as CNAME" if host else "no DKIM key record"),
        evidence=(Exhibit(text=text, title=f"{selector.name} TXT", marks=(Mark(0, len(text), "no key"),)),),
        fix=Fix(
            text="Delete the TXT record and publish a CNAME with this target." if host else "Publish the key record.",
            name=selector.name,
            rdtype="CNAME" if host else "TXT",
            before=None if host else text,
            after=text.strip().rstrip(".") if host else None,
        ),
    )
