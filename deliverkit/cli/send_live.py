"""What a delivery shows while it happens: the conversation on stdout as part of the text, or waits on stderr."""

from __future__ import annotations

import time
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
    """Keeps every session for `--save`, and the number under which the message waits."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.number: int | None = None
        """Of the queued message, while it is not at its end."""
        self.deaf: OSError | None = None
        """Why nobody hears any more: a pipe that was closed must not break off a delivery under way."""

    def carries(self, message: MessageReport, sender: str) -> None:
        """What is sent."""

    def attempted(self, attempt: Attempt) -> None:
        """A session is over."""
        self.sessions.append(attempt.session)

    def queued(self, queue_id: int) -> None:
        """The message stands in the queue."""
        self.number = queue_id


class Spoken(Kept):
    """Writes route, message, dialogue and waits as they come; of many deliveries at a time each session whole."""

    def __init__(self, look: Look, number: int | None = None) -> None:
        super().__init__()
        self._look = look
        self._live = LiveText(look)
        self._routes: tuple[RouteReport, ...] | None = None
        self._message = ""
        self._many = number
        self._held: list[str] = []

    def carries(self, message: MessageReport, sender: str) -> None:
        """What is sent; shown once, below the way."""
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
        self._say(self._live.attempted(attempt_report(attempt)), whole=True)

    def waiting(self, waiting: Waiting) -> None:
        """When the next try comes."""
        self.number = waiting.queue_id
        name = str(waiting.queue_id) if waiting.queue_id is not None else None
        self._say(self._live.waiting(waiting.next_at, waiting.give_up_at, time.time(), name), whole=True)

    def _say(self, text: str, *, whole: bool = False) -> None:
        if self._many is None:
            self._write(text)
            return
        self._held.append(text)
        if whole and any(self._held):
            self._write(self._live.headed(self._many) + "".join(self._held))
            self._held.clear()

    def _write(self, text: str) -> None:
        if not text or self.deaf is not None:
            return
        try:
            terminal.write(text)
        except OSError as error:
            self.deaf = error


class Told(Kept):
    """For formats that are written at the end: the waits on stderr, for whoever watches."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__()
        self._quiet = quiet

    def waiting(self, waiting: Waiting) -> None:
        """When the next try comes."""
        self.number = waiting.queue_id
        if not self._quiet:
            whom = ", ".join(shown(address) for address in waiting.recipients)
            wait = duration_words(max(waiting.next_at - time.time(), 0))
            terminal.say(f"deliverkit: {whom}: deferred; next attempt in {wait}")


class Voices:
    """The watchers of a command. `look` None: nothing is shown while it happens."""

    def __init__(self, look: Look | None, *, quiet: bool) -> None:
        self._look = look
        self._quiet = quiet
        self._all: list[Kept] = []
        self.aloud = look is not None
        """Whether route and dialogue are shown as they come."""

    def alone(self, _number: int) -> Kept:
        """Of the only delivery."""
        return self._made(None)

    def one_of_many(self, number: int) -> Kept:
        """Of one delivery among others."""
        return self._made(number)

    def _made(self, number: int | None) -> Kept:
        made = Spoken(self._look, number) if self._look is not None else Told(quiet=self._quiet)
        self._all.append(made)
        return made

    def heard(self) -> None:
        """Raises OSError where nobody heard the end."""
        for voice in self._all:
            if voice.deaf is not None:
                raise voice.deaf

    def interrupted(self) -> None:
        """Says how to go on with what waits."""
        for voice in self._all:
            if voice.number is not None:
                terminal.say(f"deliverkit: still queued: deliverkit send --resume {voice.number} goes on with it")

    def save(self, path: Path) -> None:
        """Writes the sessions to a file of mode 0600, one after the other. Raises `UsageError`."""
        from deliverkit.smtp import script  # noqa: PLC0415 - loaded where a conversation is kept

        text = script.write(session for voice in self._all for session in voice.sessions)
        try:
            write_private(path, text.encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise UsageError(f"{escaped(str(path))}: {reason(error)}") from error
