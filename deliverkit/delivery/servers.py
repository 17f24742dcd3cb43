"""How Postfix, Exim and Exchange retry by their documented defaults, as numbers and three small loops.

Each loop assumes that every try brings the same temporary failure, that a try takes no time, and that the first
queue run falls on the arrival; on a live server the moments shift by up to one run of the queue.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

Name = Literal["postfix", "exim", "exchange"]
NAMES: Final[tuple[Name, ...]] = ("postfix", "exim", "exchange")

BEFORE_MAIL: Final = frozenset({"route", "connect", "banner", "ehlo", "starttls", "auth"})
"""Stages at which nothing was said of the message yet."""

MINUTE: Final = 60.0
HOUR: Final = 3600.0
DAY: Final = 86400.0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Moments in seconds since the first try."""

    tries: tuple[float, ...]
    warns: tuple[float, ...] = ()
    gives_up: float | None = None


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a server beside its plan."""

    name: str
    settings: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]
    notes: tuple[str, ...] = ()
    banner_note: str = ""
    """Said where a permanent reply in place of the banner is retried and not bounced; else empty."""


class Postfix(msgspec.Struct, frozen=True, kw_only=True):
    """postconf(5), since Postfix 2.4; in seconds."""

    queue_run_delay: float = 300.0
    minimal_backoff_time: float = 300.0
    maximal_backoff_time: float = 4000.0
    maximal_queue_lifetime: float = 5 * DAY
    bounce_queue_lifetime: float = 5 * DAY
    delay_warning_time: float = 0.0


class Rule(msgspec.Struct, frozen=True):
    """One parameter set of an Exim retry rule: `F,2h,15m` or `G,16h,1h,1.5`."""

    letter: Literal["F", "G"]
    cutoff: float
    interval: float
    factor: float = 1.0


class Exim(msgspec.Struct, frozen=True, kw_only=True):
    """The default configuration's retry rule and delay_warning; the queue runner as Debian starts it."""

    rules: tuple[Rule, ...] = (
        Rule("F", 2 * HOUR, 15 * MINUTE),
        Rule("G", 16 * HOUR, HOUR, 1.5),
        Rule("F", 4 * DAY, 6 * HOUR),
    )
    queue_interval: float = 30 * MINUTE
    delay_warning: float = DAY


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A Mailbox server's transport service."""

    glitch_count: int = 4
    glitch_interval: float = MINUTE
    transient_count: int = 6
    transient_interval: float = 5 * MINUTE
    connection_interval: float = 10 * MINUTE
    message_interval: float = 15 * MINUTE
    delay_notification: float = 4 * HOUR
    expiration: float = 2 * DAY


def plan(server: Name, *, null_sender: bool = False, met: bool = True) -> Plan:
    """What the server does about a message that is deferred each time.

    `null_sender`: it is a bounce itself. `met`: a server was reached and judged the message; else it could not be
    reached or would not talk at all, which only Exchange tells apart.
    """
    if server == "postfix":
        return postfix(Postfix(), null_sender=null_sender)
    if server == "exim":
        return exim(Exim(), null_sender=null_sender)
    return exchange(Exchange(), null_sender=null_sender, met=met)


def postfix(by: Postfix, *, null_sender: bool = False) -> Plan:
    """A message cools down for as long as it is old, within bounds, and is then taken by the next queue scan.

    It bounces at the first failure at which it has reached its lifetime.
    """
    lifetime = by.bounce_queue_lifetime if null_sender else by.maximal_queue_lifetime
    tries = [0.0]
    warns: list[float] = []
    while tries[-1] < lifetime:
        age = tries[-1]
        if by.delay_warning_time and age >= by.delay_warning_time and not warns:
            warns.append(age)
        cooled = age + max(min(age, by.maximal_backoff_time), by.minimal_backoff_time)
        tries.append(_run_after(cooled, by.queue_run_delay))
    return Plan(tries=tuple(tries), warns=tuple(warns), gives_up=tries[-1])


