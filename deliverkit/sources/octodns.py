r"""octoDNS zones (`example.com.yaml`): names below the zone, each with a record or a list of records.

A TXT value is one text of any length: octoDNS splits it. A `;` in it has to be written as `\;`, and what octoDNS
refuses for want of that is a problem here; `\\;` would be published with its backslash.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from deliverkit.model import Rdata
from deliverkit.model.source import Source
from deliverkit.sources import values
from deliverkit.sources.tree import Document, Items, Node, Scalar, Table, at, text
from deliverkit.sources.values import ValueProblemError, Values
from deliverkit.sources.yaml_text import read_yaml

_BARE: Final = re.compile(r"(?<!\\);")
_REFUSED: Final = re.compile(r"\w;")
_DEFAULT_TTL: Final = 3600
_FIELDS: Final = {
    "TLSA": ("certificate_usage", "selector", "matching_type", "certificate_association_data"),
    "CAA": ("flags", "tag", "value"),
    "SRV": ("priority", "weight", "port", "target"),
    "SSHFP": ("algorithm", "fingerprint_type", "fingerprint"),
    "DS": ("key_tag", "algorithm", "digest_type", "digest"),
}
_OPTIONAL: Final = {"flags": "0"}
_PLAIN: Final = frozenset({"A", "AAAA", "CNAME", "NS", "PTR"})
_TEXTS: Final = frozenset({"TXT", "SPF"})


def is_octodns(document: Document) -> bool:
    """Whether this has the shape of a zone of octoDNS: tables, or lists of them, that name a type."""
    root = document.root
    if not isinstance(root, Table) or not root.pairs:
        return False
    firsts = (value.nodes[0] if isinstance(value, Items) and value.nodes else value for _, value in root.pairs)
    return any(text(first, "type") is not None for first in firsts)


def zone_of(path: Path) -> str:
    """The zone that a file is named after, "" where its name is none: `example.com.yaml`, `example.com./www.yaml`."""
    folder = path.parent.name
    name = folder if folder.endswith(".") and folder != ".." else path.name
    name = re.sub(r"\.ya?ml$", "", name.removeprefix("$"), flags=re.IGNORECASE).removesuffix(".")
    try:
        return values.target(name) if "." in name else ""
    except ValueProblemError:
        return ""


def read(written: str, path: Path, *, origin: str | None = None) -> Source:
    """The zone of a file; `origin` where its name does not say which."""
    document = values.document_of(written, path, "octodns", read_yaml)
    if isinstance(document, Source):
        return document
    found = Values(path, written, "octodns")
    zone = origin.removesuffix(".").lower() if origin else zone_of(path)
    root = document.root
    if not zone:
        found.problem("the file's name is no zone's, as in example.com.yaml: name the zone with --origin", root)
    elif not isinstance(root, Table) or (root.pairs and not is_octodns(document)):
        found.problem("expected a table of names, as octoDNS has it", root)
    else:
        found.zone(zone)
        for key, node in root.pairs:
            _name(found, zone, key, node)
    return found.source(document)


def _name(found: Values, zone: str, key: Scalar, node: Node) -> None:
    try:
        owner = values.name_of(key.text, zone)
    except ValueProblemError as error:
        found.problem(str(error), key)
        return
    for record in node.nodes if isinstance(node, Items) else (node,):
        if isinstance(record, Table) and text(record, "type") is not None:
            _record(found, owner, record)
        elif not (isinstance(record, Scalar) and record.value is None):
            found.problem("expected a record: a table with type and value", record)


def _record(found: Values, owner: str, record: Table) -> None:
    rdtype = (text(record, "type") or "").upper()
    ignored = at(record, "octodns", "ignored")
    if isinstance(ignored, Scalar) and ignored.value is True:
        return
    ttl = _DEFAULT_TTL
    written = record.get("ttl")
    if isinstance(written, Scalar):
        try:
            ttl = values.ttl_of(written.value)
        except ValueProblemError as error:
            found.problem(f"ttl: {error}", written)
    held = record.get("values")
    held = record.get("value") if held is None else held
    if held is None:
        found.problem(f"a record of type {rdtype[:20]} without value or values", record)
        return
    for node in held.nodes if isinstance(held, Items) else (held,):
        try:
            rdata, shown = _value(found, rdtype, node)
        except ValueProblemError as error:
            found.problem(f"{rdtype[:20]}: {error}", node)
        else:
            found.add(node, owner, rdtype, ttl, rdata, shown)


def _value(found: Values, rdtype: str, node: Node) -> tuple[Rdata | None, str]:
    """A value, and how it is written in a master file. Raises `ValueProblemError`."""
    if rdtype in _TEXTS:
        return _text(found, node)
    if rdtype == "MX":
        host = _field(node, "exchange", "value")
        _absolute(found, host, node)
        return values.mx_of(_field(node, "preference", "priority"), host)
    if rdtype in _FIELDS:
        names = _FIELDS[rdtype]
        fields = [
            _OPTIONAL[name] if at(node, name) is None and name in _OPTIONAL else _field(node, name) for name in names
        ]
        if rdtype == "CAA":
            fields[2] = '"' + fields[2].replace("\\", "\\\\").replace('"', '\\"') + '"'
        shown = values.joined(fields)
        return values.rdata_of(rdtype, shown), shown
    if not isinstance(node, Scalar) or node.value is None:
        if rdtype in _PLAIN:
            raise ValueProblemError("expected a text")
        return None, ""
    if rdtype not in _PLAIN:
        return None, node.text
    if rdtype not in ("A", "AAAA"):
        _absolute(found, node.text, node)
    return values.rdata_of(rdtype, node.text), node.text


def _text(found: Values, node: Node) -> tuple[Rdata, str]:
    if not isinstance(node, Scalar) or node.value is None:
        raise ValueProblemError("expected a text")
    whole = node.text
    if whole.startswith('"'):
        whole = whole[1:-1]
    whole = whole.replace('" "', "")
    if _REFUSED.search(whole) or _BARE.search(whole):
        found.problem(r"octoDNS refuses a ; without a backslash before it: write \;", node)
    octets = values.unescaped(whole.replace('"', '\\"').encode("utf-8", "surrogatepass"))
    rdata = values.txt_of(octets)
    return rdata, values.quoted(rdata)


def _field(node: Node, *names: str) -> str:
    for name in names:
        held = at(node, name)
        if isinstance(held, Scalar) and held.value is not None:
            return held.text
    raise ValueProblemError(f"no {names[0]}")


def _absolute(found: Values, host: str, node: Node) -> None:
    if not host.endswith("."):
        found.problem(f"octoDNS refuses the host {host[:80]!r}: a dot is missing at its end", node)
