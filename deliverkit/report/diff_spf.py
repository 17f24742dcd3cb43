"""What changes of SPF: the lookups and which term costs them, and which addresses start or stop passing."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from deliverkit.facts.spf import LIMIT, VOID_LIMIT
from deliverkit.report.diff_change import Change, listed
from deliverkit.report.spf import NodeReport, SpfReport, TermReport

NEAR: Final = 9
"""Lookups from which the limit is near."""
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Span: TypeAlias = tuple[int, int, int]
"""IP version, first and last address as numbers."""
Passing: TypeAlias = Mapping[str, str]
"""check_host()'s result by the address it was asked for."""
_ALL: Final = {"-": "fail", "~": "softfail", "?": "neutral", "+": "pass"}
_STRICT: Final = "+?~-"
_PREFIXED: Final = "-~?"


def spf_changes(before: SpfReport, after: SpfReport, passing: tuple[Passing, Passing]) -> Iterator[Change]:
    """What follows for those who send in the domain's name."""
    if before.record is None and after.record is None and len(before.records) == len(after.records):
        return
    if any(side.record is None and not side.records and side.unknown for side in (before, after)):
        return  # whether there is a record could not be told
    yield from _records(before, after)
    if not before.unknown and not after.unknown:
        yield from _lookups(before, after)
        yield from _voids(before, after)
    yield from _final(before, after, passing)
    yield from _senders(before, after, passing)


def _records(before: SpfReport, after: SpfReport) -> Iterator[Change]:
    if len(before.records) <= 1 < len(after.records):
        yield Change(
            area="spf",
            before=before.record,
            after=" | ".join(after.records[:3]),
            consequence=f"{len(after.records)} SPF records stand side by side: every sender gets permerror",
            severity="error",
        )
    elif before.record is not None and not after.records:
        yield Change(
            area="spf",
            before=before.record,
            after=None,
            consequence="the SPF record goes: no address passes SPF any more",
            severity="error",
        )
    elif len(before.records) != 1 and after.record is not None:
        were = "several SPF records" if before.records else "no SPF record"
        yield Change(
            area="spf",
            before=" | ".join(before.records[:3]) or None,
            after=after.record,
            consequence=f"there is one SPF record where there was {were}"
            if not before.records
            else f"one SPF record is left of {len(before.records)}",
        )


def _lookups(before: SpfReport, after: SpfReport) -> Iterator[Change]:
    added = after.lookups - before.lookups
    if not added or after.record is None:
        return
    verb = "adds" if added > 0 else "saves"
    words = f"{verb} {abs(added)} lookup{'' if abs(added) == 1 else 's'}: {before.lookups} → {after.lookups}"
    severity = "notice"
    if after.lookups > LIMIT >= before.lookups:
        words += f", permerror: receivers stop at {LIMIT}"
        severity = "error"
    elif after.lookups > LIMIT:
        words += ", still permerror" if before.lookups > LIMIT else ""
    elif before.lookups > LIMIT:
        words += ", no permerror any more"
    elif added > 0 and after.lookups >= NEAR:
        words += f", the limit is {LIMIT}"
        severity = "warning"
    causes = _causes(before.tree, after.tree)
    if causes:
        words += f"; {listed(causes, 4)}"
    old, new = _source(before, after)
    yield Change(area="spf", before=old, after=new, consequence=words, severity=severity)


def _causes(before: NodeReport | None, after: NodeReport | None) -> list[str]:
    """Which terms cost more or less than before, the deepest that explains it."""
    if after is None or before is None:
        return []
    found: list[str] = []
    held: dict[str, TermReport] = {_bare(term): term for term in before.terms}
    for term in after.terms:
        old = held.pop(_bare(term), None)
        if old is None:
            if term.lookups:
                found.append(f"{term.term} is new and takes {term.lookups}")
        elif term.lookups != old.lookups:
            deeper = _causes(old.child, term.child)
            verb = "grew" if term.lookups > old.lookups else "shrank"
            text = f"{term.term} {verb} from {old.lookups} to {term.lookups}"
            inner = [cause for cause in deeper if " grew " in cause or " shrank " in cause]
            found.append(f"{text}, and in it {listed(inner, 2)}" if inner else text)
    found += (f"{term.term} goes and took {term.lookups}" for term in held.values() if term.lookups)
    return found


def _source(before: SpfReport, after: SpfReport) -> tuple[str | None, str | None]:
    """The records that a change follows from: the domain's own, or the first of its includes that changed."""
    if before.record != after.record or before.tree is None or after.tree is None:
        return before.record, after.record
    return _changed(before.tree, after.tree) or (before.record, after.record)


def _changed(before: NodeReport, after: NodeReport) -> tuple[str | None, str | None] | None:
    if before.record != after.record:
        return _titled(before), _titled(after)
    held = {_bare(term): term.child for term in before.terms}
    for term in after.terms:
        old = held.get(_bare(term))
        if old is not None and term.child is not None and (found := _changed(old, term.child)):
            return found
    return None


def _titled(node: NodeReport) -> str | None:
    return f"{node.domain}: {node.record}" if node.record is not None else None


def _bare(term: TermReport) -> str:
    return term.term.lstrip("+").lower()


