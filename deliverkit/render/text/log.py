"""A log in numbers, for the morning meeting: what became of the mail, what to do first, what failed and where."""

from __future__ import annotations

import datetime as dt
from typing import Final

from deliverkit.model import clipped
from deliverkit.render.text.decode import CLASS, count_of
from deliverkit.render.text.sheet import Look, Part, Sheet, width_of
from deliverkit.render.text.table import Row, fits, write_table
from deliverkit.render.text.words import WHO
from deliverkit.replies.summary import Move, Share, Summary

_ROWS: Final = 10
_ROWS_VERBOSE: Final = 100
_MOVES: Final = 5
_LONG: Final = 44
_PERCENT: Final = 100


def render(summary: Summary, look: Look) -> str:
    """The page."""
    sheet = Sheet(look)
    _totals(sheet, summary)
    if look.quiet:
        return sheet.render()
    _first(sheet, summary)
    _categories(sheet, summary)
    _providers(sheet, summary)
    _domains(sheet, summary)
    _texts(sheet, summary)
    _refused(sheet, summary)
    return sheet.render()


def _totals(sheet: Sheet, summary: Summary) -> None:
    span = _span(summary)
    sheet.ends(((count_of(summary.replies), "bold"), f"   {summary.lines:,} lines read"), ((span, "dim"),))
    tried = summary.delivered + summary.deferred + summary.bounced
    if not tried:
        return
    late = f"{summary.delivered_late:,} of them after a deferral" if summary.delivered_late else ""
    waiting = f"{summary.waiting:,} waiting still" if summary.waiting else ""
    rows: list[Row] = [
        (("✓ delivered", "green"), f"{summary.delivered:,}", _percent(summary.delivered, tried), (late, "dim")),
        (("! deferred", "yellow"), f"{summary.deferred:,}", _percent(summary.deferred, tried), (waiting, "dim")),
        (("✗ bounced", "red"), f"{summary.bounced:,}", _percent(summary.bounced, tried), ""),
    ]
    if summary.rejected:
        rows.append(("· refused here", f"{summary.rejected:,}", "", ("what came in and was not taken", "dim")))
    sheet.blank()
    write_table(sheet, ("", "attempts", "", ""), rows, indent=2, right=frozenset({1, 2}))


def _percent(part: int, whole: int) -> str:
    share = part * _PERCENT / whole
    return f"{share:.1f} %" if 0 < share < _ROWS or (share > _PERCENT - 1 and part < whole) else f"{share:.0f} %"


def _span(summary: Summary) -> str:
    """From when to when, in this machine's time."""
    if summary.first_seen is None or summary.last_seen is None:
        return ""
    return f"{_local(summary.first_seen)} – {_local(summary.last_seen)}"


def _local(time: str) -> str:
    return dt.datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M")


def _heading(sheet: Sheet, words: str, note: str = "") -> None:
    sheet.blank()
    sheet.line((words, "bold"), (f"   {note}" if note else "", "dim"))


def _first(sheet: Sheet, summary: Summary) -> None:
    """What to do, by whose move it is: who has the most permanent refusals to mend comes first."""
    moves = summary.do_first if sheet.look.verbose else summary.do_first[:_MOVES]
    if not moves:
        return
    _heading(sheet, "Do first")
    whose: dict[str, list[Move]] = {}
    for move in moves:
        whose.setdefault(move.who, []).append(move)
    number = 0
    for who, theirs in whose.items():
        sheet.line((WHO[who], "dim"), indent=2)
        for move in theirs:
            number += 1
            at = f" at {move.provider_name or move.provider}" if move.provider else ""
            kind = "permanent" if move.permanent else "temporary"
            lead = f"{number}. "
            sheet.line(
                lead,
                (f"{move.category}{at}", "bold"),
                "   ",
                (f"{move.permanent or move.count:,} {kind}", CLASS[kind][1]),
                *((f", {move.count - move.permanent:,} temporary",) if 0 < move.permanent < move.count else ()),
                indent=4,
            )
            sheet.prose(move.action, indent=4 + len(lead))
            _cut(sheet, move.example, indent=4 + len(lead))


