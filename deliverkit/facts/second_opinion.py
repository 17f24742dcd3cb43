"""What another program makes of the same DNS answers."""

from __future__ import annotations

import msgspec

from deliverkit.facts.tree import Fact
from deliverkit.model import Absent, Answer


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


class MtaStsOpinion(msgspec.Struct, frozen=True, kw_only=True):
    """Its verdict on the MTA-STS record; `id` is the one it reads."""

    record: str
    valid: bool
    error: str | None = None
    words: str | None = None
    id: str | None = None


class PolicyOpinion(msgspec.Struct, frozen=True, kw_only=True):
    """Its verdict on the MTA-STS policy, and what it reads there; patterns in lower case, as ours."""

    valid: bool
    error: str | None = None
    words: str | None = None
    mode: str | None = None
    mx: tuple[str, ...] = ()
    max_age: int | None = None
    """Seconds."""


class TlsRptOpinion(msgspec.Struct, frozen=True, kw_only=True):
    """Its verdict on the TLS-RPT record; `rua` are the addresses it reads."""

    record: str
    valid: bool
    error: str | None = None
    words: str | None = None
    rua: tuple[str, ...] = ()


class SecondOpinionFacts(Fact, frozen=True, kw_only=True):
    """The verdicts of one library, from the answers that were already there."""

    library: str
    version: str
    spf: Answer[SpfOpinion]
    dmarc: Answer[DmarcOpinion]
    mta_sts: Answer[MtaStsOpinion] = Absent("not asked for")
    mta_sts_policy: Answer[PolicyOpinion] = Absent("not asked for")
    tls_rpt: Answer[TlsRptOpinion] = Absent("not asked for")
