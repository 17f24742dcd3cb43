"""Facts of area `dns`: what was odd in the answers that the other areas got."""

from __future__ import annotations

from deliverkit.facts.tree import Fact
from deliverkit.model import Answer, LookupOutcome, Note
from deliverkit.records.names import is_subdomain


class OddAnswer(Fact, frozen=True, kw_only=True):
    """An answer with something odd about it."""

    domain: str
    """The domain that was checked."""
    name: str
    rdtype: str
    outcome: LookupOutcome
    notes: tuple[Note, ...] = ()
    aliases: tuple[str, ...] = ()
    ttl: int | None = None
    server: str = ""
    why: str = ""
    guessed: bool = False
    """The name of a DKIM selector that nobody named."""

    @property
    def own(self) -> bool:
        """Whether the name is the domain's own and not a provider's."""
        return is_subdomain(self.name, self.domain)


class MixedAlias(Fact, frozen=True, kw_only=True):
    """A name that answers with a CNAME for some types and with data of its own for others."""

    domain: str
    name: str
    target: str
    rdtypes: tuple[str, ...]


class DnsFacts(Fact, frozen=True, kw_only=True):
    """What was odd, in the order of names."""

    domain: str
    asked: int = 0
    """Questions asked for this target."""
    odd: tuple[OddAnswer, ...] = ()
    mixed: tuple[MixedAlias, ...] = ()
    wildcard_txt: Answer[tuple[str, ...]]
    """The TXT records of a name that nobody publishes: what a wildcard answers for any name."""
    wildcard_mx: Answer[tuple[tuple[int, str], ...]]
    """The MX records of that name, as (preference, host)."""
    txt_octets: Answer[int]
    """What the domain's own TXT records take in an answer, in octets."""
    txt_records: tuple[str, ...] = ()
