"""Rules about where `include:` and `redirect=` lead."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.spf import SpfNode, SpfTermFacts
from deliverkit.model import Absent, Exhibit, Finding, Fix, Mark, Severity, Unknown, Who, known, need
from deliverkit.records.spf import SpfRecord, SpfTerm
from deliverkit.rules.declare import rule


def _shown(node: SpfNode, record: SpfRecord, term: SpfTerm, note: str) -> Exhibit:
    return Exhibit(record.text, title=f"{node.domain} TXT", marks=(Mark(term.start, term.end, note),))


def _without(record: SpfRecord, term: SpfTerm) -> str:
    """The record without the term, and with an end where the term was its end."""
    kept = [other.text for other in record.terms if other != term]
    final = [] if record.all or not term.modifier else ["~all"]
    return " ".join(("v=spf1", *kept, *final))


def _who(node: SpfNode) -> Who | None:
    return None if node.own else Who.PROVIDER


def _removal(node: SpfNode, record: SpfRecord, term: SpfTermFacts) -> Fix:
    return Fix(
        f"remove {term.term.text}, or correct its name",
        name=node.domain,
        rdtype="TXT",
        before=record.text,
        after=_without(record, term.term),
    )


@rule(Severity.ERROR, "RFC 7208 §4.6.4", "RFC 7208 §5.2")
def spf_include_loop(node: SpfNode) -> Iterator[Finding]:
    """An `include:` or `redirect=` leads back to a record that is being evaluated.

    The evaluation never ends of itself: receivers stop at ten lookups and answer `permerror`.

    ## Fix
    Remove the term that closes the loop.

    ## Bad
        $ORIGIN example.com.
        @     TXT  "v=spf1 include:_spf.example.com -all"
        _spf  TXT  "v=spf1 ip4:192.0.2.1 include:example.com -all"

    ## Good
        $ORIGIN example.com.
        @     TXT  "v=spf1 include:_spf.example.com -all"
        _spf  TXT  "v=spf1 ip4:192.0.2.1 -all"
    """
    record = need(node.record)
    for term in node.terms:
        if term.loop:
            yield Finding(
                message=f"{term.term.text} leads back to a record that is being evaluated: receivers answer permerror",
                subject=node.domain,
                evidence=(_shown(node, record, term.term, "closes the loop"),),
                fix=_removal(node, record, term),
                who=_who(node),
            )


@rule(Severity.ERROR, "RFC 7208 §5.2", "RFC 7208 §6.1")
def spf_include_without_record(node: SpfNode) -> Iterator[Finding]:
    """An `include:` or `redirect=` leads to a name without an SPF record.

    Receivers answer `permerror` as soon as they come to it, and mail from every server named after it fails.

    ## Fix
    Correct the name, as the service's own documentation has it, or remove the term where the service is gone.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 include:_spf.vendor.example.net -all"
        vendor.example.net.  A  192.0.2.1
        example.net.         NS ns.example.net.

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 include:_spf.vendor.example.net -all"
        _spf.vendor.example.net.  TXT  "v=spf1 ip4:192.0.2.1 -all"
    """
    record = need(node.record)
    unknown: Unknown | None = None
    for term in node.terms:
        if term.child is None:
            continue
        if isinstance(term.child.texts, Unknown):
            unknown = term.child.texts
        if not isinstance(term.child.texts, Absent):
            continue
        unregistered = isinstance(term.registered, Absent)
        where = "a domain that does not exist" if unregistered else "a name without an SPF record"
        near = next((miss.meant for miss in term.child.near if miss.meant), None)
        yield Finding(
            message=f"{term.term.text} leads to {where}: receivers that come to it answer permerror",
            subject=node.domain,
            evidence=(
                _shown(node, record, term.term, term.child.texts.why),
                *(Exhibit(miss.text, title=f"{term.child.domain} TXT") for miss in term.child.near[:2]),
            ),
            fix=Fix(f"have {term.child.domain} publish its record as: {near}")
            if near
            else _removal(node, record, term),
            who=_who(node),
        )
    if unknown is not None:
        known(unknown)


@rule(Severity.WARNING, "RFC 7208 §11.4", "RFC 7208 §5.2")
def spf_include_unregistered(node: SpfNode) -> Iterator[Finding]:
    """An `include:` or `redirect=` names a domain that nobody has registered.

    Whoever registers it decides who sends in your name, and his mail passes SPF.

    ## Fix
    Remove the term today.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 include:spf.gone-vendor.example -all"

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 include:spf.vendor.example -all"
        spf.vendor.example.  TXT  "v=spf1 ip4:192.0.2.1 -all"
    """
    record = need(node.record)
    unknown: Unknown | None = None
    for term in node.terms:
        if isinstance(term.registered, Unknown):
            unknown = term.registered
        if not isinstance(term.registered, Absent):
            continue
        yield Finding(
            message=f"{term.term.text} names a domain that does not exist: whoever registers it can send as you",
            subject=node.domain,
            evidence=(_shown(node, record, term.term, term.registered.why),),
            fix=_removal(node, record, term),
            who=_who(node),
            part_of="spf-include-without-record",
        )
    if unknown is not None:
        known(unknown)


@rule(Severity.NOTICE, "RFC 7208 §4.6.4")
def spf_duplicate_term(node: SpfNode) -> Iterator[Finding]:
    """A term stands twice in the SPF record.

    The second has no effect; where it looks something up, it costs that again.

    ## Fix
    Remove the second.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.1 ip4:198.51.100.7 ip4:192.0.2.1 -all"

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.1 ip4:198.51.100.7 -all"
    """
    record = need(node.record)
    seen: set[str] = set()
    twice: list[SpfTerm] = []
    for term in record.terms:
        key = term.text.lower().lstrip("+")
        if key in seen and not (term.modifier and term.name in ("redirect", "exp")):
            twice.append(term)
        seen.add(key)
    if not twice:
        return
    yield Finding(
        message=f"{twice[0].text} stands twice" if len(twice) == 1 else f"{twice[0].text} and others stand twice",
        subject=node.domain,
        evidence=(
            Exhibit(
                record.text,
                title=f"{node.domain} TXT",
                marks=tuple(Mark(term.start, term.end, "again") for term in twice[:8]),
            ),
        ),
        fix=Fix(
            "remove the second",
            name=node.domain,
            rdtype="TXT",
            before=record.text,
            after=" ".join(("v=spf1", *(term.text for term in record.terms if not any(term is x for x in twice)))),
        ),
        who=_who(node),
    )


@rule(Severity.NOTICE, "RFC 7208 §6.2")
def spf_explanation_missing(node: SpfNode) -> Iterator[Finding]:
    """The SPF record's `exp=` names no domain that could explain anything.

    The explanation is meant for the sender of a refused message; where its name is taken for the domain itself
    nothing is shown.

    ## Fix
    Publish the explanation as one TXT record at the name, or remove `exp=`.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.1 -all exp=example.com"

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.1 -all exp=why.example.com"
        why  TXT  "See https://example.com/why"
    """
    record = need(node.record)
    exp = record.modifier("exp")
    if exp is None or exp.domain is None or exp.domain.name != node.domain:
        return
    yield Finding(
        message="exp= names the domain itself, whose TXT record is no explanation",
        subject=node.domain,
        evidence=(_shown(node, record, exp, "explains nothing"),),
        fix=Fix("remove exp=", name=node.domain, rdtype="TXT", before=record.text, after=_plain_without(record, exp)),
        who=_who(node),
    )


def _plain_without(record: SpfRecord, term: SpfTerm) -> str:
    return " ".join(("v=spf1", *(other.text for other in record.terms if other != term)))
