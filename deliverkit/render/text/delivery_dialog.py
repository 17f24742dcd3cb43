"""A delivery's conversation, as it happens or as it was: swaks's signs, and under each refusal what it means.

-> what we said, <-  what the server said, <** where it refused; ~ in place of - inside TLS; === what happened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from deliverkit.model import clipped, shown
from deliverkit.model.display import RECORDED
from deliverkit.records.names import unicode_name
from deliverkit.render.text.sheet import Look, Sheet
from deliverkit.render.text.transcript import mark, since
from deliverkit.render.text.words import WHO
from deliverkit.replies import Decoded
from deliverkit.report.delivery import RouteReport
from deliverkit.report.delivery_attempt import AttemptReport, explained

_LEAD: Final = 10
_HANG: Final = 4
_MOST_LINES: Final = 100
"""Lines of one reply, or of a message, that are shown."""
_LAST: Final = re.compile(r"[0-9]{3}(?: |$)")
_MOST_HOPS: Final = 5
_BODY: Final = "body"
UNEXPLAINED: Final = frozenset({"quit", "rset"})
"""Stages whose replies decide nothing."""


def write_route(sheet: Sheet, route: RouteReport) -> None:
    """`route     example.net → mx1.example.net [192.0.2.25]:25   MTA-STS none · DANE none`."""
    readable = unicode_name(route.domain)
    name = shown(route.domain if readable == route.domain else f"{readable} ({route.domain})")
    lead = ("route".ljust(_LEAD), "bold")
    if not route.hops:
        sheet.prose(f"{name} ✗ {shown(route.why or 'there is no way there', RECORDED)}", lead=lead, hang=_LEAD)
    else:
        hosts = [f"{shown(hop.host)} {place(hop.address, hop.port)}" for hop in route.hops[:_MOST_HOPS]]
        start = hosts[0] if route.via in ("server", "literal") else f"{name} → {hosts[0]}"
        policies = " · ".join(_policies(route))
        if policies and sheet.cells((start, policies)) + _LEAD + 3 <= sheet.look.width:
            sheet.line(lead, start, "   ", (policies, "dim"))
        else:
            sheet.line(lead, start)
            if policies:
                sheet.prose(policies, indent=_LEAD, style="dim")
        for host in hosts[1:]:
            sheet.line((f"else {host}", "dim"), indent=_LEAD)
        if len(route.hops) > _MOST_HOPS:
            sheet.line((f"… and {len(route.hops) - _MOST_HOPS} more", "dim"), indent=_LEAD)
    for note in route.notes:
        sheet.prose(shown(note, RECORDED), lead="! ", indent=_LEAD, hang=_LEAD + 2, style="dim")


def _policies(route: RouteReport) -> Iterator[str]:
    if route.via == "implicit-mx":
        yield "no MX: the domain's own address"
    for name, said in (("MTA-STS", route.mta_sts), ("DANE", route.dane)):
        if said is not None:
            yield f"{name} {shown(said, RECORDED)}"
    demand = next((hop.demand for hop in route.hops if hop.demand), None)
    if demand is not None and not any(demand.startswith(name) for name in ("MTA-STS", "DANE")):
        yield shown(demand)


def place(address: str, port: int) -> str:
    """`[192.0.2.25]:25`."""
    return f"[{shown(address)}]:{port}"


def in_short(reply: Decoded) -> str:
    """`temporary · greylisting · nobody has to act`."""
    who = WHO.get(reply.who, reply.who)
    acts = who if reply.who == "nobody" else f"{who} acts"
    parts = [reply.class_, reply.category, acts]
    if reply.provider_name or reply.provider:
        parts.insert(2, f"at {reply.provider_name or reply.provider}")
    return " · ".join(shown(part) for part in parts)


def write_meaning(sheet: Sheet, reply: Decoded) -> None:
    """Under a refusal: its class, category and who acts, and what it means."""
    sheet.line((in_short(reply), "bold"), indent=_HANG)
    first, stop, _ = reply.meaning.partition(". ")
    sheet.prose(shown(first + stop.rstrip(), RECORDED), indent=_HANG, style="dim")


class Dialogue:
    """Takes the lines of one session in order and writes each; a refusal is explained when it is whole."""

    def __init__(self, look: Look, host: str | None) -> None:
        self._look = look
        self._host = host
        self._last = ""
        self._heard: list[bytes] = []
        self._lines = 0

    def write(self, sheet: Sheet, at_ms: float, direction: str, text: str, *, tls: bool, stage: str) -> None:
        """A line, or several of one reply; of a message each line only where everything is shown."""
        if direction == "note":
            text = _noted(stage, text)
        elif direction == "client" and stage == "body" and not self._look.verbose:
            if self._last == _BODY:
                return
            text = "(the message)"
        for piece in text.split("\n"):
            if direction != "server":
                self._heard.clear()
                self._lines = 0
            elif self._over(sheet, piece):
                continue
            body = direction == "client" and stage == "body"
            time = "" if body and self._last == _BODY else since(at_ms)
            sign, style = mark(direction, piece, tls=tls)
            right = ((time, "dim"),) if time and time != self._last else ()
            sheet.ends(((f"{sign} ", style), (clipped(piece, RECORDED), style)), right)
            self._last = _BODY if body else time
            if direction == "server":
                self._hear(sheet, piece, stage)

    def _over(self, sheet: Sheet, piece: str) -> bool:
        """Whether a reply has more lines than are shown: its last one is always."""
        self._lines += 1
        if self._lines <= _MOST_LINES or _LAST.match(piece):
            return False
        if self._lines == _MOST_LINES + 1:
            sheet.line(("…", "dim"), indent=_HANG)
        return True

    def _hear(self, sheet: Sheet, piece: str, stage: str | None) -> None:
        self._heard.append(piece.encode("utf-8", "backslashreplace"))
        if not _LAST.match(piece):
            return
        reply = b"\n".join(self._heard)
        self._heard.clear()
        self._lines = 0
        if piece[:1] not in ("4", "5") or stage in UNEXPLAINED:
            return
        meant = explained(reply, stage or "", self._host)
        if meant is not None:
            write_meaning(sheet, meant)


def _noted(stage: str, text: str) -> str:
    """A note in words that stand by themselves."""
    if stage == "connect":
        return "Connected" if text.lower().startswith("connected") else text
    if stage == "stopped":
        return f"Stopped after {text.upper()}, as asked"
    return f"TLS: {text}" if stage == "tls" and text.startswith(("TLSv", "SSLv")) else text


def write_dialling(sheet: Sheet, number: int, host: str, address: str, port: int) -> None:
    """The head of a session."""
    named = host if host != address else ""
    attempt = f"attempt {number}"
    sheet.ends(((f"=== Trying {shown(named)} {place(address, port)}".replace("  ", " "), "dim"),), ((attempt, "dim"),))


def write_attempt(sheet: Sheet, attempt: AttemptReport) -> None:
    """A whole session, after it was held."""
    write_dialling(sheet, attempt.number, attempt.host, attempt.address, attempt.port)
    dialogue = Dialogue(sheet.look, attempt.host)
    for line in attempt.transcript:
        dialogue.write(sheet, line.at_ms, line.direction, line.text, tls=line.tls, stage=line.stage)
    write_after(sheet, attempt)


def write_after(sheet: Sheet, attempt: AttemptReport) -> None:
    """What the lines of a session do not show."""
    tls = attempt.tls
    if tls is not None and tls.error is None and not (tls.trusted and tls.name_matches):
        why = tls.trust_error or ("no certificate came" if tls.certificate is None else "it bears other names")
        held = "" if tls.demand == "none" else f"; held to it by {tls.demand}"
        sheet.prose(f"the certificate is not verified: {shown(why)}{held}", lead="=== ", hang=_HANG, style="dim")
    for note in attempt.notes:
        sheet.prose(shown(note, RECORDED), lead="=== ", hang=_HANG, style="dim")
