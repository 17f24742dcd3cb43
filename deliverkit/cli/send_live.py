"""What a delivery shows while it happens: the conversation on stdout as part of the text, or waits on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from deliverkit.cli import terminal
from deliverkit.cli.errors import UsageError
from deliverkit.cli.targets import reason
from deliverkit.evidence.saved import write_private
from deliverkit.model import Attempt, Hop, Session, escaped, shown
from deliverkit.records.duration import duration_words
from deliverkit.render.text.delivery_live import LiveText
from deliverkit.render.text.sheet import Look
from deliverkit.report.delivery import MessageReport, RouteReport
from deliverkit.report.delivery_attempt import attempt_report
from deliverkit.runs.send import Waiting, Watcher
from deliverkit.smtp.driver import Event


class Kept(Watcher):
    """Keeps every session, for `--save`."""

    def __init__(self) -> None:
        self._sessions: list[Session] = []

    def attempted(self, attempt: Attempt) -> None:
        """A session is over."""
        self._sessions.append(attempt.session)

    def save(self, path: Path) -> None:
        """Writes the sessions to a file of mode 0600, one after the other. Raises `UsageError`."""
        from deliverkit.smtp import script  # noqa: PLC0415 - loaded where a conversation is kept

        text = "\n".join(script.write(session) for session in self._sessions)
        try:
            write_private(path, text.encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise UsageError(f"{escaped(str(path))}: {reason(error)}") from error


class Spoken(Kept):
    """Writes route, message, dialogue and waits as they come."""

    def __init__(self, look: Look, write: Callable[[str], None] = terminal.write) -> None:
        super().__init__()
        self._live = LiveText(look)
        self._write = write
        self._routes: tuple[RouteReport, ...] | None = None
        self._message = ""

    def carries(self, message: MessageReport, sender: str) -> None:
        """What is carried; shown once, below the way."""
        self._message = self._live.message(message, sender)

    def routed(self, routes: tuple[RouteReport, ...]) -> None:
        """The way, unless it is as it was before."""
        if routes != self._routes:
            self._say(self._live.routed(routes) + self._message)
        self._routes = routes
        self._message = ""

    def dialling(self, number: int, hop: Hop) -> None:
        """The head of a session."""
        self._say(self._live.dialling(number, hop.host, hop.address, hop.port))

    def said(self, event: Event) -> None:
        """A line."""
        self._say(self._live.said(event.at_ms, event.direction, event.text, tls=event.tls, stage=event.stage))

    def attempted(self, attempt: Attempt) -> None:
        """What its lines did not show."""
        super().attempted(attempt)
        self._say(self._live.attempted(attempt_report(attempt)))

    def waiting(self, waiting: Waiting) -> None:
        """When the next try comes."""
        queue_id = str(waiting.queue_id) if waiting.queue_id is not None else None
        self._say(self._live.waiting(waiting.next_at, waiting.give_up_at, time.time(), queue_id))

    def _say(self, text: str) -> None:
        if text:
            self._write(text)


class Told(Kept):
    """For formats that are written at the end: the waits on stderr, for whoever watches."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__()
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
