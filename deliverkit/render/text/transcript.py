"""A conversation as swaks writes it, which mail people read at sight.

`===` what happened, ` ->` what we said, `<- ` what the server said, `**` in place of `- ` where it refused; `~` in
place of `-` inside TLS, `~*` for a refusal there. Times at the right, since the connection was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from deliverkit.model import clipped
from deliverkit.model.display import RECORDED
from deliverkit.render.text.sheet import Sheet
from deliverkit.report.smtp import EndpointReport, TranscriptReport

_MOST_LINES: Final = 100
"""Lines of one reply that are shown."""


def write_transcript(sheet: Sheet, endpoint: EndpointReport, *, indent: int = 2) -> None:
    """The whole conversation with one endpoint."""
    at = (
        f"{endpoint.address}:{endpoint.port}"
        if ":" not in endpoint.address
        else f"[{endpoint.address}]:{endpoint.port}"
    )
    sheet.line(("=== ", "dim"), (f"Trying {at}", "dim"), indent=indent)
    if endpoint.state == "open":
        connected = endpoint.timings_ms.get("connect")
        sheet.ends(
            (("=== Connected", "dim"),), ((since(connected), "dim"),) if connected is not None else (), indent=indent
        )
    else:
        sheet.line(
            (f"*** {endpoint.state}: {clipped(endpoint.why or 'why is not known', RECORDED)}", "magenta"), indent=indent
        )
    last = ""
    held = 0
    for place, line in enumerate(endpoint.transcript):
        held = held + 1 if line.direction == "server" and place and _same(endpoint.transcript, place) else 0
        if held > _MOST_LINES:
            if held == _MOST_LINES + 1:
                sheet.line((f"… (+{_left(endpoint.transcript, place)} lines)", "dim"), indent=indent + 4)
            continue
        time = "" if since(line.at_ms) == last else since(line.at_ms)
        last = since(line.at_ms)
        for piece in line.text.split("\n"):
            sign, style = mark(line.direction, piece, tls=line.tls)
            sheet.ends(((f"{sign} ", style), (piece, style)), ((time, "dim"),) if time else (), indent=indent)
            time = ""


def _same(lines: Sequence[TranscriptReport], place: int) -> bool:
    """Whether a line belongs to the reply of the one before it."""
    before, line = lines[place - 1], lines[place]
    return before.direction == "server" and before.at_ms == line.at_ms


def _left(lines: Sequence[TranscriptReport], place: int) -> int:
    number = 1
    while place + number < len(lines) and lines[place + number].direction == "server" and _same(lines, place + number):
        number += 1
    return number


def mark(direction: str, piece: str, *, tls: bool) -> tuple[str, str]:
    """The three signs before a line, and its style."""
    if direction == "note":
        return "===", "dim"
    if direction == "client":
        return (" ~>" if tls else " ->"), ""
    if piece[:1] in ("4", "5") and piece[:3].isdigit():
        return ("<~*" if tls else "<**"), "red"
    return ("<~ " if tls else "<- "), ""


def since(milliseconds: float) -> str:
    """How long after the connection was asked for."""
    return f"+{milliseconds / 1000:.3f} s"
