"""Where a domain's mail goes, and the keys that sign it."""

from __future__ import annotations

from typing import Final

from deliverkit.render.tables.shape import Cell, Chapter, code, filled, listed, named, table
from deliverkit.report.dkim import DkimReport, SelectorReport
from deliverkit.report.mx import MxHostReport, MxReport

_DAMAGE: Final = "damaged: "


def mx(facts: MxReport) -> Chapter:
    """The hosts in the order of preference."""
    hosts = table(
        "Mail hosts",
        ("preference", "host", "addresses", "provider"),
        [(str(host.preference), _host(host), _addresses(host), host.provider or "–") for host in facts.hosts],
        more=max(facts.hosts_published - len(facts.hosts), 0),
    )
    return Chapter(title="MX", items=filled(hosts), notes=tuple(_mx_notes(facts)))


def _mx_notes(facts: MxReport) -> list[str]:
    if facts.null is None:
        return [f"The mail hosts could not be told{f': {facts.unknown}' if facts.unknown else ''}."]
    if facts.null:
        return ["A null MX: the domain takes no mail (RFC 7505)."]
    if facts.implicit:
        return [f"No MX: mail goes to the domain's own address {listed(facts.addresses)}".rstrip()]
    return [] if facts.hosts else ["No MX, and no address: the domain takes no mail."]


def _host(host: MxHostReport) -> Cell:
    return code(" → ".join([host.host or ". (null)", *host.aliases]))


def _addresses(host: MxHostReport) -> Cell:
    special = {item.address: item.kind for item in host.special}
    said = [f"{address} ({special[address]})" if address in special else address for address in host.addresses]
    if said:
        return code(listed(said))
    if host.unknown:
        return Cell(f"? not determined: {listed(host.unknown, 3)}")
    return Cell("✗ no address" if host.host else "–")


def dkim(facts: DkimReport) -> Chapter:
    """A row a selector, then what each name server says where that was asked."""
    keys = table(
        "DKIM keys",
        ("selector", "key", "flags", "provider", "published at"),
        [
            (
                code(selector.selector),
                _key(selector),
                listed(_flags(selector)) or "–",
                selector.provider or "–",
                code(" → ".join([selector.name, *([selector.cname] if selector.cname else [])])),
            )
            for selector in facts.selectors
        ],
    )
    records = named(
        "DKIM records",
        [(selector.selector, code(selector.record)) for selector in facts.selectors if selector.record is not None],
        folded=True,
    )
    servers = table(
        "DKIM keys at each name server",
        ("selector", "server", "address", "TTL", "says"),
        [
            (
                code(selector.selector),
                code(server.host),
                code(server.address),
                "–" if server.ttl is None else str(server.ttl),
                Cell(f"? not determined: {server.why}")
                if server.records is None
                else code(" | ".join(server.records))
                if server.records
                else Cell("nothing"),
            )
            for selector in facts.selectors
            for server in selector.nameservers
        ],
    )
    return Chapter(title="DKIM", items=filled(keys, records, servers), notes=tuple(_dkim_notes(facts)))


def _dkim_notes(facts: DkimReport) -> list[str]:
    if facts.none_published:
        return ["No key is published: the name _domainkey does not exist."]
    if facts.selectors:
        return []
    told = [name for name in facts.tried if name not in facts.untold]
    notes = [f"None of {len(told)} usual selectors is published."] if told else []
    return [*notes, f"Not determined: {listed(facts.untold)}"] if facts.untold else notes


def _key(selector: SelectorReport) -> str:
    if selector.unknown is not None:
        return "? not determined"
    if selector.record is None:
        return "✗ none"
    if selector.revoked:
        return "✗ revoked"
    return "✗ unreadable" if selector.key_bits is None else f"{selector.key_type} {selector.key_bits}"


def _flags(selector: SelectorReport) -> list[str]:
    said = {
        "guessed": selector.guessed,
        "testing": selector.testing,
        "strict": "s" in selector.flags,
        "wildcard": bool(selector.wildcard),
    }
    return [*(word for word, true in said.items() if true), *(f"{_DAMAGE}{kind}" for kind in selector.damage)]
