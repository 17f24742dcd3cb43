"""What the rules about MX hosts show of a record."""

from __future__ import annotations

from deliverkit.facts.mx import MxFacts, MxHost
from deliverkit.model import Exhibit, Mark, known


def record_of(host: MxHost) -> str:
    """The record as it stands in the zone."""
    return f"{host.preference} {host.host}."


def host_exhibit(mx: MxFacts, host: MxHost, note: str) -> Exhibit:
    """The record, its host marked."""
    text = record_of(host)
    start = text.index(" ") + 1
    return Exhibit(text=text, title=f"{mx.domain} MX", marks=(Mark(start, len(text) - 1, note),))


def spf_exhibits(mx: MxFacts) -> tuple[Exhibit, ...]:
    """The domain's SPF records, which tell whether it sends."""
    return tuple(Exhibit(text=record, title=f"{mx.domain} TXT") for record in known(mx.spf) or ())
