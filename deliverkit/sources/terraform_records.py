r"""Resources of Terraform that are DNS records, each by the rules of its provider.

* Route 53 puts quotes around each TXT value as written: `\"\"` in it ends one string and begins the next, and what
  is longer than 255 octets is refused.
* Google takes the presentation form: words outside quotes are a string each.
* Cloudflare takes a plain text or the presentation form, and splits; Azure takes a plain text, and splits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from deliverkit.model import Rdata
from deliverkit.sources import values
from deliverkit.sources.tree import Items, Node, Scalar, Table, at, items, text
from deliverkit.sources.values import ValueProblemError, Values

_AZURE: Final = "azurerm_dns_"
_TEXTS: Final = frozenset({"TXT", "SPF"})
_AUTOMATIC: Final = 300
"""Seconds that Cloudflare's TTL 1 stands for."""
_NO_POINT: Final = "known only after it is applied"
_SIZES: Final = {"TLSA": ("usage", "selector", "matching_type", "certificate"), "CAA": ("flags", "tag", "value")}


class Resource(msgspec.Struct, frozen=True):
    """One resource. `unknown` has the shape of `values`, and true where a value is not known yet."""

    address: str
    type: str
    mode: str
    values: Table
    unknown: Node | None
    node: Node

    def where(self, *keys: str) -> Node:
        """The place of a value; that of the resource where it has none."""
        return at(self.values, *keys) or self.node

    def untold(self, key: str, place: int | None = None) -> bool:
        """Whether a value, or one of a list, is known only after applying."""
        mark = at(self.unknown, key)
        if place is not None and isinstance(mark, Items):
            mark = mark.nodes[place] if place < len(mark.nodes) else None
        return _true(mark)


def _true(mark: Node | None) -> bool:
    if isinstance(mark, Table):
        return any(_true(value) for _, value in mark.pairs)
    if isinstance(mark, Items):
        return any(map(_true, mark.nodes))
    return isinstance(mark, Scalar) and mark.value is True


def rdtype(resource: Resource) -> str:
    """The record's type, "" where it has none."""
    if resource.type.startswith(_AZURE):
        return resource.type.removeprefix(_AZURE).removesuffix("_record").upper()
    return (text(resource.values, "type") or "").upper()


def owner(resource: Resource, zone: str) -> str:
    """The record's name. Raises `ValueProblemError` where it is not told, or its zone would have to be."""
    for key in ("fqdn", "hostname"):
        told = text(resource.values, key)
        if told:
            return values.target(told)
    name = text(resource.values, "name")
    if name is None:
        raise ValueProblemError(f"its name is {_NO_POINT}" if resource.untold("name") else "it has no name")
    relative = resource.type.startswith(_AZURE)
    plain = "" if name == "@" else values.target(name)
    if resource.type.startswith("google_") or name.endswith("."):
        return plain
    # Route 53 and Cloudflare take whole names too.
    if not relative and (_below(plain, zone) if zone else _whole_name(plain)):
        return plain
    if not zone:
        raise ValueProblemError("the file does not tell its zone: name it with --origin")
    return values.name_of(plain, zone)


def _whole_name(name: str) -> bool:
    """Whether a name whose zone is not known is taken for a whole one: `_dmarc.news` is not."""
    labels = name.split(".")
    plain = [label for label in labels if not label.startswith(("_", "*"))]
    return len(labels) > 1 and len(plain) > 1


def _below(name: str, zone: str) -> bool:
    return bool(zone) and (name == zone or name.endswith(f".{zone}"))


def read(found: Values, resource: Resource, name: str) -> None:
    """Adds the records of one resource."""
    kind = rdtype(resource)
    if not kind:
        found.problem(f"{resource.address[:120]}: a record without a type", resource.node)
        return
    ttl = _ttl(found, resource)
    READERS[resource.type](found, resource, name, kind, ttl)


def _ttl(found: Values, resource: Resource) -> int | None:
    node = at(resource.values, "ttl")
    if not isinstance(node, Scalar) or node.value is None:
        return None
    try:
        seconds = values.ttl_of(int(node.value) if isinstance(node.value, float) else node.value)
    except (ValueProblemError, OverflowError, ValueError) as error:
        found.problem(f"ttl: {error}", node)
        return None
    return _AUTOMATIC if seconds == 1 and resource.type.startswith("cloudflare_") else seconds


def _each(
    found: Values,
    resource: Resource,
    name: str,
    ttl: int | None,
    key: str,
    made: Callable[[Node], tuple[Rdata | None, str]],
) -> None:
    """A record for each value of a list, or for the one value."""
    kind = rdtype(resource)
    held = at(resource.values, key)
    nodes = held.nodes if isinstance(held, Items) else () if held is None else (held,)
    if (not nodes or _absent(held)) and resource.untold(key):
        _untold(found, resource, name, ttl)
        return
    for place, node in enumerate(nodes):
        if resource.untold(key, place if isinstance(held, Items) else None) and _hollow(node):
            found.add(node, name, kind, ttl, None, "", f"{resource.address[:200]}: {_NO_POINT}")
            continue
        if _absent(node):
            continue
        try:
            rdata, shown = made(node)
        except ValueProblemError as error:
            found.problem(f"{kind[:20]}: {error}", node)
        else:
            found.add(node, name, kind, ttl, rdata, shown)


