"""Area `dane` for people: each mail host, whether DNSSEC secures it, and its TLSA records."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.model import shown
from deliverkit.report.dane import DaneHostReport, DaneReport, TlsaReport

_STATES = {
    "protected": "DANE: senders authenticate it",
    "unusable": "no usable record: senders authenticate nobody",
    "unsigned": "not secured by DNSSEC: no sender uses its records",
    "none": "no TLSA records",
    None: "could not be told",
}
_USAGES = {0: "PKIX-TA", 1: "PKIX-EE", 2: "DANE-TA", 3: "DANE-EE"}
_SELECTORS = {0: "certificate", 1: "public key"}
_MATCHINGS = {0: "whole", 1: "SHA-256", 2: "SHA-512"}
_RECORDS = 8


def lines(facts: DaneReport, ascii: bool) -> Iterator[str]:  # noqa: A002 - as every area's
    """The area's facts, a line each."""
    if facts.unknown is not None:
        yield f"the mail hosts could not be told: {shown(facts.unknown)}"
        return
    if not facts.hosts:
        yield "no mail host, hence no DANE"
        return
    if facts.by_mx:
        yield f"MX records  {_secured(facts.mx_secure)}"
    for host in facts.hosts:
        yield from _host(host, ascii=ascii)
    if facts.skipped:
        yield f"and {facts.skipped} more hosts, which were not looked up"


def _secured(secure: bool | None) -> str:
    return {True: "secured by DNSSEC", False: "not secured by DNSSEC", None: "DNSSEC could not be told"}[secure]


def _host(host: DaneHostReport, *, ascii: bool) -> Iterator[str]:  # noqa: A002
    arrow = "->" if ascii else "→"
    aliases = "".join(f" {arrow} {shown(alias)}" for alias in host.aliases)
    said = _STATES[host.state]
    if host.state == "none" and host.addresses_secure is not None:
        said = f"{said}, in {'a signed' if host.addresses_secure else 'an unsigned'} zone"
    yield f"{shown(host.host)}{aliases}  {said}"
    yield f"  {shown(host.name)}"
    for record in host.records[:_RECORDS]:
        yield f"    {_record(record, ascii=ascii)}"
    if len(host.records) > _RECORDS:
        yield f"    and {len(host.records) - _RECORDS} more"
    for why in host.unknown:
        yield f"    ? {shown(why)}"


def _record(record: TlsaReport, *, ascii: bool) -> str:  # noqa: A002
    dots = "..." if ascii else "…"
    if record.usage is None:
        return f"unreadable: {shown(record.unusable or '')}"
    data = record.data if len(record.data) <= 16 else f"{record.data[:16]}{dots}"  # noqa: PLR2004 - enough to compare
    numbers = f"{record.usage} {record.selector} {record.matching} {data}"
    if record.unusable is not None:
        return f"{numbers}  unusable: {shown(record.unusable)}"
    words = (_USAGES.get(record.usage), _SELECTORS.get(record.selector or 0), _MATCHINGS.get(record.matching or 0))
    return f"{numbers}  {', '.join(word for word in words if word)}"
