"""Where a domain's mail goes: its hosts in the order of preference, and their addresses."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.report.mx import MxHostReport, MxReport


def lines(facts: MxReport, ascii: bool) -> Iterator[str]:  # noqa: A002 - as every area's view
    """One line a host, one a further address."""
    arrow = "->" if ascii else "→"
    if facts.null is None:
        yield "the mail hosts could not be told"
        return
    if facts.null:
        yield "a null MX: the domain takes no mail (RFC 7505)"
    if facts.implicit:
        yield f"no MX: mail goes to the domain's own address {', '.join(facts.addresses)}".rstrip()
    elif not facts.hosts and not facts.null:
        yield "no MX, and no address: the domain takes no mail"
    width = max((len(host.host) for host in facts.hosts), default=0)
    for host in facts.hosts:
        yield from _host(host, min(width, 40), arrow)
    if facts.hosts_published > len(facts.hosts):
        yield f"and {facts.hosts_published - len(facts.hosts)} more"


def _host(host: MxHostReport, width: int, arrow: str) -> Iterator[str]:
    special = {item.address: item.kind for item in host.special}
    said = [f"{address} ({special[address]})" if address in special else address for address in host.addresses]
    name = host.host or ". (null)"
    aliases = "".join(f" {arrow} {alias}" for alias in host.aliases)
    provider = f"   {host.provider}" if host.provider else ""
    first = said[0] if said else "(unknown)" if host.unknown else "(no address)" if host.host else ""
    yield f"{host.preference:>5}  {(name + aliases).ljust(width)}  {first}{provider}".rstrip()
    for address in said[1:]:
        yield f"{'':>5}  {''.ljust(len((name + aliases).ljust(width)))}  {address}"
