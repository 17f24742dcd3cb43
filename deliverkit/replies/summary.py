"""A log in numbers: what became of the mail, what failed and where, and whose move is next."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

import msgspec

from deliverkit.replies.alike import Tally
from deliverkit.replies.decoded import Class, Decoded, Who
from deliverkit.replies.groups import Group, Groups
from deliverkit.replies.inputs import Counts, Item, Kind, Outcome

SCHEMA: Final = "deliverkit/reply-summary/1"
_LOGS: Final = frozenset({Kind.POSTFIX, Kind.EXIM, Kind.SENDMAIL, Kind.OPENSMTPD, Kind.QMAIL})
_MOST_WAITING: Final = 100_000
_MOST_ROWS: Final = 500
_MOST_TEXTS: Final = 20
_MOST_DOMAINS: Final = 100
_DAYS_OF_NOBODY: Final = frozenset({"nobody"})

Row = TypeVar("Row")


class Share(msgspec.Struct, frozen=True):
    """A name, and how many replies are its."""

    name: str
    count: int


class CategoryCount(msgspec.Struct, frozen=True, kw_only=True):
    """One category."""

    category: str
    count: int
    permanent: int
    temporary: int
    providers: tuple[Share, ...]
    domains: tuple[Share, ...]
    first_seen: str | None
    last_seen: str | None


class ProviderCount(msgspec.Struct, frozen=True, kw_only=True):
    """One provider; null is every server that is none known."""

    provider: str | None
    provider_name: str | None
    count: int
    success: int
    permanent: int
    temporary: int
    categories: tuple[Share, ...]
    """What failed there."""
    first_seen: str | None
    last_seen: str | None


class DomainCount(msgspec.Struct, frozen=True, kw_only=True):
    """One domain of recipients."""

    domain: str
    count: int
    success: int
    permanent: int
    temporary: int


class TextCount(msgspec.Struct, frozen=True, kw_only=True):
    """One text of other servers, without what differs from message to message."""

    text: str
    count: int
    class_: Class = msgspec.field(name="class")
    category: str
    provider: str | None
    example: str


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """What to do, by whom, and how many replies ask for it."""

    who: Who
    count: int
    permanent: int
    category: str
    provider: str | None
    provider_name: str | None
    cause: str
    action: str
    example: str


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A log in numbers. Attempts are counted: a message that is tried three times counts three times.

    `waiting` and `delivered_late` count recipients: those whose last attempt was deferred, and those that were
    deferred and then delivered; null where the input tells no outcomes.
    """

    schema: str = SCHEMA
    lines: int
    skipped: int
    replies: int
    first_seen: str | None
    last_seen: str | None
    delivered: int
    deferred: int
    bounced: int
    rejected: int
    """What the server that wrote the log refused itself."""
    other: int
    """Replies of which the input tells no outcome."""
    waiting: int | None
    delivered_late: int | None
    do_first: tuple[Move, ...]
    by_category: tuple[CategoryCount, ...]
    by_provider: tuple[ProviderCount, ...]
    by_domain: tuple[DomainCount, ...]
    texts: tuple[TextCount, ...]
    refused_here: tuple[Share, ...]


class Collector:
    """Takes replies as they come."""

    def __init__(self, now: dt.datetime) -> None:
        self._groups = Groups(now)
        self._waiting: set[int] = set()
        self._late = 0

    def add(self, item: Item, decoded: Decoded) -> None:
        """Counts one reply. What a log tells of a host that was left for the next is told again with the outcome."""
        if item.outcome is None and item.kind in _LOGS:
            return
        self._groups.add(item, decoded)
        if item.recipient is not None and item.queue_id is not None:
            self._follow(hash((item.queue_id, item.recipient)), item.outcome)

    def _follow(self, message: int, outcome: Outcome | None) -> None:
        if outcome is Outcome.DEFERRED:
            if len(self._waiting) < _MOST_WAITING:
                self._waiting.add(message)
        elif message in self._waiting:
            self._waiting.discard(message)
            self._late += outcome is Outcome.DELIVERED

    def summary(self, counts: Counts) -> Summary:
        """The numbers so far."""
        groups = self._groups.all()
        outcomes = sum((group.outcomes for group in groups), Counter[Outcome | None]())
        sent = [group for group in groups if not group.outcomes[Outcome.REJECTED]]
        failed = [group for group in sent if group.decoded.class_ not in ("success", "intermediate")]
        told = any(outcomes[outcome] for outcome in (Outcome.DELIVERED, Outcome.DEFERRED, Outcome.BOUNCED))
        first, last = _span(groups)
        return Summary(
            lines=counts.lines,
            skipped=counts.skipped,
            replies=self._groups.count,
            first_seen=first,
            last_seen=last,
            delivered=outcomes[Outcome.DELIVERED],
            deferred=outcomes[Outcome.DEFERRED],
            bounced=outcomes[Outcome.BOUNCED],
            rejected=outcomes[Outcome.REJECTED],
            other=outcomes[None],
            waiting=len(self._waiting) if told else None,
            delivered_late=self._late if told else None,
            do_first=_moves(failed),
            by_category=_by(failed, lambda group: group.decoded.category, _category),
            by_provider=_by(sent, lambda group: group.decoded.provider, _provider),
            by_domain=_domains(sent),
            texts=_texts(failed),
            refused_here=_shares(
                (group.decoded.category, group.outcomes[Outcome.REJECTED]) for group in groups if group not in sent
            ),
        )


