"""The rules of a SARIF log, each with its page, and the text that a viewer may show."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from deliverkit.model import Rule, Severity
from deliverkit.render.entries import BUG, line
from deliverkit.rules import find_rule

LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTICE: "note"}
_NORM: Final = re.compile(r"RFC (\d{1,5})(?: §([0-9A-Z]+(?:\.[0-9]+)*))?")
_LINK: Final = re.compile(r"\](?=\()")


def descriptors(ids: Iterable[str]) -> list[dict[str, Any]]:
    """A `reportingDescriptor` for each rule, in this order."""
    return [_descriptor(name) for name in ids]


def _descriptor(name: str) -> dict[str, Any]:
    rule = find_rule(name)
    if rule is None:
        said = "A bug in deliverkit ended a target." if name == BUG else name
        return {"id": name, "shortDescription": {"text": said}}
    page = rule.doc
    parts = [page.summary, page.why, f"Fix: {page.fix}", "", f"`deliverkit explain {name}` shows examples."]
    made: dict[str, Any] = {
        "id": name,
        "shortDescription": {"text": page.summary},
        "fullDescription": {"text": page.why or page.summary},
        "help": {"text": "\n\n".join(part for part in parts if part), "markdown": _markdown(rule)},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "tags": [rule.area, "email", "dns"],
            "problem.severity": {"notice": "recommendation"}.get(rule.severity.value, rule.severity.value),
            "precision": "high",
        },
    }
    address = next((url for url in map(address_of, rule.references) if url is not None), None)
    if address is not None:
        made["helpUri"] = address
    return made


def _markdown(rule: Rule) -> str:
    page = rule.doc
    norms = [f"[{name}]({url})" if (url := address_of(name)) else name for name in rule.references]
    return "\n\n".join(
        part
        for part in (
            page.why,
            f"**Fix**\n\n{page.fix}",
            f"References: {', '.join(norms)}",
            f"`deliverkit explain {rule.id}` shows examples.",
        )
        if part
    )


def address_of(reference: str) -> str | None:
    """Where a norm can be read; None where it has no address of its own."""
    if reference.startswith("https://"):
        return reference
    norm = _NORM.match(reference)
    if norm is None:
        return None
    number, section = norm.groups()
    if section is None:
        return f"https://www.rfc-editor.org/rfc/rfc{number}"
    kind = "appendix" if section[0].isalpha() else "section"
    return f"https://www.rfc-editor.org/rfc/rfc{number}#{kind}-{section}"


def plain(text: str) -> str:
    """A message in which nothing is a link (§3.11.6), whatever a peer wrote; its lines are kept."""
    return _LINK.sub(r"\\]", "\n".join(line(part) for part in text.split("\n")))
