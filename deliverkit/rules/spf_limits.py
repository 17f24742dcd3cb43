"""Rules about the limits of an evaluation (RFC 7208 §4.6.4)."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.spf import CAP, LIMIT, MX_LIMIT, VOID_LIMIT, SpfFacts, SpfNode, SpfTermFacts, whole_tree
from deliverkit.model import Exhibit, Finding, Fix, Inconclusive, Mark, NotApplicable, Severity, Who, known, need
from deliverkit.records.spf import SpfRecord
from deliverkit.rules.declare import rule


def _spent(node: SpfNode, record: SpfRecord) -> Exhibit:
    """The record, each term that costs lookups marked with what it costs."""
    marks = tuple(
        Mark(term.term.start, term.term.end, _cost(term)) for term in node.terms if term.lookups and not term.ignored
    )
    return Exhibit(record.text, title=f"{node.domain} TXT", marks=marks[:20])


def _cost(term: SpfTermFacts) -> str:
    words = f"{term.lookups} {'lookup' if term.lookups == 1 else 'lookups'}"
    return f"{words}, no record there" if term.void else words


def _slimmer(node: SpfNode, record: SpfRecord) -> tuple[str, int] | None:
    """The record without terms that bring nothing, and what that saves; None where there are none."""
    seen: set[tuple[str, str | None]] = set()
    drop: list[SpfTermFacts] = []
    for term in node.terms:
        key = (term.term.name, term.target)
        empty = term.void or term.term.name == "ptr" or (term.target is not None and key in seen)
        if term.lookups and empty and not term.term.modifier:
            drop.append(term)
        seen.add(key)
    if not drop:
        return None
    kept = [term.text for term in record.terms if term not in {facts.term for facts in drop}]
    return " ".join(("v=spf1", *kept)), sum(term.lookups for term in drop)


def _fix(spf: SpfFacts, node: SpfNode, record: SpfRecord) -> Fix:
    slim = _slimmer(node, record)
    if slim is None or record.errors:
        return Fix("remove the include: of services no longer in use, and list fixed addresses as ip4: and ip6:")
    after, saved = slim
    left = spf.lookups - saved
    words = f"remove the terms that bring nothing ({spf.lookups} → {left} lookups)"
    if left > LIMIT:
        words += ", then the include: of services no longer in use"
    return Fix(words, name=spf.domain, rdtype="TXT", before=record.text, after=after)


@rule(Severity.ERROR, "RFC 7208 §4.6.4")
def spf_too_many_lookups(spf: SpfFacts) -> Iterator[Finding]:
    """Evaluating the SPF record takes more than ten DNS lookups.

    Receivers stop at the limit and answer `permerror`, as if nothing were published. It happens without a change of
    yours, too: a service you include adds one more include to its own record.

    ## Fix
    Remove the `include:` of services no longer in use; list fixed addresses as `ip4:` and `ip6:`; give a service
    that sends bulk mail a subdomain with a record of its own.

    ## Bad
        $ORIGIN example.com.
        @   TXT  ("v=spf1 a:h1.example.com a:h2.example.com a:h3.example.com a:h4.example.com a:h5.example.com "
                  "a:h6.example.com include:v.example.net -all")
        h1  A  192.0.2.1
        h2  A  192.0.2.2
        h3  A  192.0.2.3
        h4  A  192.0.2.4
        h5  A  192.0.2.5
        h6  A  192.0.2.6
        v.example.net.   TXT  "v=spf1 a:h7.example.com a:h8.example.com a:h9.example.com a:h10.example.com -all"
        h7  A  192.0.2.7
        h8  A  192.0.2.8
        h9  A  192.0.2.9
        h10 A  192.0.2.10

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.0/29 include:v.example.net -all"
        v.example.net.  TXT  "v=spf1 ip4:198.51.100.0/24 -all"
    """
    node = need(spf.tree)
    record = need(spf.record)
    if spf.lookups <= LIMIT:
        _settled(spf)
        return
    said = f"more than {CAP}" if spf.exceeded else str(spf.lookups)
    looped = any(term.loop for inner in whole_tree(spf) for term in inner.terms)
    yield Finding(
        message=f"takes {said} DNS lookups; receivers stop at {LIMIT} and answer permerror, as if no record existed",
        subject=spf.domain,
        evidence=(_spent(node, record),),
        fix=_fix(spf, node, record),
        part_of="spf-include-loop" if looped else None,
        cause="",
    )


def _settled(spf: SpfFacts) -> None:
    """Stops the rule where the count may be too low."""
    if spf.unknown:
        raise Inconclusive(spf.unknown[0])


@rule(Severity.WARNING, "RFC 7208 §4.6.4")
def spf_lookups_near_limit(spf: SpfFacts) -> Iterator[Finding]:
    """Evaluating the SPF record takes nine or ten of the ten DNS lookups allowed.

    The next include that you, or a service you include, adds makes it a `permerror`, on a day nobody expects it.

    ## Fix
    Make room now: remove services no longer in use, list fixed addresses as `ip4:` and `ip6:`.

    ## Bad
        $ORIGIN example.com.
        @   TXT  ("v=spf1 a:h1.example.com a:h2.example.com a:h3.example.com a:h4.example.com a:h5.example.com "
                  "a:h6.example.com a:h7.example.com a:h8.example.com a:h9.example.com -all")
        h1  A  192.0.2.1
        h2  A  192.0.2.2
        h3  A  192.0.2.3
        h4  A  192.0.2.4
        h5  A  192.0.2.5
        h6  A  192.0.2.6
        h7  A  192.0.2.7
        h8  A  192.0.2.8
        h9  A  192.0.2.9

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.0/28 -all"
    """
    node = need(spf.tree)
    record = need(spf.record)
    if spf.lookups > LIMIT:
        raise NotApplicable("the limit is passed")
    if spf.lookups < LIMIT - 1:
        _settled(spf)
        return
    yield Finding(
        message=f"takes {spf.lookups} of the {LIMIT} DNS lookups allowed: one more include and it is a permerror",
        subject=spf.domain,
        evidence=(_spent(node, record),),
        fix=_fix(spf, node, record),
        cause="",
    )


@rule(Severity.ERROR, "RFC 7208 §4.6.4", "RFC 7208 §11.1")
def spf_too_many_voids(spf: SpfFacts) -> Iterator[Finding]:
    """More than two lookups of the SPF record find nothing.

    Receivers allow two lookups without an answer, and then answer `permerror`. Such terms are left behind by
    services and servers that are gone.

    ## Fix
    Remove the terms whose names no longer exist.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.1 a:old1.example.com a:old2.example.com a:old3.example.com -all"

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.1 -all"
    """
    node = need(spf.tree)
    record = need(spf.record)
    if spf.void_lookups <= VOID_LIMIT:
        _settled(spf)
        return
    where = [(inner, term) for inner in whole_tree(spf) for term in inner.terms if term.void]
    slim = _slimmer(node, record)
    yield Finding(
        message=f"more than {VOID_LIMIT} of its lookups find no record: receivers answer permerror",
        subject=spf.domain,
        evidence=tuple(
            Exhibit(
                inner.record.value.text,  # type: ignore[union-attr]
                title=f"{inner.domain} TXT",
                marks=tuple(Mark(t.term.start, t.term.end, "no record there") for at, t in where if at is inner),
            )
            for inner in dict.fromkeys(inner for inner, _ in where)
        ),
        fix=Fix("remove the terms that find nothing", name=spf.domain, rdtype="TXT", before=record.text, after=slim[0])
        if slim
        else Fix("have the owners of the included records remove the terms that find nothing"),
        cause="",
    )


@rule(Severity.NOTICE, "RFC 7208 §4.6.4", "RFC 7208 §11.1")
def spf_void_term(node: SpfNode) -> Iterator[Finding]:
    """A term of the SPF record names a host that does not resolve.

    It lets nobody send and costs a lookup; a third one of its kind makes the record a `permerror`.

    ## Fix
    Remove the term, or correct the name.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.1 a:old.example.com -all"

    ## Good
        $ORIGIN example.com.
        @    TXT  "v=spf1 ip4:192.0.2.1 a:new.example.com -all"
        new  A    192.0.2.2
    """
    record = need(node.record)
    for term in node.terms:
        if term.term.name not in ("a", "mx") or term.term.modifier:
            continue
        if not term.void:
            if term.addresses is not None:
                known(term.addresses)
            continue
        after = " ".join(("v=spf1", *(other.text for other in record.terms if other != term.term)))
        yield Finding(
            message=f"{term.term.text} finds no {'MX' if term.term.name == 'mx' else 'address'}: it lets nobody send",
            subject=node.domain,
            evidence=(
                Exhibit(
                    record.text,
                    title=f"{node.domain} TXT",
                    marks=(Mark(term.term.start, term.term.end, "no record there"),),
                ),
            ),
            fix=Fix("remove it", name=node.domain, rdtype="TXT", before=record.text, after=after),
            who=None if node.own else Who.PROVIDER,
            part_of="spf-too-many-voids" if node.void_lookups > VOID_LIMIT else None,
        )


@rule(Severity.ERROR, "RFC 7208 §4.6.4")
def spf_mx_too_many_hosts(node: SpfNode) -> Iterator[Finding]:
    """An `mx` term names a domain with more than ten MX records.

    Receivers look up at most ten of them and answer `permerror` where there are more.

    ## Fix
    List the addresses of the servers that send as `ip4:` and `ip6:`: MX hosts take mail, they seldom send it.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 mx:big.example.net -all"
        big.example.net.  MX  1 m1.example.net.
        big.example.net.  MX  1 m2.example.net.
        big.example.net.  MX  1 m3.example.net.
        big.example.net.  MX  1 m4.example.net.
        big.example.net.  MX  1 m5.example.net.
        big.example.net.  MX  1 m6.example.net.
        big.example.net.  MX  1 m7.example.net.
        big.example.net.  MX  1 m8.example.net.
        big.example.net.  MX  1 m9.example.net.
        big.example.net.  MX  1 m10.example.net.
        big.example.net.  MX  1 m11.example.net.

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 mx:small.example.net -all"
        small.example.net.  MX  1 m1.example.net.
        m1.example.net.  A  192.0.2.1
    """
    record = need(node.record)
    for term in node.terms:
        if term.mx_hosts > MX_LIMIT:
            yield Finding(
                message=f"{term.term.text} leads to more than {MX_LIMIT} MX records: receivers answer permerror",
                subject=node.domain,
                evidence=(
                    Exhibit(record.text, title=f"{node.domain} TXT", marks=(Mark(term.term.start, term.term.end),)),
                ),
                fix=Fix("list the addresses that send as ip4: and ip6: in its place"),
                who=None if node.own else Who.PROVIDER,
            )
