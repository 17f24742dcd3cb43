"""The baseline: findings that a team has accepted as they stand, so that only new ones fail (`deliverkit/baseline/1`).

The file is made to be kept in a repository: sorted, a finding an entry, and nothing in it that changes by itself. A
finding is known again by its fingerprint, and accepted as hard as it was: one whose severity rose is new.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from deliverkit.model import Severity
from deliverkit.report.asked import Asked
from deliverkit.report.document import FindingReport, TargetReport

SCHEMA: Final = "deliverkit/baseline/1"
NAME: Final = ".deliverkit-baseline.json"
"""Where it is written unless something else is said."""


class BaselineError(ValueError):
    """A file that is no baseline; the message is one clear line."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One accepted finding. `message` is for whoever reviews the file, and takes no part in anything."""

    domain: str
    rule: str
    subject: str
    fingerprint: str
    severity: Literal["error", "warning", "notice"]
    message: str = ""

    def weight(self) -> int:
        """0 for the worst."""
        return Severity(self.severity).rank


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file. Two findings that only their numbers tell apart are two entries of one fingerprint."""

    schema: Literal["deliverkit/baseline/1"] = "deliverkit/baseline/1"
    findings: tuple[Entry, ...] = ()


class _File(msgspec.Struct, frozen=True, kw_only=True):
    """What a file must hold to be a baseline: without this, any JSON object would be one that accepts nothing."""

    schema: Literal["deliverkit/baseline/1"]
    findings: tuple[Entry, ...]


def encode(baseline: Baseline) -> str:
    """The file's text: the same findings always give the same text."""
    entries = tuple(sorted(baseline.findings))
    octets = msgspec.json.encode(msgspec.structs.replace(baseline, findings=entries))
    return msgspec.json.format(octets, indent=2).decode() + "\n"


def decode(octets: bytes, name: str) -> Baseline:
    """The baseline in `octets`. Raises `BaselineError`, which names the file as `name`."""
    try:
        file = msgspec.json.decode(octets.removeprefix(b"\xef\xbb\xbf"), type=_File, strict=True)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BaselineError(f"{name}: not a baseline ({SCHEMA}): {error}") from error
    return Baseline(findings=file.findings)


def entry_of(finding: FindingReport, domain: str) -> Entry:
    """What is kept of a finding."""
    return Entry(
        domain=domain,
        rule=finding.rule,
        subject=finding.subject,
        fingerprint=finding.fingerprint,
        severity=Severity(finding.severity).value,
        message=finding.message,
    )


def matched(findings: Iterable[FindingReport], entries: Iterable[Entry]) -> tuple[list[bool], list[Entry]]:
    """Of each finding whether it is accepted, and the entries that none of them took.

    Each entry accepts one finding of its fingerprint, as hard as itself or weaker.
    """
    free: dict[str, list[Entry]] = collections.defaultdict(list)
    for entry in sorted(entries, key=Entry.weight):
        free[entry.fingerprint].append(entry)
    findings = list(findings)
    accepted = [False] * len(findings)
    for place in sorted(range(len(findings)), key=lambda place: Severity(findings[place].severity).rank):
        finding = findings[place]
        # The weakest that will do, so that a harder entry is left for a harder finding.
        fitting = [one for one in free[finding.fingerprint] if one.weight() <= Severity(finding.severity).rank]
        if fitting:
            free[finding.fingerprint].remove(fitting[-1])
            accepted[place] = True
    return accepted, sorted(entry for rest in free.values() for entry in rest)


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """A baseline written anew, and what changed: `kept` are entries that this run could say nothing about."""

    baseline: Baseline
    new: tuple[Entry, ...] = ()
    gone: tuple[Entry, ...] = ()
    kept: tuple[Entry, ...] = ()


def revised(old: Baseline, targets: Sequence[TargetReport], asked: Asked, *, accept: bool = True) -> Revision:
    """The baseline after a run that was judged without it.

    What is found on the targets is accepted; entries that no longer occur there go. Entries of other domains stay, and
    so do those whose rule could not be determined: what was not seen is not gone. Without `accept` nothing that is new
    comes in, and what became harder stays as it was accepted.
    """
    judged = {target.target: target for target in targets if not target.about}
    before = _by_finding(old.findings)
    now = _by_finding(entry_of(each, name) for name, target in judged.items() for each in target.findings)
    entries: list[Entry] = []
    new: list[Entry] = []
    gone: list[Entry] = []
    kept: list[Entry] = []
    for key in before.keys() | now.keys():
        olds, news = before.get(key, []), now.get(key, [])
        for was, found in zip(olds, news, strict=False):
            rose = found.weight() < was.weight()
            entries.append(was if rose and not accept else found)
            new.extend([found] if rose and accept else [])
        for was in olds[len(news) :]:
            target = judged.get(was.domain)
            (gone if target is not None and asked.told(target, was.rule) else kept).append(was)
        if accept:
            new.extend(news[len(olds) :])
            entries.extend(news[len(olds) :])
    return Revision(
        baseline=Baseline(findings=tuple(sorted([*entries, *kept]))),
        new=tuple(sorted(new)),
        gone=tuple(sorted(gone)),
        kept=tuple(sorted(kept)),
    )


def _by_finding(entries: Iterable[Entry]) -> dict[tuple[str, str], list[Entry]]:
    """The entries of each domain and fingerprint, the worst first."""
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: (entry.weight(), entry)):
        found.setdefault((entry.domain, entry.fingerprint), []).append(entry)
    return found
