"""What the report says of area `dns`."""

from __future__ import annotations

import msgspec

from deliverkit.facts.dns import DnsFacts
from deliverkit.model import Found


class OddReport(msgspec.Struct, frozen=True, kw_only=True):
    """An odd answer: the question, whose name it is, and what was odd."""

    name: str
    type: str
    own: bool
    notes: tuple[str, ...]
    aliases: tuple[str, ...]
    ttl: int | None
    server: str


class WildcardReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a wildcard answers for a name that nobody publishes; empty: there is none."""

    txt: tuple[str, ...]
    mx: tuple[str, ...]


class DnsReport(msgspec.Struct, frozen=True, kw_only=True):
    """How the answers came. `asked` counts the questions of this target."""

    asked: int
    odd: tuple[OddReport, ...]
    wildcard: WildcardReport
    txt_octets: int | None


def report(facts: DnsFacts) -> DnsReport:
    """The area's facts, flattened for readers."""
    txt = facts.wildcard_txt.value if isinstance(facts.wildcard_txt, Found) else ()
    mx = facts.wildcard_mx.value if isinstance(facts.wildcard_mx, Found) else ()
    return DnsReport(
        asked=facts.asked,
        odd=tuple(
            OddReport(
                name=odd.name,
                type=odd.rdtype,
                own=odd.own,
                notes=tuple(note.value for note in odd.notes),
                aliases=odd.aliases,
                ttl=odd.ttl,
                server=odd.server,
            )
            for odd in facts.odd
        ),
        wildcard=WildcardReport(txt=txt, mx=tuple(f"{preference} {host}." for preference, host in mx)),
        txt_octets=facts.txt_octets.value if isinstance(facts.txt_octets, Found) else None,
    )
