"""What another program makes of the same DNS answers."""

from __future__ import annotations

import msgspec

from deliverkit.facts.tree import Fact
from deliverkit.model import Answer


class SpfOpinion(msgspec.Struct, frozen=True, kw_only=True):
    """Its verdict on the SPF record. `error` is the name of the error it raised, `words` what it said."""

    record: str | None
    valid: bool
    error: str | None = None
    words: str | None = None
    lookups: int | None = None
    void_lookups: int | None = None


class DmarcOpinion(msgspec.Struct, frozen=True, kw_only=True):
    """Its verdict on the DMARC record; `policy` and `subdomain_policy` are the tags, `location` whose record it is."""

    record: str | None
    valid: bool
    location: str | None = None
    error: str | None = None
    words: str | None = None
    policy: str | None = None
    subdomain_policy: str | None = None


class SecondOpinionFacts(Fact, frozen=True, kw_only=True):
    """The verdicts of one library, from the answers that were already there."""

    library: str
    version: str
    spf: Answer[SpfOpinion]
    dmarc: Answer[DmarcOpinion]
