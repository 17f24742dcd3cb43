"""What a delivery shows while it happens: the conversation on stdout as part of the text, or how far it is on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable

from deliverkit.cli import terminal
from deliverkit.delivery.message import Message
from deliverkit.delivery.route import Route
from deliverkit.model import Attempt, Hop, shown
from deliverkit.records.duration import duration_words
from deliverkit.render.text.delivery_live import LiveText
from deliverkit.render.text.sheet import Look
from deliverkit.report.delivery_attempt import attempt_report
from deliverkit.runs.send import Waiting, Watcher
from deliverkit.runs.send_report import message_report, route_of
from deliverkit.smtp.driver import Event


class Spoken(Watcher):
    """Writes route, dialogue and waits as they come."""

    def __init__(self, look: Look, write: Callable[[str], None] = terminal.write) -> None:
        self._live = LiveText(look)
        self._write = write
        self._routes: tuple[Route, ...] | None = None
        self.anything = False
        """Whether a session was shown."""

    def begins(self, message: Message, sender: str, *, whole: bool = False) -> None:
        """What is carried. `whole`: all of it, in a dry run."""
        self._say(self._live.message(message_report(message, whole=whole), sender))

    def routed(self, routes: tuple[Route, ...]) -> None:
        """The way, unless it is as it was before."""
        if routes != self._routes:
            self._say(self._live.routed(tuple(route_of(route) for route in routes)))
        self._routes = routes

    def dialling(self, number: int, hop: Hop) -> None:
        """The head of a session."""
        self.anything = True
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

    def queued(self, queue_id: int) -> None:
        """Where the message is kept."""
        terminal.say(f"deliverkit: queued as {queue_id}")

    def waiting(self, waiting: Waiting) -> None:
        """When the next try comes."""
        whom = ", ".join(shown(address) for address in waiting.recipients)
        wait = duration_words(max(waiting.next_at - time.time(), 0))
        terminal.say(f"deliverkit: {whom}: deferred; next attempt in {wait}")
