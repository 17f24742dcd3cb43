"""When a deferred message is tried again: our own schedule, and that of three well-known servers.

RFC 5321 §4.5.4.1 wants a retry after some delay, more than one within the first hour, then at growing intervals, for
four to five days. A test wants to know sooner, so ours begins after a minute; but a server that says how long to
wait is believed, since coming early is what greylisting and rate limits punish.
"""

from __future__ import annotations

from typing import Final, Literal, Protocol

import msgspec

from deliverkit.delivery import servers
from deliverkit.records.duration import duration_words

Kind = Literal["try", "warn", "give-up"]

STEPS: Final = (60.0, 300.0, 900.0, 1800.0, 3600.0)
"""Seconds from one try to the next; the last one repeats."""
LATE: Final = (6 * 3600.0, 7200.0)
"""A message that old (seconds) is tried that often (seconds)."""
SHORTEST: Final = 1.0
"""Seconds that pass between two tries, whatever a reply asks for."""

STOPS: Final = frozenset({"blocklist", "reputation"})
"""Categories of a temporary reply after which trying again makes things worse: retrying stops at once."""


class Told(Protocol):
    """What of a decoded reply the schedule goes by (`replies.Decoded` is one)."""

    @property
    def category(self) -> str:
        """The category, as in `greylisting`."""

    @property
    def retry(self) -> bool:
        """Whether a standard mail server would try again."""


def may_retry(told: Told | None) -> bool:
    """Whether to try again after this reply; None is no reply at all, which is trouble on the way."""
    return told is None or (told.retry and told.category not in STOPS)


def next_wait(tries: int, wait_s: float | None = None, elapsed: float = 0.0) -> float:
    """Seconds from the try that was just deferred to the next one.

    `tries`: how many there were, from 1. `wait_s`: what the reply asks for: it alone decides about the first retry,
    and is the least for later ones. `elapsed`: seconds since the first try.
    """
    asked = max(float(wait_s), SHORTEST) if wait_s is not None and wait_s > 0 else 0.0
    if tries <= 1:
        return asked or STEPS[0]
    step = STEPS[min(tries, len(STEPS)) - 1]
    old, slow = LATE
    return max(slow if elapsed >= old else step, asked)


def next_try(
    tries: int, *, started_at: float, now: float, give_up_at: float, wait_s: float | None = None
) -> float | None:
    """When to try next, in seconds since the epoch; None when no try is left before `give_up_at`.

    The last try falls on `give_up_at` itself, unless the server asked for a longer wait than is left.
    """
    due = now + next_wait(tries, wait_s, now - started_at)
    if due <= give_up_at:
        return due
    least = now + max(float(wait_s or 0.0), STEPS[0])
    return give_up_at if least <= give_up_at else None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a simulated server does."""

    at: float
    """Seconds since the epoch, or since whatever `created_at` counts from."""
    after: float
    """Seconds since the first try."""
    kind: Kind
    number: int | None = None
    """Of a try, from 1."""
    words: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Events to be shown in one line: tries at equal intervals are one row."""

    kind: Kind
    first: float
    """Seconds since the first try."""
    last: float
    every: float | None = None
    """Seconds between the tries of a row that holds several."""
    numbers: tuple[int, int] | None = None
    """Of tries: the first and the last of the row."""
    words: str


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """What a server with its documented defaults would do about a reply."""

    server: servers.Name
    name: str
    events: tuple[Event, ...]
    """In the order of time; the first is the try that brought the reply."""
    tries: int
    settings: tuple[tuple[str, str], ...]
    """What decides it: name and documented default, `("maximal_backoff_time", "4000s")`."""
    sources: tuple[str, ...]
    """The pages that document it."""
    notes: tuple[str, ...] = ()
    """Sentences on what the table cannot show."""


