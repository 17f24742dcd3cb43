"""Facts of area `dane`: the TLSA records of a domain's mail hosts (RFC 7672)."""

from __future__ import annotations

from deliverkit.facts.tree import Fact
from deliverkit.model import Answer
from deliverkit.records.tlsa import Tlsa


class DaneHost(Fact, frozen=True, kw_only=True):
    """One host and port, and its TLSA records."""

    host: str
    port: int
    name: str
    """`_25._tcp.mx.example.com`."""
    records: Answer[tuple[Tlsa, ...]]
    secure: Answer[bool]
    """Whether DNSSEC secures what DANE rests on: the TLSA records or their denial. Unknown: the resolver does not
    validate."""


class DaneFacts(Fact, frozen=True, kw_only=True):
    """The hosts that take a domain's mail, or the one host asked about."""

    domain: str
    hosts: Answer[tuple[DaneHost, ...]]
