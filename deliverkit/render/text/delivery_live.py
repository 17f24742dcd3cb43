"""A delivery while it happens: each piece as text, ready to be written at once."""

from __future__ import annotations

import datetime as dt

from deliverkit.model import shown
from deliverkit.records.duration import duration_words
from deliverkit.render.text.delivery import write_message
from deliverkit.render.text.delivery_dialog import Dialogue, write_after, write_dialling, write_route
from deliverkit.render.text.sheet import Look, Sheet
from deliverkit.report.delivery import MessageReport, RouteReport
from deliverkit.report.delivery_attempt import AttemptReport
from deliverkit.smtp.reply import decoded


class LiveText:
    """Each method gives what is to be written now; "" for nothing."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._dialogue = Dialogue(look, None)

    def headed(self, number: int) -> str:
        """Before what is told of one delivery among several."""
        sheet = Sheet(self._look)
        sheet.line((f"── message {number} ", "bold cyan"))
        return "\n" + sheet.render()

    def message(self, message: MessageReport, sender: str) -> str:
        """What is carried."""
        sheet = Sheet(self._look)
        write_message(sheet, message, sender)
        return sheet.render()

    def routed(self, routes: tuple[RouteReport, ...]) -> str:
        """The way."""
        sheet = Sheet(self._look)
        for route in routes:
            write_route(sheet, route)
        return sheet.render()

    def dialling(self, number: int, host: str, address: str, port: int) -> str:
        """The head of a session."""
        self._dialogue = Dialogue(self._look, host)
        sheet = Sheet(self._look)
        write_dialling(sheet, number, host, address, port)
        return "\n" + sheet.render()

    def said(self, at_ms: float, direction: str, text: bytes, *, tls: bool, stage: str) -> str:
        """A line that was said or heard."""
        sheet = Sheet(self._look)
        words = decoded(text).replace("\r\n", "\n").removesuffix("\n")
        self._dialogue.write(sheet, at_ms, direction, words, tls=tls, stage=stage)
        return sheet.render()

    def attempted(self, attempt: AttemptReport) -> str:
        """What the lines of a session did not show."""
        sheet = Sheet(self._look)
        write_after(sheet, attempt)
        return sheet.render()

    def waiting(self, next_at: float, give_up_at: float, now: float, queue_id: str | None) -> str:
        """Between two tries: when the next one comes, in local time."""
        sheet = Sheet(self._look)
        hint = f"; Ctrl-C leaves it queued as {shown(queue_id)}" if queue_id is not None else ""
        when = f"in {duration_words(max(next_at - now, 0))}, at {_clock(next_at)}"
        sheet.prose(
            f"next attempt {when} (until {_clock(give_up_at)}{hint})",
            lead=("◷ ", "bold yellow"),
            hang=2,
        )
        return "\n" + sheet.render()


def _clock(seconds: float) -> str:
    """Local time of day."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).astimezone().strftime("%H:%M:%S")
