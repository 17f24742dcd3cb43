"""Where another program reads the same SPF answers otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.domain import DomainFacts
from deliverkit.facts.second_opinion import SpfOpinion
from deliverkit.facts.spf import LIMIT, VOID_LIMIT, SpfFacts, SpfNode, nodes
from deliverkit.model import Absent, Exhibit, Finding, Fix, Found, Inconclusive, NotApplicable, Severity, known, need
from deliverkit.rules.declare import rule


@rule(Severity.NOTICE, "RFC 7208 §4.6")
def spf_second_opinion_differs(domain: DomainFacts) -> Iterator[Finding]:
    """A second program reads the domain's SPF record otherwise.

    With `--second-opinion`, checkdmarc judges the same DNS answers: whether receivers can evaluate the record, and
    how many lookups it takes. Where the two differ, one of them is wrong, and receivers may differ in the same way.

    ## Fix
    Look at the part of the record that the two read differently, and write it so that both agree.

    ## Bad
        ; check example.com --second-opinion
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        @       TXT  "V=SPF1 ip4:192.0.2.0/24 -all"

    ## Good
        ; check example.com --second-opinion
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        @       TXT  "v=spf1 ip4:192.0.2.0/24 -all"
    """
    opinion = need(domain.second_opinion)
    theirs = need(opinion.spf)
    spf = need(domain.spf)
    if spf.unknown:
        raise Inconclusive(spf.unknown[0])
    record = known(spf.record)
    if isinstance(spf.texts, Absent) and theirs.error == "SPFRecordNotFound":
        raise NotApplicable("no record either way")
    ours = _sound(spf)
    counts = (
        theirs.lookups is None
        or spf.exceeded
        or (spf.lookups, spf.void_lookups) == (theirs.lookups, theirs.void_lookups)
    )
    if ours == theirs.valid and counts:
        return
    yield Finding(
        message=f"deliverkit finds {_said(ours, spf.lookups, spf.void_lookups)}, {opinion.library} {_theirs(theirs)}",
        subject=domain.inputs.domain,
        evidence=(
            *((Exhibit(record.text, title=f"{domain.inputs.domain} TXT"),) if record else ()),
            *((Exhibit(theirs.words, title=f"{opinion.library} {opinion.version}"),) if theirs.words else ()),
        ),
        fix=Fix("Write the record so that both read it alike."),
    )


def _sound(spf: SpfFacts) -> bool:
    """Whether receivers can evaluate the whole record without a permerror (RFC 7208 §2.6.7)."""
    if not isinstance(spf.tree, Found) or spf.lookups > LIMIT or spf.void_lookups > VOID_LIMIT:
        return False
    return all(_readable(node) for node in nodes(spf.tree.value))


def _readable(node: SpfNode) -> bool:
    return (
        isinstance(node.record, Found)
        and not node.record.value.errors
        and not any(term.loop and not term.ignored for term in node.terms)
    )


def _said(sound: bool, lookups: int, voids: int) -> str:
    state = "the record sound" if sound else "that receivers cannot evaluate it whole"
    return f"{state}, with {lookups} lookups and {voids} without an answer"


def _theirs(opinion: SpfOpinion) -> str:
    if opinion.lookups is None:
        return f"an error ({opinion.error})"
    return _said(opinion.valid, opinion.lookups, opinion.void_lookups or 0)
