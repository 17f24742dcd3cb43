"""Rules about single terms of an SPF record, and about the addresses that send."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from deliverkit.facts.spf import SpfEvaluation, SpfNode
from deliverkit.model import Exhibit, Finding, Fix, Inconclusive, Mark, NotApplicable, Severity, Who, need
from deliverkit.records.names import special_address
from deliverkit.records.spf import SpfRecord, SpfTerm, parse_spf
from deliverkit.rules.declare import rule

_BROAD = {4: 8, 6: 16}
"""Prefix lengths up to which a network is nobody's own: registries hand out smaller ones."""
_KNOWN_MODIFIERS = frozenset({"redirect", "exp"})
_MECHANISMS = frozenset({"ip4", "ip6", "a", "mx", "include", "exists", "ptr"})
_NAMED = 6
"""Terms shown of one kind."""


def _shown(node: SpfNode, record: SpfRecord, term: SpfTerm, note: str) -> Exhibit:
    return Exhibit(record.text, title=f"{node.domain} TXT", marks=(Mark(term.start, term.end, note),))


def _without(record: SpfRecord, drop: list[SpfTerm]) -> str:
    return " ".join(("v=spf1", *(term.text for term in record.terms if not any(term is gone for gone in drop))))


def _who(node: SpfNode) -> Who | None:
    return None if node.own else Who.PROVIDER


@rule(Severity.WARNING, "RFC 7208 §5.5")
def spf_ptr_mechanism(node: SpfNode) -> Iterator[Finding]:
    """The SPF record uses `ptr`.

    It is slow, unreliable and a burden to the reverse zones; RFC 7208 says not to publish it, and large receivers
    skip it.

    ## Fix
    Name the servers by `ip4:`, `ip6:` or `a:` in its place.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.1 ptr -all"

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.1 -all"
    """
    record = need(node.record)
    terms = [term for term in record.evaluated if term.name == "ptr" and not term.modifier]
    if not terms:
        return
    yield Finding(
        message="the record uses ptr, which must not be published any more and which large receivers skip",
        subject=node.domain,
        evidence=(_shown(node, record, terms[0], "not to be used"),),
        fix=Fix(
            "remove it, and name the servers it stood for by ip4: or ip6:",
            name=node.domain,
            rdtype="TXT",
            before=record.text,
            after=_without(record, terms),
        ),
        who=_who(node),
    )


@rule(Severity.WARNING, "RFC 7208 §11.4", "RFC 7208 §5.6")
def spf_network_broad(node: SpfNode) -> Iterator[Finding]:
    """The SPF record names a network too large to be one sender's.

    Whoever has one address of it may send in your name. A slip of the hand is common: `/1` for `/31`.

    ## Fix
    Name the networks that send, and nothing around them.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:203.0.0.0/7 -all"

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.0/26 -all"
    """
    record = need(node.record)
    for term in record.evaluated:
        if term.network is None or term.qualifier != "+":
            continue
        network = ipaddress.ip_network(term.network)
        if not 0 < network.prefixlen <= _BROAD[network.version] or network.is_private:
            continue
        yield Finding(
            message=f"{term.text} allows a network too large to be one sender's",
            subject=node.domain,
            evidence=(_shown(node, record, term, "far too many"),),
            fix=Fix("name the networks that send, and nothing around them"),
            who=_who(node),
        )


@rule(Severity.NOTICE, "RFC 1918 §3", "RFC 4193 §1")
def spf_private_network(node: SpfNode) -> Iterator[Finding]:
    """The SPF record names addresses that no receiver ever sees.

    Private and loopback addresses do not leave your network: receivers see the address of your gateway, and that
    one has to be named.

    ## Fix
    Name the public address that your mail leaves from, and remove the private one.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.1 ip4:10.1.2.0/24 -all"

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.1 -all"
    """
    record = need(node.record)
    terms = [term for term in record.evaluated if term.network and _private(term.network)]
    if not terms:
        return
    yield Finding(
        message=f"{terms[0].text} names addresses that never leave a private network: no receiver sees them",
        subject=node.domain,
        evidence=(_shown(node, record, terms[0], "never seen"),),
        fix=Fix(
            "name the public address that mail leaves from, and remove this one",
            name=node.domain,
            rdtype="TXT",
            before=record.text,
            after=_without(record, terms),
        )
        if any(term.qualifier == "+" and term not in terms for term in record.evaluated)
        else Fix("name the public address that mail leaves from in its place"),
        who=_who(node),
    )


def _private(network: str) -> bool:
    parsed = ipaddress.ip_network(network)
    return parsed.prefixlen > 0 and special_address(str(parsed.network_address)) is not None


