"""Rules about how an SPF record ends: what becomes of everybody it does not name."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.spf import SpfFacts, SpfNode
from deliverkit.model import Exhibit, Finding, Fix, Mark, Severity, Who, need
from deliverkit.records.spf import SpfRecord, SpfTerm
from deliverkit.rules.declare import rule

_EVERYBODY = frozenset({"0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96"})


def _exhibit(domain: str, record: SpfRecord, term: SpfTerm, note: str) -> Exhibit:
    return Exhibit(record.text, title=f"{domain} TXT", marks=(Mark(term.start, term.end, note),))


def _replaced(record: SpfRecord, term: SpfTerm, by: str) -> str:
    """The record with one term replaced, or removed where `by` is empty."""
    text = f"{record.text[: term.start]}{by}{record.text[term.end :]}"
    return text if by else " ".join(text.split())


@rule(Severity.ERROR, "RFC 7208 §5.1", "RFC 7208 §11.4")
def spf_permissive_all(node: SpfNode) -> Iterator[Finding]:
    """The SPF record lets the whole world send.

    `+all`, or a network that covers every address, gives every forger a pass; with a relaxed DMARC policy his mail
    is then as good as yours. In an included record it does the same for everybody who includes it.

    ## Fix
    End the record with `-all` or `~all`, after terms that name your servers.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 mx +all"
        @  MX   10 mx.example.net.
        mx.example.net.  A  192.0.2.1

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:0.0.0.0/0 -all"

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.0/24 -all"
    """
    record = need(node.record)
    for term in record.evaluated:
        everybody = term.name == "all" or term.network in _EVERYBODY
        if term.modifier or term.qualifier != "+" or not everybody:
            continue
        yield Finding(
            message=f"{term.text} lets every server in the world send as this domain",
            subject=node.domain,
            evidence=(_exhibit(node.domain, record, term, "matches everybody"),),
            fix=Fix(
                "let nobody pass whom the record does not name",
                name=node.domain,
                rdtype="TXT",
                before=record.text,
                after=_replaced(record, term, "~all" if term.name == "all" else ""),
            ),
            who=None if node.own else Who.PROVIDER,
        )


@rule(Severity.WARNING, "RFC 7208 §4.7", "RFC 7208 §5.1")
def spf_no_all(spf: SpfFacts) -> Iterator[Finding]:
    """The SPF record says nothing of the servers it does not name.

    Without `all` or `redirect=` everybody else gets `neutral`, which is no better than no record.

    ## Fix
    End the record with `-all`, or with `~all` while you are still finding out who sends.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.0/24"

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.0/24 -all"
    """
    record = need(spf.record)
    if record.all or record.modifier("redirect"):
        return
    yield Finding(
        message="the record has neither all nor redirect=: whom it does not name is neutral, as if it were not there",
        subject=spf.domain,
        evidence=(Exhibit(record.text, title=f"{spf.domain} TXT", marks=(Mark(len(record.text), len(record.text)),)),),
        fix=Fix(
            "end the record with ~all, and with -all once every sender is named",
            name=spf.domain,
            rdtype="TXT",
            before=record.text,
            after=f"{record.text.rstrip()} ~all",
        ),
    )


@rule(Severity.WARNING, "RFC 7208 §8.2", "RFC 7208 §5.1")
def spf_neutral_all(spf: SpfFacts) -> Iterator[Finding]:
    """The SPF record ends with `?all`.

    `neutral` must be treated exactly as if no record existed, so a forger has nothing to fear from it.

    ## Fix
    End the record with `~all`, and with `-all` once every sender is named.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.0/24 ?all"

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.0/24 ~all"
    """
    record = need(spf.record)
    final = record.all
    if final is None or final.qualifier != "?":
        return
    yield Finding(
        message="the record ends with ?all: receivers treat everybody it does not name as if it were not there",
        subject=spf.domain,
        evidence=(_exhibit(spf.domain, record, final, "neutral"),),
        fix=Fix(
            "end the record with ~all",
            name=spf.domain,
            rdtype="TXT",
            before=record.text,
            after=_replaced(record, final, "~all"),
        ),
    )


@rule(Severity.WARNING, "RFC 7208 §5.1")
def spf_terms_after_all(node: SpfNode) -> Iterator[Finding]:
    """Terms stand after `all`, where no receiver reads them.

    `all` always matches, so a server named behind it is refused although it is named.

    ## Fix
    Move `all` to the end.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.1 -all ip4:192.0.2.2"

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 -all"
    """
    record = need(node.record)
    final = record.all
    if final is None:
        return
    late = [term for term in record.terms if not term.modifier and term.start > final.start]
    if not late:
        return
    after = " ".join(
        (
            "v=spf1",
            *(term.text for term in record.terms if not (term.name == "all" and not term.modifier)),
            final.text,
        )
    )
    yield Finding(
        message="terms stand after all: no receiver comes to them, and the servers they name are not allowed",
        subject=node.domain,
        evidence=(
            Exhibit(
                record.text,
                title=f"{node.domain} TXT",
                marks=tuple(Mark(term.start, term.end, "never read") for term in late[:6]),
            ),
        ),
        fix=Fix("move all to the end", name=node.domain, rdtype="TXT", before=record.text, after=after),
        who=None if node.own else Who.PROVIDER,
    )


@rule(Severity.NOTICE, "RFC 7208 §6.1")
def spf_redirect_ignored(node: SpfNode) -> Iterator[Finding]:
    """A `redirect=` stands beside `all` and has no effect.

    A redirect is followed only where no mechanism matched, and `all` always matches.

    ## Fix
    Remove whichever of the two was not meant.

    ## Bad
        $ORIGIN example.com.
        @     TXT  "v=spf1 ip4:192.0.2.1 -all redirect=_spf.example.com"
        _spf  TXT  "v=spf1 ip4:192.0.2.2 -all"

    ## Good
        $ORIGIN example.com.
        @     TXT  "v=spf1 ip4:192.0.2.1 redirect=_spf.example.com"
        _spf  TXT  "v=spf1 ip4:192.0.2.2 -all"
    """
    record = need(node.record)
    redirect = record.modifier("redirect")
    if redirect is None or record.all is None:
        return
    yield Finding(
        message="redirect= stands beside all and is never followed",
        subject=node.domain,
        evidence=(_exhibit(node.domain, record, redirect, "no effect"),),
        fix=Fix(
            "remove it, or remove all if the redirect was meant",
            name=node.domain,
            rdtype="TXT",
            before=record.text,
            after=_replaced(record, redirect, ""),
        ),
        who=None if node.own else Who.PROVIDER,
    )
