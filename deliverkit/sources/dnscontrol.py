"""DNSControl's intermediate representation, as `dnscontrol print-ir` writes it: domains, each with its records.

Names are below their domain, `@` the domain itself; a TXT's target is the whole text, which DNSControl splits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from deliverkit.model import Rdata, Txt
from deliverkit.model.source import Source
from deliverkit.sources import values
from deliverkit.sources.json_text import read_json
from deliverkit.sources.tree import Document, Items, Node, Scalar, Table, at, items, text
from deliverkit.sources.values import ValueProblemError, Values

_DEFAULT_TTL: Final = 300
_FIELDS: Final = {
    "TLSA": ("tlsausage", "tlsaselector", "tlsamatchingtype", "target"),
    "SRV": ("srvpriority", "srvweight", "srvport", "target"),
    "SSHFP": ("sshfpalgorithm", "sshfpfingerprint", "target"),
    "DS": ("dskeytag", "dsalgorithm", "dsdigesttype", "dsdigest"),
}
_PLAIN: Final = frozenset({"A", "AAAA", "CNAME", "NS", "PTR"})


def is_dnscontrol(document: Document) -> bool:
    """Whether this has the shape of DNSControl's representation."""
    root = document.root
    if not isinstance(root, Table) or not isinstance(root.get("domains"), Items):
        return False
    known = ("dns_providers", "registrars")
    return any(root.get(key) is not None for key in known) or any(
        isinstance(at(domain, "records"), Items) for domain in items(root, "domains")
    )


def read(written: str, path: Path, *, origin: str | None = None) -> Source:
    """The domains of a file; `origin` is not needed, for each domain says its name."""
    del origin
    document = values.document_of(written, path, "dnscontrol", read_json)
    if isinstance(document, Source):
        return document
    found = Values(path, written, "dnscontrol")
    if not is_dnscontrol(document):
        found.problem("neither what `dnscontrol print-ir` writes nor what `terraform show -json` writes", document.root)
    for domain in items(document.root, "domains"):
        named = text(domain, "name")
        if named is None:
            found.problem("a domain without a name", domain)
            continue
        try:
            zone = values.target(named.partition("!")[0])
        except ValueProblemError as error:
            found.problem(str(error), at(domain, "name") or domain)
            continue
        found.zone(zone)
        for record in items(domain, "records"):
            _record(found, zone, record)
    return found.source(document)


def _record(found: Values, zone: str, record: Node) -> None:
    rdtype = (text(record, "type") or "").upper()
    if not isinstance(record, Table) or not rdtype:
        found.problem("a record without a type", record)
        return
    absent = record.get("ensure_absent")
    if isinstance(absent, Scalar) and absent.value is True:
        return
    node = record.get("target") or record
    try:
        owner = values.name_of(text(record, "name") or "", zone)
        ttl = values.ttl_of(_number(record, "ttl")) or _DEFAULT_TTL
        rdata, shown = _value(rdtype, record)
    except ValueProblemError as error:
        found.problem(f"{rdtype[:20]}: {error}", node)
        return
    found.add(node, owner, rdtype, ttl, rdata, shown)


def _value(rdtype: str, record: Table) -> tuple[Rdata | None, str]:
    """A value, and how it is written in a master file. Raises `ValueProblemError`."""
    if rdtype in ("TXT", "SPF"):
        rdata = _text(record)
        return rdata, values.quoted(rdata)
    target = text(record, "target") or ""
    if rdtype == "MX":
        preference = (
            record.get("mxpreference") or at(record, "rdata", "Preference") or at(record, "fields", "preference")
        )
        host = target or text(record, "rdata", "Mx") or ""
        return values.mx_of(preference.value if isinstance(preference, Scalar) else 0, host)
    if rdtype in _FIELDS:
        names = _FIELDS[rdtype]
        shown = values.joined([target if name == "target" else _number_or_text(record, name) for name in names])
        return values.rdata_of(rdtype, shown), shown
    if rdtype == "CAA":
        quoted = '"' + target.replace("\\", "\\\\").replace('"', '\\"') + '"'
        shown = values.joined([_number(record, "caaflag"), text(record, "caatag") or "", quoted])
        return values.rdata_of(rdtype, shown), shown
    if rdtype in _PLAIN:
        return values.rdata_of(rdtype, target), target
    return None, target


def _text(record: Table) -> Txt:
    """A TXT's strings: older versions list them, newer ones give the whole text."""
    strings = [node.text for node in items(record, "txtstrings") if isinstance(node, Scalar)]
    whole = "".join(strings) if strings else text(record, "target")
    if whole is None:
        raise ValueProblemError("no text")
    return values.txt_of(whole.encode("utf-8", "surrogatepass"))


def _number(record: Table, key: str) -> object:
    """A number; DNSControl leaves out those that are 0."""
    node = record.get(key)
    return node.value if isinstance(node, Scalar) and node.value is not None else 0


def _number_or_text(record: Table, key: str) -> object:
    node = record.get(key)
    return node.text if isinstance(node, Scalar) else 0
