"""What the rules of area `dane` show."""

from __future__ import annotations

from collections.abc import Iterable

from deliverkit.facts.dane import DaneHost
from deliverkit.model import Exhibit, Mark, Who, known
from deliverkit.records.names import is_subdomain
from deliverkit.records.tlsa import Tlsa

_MOST = 12


def records_of(host: DaneHost) -> tuple[Tlsa, ...]:
    """The host's TLSA records, empty where it has none; stops the rule where nobody could tell."""
    return known(host.records) or ()


def exhibits(host: DaneHost, records: Iterable[Tlsa], note: str = "") -> tuple[Exhibit, ...]:
    """Records as they stand, what is wrong with each marked."""
    shown = []
    for record in list(records)[:_MOST]:
        said = note or record.unusable or ""
        marks = (Mark(0, len(record.text), said),) if said else ()
        shown.append(Exhibit(title=f"{host.name} TLSA", text=record.text, marks=marks))
    return tuple(shown)


def mender(host: DaneHost) -> Who | None:
    """Who can mend the host's records, where it is not whoever asks: the provider whose host it is."""
    return None if not host.domain or is_subdomain(host.host, host.domain) else Who.PROVIDER
