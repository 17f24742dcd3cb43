"""A delivery while it happens: each piece as text, ready to be written at once."""

from __future__ import annotations

import datetime as dt

from deliverkit.model import shown
from deliverkit.records.duration import duration_words
from deliverkit.render.text.delivery import write_message
from deliverkit.render.text.delivery_dialog import Dialogue, write_body, write_dialling, write_route
from deliverkit.render.text.sheet import Look, Sheet
from deliverkit.report.delivery import MessageReport, RouteReport
from deliverkit.smtp.reply import decoded


class LiveText:
    """Each method gives what is to be written now; "" for nothing. `body`: the message, where all of it is shown."""

    def __init__(self, look: Look, body: bytes = b"") -> None:
        self._look = look
        self._body = body
        self._dialogue = Dialogue(look, None)

    def routed(self, routes: tuple[RouteReport, ...], message: MessageReport, sender: str) -> str:
        """The way, and what is carried."""
        sheet = Sheet(self._look)
        for route in routes:
            write_route(sheet, route)
        write_message(sheet, message, sender)
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
        if direction == "client" and stage == "body" and self._body:
            write_body(sheet, self._body, tls=tls)
            return sheet.render()
        words = decoded(text).replace("\r\n", "\n").removesuffix("\n")
        self._dialogue.write(sheet, at_ms, direction, words, tls=tls, stage=stage)
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

    def ended(self) -> str:
        """What parts the dialogue from the verdict."""
        return "\n"


def _clock(seconds: float) -> str:
    """Local time of day."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).astimezone().strftime("%H:%M:%S")