@rule(Severity.NOTICE, "RFC 7208 §6")
def spf_unknown_modifier(node: SpfNode) -> Iterator[Finding]:
    """The SPF record has a modifier that no receiver knows.

    Receivers pass over it. Where a mechanism was meant, as in `ip4=192.0.2.1`, its servers are not allowed.

    ## Fix
    Write mechanisms with a colon; remove what has no meaning.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4=192.0.2.1 mx=mail.example.com -all"

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.1 -all"
    """
    record = need(node.record)
    odd = [term for term in record.terms if term.modifier and term.name not in _KNOWN_MODIFIERS and term.valid]
    if not odd:
        return
    names = list(dict.fromkeys(term.name for term in odd))
    meant = [name for name in names if name in _MECHANISMS]
    after = " ".join(
        ("v=spf1", *(_colon(term) if term in odd else term.text for term in record.terms if _kept(term, odd)))
    )
    yield Finding(
        message=f"receivers know no modifier {', '.join(f'{name}=' for name in names[:_NAMED])} and pass over it"
        + (f"; {meant[0]}: was meant" if meant else ""),
        subject=node.domain,
        evidence=(
            Exhibit(
                record.text,
                title=f"{node.domain} TXT",
                marks=tuple(Mark(term.start, term.end, "passed over") for term in odd[:_NAMED]),
            ),
        ),
        fix=Fix(
            "write it with a colon" if meant else "remove it",
            name=node.domain,
            rdtype="TXT",
            before=record.text,
            after=None if parse_spf(after).errors else after,
        ),
        who=_who(node),
    )


def _kept(term: SpfTerm, odd: list[SpfTerm]) -> bool:
    return term not in odd or term.name in _MECHANISMS


def _colon(term: SpfTerm) -> str:
    return f"{term.name}:{term.text.partition('=')[2]}"


@rule(Severity.NOTICE, "RFC 7208 §7.2", "RFC 7208 §5.5")
def spf_macro_p(node: SpfNode) -> Iterator[Finding]:
    """The SPF record uses the macro `%{p}`.

    It makes every receiver look up the sender's reverse name. RFC 7208 says not to publish it.

    ## Fix
    Use `%{i}`, the address, where something has to depend on the sender.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 exists:%{p}._spf.example.com -all"

    ## Good
        $ORIGIN example.com.
        @  TXT  "v=spf1 exists:%{i}._spf.example.com -all"
    """
    record = need(node.record)
    for term in record.terms:
        if term.domain is not None and "p" in term.domain.macros:
            yield Finding(
                message=f"{term.text} uses the macro p, which should not be published",
                subject=node.domain,
                evidence=(_shown(node, record, term, "looks up the reverse name"),),
                fix=Fix("use the macro i, the address, in its place"),
                who=_who(node),
            )


@rule(Severity.NOTICE, "RFC 7208 §4.6.1")
def spf_dynamic_redirect(node: SpfNode) -> Iterator[Finding]:
    """The SPF record's `redirect=` depends on the message.

    Where the name it makes does not exist, the result is `permerror`, and nobody can tell beforehand.

    ## Fix
    Redirect to a fixed name, and put what depends on the message into `exists:`.

    ## Bad
        $ORIGIN example.com.
        @  TXT  "v=spf1 redirect=%{l}._spf.example.com"

    ## Good
        $ORIGIN example.com.
        @     TXT  "v=spf1 redirect=_spf.example.com"
        _spf  TXT  "v=spf1 ip4:192.0.2.1 -all"
    """
    record = need(node.record)
    redirect = record.modifier("redirect")
    if redirect is None or redirect.domain is None or not redirect.domain.macro or record.all:
        return
    yield Finding(
        message="redirect= depends on the message: a name that does not exist makes a permerror",
        subject=node.domain,
        evidence=(_shown(node, record, redirect, "depends on the message"),),
        fix=Fix("redirect to a fixed name"),
        who=_who(node),
    )


@rule(Severity.ERROR, "RFC 7208 §8", who=Who.DNS_ADMIN)
def spf_sender_not_authorized(evaluation: SpfEvaluation) -> Iterator[Finding]:
    """An address that sends for the domain does not pass SPF.

    Mail from it fails SPF at every receiver, and DMARC too unless an aligned DKIM signature saves it.

    ## Fix
    Add the address, or the include of the service it belongs to, before `all`.

    ## Bad
        ; check example.com --ip 198.51.100.25
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.0/24 -all"

    ## Good
        ; check example.com --ip 192.0.2.25
        $ORIGIN example.com.
        @  TXT  "v=spf1 ip4:192.0.2.0/24 -all"
    """
    if not evaluation.required:
        raise NotApplicable("the verdict was asked for as data")
    if evaluation.result == "pass":
        return
    if evaluation.result == "temperror":
        raise Inconclusive(evaluation.problem or "the evaluation ended in temperror")
    domain = evaluation.sender.rpartition("@")[2]
    family = "ip6" if ":" in evaluation.ip else "ip4"
    yield Finding(
        message=f"a sending address does not pass SPF: the result is {evaluation.result}",
        subject=evaluation.ip,
        evidence=(
            Exhibit(
                " ".join(
                    filter(
                        None,
                        (evaluation.result, evaluation.mechanism and f"by {evaluation.mechanism}", evaluation.problem),
                    )
                ),
                title=f"check_host({evaluation.ip}, {domain}, {evaluation.sender})",
            ),
        ),
        fix=Fix(f"add {family}:{evaluation.ip}, or the include: of the service it belongs to, before all"),
    )
