"""Markdown: replies for a ticket or a chat.

Text of a peer's stands in code alone, where no Markdown and no HTML acts (CommonMark §4.5, §6.1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from deliverkit.model import shown
from deliverkit.render.text.decode import count_of, duration
from deliverkit.render.text.words import WHO
from deliverkit.replies.groups import Group
from deliverkit.replies.summary import Share, Summary

_WHOLE: Final = 4096
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()<>#+!|~&:@.-])")
_OBEYED: Final = re.compile(r"##(?=\[|[A-Za-z]{1,32}\[)")


def replies(groups: Sequence[Group]) -> str:
    """A section for each kind of reply."""
    return "\n".join(_group(group) for group in groups)


def _group(group: Group) -> str:
    told = group.decoded
    where = f" · {_words(told.provider_name or told.provider)}" if told.provider else ""
    many = f" × {group.count:,}" if group.count > 1 else ""
    lines = [f"### {told.class_} · {told.category}{where}{many}", "", block(group.first.text), ""]
    fields = [("Means", told.meaning), ("Cause", told.cause), ("Do", told.action)]
    if told.disagreement:
        fields.append(("Codes", told.disagreement))
    if told.class_ not in ("success", "intermediate"):
        fields.append(("Who", WHO[told.who]))
        fields.append(("Retry", "yes" if told.retry else "no"))
    lines += [f"* **{name}**: {_words(words)}" for name, words in fields]
    if told.wait_s:
        lines.append(f"* **Wait**: {duration(told.wait_s)}")
    named = (("List", told.list), ("IP", told.scope.ip), ("Domain", told.scope.domain), ("Page", told.ticket_url))
    lines += [f"* **{name}**: {code(value)}" for name, value in named if value]
    if told.references:
        lines.append(f"* {_words(', '.join(told.references))}")
    return "\n".join(lines) + "\n"


def summary(numbers: Summary) -> str:
    """A log in numbers, as tables."""
    span = f", {numbers.first_seen} to {numbers.last_seen}" if numbers.first_seen else ""
    parts = [f"## {count_of(numbers.replies)}{span}\n"]
    if numbers.delivered or numbers.deferred or numbers.bounced:
        outcomes = (
            ("delivered", numbers.delivered),
            ("deferred", numbers.deferred),
            ("bounced", numbers.bounced),
            ("refused here", numbers.rejected),
        )
        parts.append(table(("outcome", "attempts"), [(name, f"{number:,}") for name, number in outcomes]))
    if numbers.do_first:
        moves = [
            (
                WHO[move.who],
                move.category,
                _cell(move.provider_name),
                f"{move.permanent:,}",
                f"{move.count:,}",
                _words(move.action),
            )
            for move in numbers.do_first
        ]
        parts.append("### Do first\n")
        parts.append(table(("who", "category", "provider", "permanent", "all", "what"), moves))
    if numbers.by_category:
        rows = [
            (row.category, f"{row.permanent:,}", f"{row.temporary:,}", _shares(row.providers), _shares(row.domains))
            for row in numbers.by_category
        ]
        parts.append("### What failed\n")
        parts.append(table(("category", "permanent", "temporary", "providers", "domains"), rows))
    if numbers.texts:
        parts.append("### What servers said\n")
        parts.append(table(("count", "text"), [(f"{text.count:,}", code(text.text)) for text in numbers.texts]))
    return "\n".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells are Markdown already."""
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """Text of a peer's inside a line: in more backticks than it holds itself, its bars escaped for a table."""
    safe = _safe(text).replace("|", "\\|") or " "
    fence = "`" * (max((len(run) for run in re.findall(r"`+", safe)), default=0) + 1)
    return f"{fence} {safe} {fence}" if "`" in safe else f"{fence}{safe}{fence}"


def block(text: str) -> str:
    """Text of a peer's as a block, indented: no line in it can end the block."""
    return "\n".join(f"    {_safe(line)}" for line in text[:_WHOLE].split("\n"))


def _safe(text: str) -> str:
    return _OBEYED.sub(r"#\\x23", shown(text, _WHOLE))


def _words(text: str | None) -> str:
    """A sentence of ours, which may quote a peer: nothing in it is markup."""
    return _SPECIAL.sub(lambda found: f"\\{found[1]}" if found[1] not in ".:-" else found[1], _safe(text or ""))


def _cell(text: str | None) -> str:
    return _words(text) if text else ""


def _shares(shares: Sequence[Share]) -> str:
    return ", ".join(f"{_words(share.name)} {share.count:,}" for share in shares[:3])
