"""One reply, decoded: taken apart, judged, and put into sentences."""

from __future__ import annotations

from typing import Final

from deliverkit.replies import provider as who_speaks
from deliverkit.replies import tables, wait
from deliverkit.replies.decoded import STAGES, Class, Decoded, Scope
from deliverkit.replies.judge import Judgement, judge
from deliverkit.replies.parts import KEPT, Parts, parted, storable
from deliverkit.replies.phrases import Searched
from deliverkit.replies.scope import Named, named
from deliverkit.replies.sentences import Told, told

_CLASSES: Final[dict[str, Class]] = {"2": "success", "3": "intermediate", "4": "temporary", "5": "permanent"}


def decode(text: str, *, stage: str | None = None, provider: str | None = None, host: str | None = None) -> Decoded:
    """Explains one reply.

    `text` is a bare reply of one or several lines (`550-5.7.1 …`), or what is left of one. `stage` is where it came
    (`STAGES`), `provider` a slug or name, `host` the server's name, by which the provider is told. What is not known of
    these is taken from the text. Never raises, whatever the text is.
    """
    parts = parted(storable(text[:KEPT]))
    phase = stage if stage in STAGES else parts.stage
    searched = Searched(parts.folded)
    speaker = _speaker(parts, searched, provider, host)
    judgement = judge(parts, speaker, phase)
    klass = _class(parts, judgement, speaker)
    names = named(parts, searched)
    sentences = told(parts, judgement, klass, speaker, names)
    return Decoded(
        input=storable(text[:KEPT]),
        code=parts.code,
        enhanced=parts.enhanced,
        class_=klass,
        stage=phase,
        provider=speaker,
        provider_name=tables.provider_entries()[speaker].name if speaker else None,
        category=judgement.category,
        detail=sentences.detail,
        meaning=sentences.meaning,
        cause=sentences.cause,
        action=sentences.action,
        who=sentences.who,
        retry=klass == "temporary",
        wait_s=_wait(parts, judgement, klass),
        scope=_scope(names, judgement),
        list=_list(names, judgement),
        ticket_url=_ticket(names, judgement, sentences),
        references=sentences.references,
        registered=_registered(parts, judgement),
        disagreement=_disagreement(parts),
    )


def _speaker(parts: Parts, searched: Searched, provider: str | None, host: str | None) -> str | None:
    if provider:
        slug = who_speaks.named(provider)
        if slug:
            return slug
    if host:
        slug = who_speaks.provider_of(host)
        if slug:
            return slug
    return who_speaks.marked(Searched(parts.report) if parts.report else searched, parts.enhanced)


def _class(parts: Parts, judgement: Judgement, speaker: str | None) -> Class:
    if parts.code is not None:
        return _CLASSES.get(str(parts.code)[0], "unknown")
    if parts.enhanced is not None:
        return _CLASSES.get(parts.enhanced[0], "unknown")
    if judgement.rule is not None and judgement.rule.implies is not None:
        return judgement.rule.implies
    implied = tables.provider_entries()[speaker].implies if speaker else None
    return implied or "unknown"


def _wait(parts: Parts, judgement: Judgement, klass: Class) -> int | None:
    if klass not in ("temporary", "unknown"):
        return None
    seconds = wait.asked(parts.folded)
    if seconds is None and judgement.rule is not None:
        return judgement.rule.wait_s
    return seconds


def _scope(names: Named, judgement: Judgement) -> Scope:
    blamed = judgement.rule is not None and judgement.rule.detail == "url-reputation" and names.urls
    return Scope(ip=names.scope.ip, domain=names.scope.domain, url=names.urls[0] if blamed else None)


def _list(names: Named, judgement: Judgement) -> str | None:
    if judgement.category == "success":
        return None
    if names.list is not None:
        return names.list
    return judgement.rule.list if judgement.rule else None


def _ticket(names: Named, judgement: Judgement, sentences: Told) -> str | None:
    if judgement.category == "success":
        return None
    blamed = judgement.rule is not None and judgement.rule.detail == "url-reputation"
    pages = names.urls[1:] if blamed else names.urls
    if pages:
        return pages[0]
    return sentences.url


def _registered(parts: Parts, judgement: Judgement) -> bool:
    if parts.code is None and parts.enhanced is None:
        return False
    basic = parts.code is None or judgement.basic_registered
    return basic and (parts.enhanced is None or judgement.status_registered)


def _disagreement(parts: Parts) -> str | None:
    if parts.code is None or parts.enhanced is None or str(parts.code)[0] == parts.enhanced[0]:
        return None
    basic = _CLASSES.get(str(parts.code)[0], "unknown")
    other = _CLASSES.get(parts.enhanced[0], "unknown")
    return (
        f"The basic code {parts.code} says {basic}, the enhanced code {parts.enhanced} says {other}: "
        "mail servers go by the basic code, and so does this."
    )