def _moves(failed: Iterable[Group]) -> tuple[Move, ...]:
    """What asks for somebody's move: what is permanent before what is not, what is most before the rest."""
    alike: dict[tuple[object, ...], list[Group]] = {}
    for group in failed:
        told = group.decoded
        if told.who not in _DAYS_OF_NOBODY:
            alike.setdefault((told.who, told.category, told.provider), []).append(group)
    moves = [
        Move(
            who=groups[0].decoded.who,
            count=_count(groups),
            permanent=_count(groups, "permanent"),
            category=groups[0].decoded.category,
            provider=groups[0].decoded.provider,
            provider_name=groups[0].decoded.provider_name,
            cause=groups[0].decoded.cause,
            action=groups[0].decoded.action,
            example=groups[0].first.text,
        )
        for groups in alike.values()
    ]
    return tuple(sorted(moves, key=lambda move: (-move.permanent, -move.count))[:_MOST_TEXTS])


def _by(
    groups: Iterable[Group], key: Callable[[Group], object], row: Callable[[Sequence[Group]], Row]
) -> tuple[Row, ...]:
    parted: dict[object, list[Group]] = {}
    for group in groups:
        parted.setdefault(key(group), []).append(group)
    return tuple(row(members) for members in sorted(parted.values(), key=_count, reverse=True)[:_MOST_ROWS])


def _category(groups: Sequence[Group]) -> CategoryCount:
    domains: Tally[str] = Tally(_MOST_DOMAINS)
    for group in groups:
        domains.merged(group.domains.most())
    first, last = _span(groups)
    return CategoryCount(
        category=groups[0].decoded.category,
        count=_count(groups),
        permanent=_count(groups, "permanent"),
        temporary=_count(groups, "temporary"),
        providers=_shares((group.decoded.provider_name or group.decoded.provider, group.count) for group in groups),
        domains=tuple(Share(name, count) for name, count in domains.most(10)),
        first_seen=first,
        last_seen=last,
    )


def _provider(groups: Sequence[Group]) -> ProviderCount:
    first, last = _span(groups)
    failed = [group for group in groups if group.decoded.class_ not in ("success", "intermediate")]
    return ProviderCount(
        provider=groups[0].decoded.provider,
        provider_name=groups[0].decoded.provider_name,
        count=_count(groups),
        success=_count(groups, "success"),
        permanent=_count(groups, "permanent"),
        temporary=_count(groups, "temporary"),
        categories=_shares((group.decoded.category, group.count) for group in failed),
        first_seen=first,
        last_seen=last,
    )


def _domains(groups: Iterable[Group]) -> tuple[DomainCount, ...]:
    found: dict[str, Counter[str]] = {}
    for group in groups:
        for domain, count in group.domains.most():
            found.setdefault(domain, Counter())[group.decoded.class_] += count
    rows = [
        DomainCount(
            domain=domain,
            count=classes.total(),
            success=classes["success"],
            permanent=classes["permanent"],
            temporary=classes["temporary"],
        )
        for domain, classes in found.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.permanent - row.temporary, -row.count))[:_MOST_DOMAINS])


def _texts(failed: Iterable[Group]) -> tuple[TextCount, ...]:
    rows = [
        TextCount(
            text=text,
            count=count,
            class_=group.decoded.class_,
            category=group.decoded.category,
            provider=group.decoded.provider,
            example=group.examples.get(text, text),
        )
        for group in failed
        for text, count in group.texts.most(_MOST_TEXTS)
    ]
    return tuple(sorted(rows, key=lambda row: -row.count)[:_MOST_TEXTS])


def _count(groups: Sequence[Group], of: str | None = None) -> int:
    return sum(group.count for group in groups if of is None or group.decoded.class_ == of)


def _shares(pairs: Iterable[tuple[str | None, int]]) -> tuple[Share, ...]:
    found: Counter[str] = Counter()
    for name, count in pairs:
        if name is not None:
            found[name] += count
    return tuple(Share(name, count) for name, count in found.most_common())


def _span(groups: Iterable[Group]) -> tuple[str | None, str | None]:
    groups = list(groups)
    began = [group.began for group in groups if group.began is not None]
    ended = [group.ended for group in groups if group.ended is not None]
    return (_utc(min(began)), _utc(max(ended))) if began and ended else (None, None)


def _utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
