"""Which category a reply is of: a provider's meaning first, then the words, then the codes.

Rules are tried in this order: the provider's strong ones, the common strong ones, the provider's weak ones, an
enhanced code that says something, the common weak ones, then whatever the codes say.
"""

from __future__ import annotations

import functools

import msgspec

from deliverkit.replies import tables
from deliverkit.replies.parts import Parts
from deliverkit.replies.phrases import Searched
from deliverkit.replies.tables import CodeEntry, Rule

_PHASES = {"connect": "connect", "banner": "connect"}


class Judgement(msgspec.Struct, frozen=True):
    """What was found: the rule that held, the entries of both codes, and whether these are registered."""

    category: str
    rule: Rule | None
    basic: CodeEntry | None
    basic_registered: bool
    status: CodeEntry | None
    status_registered: bool


def basic_entry(code: int | None, stage: str | None) -> tuple[CodeEntry | None, bool]:
    """A basic code's entry in the phase, else in any, and whether it is registered."""
    if code is None:
        return None, False
    file = tables.codes()
    key = str(code)
    phase = _PHASES.get(stage or "", stage or "any")
    for name in (phase, "any", "rcpt", "mail", "eod", "auth", "connect", "data", "ehlo", "starttls", "other"):
        entry = file.phase.get(name, {}).get(key)
        if entry:
            return entry, True
    return file.seen.get(key), False


def status_entry(enhanced: str | None) -> tuple[CodeEntry | None, bool]:
    """An enhanced code's entry, and whether it is registered."""
    if enhanced is None:
        return None, False
    file = tables.enhanced_codes()
    _, _, rest = enhanced.partition(".")
    entry = file.registered.get(rest)
    if entry:
        return entry, True
    return file.seen.get(enhanced) or file.seen.get(rest), False


def judge(parts: Parts, provider: str | None, stage: str | None) -> Judgement:
    """The category of a reply, and what it was told by."""
    basic, basic_registered = basic_entry(parts.code, stage)
    status, status_registered = status_entry(parts.enhanced)
    rule = None
    category = _early(parts)
    if category is None:
        told = any(entry is not None and not entry.vague for entry in (basic, status))
        rule = ruled(parts.words, parts.code, parts.enhanced, provider, stage, told=told)
        category = rule.category if rule else _coded(basic, status)
    return Judgement(category, rule, basic, basic_registered, status, status_registered)


def _early(parts: Parts) -> str | None:
    klass = (parts.code or 0) // 100
    if klass in (2, 3):
        return "success"
    if parts.code is None and parts.enhanced and parts.enhanced[0] == "2":
        return "success"
    return None


@functools.lru_cache(maxsize=1024)
def ruled(
    words: str, code: int | None, enhanced: str | None, provider: str | None, stage: str | None, *, told: bool
) -> Rule | None:
    """The first rule that holds. `told`: a code says something already, so that weak common rules have no say.

    The replies of a log are much the same, so the last thousand are kept.
    """
    reply = (Searched(words), code, enhanced, stage)
    own_strong, own_weak = tables.provider_rules(provider) if provider else (None, None)
    common_strong, common_weak = tables.common_rules()
    for rules in (own_strong, common_strong, own_weak, None if told else common_weak):
        rule = rules.first(*reply) if rules else None
        if rule:
            return rule
    return None


def _coded(basic: CodeEntry | None, status: CodeEntry | None) -> str:
    if status and not status.vague:
        return status.category
    if basic and not basic.vague:
        return basic.category
    for entry in (status, basic):
        if entry and entry.category != "other":
            return entry.category
    return "other"
