"""Plans and states of Terraform and OpenTofu, as `terraform show -json` writes them.

Of a plan the records are those that are there after it is applied: what only the providers will tell then is
`unknown`, and what the plan deletes is kept apart. Modules are read however deep they lie.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from deliverkit.model.source import Source
from deliverkit.sources import terraform_records, values
from deliverkit.sources.file import origin_of
from deliverkit.sources.json_text import read_json
from deliverkit.sources.terraform_records import Resource
from deliverkit.sources.tree import Document, Items, Node, Scalar, Table, at, items, table, text
from deliverkit.sources.values import ValueProblemError, Values

_INDEX: Final = re.compile(r"\[(?:[^\]\"]|\"(?:[^\"\\]|\\.)*\")*\]")
_PLAN_FILE: Final = re.compile(r"(tf)?(plan|state|show)\b|terraform\b", re.IGNORECASE)
_ZONES: Final = {
    "aws_route53_zone": (("zone_id", "id"), ("name",)),
    "cloudflare_zone": (("id", "zone_id"), ("name", "zone")),
    "cloudflare_zones": (("id",), ("name",)),
    "google_dns_managed_zone": (("name", "id"), ("dns_name",)),
}
"""Of a zone's resource: where its id and its name are."""


class _Zone(msgspec.Struct, frozen=True):
    address: str
    ids: tuple[str, ...]
    name: str


def is_terraform(document: Document) -> bool:
    """Whether this has the shape of `terraform show -json`, or of a state file as Terraform keeps it."""
    root = document.root
    if not isinstance(root, Table):
        return False
    shown = any(root.get(key) is not None for key in ("planned_values", "values", "resource_changes"))
    return (root.get("format_version") is not None and (shown or root.get("terraform_version") is not None)) or _kept(
        root
    )


def read(written: str, path: Path, *, origin: str | None = None) -> Source:
    """The records of a plan or state. `origin` is what names stand under whose zone the file does not tell."""
    document = values.document_of(written, path, "terraform", read_json)
    if isinstance(document, Source):
        return document
    if origin is not None and origin == origin_of(path) and _PLAN_FILE.match(origin):
        origin = None  # of `plan.prod.json` the name is no zone
    found = Values(path, written, "terraform")
    root = document.root
    version = text(root, "format_version") or ""
    if not is_terraform(document):
        found.problem("neither what `terraform show -json` writes nor what `dnscontrol print-ir` writes", root)
    elif _kept(root):
        found.problem("a state as Terraform keeps it: give what `terraform show -json` prints of it", root)
    elif version.partition(".")[0] not in ("0", "1"):
        found.problem(
            f"format_version {version[:20]!r}: this version reads 0 and 1", at(root, "format_version") or root
        )
    else:
        _read(found, root, origin.removesuffix(".").lower() if origin else "")
    return found.source(document, partial=True)


def _kept(root: Node) -> bool:
    return text(root, "lineage") is not None and isinstance(at(root, "resources"), Items)


def _read(found: Values, root: Node, origin: str) -> None:
    planned = at(root, "planned_values") or at(root, "values")
    changes = {text(change, "address"): change for change in items(root, "resource_changes")}
    prior = at(root, "prior_state", "values")
    zones = list(_zones([*_resources(planned, changes), *_resources(prior, {})]))
    for resource in _resources(planned, changes):
        if resource.mode == "managed":
            _record(found, root, resource, zones, origin)
    for change in changes.values():
        _deleted(found, root, change, zones, origin)
    kept = {(record.name, record.rdtype) for record in found.records}
    found.deleted = [each for each in dict.fromkeys(found.deleted) if each not in kept]


def _record(found: Values, root: Node, resource: Resource, zones: list[_Zone], origin: str) -> None:
    if resource.type not in terraform_records.READERS:
        return
    zone = _zone_of(root, resource, zones) or origin
    try:
        owner = terraform_records.owner(resource, zone)
    except ValueProblemError as error:
        found.problem(f"{_short(resource.address)}: {error}", resource.where("name"))
        return
    if zone:
        found.zone(zone)
    terraform_records.read(found, resource, owner)


