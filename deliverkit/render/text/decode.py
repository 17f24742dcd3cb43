"""Replies explained: one whole, several gathered by what they mean, what failed first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from deliverkit.model import clipped
from deliverkit.model.display import RECORDED
from deliverkit.render.text.sheet import Look, Part, Sheet, width_of
from deliverkit.render.text.words import WHO, count
from deliverkit.replies import Decoded
from deliverkit.replies.groups import CLASSES, Group
from deliverkit.replies.inputs import Item

CLASS: Final = {
    "permanent": ("✗ permanent", "bold red"),
    "temporary": ("! temporary", "bold yellow"),
    "success": ("✓ success", "bold green"),
    "intermediate": ("· intermediate", "bold cyan"),
    "unknown": ("? unknown", "bold magenta"),
}
STAGE: Final = {
    "route": "before any connection, when the way was looked up",
    "connect": "when the connection was made",
    "banner": "in place of a greeting",
    "ehlo": "in reply to EHLO",
    "starttls": "in reply to STARTTLS",
    "auth": "in reply to AUTH",
    "mail": "in reply to MAIL FROM",
    "rcpt": "in reply to RCPT TO",
    "data": "in reply to DATA",
    "eod": "after the message itself",
    "quit": "in reply to QUIT",
}
_HANG: Final = 10
_LINES: Final = 40
"""Lines of one reply that are shown."""
_TEXTS: Final = 3
_TEXTS_VERBOSE: Final = 20
_WHOLE: Final = 12
"""Groups that are explained; further ones get a line each."""
_FINE: Final = frozenset({"success", "intermediate"})


def render(groups: Sequence[Group], look: Look) -> str:
    """The page for what was found; "" for nothing."""
    sheet = Sheet(look)
    if look.quiet:
        for group in groups:
            _line(sheet, group)
    elif len(groups) == 1 and groups[0].count == 1:
        _one(sheet, groups[0])
    elif groups:
        _several(sheet, groups)
    return sheet.render()


def _one(sheet: Sheet, group: Group) -> None:
    item, told = group.first, group.decoded
    _head(sheet, group)
    sheet.blank()
    _quote(sheet, item.text)
    sheet.blank()
    _explained(sheet, told, cause=True)
    _seen(sheet, item, told)
    _named(sheet, told)
    _sources(sheet, told)


def _several(sheet: Sheet, groups: Sequence[Group]) -> None:
    verbose = sheet.look.verbose
    totals = [(kind, sum(group.count for group in groups if group.decoded.class_ == kind)) for kind in CLASSES]
    parts: list[Part] = [(count_of(sum(number for _, number in totals)), "bold"), "   "]
    for place, (kind, number) in enumerate((kind, number) for kind, number in totals if number):
        parts.extend((" · " if place else "", (f"{number} {kind}", CLASS[kind][1])))
    sheet.line(*parts)
    told = [group for group in groups if verbose or group.decoded.class_ not in _FINE]
    for group in told[: None if verbose else _WHOLE]:
        sheet.blank()
        _head(sheet, group)
        _texts(sheet, group)
        _explained(sheet, group.decoded, cause=verbose or group.decoded.class_ not in _FINE)
        _named(sheet, group.decoded, about=group.count == 1)
        if verbose:
            _sources(sheet, group.decoded)
    rest = [] if verbose else told[_WHOLE:]
    if rest:
        sheet.blank()
        sheet.line((f"{count(len(rest), 'more kind')} of reply (explained with -v):", "dim"))
        for group in rest:
            _line(sheet, group, indent=2)
    fine = sum(group.count for group in groups if group.decoded.class_ in _FINE)
    if fine and not verbose:
        sheet.blank()
        sheet.line(CLASS["success"], f"   {count_of(fine)}", (" (listed with -v)", "dim"))


def count_of(number: int) -> str:
    """`1 reply`, `1,234 replies`."""
    return "1 reply" if number == 1 else f"{number:,} replies"


def _head(sheet: Sheet, group: Group) -> None:
    told = group.decoded
    left: list[Part] = [CLASS[told.class_], "   ", (told.category, "bold")]
    if told.detail:
        left.append(f" ({told.detail})")
    if told.provider:
        left.append(f" · {told.provider_name or told.provider}")
    if group.count > 1:
        left.append((f"   × {group.count:,}", "bold"))
    if told.class_ in _FINE:
        sheet.line(*left)
    else:
        sheet.ends(left, ((WHO[told.who], "dim"),))


def _line(sheet: Sheet, group: Group, *, indent: int = 0) -> None:
    """The group on one line: the code first, for grep and for sort."""
    told = group.decoded
    codes = " ".join(str(code) for code in (told.code, told.enhanced) if code is not None) or "no code"
    label, style = CLASS[told.class_]
    where = f" · {told.provider_name or told.provider}" if told.provider else ""
    many = f" × {group.count:,}" if group.count > 1 else ""
    head = f" {codes}  {told.category}{where}{many}  "
    words = told.meaning if told.class_ in _FINE else told.action
    room = sheet.look.width - indent - width_of(label) - width_of(head)
    if sheet.look.wrap and width_of(words) > room:
        words = words[: max(room - 1, 10)].rstrip() + "…"
    sheet.line((label, style), head, (words, "dim"), indent=indent)


def _quote(sheet: Sheet, text: str) -> None:
    lines = clipped(text, RECORDED).split("\n")
    for line in lines[:_LINES]:
        sheet.line(line, indent=2)
    if len(lines) > _LINES:
        sheet.line((f"… (+{len(lines) - _LINES} lines)", "dim"), indent=2)


def _texts(sheet: Sheet, group: Group) -> None:
    """The texts that came, each once."""
    most = _TEXTS_VERBOSE if sheet.look.verbose else _TEXTS
    texts = group.texts.most(most)
    if group.count == 1 or len(group.texts) == 1:
        _quote(sheet, group.first.text)
    else:
        size = len(f"{texts[0][1]:,}")
        for words, number in texts:
            example = group.examples.get(words, words).replace("\n", " ")
            sheet.line((f"{number:>{size},} × ", "dim"), clipped(example, 512), indent=2)
        more = len(group.texts) - len(texts)
        if more > 0:
            sheet.line((f"… and {count(more, 'other text')}", "dim"), indent=2)
    domains = [name for name, _ in group.domains.most(5)]
    if domains and group.count > 1:
        names = ", ".join(domains) + (f" and {len(group.domains) - 5} more" if len(group.domains) > 5 else "")  # noqa: PLR2004 - as above
        _field(sheet, "To", names)


def _explained(sheet: Sheet, told: Decoded, *, cause: bool) -> None:
    _field(sheet, "Means", told.meaning)
    if cause:
        _field(sheet, "Cause", told.cause)
    if told.class_ not in _FINE:
        _field(sheet, "Do", told.action)
        _field(sheet, "Retry", _retry(told))
    if told.disagreement:
        _field(sheet, "Codes", told.disagreement)


def _field(sheet: Sheet, name: str, words: str) -> None:
    sheet.prose(words, lead=(f"{name.ljust(_HANG - 3)} ", "bold"), indent=2, hang=_HANG)


def _retry(told: Decoded) -> str:
    after = f" after {duration(told.wait_s)}" if told.wait_s else ""
    if told.retry:
        return f"yes,{after or ' by itself'}: a mail server keeps the message and tries again."
    if told.class_ == "permanent":
        return f"no: the same message would be refused again{after and f'; the reply says{after}'}."
    return f"cannot be told: there is no code that says so{after and f'; the reply says{after}'}."


def duration(seconds: int) -> str:
    """`90 seconds`, `5 minutes`, `2 hours`, `3 days`."""
    for size, word in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            return count(seconds // size, word)
    return count(seconds, "second")


def _seen(sheet: Sheet, item: Item, told: Decoded) -> None:
    """Who said it, to whom, when: what stood beside the reply."""
    who = " ".join(part for part in (item.host, f"[{item.peer}]" if item.peer else None) if part)
    parts = [
        f"by {who}" if who else "",
        STAGE.get(told.stage or "", ""),
        f"for {item.recipient}" if item.recipient else "",
        f"on {item.time}" if item.time else "",
    ]
    words = ", ".join(part for part in parts if part)
    if words:
        _field(sheet, "Said", clipped(words, 512))


def _named(sheet: Sheet, told: Decoded, *, about: bool = True) -> None:
    """What the reply names: the list, the address, the page that explains."""
    scope = (("IP", told.scope.ip), ("domain", told.scope.domain), ("URL", told.scope.url)) if about else ()
    words = ", ".join(f"{name} {clipped(value, 300)}" for name, value in scope if value)
    if told.list:
        _field(sheet, "List", told.list)
    if words:
        _field(sheet, "About", words)
    if told.ticket_url:
        # A link that was wrapped cannot be followed.
        sheet.line(("Page".ljust(_HANG - 2), "bold"), clipped(told.ticket_url, RECORDED), indent=2)


def _sources(sheet: Sheet, told: Decoded) -> None:
    pages = [reference for reference in told.references if "://" in reference]
    if len(pages) < len(told.references):
        sheet.prose(", ".join(name for name in told.references if name not in pages), indent=2, style="dim")
    for page in pages:
        sheet.line((page, "dim"), indent=2)
