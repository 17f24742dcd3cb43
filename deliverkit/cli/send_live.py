"""What a delivery shows while it happens: the conversation on stdout as part of the text, or waits on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable

from deliverkit.cli import terminal
from deliverkit.model import Attempt, Hop, shown
from deliverkit.records.duration import duration_words
from deliverkit.render.text.delivery_live import LiveText
from deliverkit.render.text.sheet import Look
from deliverkit.report.delivery import MessageReport, RouteReport
from deliverkit.report.delivery_attempt import attempt_report
from deliverkit.runs.send import Waiting, Watcher
from deliverkit.smtp.driver import Event


class Spoken(Watcher):
    """Writes route, message, dialogue and waits as they come."""

    def __init__(self, look: Look, write: Callable[[str], None] = terminal.write) -> None:
        self._live = LiveText(look)
        self._write = write
        self._routes: tuple[RouteReport, ...] | None = None

    def begins(self, message: MessageReport, sender: str) -> None:
        """What is carried."""
        self._say(self._live.message(message, sender))

    def routed(self, routes: tuple[RouteReport, ...]) -> None:
        """The way, unless it is as it was before."""
        if routes != self._routes:
            self._say(self._live.routed(routes))
        self._routes = routes

    def dialling(self, number: int, hop: Hop) -> None:
        """The head of a session."""
        self._say(self._live.dialling(number, hop.host, hop.address, hop.port))

    def said(self, event: Event) -> None:
        """A line."""
        self._say(self._live.said(event.at_ms, event.direction, event.text, tls=event.tls, stage=event.stage))

    def attempted(self, attempt: Attempt) -> None:
        """What its lines did not show."""
        self._say(self._live.attempted(attempt_report(attempt)))

    def waiting(self, waiting: Waiting) -> None:
        """When the next try comes."""
        queue_id = str(waiting.queue_id) if waiting.queue_id is not None else None
        self._say(self._live.waiting(waiting.next_at, waiting.give_up_at, time.time(), queue_id))

    def _say(self, text: str) -> None:
        if text:
            self._write(text)


class Told(Watcher):
    """For formats that are written at the end: the waits on stderr, for whoever watches."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def queued(self, queue_id: int) -> None:
        """Where the message is kept."""
        self._say(f"queued as {queue_id}")

    def waiting(self, waiting: Waiting) -> None:
        """When the next try comes."""
        whom = ", ".join(shown(address) for address in waiting.recipients)
        wait = duration_words(max(waiting.next_at - time.time(), 0))
        self._say(f"{whom}: deferred; next attempt in {wait}")

    def _say(self, text: str) -> None:
        if not self._quiet:
            terminal.say(f"deliverkit: {text}")
