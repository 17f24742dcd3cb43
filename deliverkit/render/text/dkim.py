"""A domain's DKIM keys: a line a selector, and what each name server says where that was asked."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.model import shown
from deliverkit.report.dkim import DkimReport, SelectorReport

_HEAD = ("selector", "provider", "key", "flags", "where")
_WIDEST = (24, 18, 16, 24)


def lines(facts: DkimReport, ascii: bool) -> Iterator[str]:  # noqa: A002 - as every area's view
    """The table, then the answers of the name servers."""
    arrow = "->" if ascii else "→"
    if facts.none_published:
        yield "no key is published: the name _domainkey does not exist"
    if facts.selectors:
        rows = [_HEAD, *(_row(selector, arrow) for selector in facts.selectors)]
        widths = [min(max(len(row[n]) for row in rows), _WIDEST[n]) for n in range(len(_WIDEST))]
        for row in rows:
            yield "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1])).rstrip()
    elif facts.tried and not facts.none_published:
        yield from _tried(facts)
    for selector in facts.selectors:
        yield from _servers(selector, arrow)


def _tried(facts: DkimReport) -> Iterator[str]:
    told = [name for name in facts.tried if name not in facts.untold]
    if told:
        yield f"none of {len(told)} usual selectors is published: {shown(' '.join(told))}"
    if facts.untold:
        yield f"not determined: {shown(' '.join(facts.untold))}"


def _row(selector: SelectorReport, arrow: str) -> tuple[str, ...]:
    if selector.unknown is not None:
        key = "not determined"
    elif selector.record is None:
        key = "none"
    elif selector.revoked:
        key = "revoked"
    elif selector.key_bits is None:
        key = "unreadable"
    else:
        key = f"{selector.key_type} {selector.key_bits}"
    flags = [
        *(["guessed"] if selector.guessed else []),
        *(["testing"] if selector.testing else []),
        *(["strict"] if "s" in selector.flags else []),
        *(["wildcard"] if selector.wildcard else []),
        *selector.damage,
    ]
    where = f"{arrow} {shown(selector.cname, 100)}" if selector.cname else "TXT" if selector.record else ""
    return (
        shown(selector.selector, 63),
        shown(selector.provider or "-"),
        shown(key, 40),
        " ".join(flags) or "-",
        where,
    )


def _servers(selector: SelectorReport, arrow: str) -> Iterator[str]:
    if not selector.nameservers:
        return
    first = next((server.records for server in selector.nameservers if server.records is not None), None)
    yield ""
    yield f"{shown(selector.selector, 63)} at each name server"
    for server in selector.nameservers:
        place = f"  {shown(server.host, 80)} {shown(server.address)}"
        if server.records is None:
            yield f"{place}  not determined: {shown(server.why)}"
            continue
        said = "none" if not server.records else "same" if server.records == first else "differs"
        ttl = f"  TTL {server.ttl}" if server.ttl is not None else ""
        yield f"{place}  {said}{ttl}"
        if said == "differs":
            for record in server.records:
                yield f"    {arrow} {shown(record, 200)}"