def _untold(found: Values, resource: Resource, name: str, ttl: int | None, why: str = _NO_POINT) -> None:
    found.add(resource.node, name, rdtype(resource), ttl, None, "", f"{resource.address[:200]}: {why}")


def _absent(node: Node | None) -> bool:
    return node is None or (isinstance(node, Scalar) and node.value is None)


def _hollow(node: Node) -> bool:
    """Whether a value, or a field of it, is missing."""
    if isinstance(node, Table):
        return not node.pairs or any(_absent(value) for _, value in node.pairs) or True
    return _absent(node)


def _string(node: Node) -> str:
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        raise ValueProblemError("expected a text")
    return node.value


def _aws(found: Values, resource: Resource, name: str, kind: str, ttl: int | None) -> None:
    aliases = items(resource.values, "alias")
    if aliases:
        target = text(aliases[0], "name") or "a resource"
        _untold(found, resource, name, ttl, f"an alias of {target[:120]}: Route 53 answers with its addresses")
        return

    def made(node: Node) -> tuple[Rdata | None, str]:
        written = f'"{_string(node)}"' if kind in _TEXTS else _string(node)
        return values.rdata_of(kind, written), written

    _each(found, resource, name, ttl, "records", made)


def _google(found: Values, resource: Resource, name: str, kind: str, ttl: int | None) -> None:
    _each(found, resource, name, ttl, "rrdatas", lambda node: (values.rdata_of(kind, _string(node)), _string(node)))


def _cloudflare(found: Values, resource: Resource, name: str, kind: str, ttl: int | None) -> None:
    proxied = at(resource.values, "proxied")
    if isinstance(proxied, Scalar) and proxied.value is True:
        _untold(found, resource, name, ttl, "proxied: Cloudflare answers with addresses of its own")
        return
    if kind in _SIZES:
        data = at(resource.values, "data")
        if not _absent(data) and data != Items((), data.line, data.column):  # type: ignore[union-attr]
            _each(found, resource, name, ttl, "data", lambda node: _fields(kind, node))
            return
    key = "content" if not _absent(at(resource.values, "content")) or resource.untold("content") else "value"
    if _absent(at(resource.values, key)) and not resource.untold(key):
        if kind not in _SIZES:
            found.problem(f"{resource.address[:120]}: a record without content", resource.node)
        return

    def made(node: Node) -> tuple[Rdata | None, str]:
        written = _string(node)
        if kind in _TEXTS:
            return _plain_or_quoted(written)
        if kind == "MX":
            priority = at(resource.values, "priority")
            if _absent(priority) and resource.untold("priority"):
                raise ValueProblemError(f"its priority is {_NO_POINT}")
            return values.mx_of(_whole(priority), written)
        return values.rdata_of(kind, written), written

    _each(found, resource, name, ttl, key, made)


def _plain_or_quoted(written: str) -> tuple[Rdata, str]:
    if written.startswith('"') and written.endswith('"') and len(written) > 1:
        rdata = values.unquoted(written)
        return rdata, written
    rdata = values.txt_of(written.encode("utf-8", "surrogatepass"))
    return rdata, values.quoted(rdata)


def _azure(found: Values, resource: Resource, name: str, kind: str, ttl: int | None) -> None:
    if text(resource.values, "target_resource_id") or resource.untold("target_resource_id"):
        _untold(found, resource, name, ttl, "an alias of another resource: Azure answers with its addresses")
        return
    key = "records" if at(resource.values, "records") is not None or resource.untold("records") else "record"

    def made(node: Node) -> tuple[Rdata | None, str]:
        if kind in _TEXTS:
            rdata = values.txt_of(_string(at(node, "value") or node).encode("utf-8", "surrogatepass"))
            return rdata, values.quoted(rdata)
        if kind == "MX":
            return values.mx_of(_whole(at(node, "preference")), text(node, "exchange") or "")
        if kind in _SIZES:
            return _fields(kind, node)
        if isinstance(node, Table):
            return None, values.joined([value.text for _, value in node.pairs if isinstance(value, Scalar)])
        return values.rdata_of(kind, _string(node)), _string(node)

    _each(found, resource, name, ttl, key, made)


def _fields(kind: str, node: Node) -> tuple[Rdata, str]:
    """A value whose fields stand apart."""
    parts: list[object] = []
    for field in _SIZES[kind]:
        held = at(node, field)
        if not isinstance(held, Scalar) or held.value is None:
            raise ValueProblemError(f"no {field}")
        quoted = kind == "CAA" and field == "value"
        parts.append('"' + held.text.replace("\\", "\\\\").replace('"', '\\"') + '"' if quoted else _whole(held))
    shown = values.joined(parts)
    return values.rdata_of(kind, shown), shown


def _whole(node: Node | None) -> object:
    """A number without the fraction that JSON may give it."""
    if not isinstance(node, Scalar):
        return None
    value = node.value
    return int(value) if isinstance(value, float) and value.is_integer() else value


Reader = Callable[[Values, Resource, str, str, "int | None"], None]
READERS: Final[dict[str, Reader]] = {
    "aws_route53_record": _aws,
    "cloudflare_record": _cloudflare,
    "cloudflare_dns_record": _cloudflare,
    "google_dns_record_set": _google,
    **{f"{_AZURE}{kind}_record": _azure for kind in ("a", "aaaa", "caa", "cname", "mx", "ns", "ptr", "srv", "txt")},
}
