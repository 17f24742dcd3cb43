"""What the rules about MTA-STS show and recommend."""

from __future__ import annotations

from typing import Final

from deliverkit.facts.mta_sts import FetchFacts, MtaStsFacts, PolicyFacts
from deliverkit.model import Exhibit, Fix, Mark, Severity

NEW_ID: Final = "20270101T000000"
"""An id to begin with: any other than the one before would do."""
WEEK: Final = 604_800
_LINES: Final = 6


def policy_text(hosts: tuple[str, ...], *, mode: str = "testing", max_age: int = WEEK) -> str:
    """A policy that covers these hosts."""
    return "\n".join(("version: STSv1", f"mode: {mode}", *(f"mx: {host}" for host in hosts), f"max_age: {max_age}"))


def file_fix(sts: MtaStsFacts, hosts: tuple[str, ...]) -> Fix:
    """The first policy of a domain; the record comes when it is served."""
    return Fix(
        f"Serve this, then publish at {sts.name} the TXT record `v=STSv1; id={NEW_ID}`; "
        "change to mode: enforce and a new id when reports (TLS-RPT) show no failure.",
        name=sts.url,
        after=policy_text(hosts),
    )


def fresh_record(sts: MtaStsFacts, words: str, *, before: str | None = None) -> Fix:
    """The record to publish."""
    return Fix(words, name=sts.name, rdtype="TXT", before=before, after=f"v=STSv1; id={NEW_ID}")


def policy_exhibits(policy: PolicyFacts, *marks: Mark) -> tuple[Exhibit, ...]:
    """The lines that are marked; without marks the whole document, its line ends as LF."""
    if not marks:
        return (Exhibit(policy.text.replace("\r\n", "\n").rstrip("\n"), title=policy.source),)
    found: dict[int, list[Mark]] = {}
    for mark in marks:
        found.setdefault(policy.text.rfind("\n", 0, mark.start) + 1, []).append(mark)
    return tuple(_line(policy, start, mine) for start, mine in list(found.items())[:_LINES])


def _line(policy: PolicyFacts, start: int, marks: list[Mark]) -> Exhibit:
    text = policy.text[start:].partition("\n")[0].removesuffix("\r")
    number = policy.text.count("\n", 0, start) + 1
    shifted = tuple(
        Mark(min(mark.start - start, len(text)), min(mark.end - start, len(text)), mark.note) for mark in marks
    )
    return Exhibit(text, title=f"{policy.source}, line {number}", marks=shifted)


def fetch_exhibits(sts: MtaStsFacts, fetch: FetchFacts) -> tuple[Exhibit, ...]:
    """The record that sent senders there, and what they met."""
    return (
        *(Exhibit(record.text, title=f"{sts.name} TXT") for record in sts.records[:1]),
        Exhibit(fetch.why or f"{fetch.status} {fetch.media_type}".strip(), title=f"{fetch.url} at {fetch.address}"),
    )


def weakened(policy: PolicyFacts) -> Severity | None:
    """A finding about a policy that nobody enforces weighs less."""
    return {"testing": Severity.WARNING, "none": Severity.NOTICE}.get(policy.mode or "")
