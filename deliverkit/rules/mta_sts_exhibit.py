"""What the rules about MTA-STS show and recommend."""

from __future__ import annotations

import bisect
import re
from typing import Final

from deliverkit.facts.mta_sts import FetchFacts, MtaStsFacts, PolicyFacts
from deliverkit.model import Exhibit, Fix, Mark, Severity

NEW_ID: Final = "20270101T000000"
"""An id to begin with: any other than the one before would do."""
WEEK: Final = 604_800
_CR: Final = re.compile(r"\r(?=\n|\Z)")
"""The CR of a line's end."""


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


def policy_exhibit(policy: PolicyFacts, *marks: Mark) -> Exhibit:
    """The document, with marks; its lines end in LF here, whichever of the two ends they had (RFC 8461 §3.2)."""
    dropped = [found.start() for found in _CR.finditer(policy.text)]

    def moved(at: int) -> int:
        return at - bisect.bisect_left(dropped, at)

    shifted = tuple(Mark(moved(mark.start), moved(mark.end), mark.note) for mark in marks)
    return Exhibit(document(policy.text), title=policy.source, marks=shifted)


def line_marks(policy: PolicyFacts, name: str) -> tuple[Mark, ...]:
    """The line of a field, to be shown in `policy_exhibit`."""
    at = f"\n{policy.text}".find(f"\n{name}:")
    if at < 0:
        return ()
    end = policy.text.find("\n", at)
    end = len(policy.text) if end < 0 else end
    return (Mark(at, end - policy.text[at:end].endswith("\r")),)


def document(text: str) -> str:
    """A policy's text with its lines ended by LF."""
    return _CR.sub("", text)


def fetch_exhibits(sts: MtaStsFacts, fetch: FetchFacts) -> tuple[Exhibit, ...]:
    """The record that sent senders there, and what they met."""
    return (
        *(Exhibit(record.text, title=f"{sts.name} TXT") for record in sts.records[:1]),
        Exhibit(fetch.why or f"{fetch.status} {fetch.media_type}".strip(), title=f"{fetch.url} at {fetch.address}"),
    )


def weakened(policy: PolicyFacts) -> Severity | None:
    """A finding about a policy that nobody enforces weighs less."""
    return {"testing": Severity.WARNING, "none": Severity.NOTICE}.get(policy.mode or "")
