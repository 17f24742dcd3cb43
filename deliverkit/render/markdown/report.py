"""A report as Markdown, for a ticket, a pull request or a job's summary.

A peer's words stand in code alone (`marks`); the only HTML is `<details>` around words of ours, the only links are
those to RFC pages. Forges cut or refuse what is over a megabyte: what does not fit is told in short, and then left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from deliverkit.model import shown
from deliverkit.model.display import RECORDED
from deliverkit.render import overview
from deliverkit.render.blocks import advice
from deliverkit.render.formats import View
from deliverkit.render.markdown.marks import block, code, prose
from deliverkit.render.tables import Cell, Chapter, Item, Table, chapters
from deliverkit.render.text.finding import write_exhibits
from deliverkit.render.text.gather import Group, place
from deliverkit.render.text.next import hint
from deliverkit.render.text.sheet import Look, Sheet
from deliverkit.render.text.words import ROLE, SEVERITY, VERDICT, WHO, count, seconds
from deliverkit.report import Report, TargetReport

LIMIT: Final = 1_000_000
"""Octets of a report: under the mebibyte that GitHub takes for a job's summary."""
_LOOK: Final = Look(width=100, wrap=False)
_SHORT: Final = 50
_FEW: Final = 20
"""Targets whose facts are told."""
_LEAST: Final = 1_000
"""Octets under which no target is tried."""
_MESSAGE: Final = 300
_WHYS: Final = 100
_RULES: Final = 40
_RESOLVERS: Final = 20


