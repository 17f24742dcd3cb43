"""Findings folded for the page: what explains others above them, and what many endpoints share told once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from deliverkit.model import shown
from deliverkit.render.text.sheet import Sheet
from deliverkit.report import FindingReport
from deliverkit.report.document import ExhibitReport

_SHARED: Final = frozenset({"smtp", "tls", "auth", "dane"})
"""Areas whose findings are about an endpoint, `mail.example.com port 587` or a host."""
_PORT: Final = re.compile(r"(\S+) port ([0-9]+)")
_PLACE: Final = re.compile(r"(\S+ )?\[[0-9a-fA-F.:]+\] port [0-9]+")
_DIGITS: Final = 10
_MOST: Final = 12


class Group(msgspec.Struct, frozen=True):
    """Findings told as one: the first of them, the subjects of all, and what they explain."""

    head: FindingReport
    subjects: tuple[str, ...]
    exhibits: tuple[ExhibitReport, ...]
    parts: tuple[FindingReport, ...]
    alike: bool
    """Whether the fix holds word for word for every subject."""


def gathered(findings: Iterable[FindingReport]) -> list[Group]:
    """The findings as they are told: one group a rule, message and fix, whatever the host."""
    groups: dict[tuple[object, ...], list[tuple[FindingReport, list[FindingReport]]]] = {}
    for place, (head, parts) in enumerate(folded(findings)):
        groups.setdefault(_kind(head) if head.area in _SHARED else (place,), []).append((head, parts))
    return [_group(members) for members in groups.values()]


def _kind(finding: FindingReport) -> tuple[object, ...]:
    return (
        finding.rule,
        finding.severity,
        finding.who,
        _general(finding, finding.message),
        _general(finding, finding.fix),
        finding.change,
    )


def _general(finding: FindingReport, text: str) -> str:
    """Text with the subject's own host and port taken out."""
    match = _PORT.fullmatch(finding.subject)
    host, port = match.groups() if match else (finding.subject, "")
    text = text.replace(host, "\0") if host else text
    return re.sub(rf"\b{port}\b", "\1", text) if port else text


def _group(members: Sequence[tuple[FindingReport, list[FindingReport]]]) -> Group:
    head = members[0][0]
    exhibits = _shared([item for finding, _ in members for item in finding.exhibits], several=len(members) > 1)
    parts = {(part.rule, _general(part, part.message)): part for _, below in members for part in below}
    return Group(
        head=head,
        subjects=tuple(sorted(dict.fromkeys(finding.subject for finding, _ in members), key=_in_order)),
        exhibits=exhibits,
        parts=tuple(parts.values()),
        alike=len({finding.fix for finding, _ in members}) == 1,
    )


def _shared(exhibits: Sequence[ExhibitReport], *, several: bool) -> tuple[ExhibitReport, ...]:
    """The exhibits, those that show the same at several places once: the places stand above them."""
    if not several:
        return tuple(exhibits)
    alike: dict[tuple[object, ...], list[ExhibitReport]] = {}
    for item in exhibits:
        alike.setdefault((_PLACE.sub("", item.title), item.text, item.marks), []).append(item)
    return tuple(_once(items) for items in alike.values())


def _once(items: Sequence[ExhibitReport]) -> ExhibitReport:
    titles = len({item.title for item in items})
    if titles == 1:
        return items[0]
    return msgspec.structs.replace(items[0], title=f"{items[0].title}; the same at {titles - 1} more")


def _in_order(subject: str) -> list[str]:
    """Numbers by their size: `mx2` before `mx10`, port 465 before port 2525."""
    return [part.rjust(_DIGITS, "0") if part.isdecimal() else part for part in re.split(r"([0-9]+)", subject)]


def where(subjects: Sequence[str]) -> str:
    """`mail.example.com ports 465, 587; mx2.example.com port 25`, or `port 25 of mx1.example.com, mx2.example.com`."""
    ports: dict[str, list[str]] = {}
    for subject in subjects:
        match = _PORT.fullmatch(subject)
        host, port = match.groups() if match else (subject, "")
        ports.setdefault(host, []).extend([port] if port else [])
    if len({tuple(found) for found in ports.values()}) == 1 and len(ports) > 1:
        shared = next(iter(ports.values()))
        on = _ports(shared).strip()
        return f"{on}{' of ' if on else ''}{_listed(list(ports))}"
    return _listed([f"{host}{_ports(found)}" for host, found in ports.items()], "; ")


def _ports(found: Sequence[str]) -> str:
    return f" port{'s' if len(found) > 1 else ''} {', '.join(found)}" if found else ""


def _listed(names: Sequence[str], comma: str = ", ") -> str:
    more = len(names) - _MOST
    return comma.join(names[:_MOST]) + (f" and {more} more" if more > 0 else "")


def place(group: Group, target: str) -> str:
    """Where the finding is, for what is about an endpoint; "" where that is the target itself."""
    if group.head.area not in _SHARED or group.subjects == (target,):
        return ""
    return where([shown(subject) for subject in group.subjects])


def write_where(sheet: Sheet, group: Group, target: str) -> None:
    """The place on a line of its own, where there is one to tell."""
    told = place(group, target)
    if told:
        sheet.prose(told, lead=("At    ", "bold"), indent=2, hang=8)


def folded(findings: Iterable[FindingReport]) -> list[tuple[FindingReport, list[FindingReport]]]:
    """The findings that stand by themselves, each with those it explains; a chain hangs on its head."""
    findings = list(findings)
    present = {finding.rule for finding in findings}
    parents = {finding.rule: finding.part_of for finding in findings if finding.part_of in present}

    def head(finding: FindingReport) -> str | None:
        rule, seen = finding.part_of, {finding.rule}
        if rule not in present:
            return None
        while rule in parents and rule not in seen:
            seen.add(rule)
            rule = parents[rule]
        return None if rule in seen else rule

    heads = [(finding, head(finding)) for finding in findings]
    standing = [finding for finding, above in heads if above is None]
    below: dict[int, list[FindingReport]] = {}
    for finding, above in heads:
        if above is None:
            continue
        candidates = [index for index, other in enumerate(standing) if other.rule == above]
        same = [index for index in candidates if standing[index].subject == finding.subject]
        if same or candidates:
            below.setdefault((same or candidates)[0], []).append(finding)
    return [(finding, below.get(index, [])) for index, finding in enumerate(standing)]