def _cut(sheet: Sheet, text: str, *, indent: int) -> None:
    words = clipped(" ".join(text.split()), 512)
    room = sheet.look.width - indent
    if sheet.look.wrap and width_of(words) > room:
        words = words[: max(room - 1, 10)].rstrip() + "…"
    sheet.line((words, "dim"), indent=indent)


def _rows(sheet: Sheet) -> int:
    return _ROWS_VERBOSE if sheet.look.verbose else _ROWS


def _categories(sheet: Sheet, summary: Summary) -> None:
    if not summary.by_category:
        return
    _heading(sheet, "What failed")
    head: Row = ("category", "permanent", "temporary", "where", "first and last seen")
    for names, room in ((2, 60), (1, 60), (1, 16), (1, 12), (1, 8)):
        rows: list[Row] = [
            (
                row.category,
                _number(row.permanent),
                _number(row.temporary),
                _short(_names(row.providers or row.domains, names), room),
                _times(row),
            )
            for row in summary.by_category[: _rows(sheet)]
        ]
        if fits(sheet, head, rows, indent=2):
            break
    write_table(sheet, head, rows, indent=2, right=frozenset({1, 2}))
    _more(sheet, len(summary.by_category))


def _times(row: object) -> str:
    first, last = getattr(row, "first_seen", None), getattr(row, "last_seen", None)
    if first is None or last is None:
        return ""
    first, last = _local(first)[5:], _local(last)[5:]
    if first == last:
        return first
    return f"{first} – {last[6:] if first[:5] == last[:5] else last}"


def _number(number: int) -> str:
    return f"{number:,}" if number else ""


def _names(shares: tuple[Share, ...], most: int = 2) -> str:
    words = ", ".join(clipped(share.name, 30) for share in shares[:most])
    more = len(shares) - most
    return f"{words} +{more}".strip() if more > 0 else words


def _short(words: str, room: int) -> str:
    return words if width_of(words) <= room else f"{words[: room - 1].rstrip()}…"


def _more(sheet: Sheet, number: int) -> None:
    left = number - _rows(sheet)
    if left > 0:
        sheet.line((f"… and {left} more", "dim"), indent=2)


def _providers(sheet: Sheet, summary: Summary) -> None:
    rows: list[Row] = [
        (
            row.provider_name or row.provider or "others",
            _number(row.success),
            _number(row.permanent),
            _number(row.temporary),
            _names(row.categories, 1),
        )
        for row in summary.by_provider
        if row.provider or len(summary.by_provider) > 1
    ]
    if not rows:
        return
    _heading(sheet, "Where")
    head: Row = ("provider", "delivered", "permanent", "temporary", "mostly")
    write_table(sheet, head, rows[: _rows(sheet)], indent=2, right=frozenset({1, 2, 3}))
    _more(sheet, len(rows))


def _domains(sheet: Sheet, summary: Summary) -> None:
    if not summary.by_domain:
        return
    _heading(sheet, "Recipients' domains")
    rows: list[Row] = [
        (clipped(row.domain, _LONG), _number(row.success), _number(row.permanent), _number(row.temporary))
        for row in summary.by_domain[: _rows(sheet)]
    ]
    head: Row = ("domain", "delivered", "permanent", "temporary")
    write_table(sheet, head, rows, indent=2, right=frozenset({1, 2, 3}))
    _more(sheet, len(summary.by_domain))


def _texts(sheet: Sheet, summary: Summary) -> None:
    if not summary.texts:
        return
    _heading(sheet, "What servers said", "addresses, numbers and queue ids left out")
    texts = summary.texts[: _rows(sheet)]
    size = len(f"{texts[0].count:,}")
    for text in texts:
        label, style = CLASS[text.class_]
        lead: list[Part] = [f"{text.count:>{size},}  ", (label[:1], style), " "]
        room = sheet.look.width - 2 - sheet.cells(lead)
        words = text.text
        if sheet.look.wrap and width_of(words) > room:
            words = words[: max(room - 1, 10)].rstrip() + "…"
        sheet.line(*lead, words, indent=2)


def _refused(sheet: Sheet, summary: Summary) -> None:
    if not summary.refused_here:
        return
    _heading(sheet, "Refused here", "what this server did not take from others")
    rows: list[Row] = [(share.name, f"{share.count:,}") for share in summary.refused_here[: _rows(sheet)]]
    write_table(sheet, ("category", "count"), rows, indent=2, right=frozenset({1}))