def render(report: Report, view: View, *, limit: int = LIMIT) -> str:
    """The whole, at most `limit` octets, ending in a newline."""
    judged = overview.judged(report)
    single = len(judged) == 1
    tail = _asked(report)
    room = limit - _octets(tail) - 400
    parts: list[str] = []
    if not single:
        head = f"# {VERDICT[report.verdict][0]}: {count(len(judged), 'target')}\n\n{overview.verdicts(report)}\n"
        parts += [head, _overview(report, limit // 4)]
        room -= sum(map(_octets, parts))
    left = 0
    asked = bool(report.vantage.resolvers)
    few = len(judged) <= _FEW
    for target in report.targets:
        forms = _forms(target, view, single=single, few=few, asked=asked) if room > _LEAST else ()
        told = next((text for text in map(_told, forms) if _octets(text) < room), None)
        left += told is None
        if told is not None:
            parts.append(told)
            room -= _octets(told) + 1
    if left:
        parts.append(f"{count(left, 'target')} did not fit here: the HTML and JSON reports hold all.\n")
    return "\n".join([*parts, tail])


def _octets(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _forms(
    target: TargetReport, view: View, *, single: bool, few: bool, asked: bool
) -> Iterator[Callable[[], Iterator[str]]]:
    """The target in full, without its facts, and in short; of many targets the facts of none."""
    level = "#" if single and not target.about else "##"
    if few:
        yield lambda: _whole(target, view, level, facts=True, asked=asked)
    if few or target.verdict != "pass":
        yield lambda: _whole(target, view, level, facts=False, asked=asked)
    yield lambda: _brief(target, level)


def _told(form: Callable[[], Iterator[str]]) -> str:
    return "\n\n".join(part.rstrip("\n") for part in form() if part) + "\n"


def _whole(target: TargetReport, view: View, level: str, *, facts: bool, asked: bool) -> Iterator[str]:
    yield from _head(target, level)
    if target.error is not None:
        return
    known = chapters(target.facts) if facts else {}
    lead = known.pop(view.command, None)
    if lead is not None:
        yield f"{level}# {lead.title}"
        yield from _chapter(lead, f"{level}##", unfolded=True)
    for group in overview.heads(target):
        yield from _finding(group, target.target, view, f"{level}#")
    if target.inconclusive:
        yield f"{level}# ? not determined"
        yield "\n".join(_unclear(target))
    onward = hint(target, view.command, asked=asked) if target.role != "nonexistent" and not target.about else None
    if onward is not None:
        yield f"**Next** {code(onward[0])}: {prose(onward[1])}"
    if target.suppressed:
        yield from _folded(f"{len(target.suppressed)} suppressed", [_suppressed(target)])
    for chapter in known.values():
        yield from _folded(f"Facts: {chapter.title}", _chapter(chapter, f"{level}##"))
    if target.passed:
        lines = [f"- {area}: {' '.join(map(code, rules))}" for area, rules in overview.by_area(target.passed).items()]
        yield from _folded(f"{len(target.passed)} passed", ["\n".join(lines)])


def _suppressed(target: TargetReport) -> str:
    head = ("rule", "severity", "subject", "message", "accepted by")
    return _grid(
        head,
        [
            (
                code(one.rule),
                SEVERITY[one.severity][0],
                code(one.subject),
                prose(one.message),
                prose(overview.accepted(one)),
            )
            for one in target.suppressed
        ],
    )


def _brief(target: TargetReport, level: str) -> Iterator[str]:
    yield from _head(target, level)
    groups = overview.heads(target)
    lines = [
        f"- {SEVERITY[group.head.severity][0]} {code(group.head.rule)}: {prose(shown(group.head.message, _MESSAGE))}"
        for group in groups[:_SHORT]
    ]
    if len(groups) > _SHORT:
        lines.append(f"- and {len(groups) - _SHORT} more")
    yield "\n".join(lines)


def _head(target: TargetReport, level: str) -> Iterator[str]:
    label = VERDICT[target.verdict][0] if target.error is None else "✗ not judged"
    yield f"{level} {label}: {code(overview.title(target))}"
    if target.error is not None:
        yield f"A bug in deliverkit ended this target: {prose(target.error)}"
        return
    yield " · ".join(overview.counted(target))
    if target.role in ROLE:
        yield ROLE[target.role].capitalize()


def _finding(group: Group, target: str, view: View, level: str) -> Iterator[str]:
    head = group.head
    yield f"{level} {SEVERITY[head.severity][0]}: {code(head.rule)}"
    yield prose(overview.sentence(head.message))
    where = place(group, target) or ("" if head.subject in ("", target) else head.subject)
    facts = [f"**Who** {WHO.get(head.who, head.who)}"]
    if where:
        facts.insert(0, f"**At** {code(where)}")
    position = view.place(target, head)
    if position is not None:
        facts.insert(0, f"**In** {code(overview.position(position))}")
    yield " · ".join(facts)
    if group.exhibits:
        sheet = Sheet(_LOOK)
        write_exhibits(sheet, group.exhibits)
        yield block(_dedented(sheet.render()))
    yield from _fix(group)
    for part in group.parts:
        yield f"Explained by it: {code(part.rule)} {prose(overview.sentence(part.message))}"
    sources = [_reference(reference) for reference in head.references]
    yield ", ".join([*sources, code(f"deliverkit explain {head.rule}")])


def _dedented(lines: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in lines.split("\n"))


def _fix(group: Group) -> Iterator[str]:
    told = advice(group.head)
    lead = "**Fix** "
    for text in told.words:
        if text.kind == "code":
            yield block("\n".join(shown(line, RECORDED) for line in text.lines))
        elif text.kind == "entry":
            yield f"- {prose(text.lines[0])}"
        else:
            yield f"{lead}{prose(overview.sentence(text.lines[0]))}"
        lead = ""
    if not group.alike:
        yield "For the others the same."
    if told.diff:
        yield prose(told.heading)
        yield block("\n".join(shown(line, RECORDED + 64) for line in told.diff), "diff")


def _reference(reference: str) -> str:
    page = overview.page_of(reference)
    return prose(reference) if page is None else f"[{reference}]({page})"


def _unclear(target: TargetReport) -> Iterator[str]:
    groups = overview.unclear(target.inconclusive)
    for whys, rules in groups[:_WHYS]:
        more = f" and {len(rules) - _RULES} more" if len(rules) > _RULES else ""
        named = " ".join(map(code, rules[:_RULES]))
        yield f"- {'; '.join(prose(shown(why, _MESSAGE)) for why in whys[:_WHYS])}: {named}{more}"
    if len(groups) > _WHYS:
        yield f"- and {len(groups) - _WHYS} causes more"


def _folded(summary: str, parts: Iterable[str]) -> Iterator[str]:
    """What is shown on demand; `summary` holds words of ours alone."""
    yield f"<details>\n<summary>{summary}</summary>"
    yield from parts
    yield "</details>"


def _chapter(chapter: Chapter, level: str, *, unfolded: bool = False) -> Iterator[str]:
    """`unfolded`: it stands open, and what is shown on demand alone is folded in it."""
    yield from (prose(note) for note in chapter.notes)
    folded = [item for item in chapter.items if item.folded and unfolded]
    if folded:
        rest = msgspec.structs.replace(chapter, items=tuple(item for item in chapter.items if item not in folded))
        yield from _items(rest, level)
        yield from _folded("All of it", _items(msgspec.structs.replace(chapter, items=tuple(folded)), level))
    else:
        yield from _items(chapter, level)


def _items(chapter: Chapter, level: str) -> Iterator[str]:
    for item in chapter.items:
        if item.caption != chapter.title:
            yield f"{level} {prose(item.caption)}"
        yield from _item(item)


def _item(item: Item) -> Iterator[str]:
    if isinstance(item, Table):
        head = item.head or ("",) * max(len(row) for row in item.rows)
        yield _grid(head, [tuple(map(_cell, row)) for row in item.rows])
    else:
        yield block("\n".join(item.lines))
    if item.more:
        yield f"and {item.more} more"


def _cell(cell: Cell) -> str:
    lead = "· " * (cell.depth - 1) + "└ " if cell.depth else ""
    return f"{lead}{code(cell.text) if cell.code else prose(cell.text)}"


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar inside a cell is escaped, in code, too (GFM §4.10)."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _overview(report: Report, limit: int) -> str:
    lines: list[Sequence[str]] = []
    room = limit
    judged = overview.judged(report)
    for target in judged:
        found = overview.standing(target)
        label = VERDICT[target.verdict][0] if target.error is None else "✗ not judged"
        unclear = len({entry.rule for entry in target.inconclusive})
        numbers = (*(found[severity] for severity in SEVERITY), unclear, target.counts.passed)
        line = (code(overview.title(target)), label, *map(str, numbers))
        room -= sum(map(_octets, line)) + 30
        if room < 0:
            break
        lines.append(line)
    head = ("target", "verdict", "errors", "warnings", "notices", "not determined", "passed")
    more = len(judged) - len(lines)
    return _grid(head, lines) + "\n" + (f"\nand {more} more\n" if more else "")


def _asked(report: Report) -> str:
    said = [
        f"{code(address)} ({kind}; validates DNSSEC: {validates})"
        for address, kind, validates in map(overview.resolver, report.vantage.resolvers[:_RESOLVERS])
    ]
    resolvers = f"asked {', '.join(said)}" if said else "no resolver was asked"
    tool = report.tool
    version = f"{tool.name} {tool.version}"
    return f"---\n\n{prose(version)}, {code(report.started_at)}, {seconds(report.duration_ms)}; {resolvers}\n"