def simulate(
    server: servers.Name,
    permanence: str | None,
    *,
    wait_s: float | None = None,
    stage: str | None = None,
    null_sender: bool = False,
    created_at: float = 0.0,
) -> Simulation:
    """What Postfix, Exim or Exchange would do if every try brought the reply given.

    `permanence` is the class of a decoded reply: `permanent` bounces at once, `success` is done; everything else is
    tried again as after a 4xx; None is no reply at all. `stage` tells trouble with the server from a verdict on the
    message; Postfix takes even a permanent banner for such trouble. No server reads `wait_s` out of a reply: it only
    shows which tries come too early.
    """
    site = servers.SITES[server]
    notes = list(site.notes)
    softened = bool(site.banner_note) and stage == "banner" and permanence == "permanent"
    if softened:
        notes.insert(0, site.banner_note)
    at_once = permanence == "permanent" and not softened
    if permanence == "success":
        plan = servers.Plan(tries=(0.0,))
    elif at_once:
        plan = servers.Plan(tries=(0.0,), gives_up=0.0)
    else:
        plan = servers.plan(server, null_sender=null_sender, met=stage not in servers.BEFORE_MAIL)
        if wait_s:
            notes.insert(0, _asked(site.name, wait_s, plan.tries))
    return Simulation(
        server=server,
        name=site.name,
        events=tuple(_events(plan, created_at, at_once=at_once, null_sender=null_sender)),
        tries=len(plan.tries),
        settings=site.settings,
        sources=site.sources,
        notes=tuple(notes),
    )


def rows(simulation: Simulation) -> tuple[Row, ...]:
    """The events folded for a table: three tries or more at one interval are one row."""
    folded: list[Row] = []
    events = list(simulation.events)
    place = 0
    while place < len(events):
        run = _run(events, place)
        first, last = events[place], events[place + run - 1]
        several = run > 1
        folded.append(
            Row(
                kind=first.kind,
                first=first.after,
                last=last.after,
                every=(last.after - first.after) / (run - 1) if several else None,
                numbers=(first.number, last.number) if first.number is not None and last.number is not None else None,
                words=f"{run} tries, {duration_words(events[place + 1].after - first.after)} apart"
                if several
                else first.words,
            )
        )
        place += run
    return tuple(folded)


_FOLDED: Final = 3


def _run(events: list[Event], place: int) -> int:
    """How many events from `place` on make one row."""
    if events[place].kind != "try" or place == 0:
        return 1
    end = place + 1
    while end < len(events) and events[end].kind == "try":
        if (
            end - place > 1
            and events[end].after - events[end - 1].after != events[place + 1].after - events[place].after
        ):
            break
        end += 1
    return end - place if end - place >= _FOLDED else 1


def _events(plan: servers.Plan, created_at: float, *, at_once: bool, null_sender: bool) -> list[Event]:
    marks: list[tuple[float, int, Kind, int | None, str]] = []
    before = 0.0
    for number, after in enumerate(plan.tries, start=1):
        words = "the first try" if number == 1 else f"try {number}, {duration_words(after - before)} after the last"
        marks.append((after, 0, "try", number, words))
        before = after
    marks.extend(
        (after, 1, "warn", None, "tells the sender that the message is delayed, and goes on") for after in plan.warns
    )
    if plan.gives_up is not None:
        did = "bounces at once: the reply is permanent" if at_once else "gives up and bounces"
        if null_sender:
            did = "gives up; a bounce is never bounced"
        marks.append((plan.gives_up, 2, "give-up", None, did))
    marks.sort(key=lambda mark: mark[:2])
    return [
        Event(at=created_at + after, after=after, kind=kind, number=number, words=words)
        for after, _order, kind, number, words in marks
    ]


def _asked(name: str, wait_s: float, tries: tuple[float, ...]) -> str:
    """How the schedule meets a wait that the reply asks for."""
    early = sum(1 for after in tries[1:] if after < wait_s)
    fit = next((after for after in tries[1:] if after >= wait_s), None)
    words = f"The reply asks for {duration_words(wait_s)}, which {name} does not read: "
    if fit is None:
        return words + "no try comes that late."
    if not early:
        return words + f"its next try, after {duration_words(fit)}, is late enough."
    soon = "the next try comes" if early == 1 else f"the next {early} tries come"
    return words + f"{soon} too early, and the first that is late enough after {duration_words(fit)}."
