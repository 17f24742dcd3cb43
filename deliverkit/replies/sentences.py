"""Meaning, cause and action as whole sentences, from the general to what this reply says in particular."""

from __future__ import annotations

from typing import Final

import msgspec

from deliverkit.replies import tables
from deliverkit.replies.decoded import Class, Who
from deliverkit.replies.judge import Judgement
from deliverkit.replies.parts import Parts
from deliverkit.replies.scope import Named

_OF_CLASS: Final[dict[Class, str]] = {
    "success": "The server accepted this step.",
    "intermediate": "The server accepted this step and waits for more.",
    "temporary": "The server refused for now; a mail server keeps the message and tries again.",
    "permanent": "The server refused for good; a mail server returns the message to its sender.",
    "unknown": "The text has no reply code, so whether it is final is not said.",
}

_FROM_PAGE: Final = "The text has no reply code; whether it is final is taken from what the provider says of it."


class Told(msgspec.Struct, frozen=True):
    """The sentences of one reply."""

    meaning: str
    cause: str
    action: str
    who: Who
    detail: str | None
    url: str | None
    references: tuple[str, ...]


def told(parts: Parts, judgement: Judgement, klass: Class, provider: str | None, names: Named) -> Told:
    """What is said of a reply."""
    file = tables.categories()
    entry = file.category[judgement.category]
    rule = judgement.rule
    status = judgement.status
    detail_name = (rule.detail if rule else None) or (None if rule else _detail(judgement))
    detail = file.detail.get(detail_name) if detail_name else None
    meaning = (rule and rule.meaning) or (detail and detail.meaning) or entry.meaning
    cause = (rule and rule.cause) or (detail and detail.cause) or entry.cause
    action = (rule and rule.action) or (detail and detail.action) or entry.action
    if klass == "temporary" and entry.now and not (rule and rule.action):
        action = f"{entry.now} {action}"
    who: Who = (rule and rule.who) or (detail and detail.who) or (not rule and status and status.who) or entry.who
    return Told(
        meaning=" ".join((meaning, *_codes(parts, judgement, klass))),
        cause=cause,
        action=action,
        who=who,
        detail=detail_name,
        url=(rule.url if rule else None) or (names.lookup if judgement.category == "blocklist" else None),
        references=_references(judgement, entry, provider),
    )


def _detail(judgement: Judgement) -> str | None:
    for code in (judgement.status, judgement.basic):
        if code and code.category == judgement.category and code.detail:
            return code.detail
    return None


def _codes(parts: Parts, judgement: Judgement, klass: Class) -> tuple[str, ...]:
    """What the codes say beyond the category, and that one is registered nowhere."""
    said: list[str] = []
    status, basic = judgement.status, judgement.basic
    if status and status.category == judgement.category and not status.vague:
        said.append(f"{parts.enhanced} means: {status.says}")
    elif basic and (not judgement.rule or (basic.category == judgement.category and not basic.vague)):
        said.append(f"{parts.code} means: {basic.says}")
    if parts.enhanced and not judgement.status_registered:
        said.append(f"The enhanced code {parts.enhanced} is not registered with IANA{_subject(parts.enhanced)}.")
    if parts.code is not None and not judgement.basic_registered:
        said.append(f"The code {parts.code} is not registered in any standard.")
        said.append(_OF_CLASS[klass])
    if parts.code is None and parts.enhanced is None:
        said.append(_OF_CLASS["unknown"] if klass == "unknown" else _FROM_PAGE)
    return tuple(said)


def _subject(enhanced: str) -> str:
    subject = tables.enhanced_codes().subject.get(enhanced.split(".")[1])
    return f"; its second number means {subject}" if subject else ""


def _references(judgement: Judgement, entry: tables.CategoryEntry, provider: str | None) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for code in (judgement.status, judgement.basic):
        told_by_it = code and (code.category == judgement.category or not judgement.rule)
        if code and code.reference and told_by_it:
            found[code.reference] = None
    for reference in entry.references:
        found[reference] = None
    page = tables.provider_entries()[provider].page if provider and judgement.category != "success" else None
    if page:
        found[page] = None
    return tuple(found) or ("RFC 5321 §4.2",)
