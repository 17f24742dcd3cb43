"""Probes area `zone`: files as they are written to facts, shared out among the targets they are about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from deliverkit.facts.zone import ZoneFacts, ZoneFile, ZoneName, ZoneProblem, ZoneSet
from deliverkit.model import Host, Mx, Source, SourceRecord, Txt
from deliverkit.records.names import is_subdomain
from deliverkit.sources.answers import Published, is_spf

_LED: Final = re.compile(rb"(?i)(?:include:|redirect=|exists:|[\s+?~-]a:|[\s+?~-]mx:)([\w.-]{1,253})")
_PLACES: Final = (
    (b"v=dmarc1", "_dmarc."),
    (b"v=tlsrptv1", "_smtp._tls."),
    (b"v=stsv1", "_mta-sts."),
)


def probe(published: Published, sources: Sequence[Source], targets: Iterable[str]) -> dict[str, ZoneFacts]:
    """Of each target its names and files. What belongs to no target stands under the path of its file."""
    known = frozenset(targets)
    names: dict[str, list[ZoneName]] = {}
    files: dict[str, list[ZoneFile]] = {}
    led = _led_to(sources)
    for source in sources:
        for name in _names(source, published, led):
            names.setdefault(_target(name.name, known) or source.path, []).append(name)
        first = next((zone for zone in published.starts[source.path] if zone in known), source.path)
        files.setdefault(first, []).append(_file(source))
    return {
        target: ZoneFacts(names=tuple(names.get(target, ())), files=tuple(files.get(target, ())))
        for target in dict.fromkeys((*names, *files))
    }


def _target(name: str, targets: frozenset[str]) -> str | None:
    """The deepest target that a name lies in."""
    at = name
    while at and at not in targets:
        at = at.partition(".")[2]
    return at or None


def _names(source: Source, published: Published, led: frozenset[str]) -> list[ZoneName]:
    sets: dict[str, dict[str, list[SourceRecord]]] = {}
    for record in source.records:
        sets.setdefault(record.name, {}).setdefault(record.rdtype, []).append(record)
    found = []
    for name, by_type in sets.items():
        apex = published.zone_of(name)
        found.append(
            ZoneName(
                name=name,
                apex=apex,
                sets=tuple(
                    ZoneSet(
                        name=name,
                        rdtype=rdtype,
                        kind=source.kind,
                        apex=apex,
                        records=tuple(records),
                        unmet=_unmet(records, published),
                        pointed_at=name in led,
                        right_name=rdtype == "TXT" and _right(records, published),
                    )
                    for rdtype, records in by_type.items()
                ),
            )
        )
    return found


def _unmet(records: Iterable[SourceRecord], published: Published) -> frozenset[str]:
    targets = {target for record in records if (target := target_of(record))}
    return frozenset(name for name in targets if published.zone_of(name) is not None and not published.covers(name))


def target_of(record: SourceRecord) -> str | None:
    """The name that a record leads to; None where it leads to none."""
    match record.rdata:
        case Host(name):
            return name
        case Mx(_, host):
            return host or None
        case _:
            return None


def _led_to(sources: Iterable[Source]) -> frozenset[str]:
    """Every name that an alias or an SPF record of the files leads to."""
    found: set[str] = set()
    for source in sources:
        for record in source.records:
            if record.rdtype == "CNAME" and isinstance(record.rdata, Host):
                found.add(record.rdata.name)
            elif isinstance(record.rdata, Txt) and is_spf(record):
                found.update(
                    name.decode("ascii", "replace").lower().rstrip(".") for name in _LED.findall(record.rdata.raw)
                )
    return frozenset(found)


def _right(records: Iterable[SourceRecord], published: Published) -> bool:
    """Whether the name where receivers look for one of these records holds its like."""
    for record in records:
        if not isinstance(record.rdata, Txt):
            continue
        text = record.rdata.raw.lower()
        for version, label in _PLACES:
            domain = record.name.partition("_dmarc.")[2] or record.name
            if text.startswith(version) and published.types(f"{label}{domain}") & {"TXT", "CNAME"}:
                return True
        if is_spf(record):
            held = published.records.get((record.name.partition(".")[2], "TXT"), ())
            return any(is_spf(each) for each in held)
    return False


def _file(source: Source) -> ZoneFile:
    apexes = tuple(zone for zone in source.zones if zone)
    outside: tuple[SourceRecord, ...] = ()
    if source.kind == "zone" and len(source.zones) == 1 and apexes:
        outside = tuple(record for record in source.records if not is_subdomain(record.name, apexes[0]))
    return ZoneFile(
        path=source.path,
        kind=source.kind,
        apexes=source.zones,
        records=len(source.records),
        outside=outside,
        unread=tuple(ZoneProblem(problem=problem) for problem in source.problems),
        first=source.records[0] if source.records else None,
        partial=source.partial,
    )