def exim(by: Exim, *, null_sender: bool = False) -> Plan:
    """A queue runner tries what has passed its retry time, which the first rule that has not run out gives.

    Past the last cutoff the next queue run tries once more, whatever the retry time, and bounces.
    """
    tries = [0.0]
    warns: list[float] = []
    gap = 0.0
    end = by.rules[-1].cutoff
    while tries[-1] <= end:
        age = tries[-1]
        rule = next(rule for rule in by.rules if age <= rule.cutoff)
        growing = rule.letter == "G" and gap >= rule.interval
        gap = gap * rule.factor if growing else rule.interval
        due = _run_after(age + gap, by.queue_interval)
        timed_out = math.floor(end / by.queue_interval + 1) * by.queue_interval
        tries.append(min(due, timed_out) if due > end else due)
        warned = warns[-1] if warns else 0.0
        if not null_sender and age // by.delay_warning > warned // by.delay_warning:
            warns.append(age)
    return Plan(tries=tuple(tries), warns=tuple(warns), gives_up=tries[-1])


def exchange(by: Exchange, *, null_sender: bool = False, met: bool = True) -> Plan:
    """A deferred message waits by itself; a server that cannot be reached puts its whole queue into retry."""
    tries = [0.0]
    while True:
        made = len(tries)
        if met:
            gap = by.message_interval
        elif made <= by.glitch_count:
            gap = by.glitch_interval
        elif made <= by.glitch_count + by.transient_count:
            gap = by.transient_interval
        else:
            gap = by.connection_interval
        if tries[-1] + gap >= by.expiration:
            break
        tries.append(tries[-1] + gap)
    return Plan(tries=tuple(tries), warns=() if null_sender else (by.delay_notification,), gives_up=by.expiration)


def _run_after(moment: float, interval: float) -> float:
    """The first run of the queue at or after a moment."""
    return math.ceil(moment / interval) * interval


SITES: Final[Mapping[Name, Site]] = MappingProxyType(
    {
        "postfix": Site(
            name="Postfix",
            settings=(
                ("queue_run_delay", "300s"),
                ("minimal_backoff_time", "300s"),
                ("maximal_backoff_time", "4000s"),
                ("maximal_queue_lifetime", "5d"),
                ("bounce_queue_lifetime", "5d"),
                ("delay_warning_time", "0h"),
            ),
            sources=(
                "postconf(5): queue_run_delay, minimal_backoff_time, maximal_backoff_time, maximal_queue_lifetime",
                "qmgr(8): exponential backoff",
                "postconf(5): smtp_skip_5xx_greeting",
                "TUNING_README: tuning the frequency of deferred mail delivery attempts",
            ),
            notes=("By default Postfix warns nobody that a message is delayed (delay_warning_time = 0h).",),
            banner_note="A 5xx in place of the banner counts as temporary: Postfix tries the next mail exchanger, and "
            "later all of them again (smtp_skip_5xx_greeting = yes).",
        ),
        "exim": Site(
            name="Exim",
            settings=(
                ("retry", "* * F,2h,15m; G,16h,1h,1.5; F,4d,6h"),
                ("queue runner", "every 30m (Debian)"),
                ("delay_warning", "24h"),
            ),
            sources=(
                "The Exim specification §32.7 (retry parameters), §32.10 (long-term failures), delay_warning",
                "Debian, /etc/default/exim4: QUEUEINTERVAL='30m'",
            ),
            notes=(
                "Exim retries a server and not a message: other mail to the same host shifts these moments.",
                "No warning goes to mailing lists, bulk mail and what was generated automatically.",
            ),
        ),
        "exchange": Site(
            name="Exchange Server",
            settings=(
                ("QueueGlitchRetryCount × QueueGlitchRetryInterval", "4 × 1 min"),
                ("TransientFailureRetryCount × TransientFailureRetryInterval", "6 × 5 min"),
                ("OutboundConnectionFailureRetryInterval", "10 min"),
                ("MessageRetryInterval", "15 min"),
                ("DelayNotificationTimeout", "4 h"),
                ("MessageExpirationTimeout", "2 d"),
            ),
            sources=(
                "Microsoft Learn: Message retry, resubmit, and expiration intervals in Exchange Server",
                "Microsoft Learn: Set-TransportService",
            ),
            notes=(
                "Exchange Online keeps a message for 24 hours, or for 12 to 24 as its administrator sets it.",
                "An Edge server waits 10 min between transient retries, and 30 min after them.",
            ),
        ),
    }
)
