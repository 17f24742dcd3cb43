"""What the report says of area `dane`."""

from __future__ import annotations

from typing import Literal

import msgspec

from deliverkit.facts.dane import DaneFacts, DaneHost
from deliverkit.model import Absent, Answer, Found, Unknown, clipped
from deliverkit.model.display import RECORDED
from deliverkit.records.tlsa import Tlsa


class TlsaReport(msgspec.Struct, frozen=True, kw_only=True):
    """A TLSA record. `unusable` says why SMTP clients pass over it, null where they do not; `data` in hex.

    What cannot be read at all has null in place of its numbers.
    """

    usage: int | None
    selector: int | None
    matching: int | None
    data: str
    unusable: str | None


class DaneHostReport(msgspec.Struct, frozen=True, kw_only=True):
    """A mail host.

    `state`: `protected` (usable records that DNSSEC secures), `unusable` (records, none of them usable), `unsigned`
    (records that DNSSEC does not secure), `none`, or null where it could not be told.

    `secure` and `addresses_secure` are null where the resolver does not validate or did not answer.
    """

    host: str
    port: int
    name: str
    state: Literal["protected", "unusable", "unsigned", "none"] | None
    records: tuple[TlsaReport, ...]
    secure: bool | None
    addresses_secure: bool | None
    aliases: tuple[str, ...]
    unknown: tuple[str, ...]


class DaneReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts. `mx_secure`: whether DNSSEC secures the MX records, null where unknown or there are none."""

    by_mx: bool
    mx_secure: bool | None
    hosts: tuple[DaneHostReport, ...]
    skipped: int
    unknown: str | None


def report(facts: DaneFacts) -> DaneReport:
    """The area's facts, flattened for readers."""
    hosts = facts.hosts.value if isinstance(facts.hosts, Found) else ()
    return DaneReport(
        by_mx=facts.by_mx,
        mx_secure=_told(facts.mx_secure),
        hosts=tuple(_host(host) for host in hosts),
        skipped=facts.skipped,
        unknown=clipped(facts.hosts.why, RECORDED) if isinstance(facts.hosts, Unknown) else None,
    )


def _host(host: DaneHost) -> DaneHostReport:
    whys = (answer.why for answer in (host.records, host.addresses_secure, host.secure) if isinstance(answer, Unknown))
    return DaneHostReport(
        host=host.host,
        port=host.port,
        name=host.name,
        state=_state(host),
        records=tuple(_tlsa(record) for record in host.published),
        secure=_told(host.secure),
        addresses_secure=_told(host.addresses_secure),
        aliases=host.aliases,
        unknown=tuple(dict.fromkeys(clipped(why, RECORDED) for why in whys)),
    )


def _state(host: DaneHost) -> Literal["protected", "unusable", "unsigned", "none"] | None:
    match host.records:
        case Absent():
            return "none"
        case Unknown():
            return None
    if host.secure == Found(False):
        return "unsigned"
    if not host.usable:
        return "unusable"
    return "protected" if host.protected else None


def _tlsa(record: Tlsa) -> TlsaReport:
    read = record.problem is None
    return TlsaReport(
        usage=record.usage if read else None,
        selector=record.selector if read else None,
        matching=record.matching if read else None,
        data=clipped(record.data.hex(), RECORDED),
        unusable=record.unusable,
    )


def _told(answer: Answer[bool]) -> bool | None:
    return answer.value if isinstance(answer, Found) else None