def _voids(before: SpfReport, after: SpfReport) -> Iterator[Change]:
    if after.void_lookups > VOID_LIMIT >= before.void_lookups:
        yield Change(
            area="spf",
            before=before.record,
            after=after.record,
            consequence=f"{after.void_lookups} lookups come back empty, where {before.void_lookups} did: "
            f"receivers that count them answer permerror at more than {VOID_LIMIT}",
            severity="error",
        )


def _final(before: SpfReport, after: SpfReport, passing: tuple[Passing, Passing]) -> Iterator[Change]:
    """What becomes of everybody else's mail."""
    if before.record is None or after.record is None or before.all == after.all:
        return
    old, new = before.all, after.all
    was, now = _others(before, passing[0]), _others(after, passing[1])
    if was == now:
        return
    weaker = _STRICT.index(new or "?") < _STRICT.index(old or "?")
    yield Change(
        area="spf",
        before=f"{old}all" if old else "no all",
        after=f"{new}all" if new else "no all",
        consequence=f"mail from any other address gets {now} where it got {was}",
        severity="error" if now in ("pass", "permerror") else "warning" if weaker else "notice",
    )


def _others(side: SpfReport, results: Passing) -> str:
    """What an address gets that no term names: where one that was asked for broke off, it breaks off as well."""
    return "permerror" if "permerror" in results.values() else _ALL[side.all or "?"]


def _senders(before: SpfReport, after: SpfReport, passing: tuple[Passing, Passing]) -> Iterator[Change]:
    """Addresses whose verdict changes: the spans that only one tree authorises, and those that somebody named."""
    was, now = passing
    spans = (
        difference(spans_of(before.tree), spans_of(after.tree)),
        difference(spans_of(after.tree), spans_of(before.tree)),
    )
    said: set[str] = set()
    for verb, found in (("stops", spans[0]), ("starts", spans[1])):
        named: dict[str, list[str]] = {}
        pro, con = (was, now) if verb == "stops" else (now, was)
        for span in found:
            first, last = (str(ipaddress.ip_address(number_bytes(span[0], edge))) for edge in span[1:])
            if pro.get(first) != "pass" or con.get(first, "pass") in ("pass", "temperror"):
                continue
            named.setdefault(now.get(first, "pass"), []).append(_named(span))
            said |= {first, last}
        for result, networks in named.items():
            yield _sender(before, after, listed(networks), verb, result)
    others: dict[tuple[str, str], list[str]] = {}
    for address in dict.fromkeys((*was, *now)):
        old, new = was.get(address), now.get(address)
        if (
            address in said
            or old is None
            or new is None
            or "temperror" in (old, new)
            or (old == "pass") == (new == "pass")
        ):
            continue
        others.setdefault(("stops", new) if old == "pass" else ("starts", ""), []).append(address)
    for (verb, result), addresses in others.items():
        yield _sender(before, after, listed(addresses), verb, result)


def _sender(before: SpfReport, after: SpfReport, who: str, verb: str, result: str) -> Change:
    words = f"mail from {who} {verb} passing SPF" + (f": {result}" if verb == "stops" else "")
    severity = "error" if verb == "stops" else "notice"
    old, new = _source(before, after)
    return Change(area="spf", before=old, after=new, consequence=words, severity=severity)


def number_bytes(version: int, number: int) -> bytes:
    """An address as octets."""
    return number.to_bytes(4 if version == 4 else 16, "big")  # noqa: PLR2004 - IPv4


def _named(span: Span) -> str:
    version, first, last = span
    ends: Any = (ipaddress.ip_address(number_bytes(version, edge)) for edge in (first, last))
    networks: list[Network] = list(ipaddress.summarize_address_range(*ends))
    if len(networks) > 2:  # noqa: PLR2004 - more say less than the two ends
        return f"{networks[0].network_address} to {networks[-1].broadcast_address}"
    return " and ".join(
        str(network.network_address) if network.num_addresses == 1 else str(network) for network in networks
    )


def spans_of(node: NodeReport | None) -> list[Span]:
    """What a tree authorises, as spans in order, none overlapping."""
    return merged([_span(text) for text in _authorized(node)])


def _authorized(node: NodeReport | None) -> Iterator[str]:
    for term in node.terms if node else ():
        if term.term[:1] in _PREFIXED or term.note in ("ignored", "invalid"):
            continue
        yield from term.authorizes
        yield from _authorized(term.child)


def _span(text: str) -> Span:
    network = ipaddress.ip_network(text, strict=False)
    return network.version, int(network.network_address), int(network.broadcast_address)


def merged(spans: list[Span]) -> list[Span]:
    """Spans in order, those that touch as one."""
    found: list[Span] = []
    for version, first, last in sorted(spans):
        if found and found[-1][0] == version and first <= found[-1][2] + 1:
            found[-1] = (version, found[-1][1], max(last, found[-1][2]))
        else:
            found.append((version, first, last))
    return found


def difference(some: list[Span], others: list[Span]) -> list[Span]:
    """What is in `some` and not in `others`; both merged."""
    found: list[Span] = []
    for version, start, last in some:
        first = start
        for other, begin, end in others:
            if other != version or end < first or begin > last:
                continue
            if begin > first:
                found.append((version, first, begin - 1))
            first = end + 1
        if first <= last:
            found.append((version, first, last))
    return found