def _deleted(found: Values, root: Node, change: Node, zones: list[_Zone], origin: str) -> None:
    """Keeps the record set that a change takes away, also where its resource is replaced by one of another name."""
    before = table(change, "change", "before")
    actions = {node.text for node in items(change, "change", "actions") if isinstance(node, Scalar)}
    kind = text(change, "type") or ""
    if before is None or not actions & {"delete", "update"} or kind not in terraform_records.READERS:
        return
    resource = Resource(text(change, "address") or "", kind, "managed", before, None, change)
    zone = _zone_of(root, resource, zones) or origin
    try:
        owner = terraform_records.owner(resource, zone)
    except ValueProblemError:
        return  # what cannot be named is not published
    rdtype = terraform_records.rdtype(resource)
    if rdtype:
        found.deleted.append((owner, rdtype))
        if zone:
            found.zone(zone)


def _resources(state: Node | None, changes: dict[str | None, Node]) -> Iterator[Resource]:
    """Every resource of a state, those of modules too."""
    waiting = [at(state, "root_module")]
    while waiting:
        module = waiting.pop()
        for node in items(module, "resources"):
            held = table(node, "values")
            address = text(node, "address") or ""
            if held is not None:
                change = changes.get(address)
                unknown = at(change, "change", "after_unknown")
                yield Resource(address, text(node, "type") or "", text(node, "mode") or "managed", held, unknown, node)
        waiting.extend(reversed(items(module, "child_modules")))


def _zones(resources: list[Resource]) -> Iterator[_Zone]:
    for resource in resources:
        if resource.type not in _ZONES:
            continue
        ids, names = _ZONES[resource.type]
        name = next((found for key in names if (found := text(resource.values, key))), "")
        try:
            apex = values.target(name)
        except ValueProblemError:
            continue
        if apex:
            told = tuple(found for key in ids if (found := text(resource.values, key)))
            yield _Zone(_INDEX.sub("", resource.address), told, apex)


def _zone_of(root: Node, resource: Resource, zones: list[_Zone]) -> str:
    """The zone of a record: by its name, by its id, or by what the configuration says that id is."""
    named = text(resource.values, "zone_name")
    try:
        if named:
            return values.target(named)
    except ValueProblemError:
        return ""
    key = "managed_zone" if resource.type.startswith("google_") else "zone_id"
    told = text(resource.values, key)
    if told:
        short = told.rpartition("/")[2]
        return next((zone.name for zone in zones if told in zone.ids or short in zone.ids), "")
    module, references = _references(root, resource.address, key)
    for reference in references:
        # `aws_route53_zone.main.zone_id` and `aws_route53_zone.main`; a zone of `for_each` may be any of several.
        address = (
            f"{module}{'.'.join(_INDEX.sub('', reference).split('.')[: 3 if reference.startswith('data.') else 2])}"
        )
        names = {zone.name for zone in zones if zone.address == address}
        if len(names) == 1:
            return names.pop()
    return ""


def _references(root: Node, address: str, key: str) -> tuple[str, list[str]]:
    """The module of a resource, as `module.mail.`, and what its configuration names for a key."""
    plain = _INDEX.sub("", address)
    module: Node | None = at(root, "configuration", "root_module")
    prefix = ""
    while plain.startswith("module."):
        name, _, plain = plain.removeprefix("module.").partition(".")
        module = at(module, "module_calls", name, "module")
        prefix += f"module.{name}."
    for node in items(module, "resources"):
        if text(node, "address") == plain:
            held = items(node, "expressions", key, "references")
            return prefix, [each.text for each in held if isinstance(each, Scalar)]
    return prefix, []


def _short(address: str) -> str:
    return address if len(address) <= 120 else f"{address[:120]}…"  # noqa: PLR2004 - a line's worth
