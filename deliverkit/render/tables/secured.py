"""DANE and DNSSEC: what is signed, and what hangs on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.render.tables.shape import Cell, Chapter, code, filled, listed, named, table
from deliverkit.report.dane import DaneHostReport, DaneReport, TlsaReport
from deliverkit.report.dnssec import DnssecReport

_STATES: Final = {
    "protected": "✓ DANE: senders authenticate it",
    "unusable": "✗ no usable record: senders authenticate nobody",
    "unsigned": "✗ not secured by DNSSEC: no sender uses its records",
    "none": "no TLSA records",
    None: "? could not be told",
}
_SECURE: Final = {True: "✓ secured by DNSSEC", False: "not secured by DNSSEC", None: "? DNSSEC could not be told"}
_CHAIN: Final = {"secure": "✓ signed, and validated", "insecure": "not signed", "bogus": "✗ bogus: validation fails"}
_NAMES_KEY: Final = {True: "✓ names a key", False: "✗ names no key of the zone", None: "? could not be compared"}


def dane(facts: DaneReport) -> Chapter:
    """A row a host, then its TLSA records."""
    hosts = table(
        "Mail hosts and DANE",
        ("host", "TLSA records at", "state"),
        [
            (code(" → ".join([host.host, *host.aliases])), code(host.name), _host_state(host))
            for host in facts.hosts
        ],
        more=facts.skipped,
    )  # fmt: skip
    records = table(
        "TLSA records",
        ("name", "record", "use"),
        [
            (code(host.name), code(_tlsa(record)), f"✗ unusable: {record.unusable}" if record.unusable else "✓ usable")
            for host in facts.hosts
            for record in host.records
        ],
    )
    return Chapter(title="DANE", items=filled(hosts, records), notes=tuple(_dane_notes(facts)))


def _dane_notes(facts: DaneReport) -> Iterator[str]:
    if facts.unknown is not None:
        yield f"The mail hosts could not be told: {facts.unknown}"
    elif not facts.hosts:
        yield "No mail host, hence no DANE."
    elif facts.by_mx:
        yield f"MX records: {_SECURE[facts.mx_secure]}"


def _host_state(host: DaneHostReport) -> Cell:
    said = _STATES.get(host.state, str(host.state))
    if host.state == "none" and host.addresses_secure is not None:
        said = f"{said}, in {'a signed' if host.addresses_secure else 'an unsigned'} zone"
    return Cell(f"{said}: {listed(host.unknown, 3)}" if host.unknown else said)


def _tlsa(record: TlsaReport) -> str:
    return record.data if record.usage is None else f"{record.usage} {record.selector} {record.matching} {record.data}"


def dnssec(facts: DnssecReport) -> Chapter:
    """The state of the chain, its records, and what is withheld."""
    state = _CHAIN.get(facts.status or "", "? could not be told")
    if facts.status == "insecure" and facts.keys:
        state = "signed, but not delegated: no DS record at the parent"
    iterations = facts.nsec3_iterations
    summary = named(
        "DNSSEC",
        [
            ("status", state),
            ("zone", code(facts.zone) if facts.zone else None),
            ("why", facts.unknown),
            ("first signature expires", facts.expires),
            ("NSEC3", f"{iterations} additional iterations" if iterations is not None else None),
        ],
    )
    ds = table("DS records", ("record", "state"), [(code(ds.record), _NAMES_KEY[ds.names_key]) for ds in facts.ds])
    keys = table(
        "DNSSEC keys",
        ("tag", "algorithm", "bits", "kind"),
        [
            (
                str(key.tag),
                key.algorithm,
                "–" if key.bits is None else str(key.bits),
                "key-signing" if key.sep else "zone-signing",
            )
            for key in facts.keys
        ],
        folded=True,
    )
    bogus = table(
        "Withheld as bogus",
        ("name", "type", "what it is to mail", "why"),
        [
            (code(entry.name), code(entry.type), entry.what, listed([entry.why, *entry.extended]))
            for entry in facts.bogus
        ],
    )  # fmt: skip
    return Chapter(title="DNSSEC", items=filled(summary, bogus, ds, keys))
