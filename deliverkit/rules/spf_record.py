"""Rules about the SPF record itself: is there one, just one, and can it be read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from deliverkit.facts.spf import SpfFacts, SpfNode
from deliverkit.model import Exhibit, Finding, Fix, Found, Mark, NotApplicable, Severity, Who, known, need
from deliverkit.records.spf import SpfError, SpfRecord, parse_spf
from deliverkit.rules.declare import rule

_LONG = 450
"""Octets above which an answer with other TXT records may not fit a datagram (RFC 7208 §3.4)."""
_MARKS = 12


@rule(Severity.ERROR, "RFC 7208 §3", "RFC 7208 §4.5")
def spf_missing(spf: SpfFacts) -> Iterator[Finding]:
    """The domain publishes no SPF record.

    Receivers then cannot tell your servers from a forger's. Gmail, Yahoo and Microsoft refuse mail that neither SPF
    nor DKIM vouches for, and a name that sends no mail is a favourite of forgers for as long as nothing says so.

    ## Fix
    Publish one TXT record at the domain that names every server and service that sends for it. A domain that
    sends nothing publishes `v=spf1 -all`.

    ## Bad
        $ORIGIN example.com.
        @  MX   10 mx.example.net.
        @  TXT  "some-site-verification=1234"

    ## Good
        $ORIGIN example.com.
        @  MX   10 mx.example.net.
        @  TXT  "v=spf1 mx -all"
    """
    if spf.gone:
        raise NotApplicable("the domain does not exist")
    if known(spf.texts) is not None:
        return
    silent = isinstance(spf.mail, Found) and not spf.mail.value
    after = "v=spf1 -all" if silent else "v=spf1 mx ~all"
    words = (
        "publish that the domain sends no mail"
        if silent
        else "publish a record; this one lets only the MX hosts send: add an include: or ip4: for each other service"
    )
    explained = "spf-not-recognized" if spf.near else "spf-type-obsolete" if spf.type99 else None
    yield Finding(
        message="no SPF record is published: receivers cannot tell your servers from a forger's",
        subject=spf.domain,
        fix=Fix(words, name=spf.domain, rdtype="TXT", after=after),
        severity=Severity.WARNING if silent else None,
        part_of=explained,
    )


@rule(Severity.ERROR, "RFC 7208 §4.5")
def spf_not_recognized(spf: SpfFacts) -> Iterator[Finding]:
    r"""A TXT record was meant to be SPF, and no receiver takes it for one.

    A receiver looks for exactly `v=spf1` at the very beginning, followed by a space or the end. A record that
    differs by one character is passed over as if it were not there.

    ## Fix
    Publish the record so that it begins with `v=spf1` and a space, without quotation marks of its own.

    ## Bad
        $ORIGIN example.com.
        @  MX   10 mx.example.net.
        @  TXT  " v=spf1 mx -all"

    ## Bad
        $ORIGIN example.com.
        @  MX   10 mx.example.net.
        @  TXT  "\"v=spf1 mx -all\""

    ## Good
        $ORIGIN example.com.
        @  MX   10 mx.example.net.
        @  TXT  "v=spf1 mx -all"
    """
    if spf.gone:
        raise NotApplicable("the domain does not exist")
    published = known(spf.texts)
    for miss in spf.near:
        if miss.harmless and published is not None:
            continue
        # RFC 7208 §4.5: only exactly "v=spf1" followed by a space or the end selects a record.
        meant = miss.meant if miss.meant is not None and not parse_spf(miss.meant).errors else None
        yield Finding(
            message=f"a TXT record looks like SPF, but receivers pass it over: {miss.why}",
            subject=spf.domain,
            evidence=(Exhibit(miss.text, title=f"{spf.domain} TXT", marks=(Mark(0, min(8, len(miss.text))),)),),
            fix=Fix(
                "publish it as it was meant"
                if published is None and meant
                else "remove it, or merge it into the SPF record",
                name=spf.domain,
                rdtype="TXT",
                before=miss.text,
                after=meant if published is None else None,
            ),
            severity=None if published is None else Severity.WARNING,
            cause=miss.why,
        )


@rule(Severity.ERROR, "RFC 7208 §3.1")
def spf_type_obsolete(spf: SpfFacts) -> Iterator[Finding]:
    """The SPF record is published under the abolished type SPF only.

    The record type 99 was given up in 2014. Receivers ask for TXT and nothing else.

    ## Fix
    Publish the same text as a TXT record, and remove the record of type SPF.

    ## Bad
        $ORIGIN example.com.
        @  MX   10 mx.example.net.
        @  SPF  "v=spf1 mx -all"

    ## Good
        $ORIGIN example.com.
        @  MX   10 mx.example.net.
        @  TXT  "v=spf1 mx -all"
    """
    if spf.gone:
        raise NotApplicable("the domain does not exist")
    if known(spf.texts) is not None:
        return
    for text in spf.type99[:1]:
        yield Finding(
            message="the record is published under type SPF (99), for which no receiver asks",
            subject=spf.domain,
            evidence=(Exhibit(text, title=f"{spf.domain} SPF"),),
            fix=Fix("publish it as a TXT record", name=spf.domain, rdtype="TXT", after=text),
        )


@rule(Severity.ERROR, "RFC 7208 §3.2", "RFC 7208 §4.5")
def spf_multiple_records(node: SpfNode) -> Iterator[Finding]:
    """A name has more than one SPF record.

    Receivers answer `permerror` and use neither. It happens when a second service's instructions are followed
    word for word.

    ## Fix
    Merge them into one record: one `v=spf1`, the terms of all, one `all` at the end.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.0/24 -all"
        @  TXT  "v=spf1 ip4:198.51.100.0/24 ~all"

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 ~all"
    """
    texts = need(node.texts)
    if len(texts) < 2:  # noqa: PLR2004 - more than one
        return
    merged = _merged(texts)
    yield Finding(
        message="more than one SPF record is published: receivers answer permerror and use none of them",
        subject=node.domain,
        evidence=tuple(Exhibit(text, title=f"{node.domain} TXT") for text in sorted(texts)[:10]),
        fix=Fix(
            "merge them into one, and remove all the others",
            name=node.domain,
            rdtype="TXT",
            before="\n".join(sorted(texts)[:10]),
            after=merged,
        )
        if merged
        else Fix("merge them into one record by hand: one v=spf1, the terms of all, one all at the end"),
        who=None if node.own else Who.PROVIDER,
        cause="",
    )


def _merged(texts: tuple[str, ...]) -> str | None:
    """One record with the terms of all and the mildest `all`; None where that is nobody's but the owner's to say."""
    records = [parse_spf(text) for text in sorted(texts)]
    if any(record.errors or record.modifier("redirect") for record in records):
        return None
    terms = dict.fromkeys(
        term.text for record in records for term in record.terms if not (term.name == "all" and not term.modifier)
    )
    finals = [record.all.qualifier for record in records if record.all]
    mildest = next((qualifier for qualifier in "~-?" if qualifier in finals), "~")
    return " ".join(("v=spf1", *terms, f"{mildest}all"))


@rule(Severity.ERROR, "RFC 7208 §4.6", "RFC 7208 §12")
def spf_syntax(node: SpfNode) -> Iterator[Finding]:
    """The SPF record has a syntax error.

    One error anywhere, even behind the term that would have matched, makes the whole record a `permerror`:
    receivers treat the mail as if nothing vouched for it.

    ## Fix
    Correct the term at the place that is marked.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 ipv4:192.0.2.1 -all"

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.300 -all"

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.1 -all"
    """
    record = need(node.record)
    if not record.errors:
        return
    first = record.errors[0]
    joined = _spaced_where_joined(node, record)
    after = joined or _corrected(record)
    more = len(record.errors) - 1
    said = "a space is missing where two strings of it join" if joined else first.message
    yield Finding(
        message=f"a syntax error makes the record a permerror at every receiver: {said}"
        + (f" (and {more} more)" if more and not joined else ""),
        subject=node.domain,
        evidence=(
            Exhibit(
                record.text,
                title=f"{node.domain} TXT",
                marks=tuple(Mark(error.start, error.end, error.message) for error in record.errors[:_MARKS]),
            ),
        ),
        fix=Fix(
            "correct the marked terms" if after is None else "publish the corrected record",
            name=node.domain,
            rdtype="TXT",
            before=record.text,
            after=after,
        )
        if after is not None
        else Fix("correct the marked terms"),
        who=None if node.own else Who.PROVIDER,
    )


def _spaced_where_joined(node: SpfNode, record: SpfRecord) -> str | None:
    """The record with a space where two strings join inside a broken term; None where that does not mend it."""
    # RFC 7208 §3.3: strings are joined without adding spaces.
    if len(node.strings) < 2 or sum(node.strings) != len(record.text):  # noqa: PLR2004 - two join
        return None
    joins = set(itertools.accumulate(node.strings[:-1]))
    broken = {at for at in joins for term in record.terms if not term.valid and term.start < at < term.end}
    text = "".join(f" {char}" if at in broken else char for at, char in enumerate(record.text))
    return text if broken and not parse_spf(text).errors else None


def _corrected(record: SpfRecord) -> str | None:
    """The record with every suggestion taken; None where an error has none, or the outcome still has errors."""
    text = record.text
    for error in sorted(record.errors, key=_place, reverse=True):
        if error.suggestion is None:
            return None
        text = text[: error.start] + error.suggestion + text[error.end :]
    return None if parse_spf(text).errors else text


def _place(error: SpfError) -> int:
    return error.start


@rule(Severity.NOTICE, "RFC 7208 §3.4")
def spf_record_long(spf: SpfFacts) -> Iterator[Finding]:
    """The SPF record is so long that its answer may not fit a datagram.

    With the other TXT records of the name the answer can pass 512 octets. Receivers then ask again over TCP, which
    some firewalls still block.

    ## Fix
    Move addresses into a name of your own and include it, or remove services that are no longer in use.

    ## Bad
        $ORIGIN example.com.
        @  TXT  ("v=spf1 ip4:192.0.2.1 ip4:192.0.2.3 ip4:192.0.2.5 ip4:192.0.2.7 ip4:192.0.2.9 ip4:192.0.2.11 "
                 "ip4:192.0.2.13 ip4:192.0.2.15 ip4:192.0.2.17 ip4:192.0.2.19 ip4:192.0.2.21 ip4:192.0.2.23 "
                 "ip4:192.0.2.25 ip4:192.0.2.27 ip4:192.0.2.29 ip4:192.0.2.31 ip4:192.0.2.33 ip4:192.0.2.35 "
                 "ip4:192.0.2.37 ip4:192.0.2.39 ip4:192.0.2.41 ip4:192.0.2.43 ip4:192.0.2.45 ip4:192.0.2.47 "
                 "ip4:192.0.2.49 ip4:192.0.2.51 ip4:192.0.2.53 ip4:192.0.2.55 ip4:192.0.2.57 ip4:192.0.2.59 "
                 "ip4:192.0.2.61 ip4:192.0.2.63 -all")

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.0/24 -all"
    """
    record = need(spf.record)
    octets = sum(spf.strings) or len(record.text)
    if octets > _LONG:
        yield Finding(
            message="the record is longer than 450 octets: answers may not fit a datagram, and TCP may be blocked",
            subject=spf.domain,
            evidence=(Exhibit(f"{octets} octets", title=f"{spf.domain} TXT"),),
            fix=Fix("move addresses into a name of your own and include it, or remove services no longer in use"),
        )
