"""Where in the files a finding stands: the record that it shows, changes or is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from deliverkit.model import Mx, SourceRecord, Txt
from deliverkit.report.document import FindingReport, Location
from deliverkit.sources.answers import Published, is_spf

_BELOW: Final = {
    "dmarc": ("_dmarc.", "TXT"),
    "mta-sts": ("_mta-sts.", "TXT"),
    "tls-rpt": ("_smtp._tls.", "TXT"),
    "dane": ("_25._tcp.", "TLSA"),
    "mx": ("", "MX"),
    "dkim": ("_domainkey.", "TXT"),
    "spf": ("", "TXT"),
}
"""The name and type at which an area's record stands."""


_CAUSES: Final = frozenset({
    "zone-missing-trailing-dot", "zone-domain-doubled", "zone-escape-literal", "zone-records-merged", "zone-space-lost",
    "zone-comment-cuts-record", "zone-smart-quotes", "zone-record-at-wrong-name",
})  # fmt: skip
"""Slips in a line from which follows whatever else is wrong with its record."""


class _Hit(msgspec.Struct, frozen=True):
    record: SourceRecord
    offset: int | None = None
    """Characters into the text of a TXT record."""


def located(finding: FindingReport, domain: str, published: Published, path: str) -> FindingReport:
    """The finding with its place; of what is missing, that of the zone's SOA, else the file's first line."""
    if finding.location is not None:
        return finding
    hit = _changed(finding, published) or _shown(finding, published) or _about(finding, domain, published)
    place = _place(hit) if hit is not None else Location(path=path, line=1, column=1)
    return msgspec.structs.replace(finding, location=place)


def explained(findings: Iterable[FindingReport]) -> tuple[FindingReport, ...]:
    """The findings, each that comes of how its very line is written a part of the one that says so."""
    every = tuple(findings)
    causes = {
        (each.location.path, each.location.line): each.rule
        for each in every
        if each.rule in _CAUSES and each.location is not None
    }

    def part(finding: FindingReport) -> FindingReport:
        if finding.area == "zone" or finding.location is None or finding.part_of is not None:
            return finding
        cause = causes.get((finding.location.path, finding.location.line))
        return finding if cause is None else msgspec.structs.replace(finding, part_of=cause)

    return tuple(part(finding) for finding in every)


def _changed(finding: FindingReport, published: Published) -> _Hit | None:
    change = finding.change
    if change is None or change.before is None:
        return None
    held = published.records.get((change.name.rstrip("."), change.rdtype), [])
    same = _same(held, change.before)
    if same is None and not held:
        return None
    record = same or held[0]
    for exhibit in finding.exhibits:
        if exhibit.marks and _text(record) == exhibit.text:
            return _Hit(record, exhibit.marks[0].start)
    return _Hit(record)


def _shown(finding: FindingReport, published: Published) -> _Hit | None:
    for exhibit in finding.exhibits:
        name, _, rdtype = exhibit.title.partition(" ")
        held = published.records.get((name.rstrip(".").lower(), rdtype.strip()))
        if not held:
            continue
        same = _same(held, exhibit.text)
        if same is not None:
            return _Hit(same, exhibit.marks[0].start if exhibit.marks else None)
        return _Hit(held[0])
    return None


def _about(finding: FindingReport, domain: str, published: Published) -> _Hit | None:
    """The record of the finding's area at its subject, else at the domain, else whatever stands there."""
    for name in dict.fromkeys((finding.subject.lower().rstrip("."), domain)):
        label, rdtype = _BELOW.get(finding.area, ("", ""))
        held = published.records.get((f"{label}{name}", rdtype), [])
        if finding.area == "spf":
            held = [record for record in held if is_spf(record)]
        if held:
            return _Hit(held[0])
        if name != domain:
            for rdtype in sorted(published.types(name)):
                return _Hit(published.records[name, rdtype][0])
    zone = published.zone_of(domain)
    for name, rdtype in ((domain, "SOA"), (domain, "MX"), (zone or domain, "SOA"), (domain, "NS")):
        held = published.records.get((name, rdtype), [])
        if held:
            return _Hit(held[0])
    for rdtype in sorted(published.types(domain)):
        return _Hit(published.records[domain, rdtype][0])
    # A domain of which the files hold only what stands below it: a policy, a key.
    below = (held[0] for (name, _), held in published.records.items() if held and name.endswith(f".{domain}"))
    first = min(below, key=lambda record: (record.place.path, record.place.line), default=None)
    return None if first is None else _Hit(first)


def _same(held: list[SourceRecord], text: str) -> SourceRecord | None:
    wanted = text.rstrip(".")
    return next((record for record in held if wanted in (_text(record).rstrip("."), record.text.rstrip("."))), None)


def _text(record: SourceRecord) -> str:
    """The record as findings show it."""
    match record.rdata:
        case Txt():
            return record.rdata.text
        case Mx(preference, host):
            return f"{preference} {host}."
        case _:
            return record.text


def _place(hit: _Hit) -> Location:
    record = hit.record
    place = record.place
    if hit.offset is not None and isinstance(record.rdata, Txt):
        left = hit.offset
        for word in record.words:
            if "\\" in word.text or not word.text.isascii():
                break
            if left < len(word.text):
                column = word.place.column + left + word.quoted
                return Location(path=word.place.path, line=word.place.line, column=column)
            left -= len(word.text)
    return Location(path=place.path, line=place.line, column=place.column)
