"""Postfix's log lines: deliveries (`status=`), what it refused itself (`reject:`), and hosts that were left.

The reply stands in parentheses, after the host that gave it and before the command it answered.
"""

from __future__ import annotations

import re
from typing import Final

from deliverkit.replies.inputs.item import Item, Kind, Outcome
from deliverkit.replies.inputs.phase import stage_of_words
from deliverkit.replies.inputs.reply import in_lines, with_status

_STATUS: Final = re.compile(r"\bstatus=([a-z]{1,20}) \(")
_EXPIRED: Final = re.compile(r"\bstatus=(?:force-)?expired, returned to sender")
_TO: Final = re.compile(r"(?<![a-z_])to=<([^>]{0,320})>")
_RELAY: Final = re.compile(r"\brelay=([^\s,\[]{1,255})(?:\[([0-9A-Fa-f.:]{2,45})\])?")
_DSN: Final = re.compile(r"\bdsn=([245]\.\d{1,3}\.\d{1,3})", re.ASCII)
_QUEUE: Final = re.compile(r"(?:^|[ :])([0-9A-F]{6,20}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,24}): ")
_QUEUE_TO: Final = re.compile(r"(?:^|[ :])([0-9A-Za-z]{6,24}): to=<", re.ASCII)
_HOST: Final = re.compile(r"(?:host|server) ([^\s\[]{1,255})\[([0-9A-Fa-f.:]{2,45})\](?::\d{1,5})? ")
_SAID: Final = re.compile(r"(?:said|refused to talk to me): ")
_IN_REPLY: Final = re.compile(r" ?\(in reply to ([^()]{1,60}?)(?: command)?\)$")
_WHILE: Final = re.compile(r" while (?:sending|receiving|performing)(?: the)? ([^)]{1,60})")
_REJECT: Final = re.compile(
    r"(?:^|[ :])(NOQUEUE|[0-9A-Za-z]{6,24}): (?:milter-)?(reject|reject_warning|discard|hold): "
    r"([A-Z-]{3,20}(?: [a-z]{2,10})?) from ([^\s\[]{0,255})\[([0-9A-Fa-f.:]{2,45}|unknown)\](?::\d{1,5})?: "
)
_ENVELOPE: Final = re.compile(r"; from=<[^>]{0,320}>,? to=<([^>]{0,320})>")
_CONTENT: Final = re.compile(r"; (?:from=<|proto=|helo=<)")
_OUTCOMES: Final = {
    "sent": Outcome.DELIVERED,
    "deferred": Outcome.DEFERRED,
    "bounced": Outcome.BOUNCED,
    "expired": Outcome.BOUNCED,
    "undeliverable": Outcome.BOUNCED,
}
_LOOPBACK: Final = ("127.", "::1")


def read(rest: str, given: str, line: int, time: str | None) -> Item | None:
    """A line of Postfix's, without its time; None for any other and for one without a reply."""
    if "status=" in rest:
        match = _STATUS.search(rest)
        if match is not None:
            return _delivery(rest, match, given, line, time)
        expired = _EXPIRED.search(rest)
        if expired is not None:
            return _gave_up(rest, expired, given, line, time)
    if "reject" in rest:
        match = _REJECT.search(rest)
        if match is not None and match[2].startswith("reject"):
            return _refusal(rest, match, given, line, time)
    if "postfix" in rest[:80] and ("smtp[" in rest or "lmtp[" in rest):
        return _left(rest, given, line, time)
    return None


def _delivery(rest: str, match: re.Match[str], given: str, line: int, time: str | None) -> Item | None:
    before = rest[: match.start()]
    inner = rest[match.end() :].rstrip()
    inner = inner.removesuffix(")")
    relay = _RELAY.search(before)
    to = _TO.search(before)
    status = _DSN.search(before)
    queue = _QUEUE_TO.search(before)
    outcome = _OUTCOMES.get(match[1])
    peer = relay[2] if relay else None
    if outcome is Outcome.DELIVERED and peer and peer.startswith(_LOOPBACK):
        outcome = None  # handed to a filter here, which hands it back: the delivery is told by another line
    host, address, stage, text = said(inner)
    return Item(
        text=with_status(text, status[1] if status else None),
        given=given,
        line=line,
        kind=Kind.POSTFIX,
        stage=stage or ("eod" if match[1] == "sent" and text[:1] == "2" else None),
        host=host or (relay[1] if relay and relay[1] != "none" else None),
        peer=address or peer,
        recipient=to[1] if to else None,
        queue_id=queue[1] if queue else None,
        time=time,
        outcome=outcome,
    )


def _gave_up(rest: str, match: re.Match[str], given: str, line: int, time: str | None) -> Item:
    """What waited too long: the queue manager names neither recipient nor reply."""
    queue = _QUEUE.search(rest[: match.start()])
    return Item(
        text="5.4.7 expired, returned to sender",  # X.4.7: delivery time expired (RFC 3463 §3.5)
        given=given,
        line=line,
        kind=Kind.POSTFIX,
        queue_id=queue[1] if queue else None,
        time=time,
        outcome=Outcome.BOUNCED,
    )


def said(inner: str) -> tuple[str | None, str | None, str | None, str]:
    """Host, address, stage and reply of what Postfix tells: `host mx[192.0.2.1] said: 550 … (in reply to …)`."""
    host = _HOST.search(inner)
    quoted = _SAID.search(inner, host.end() if host else 0)
    names = (host[1], host[2]) if host else (None, None)
    if quoted is not None:
        text = inner[quoted.end() :]
        command = _IN_REPLY.search(text[-100:])
        if command is not None:
            text = text[: len(text) - (command.end() - command.start())]
        stage = stage_of_words(command[1]) if command else None
        if stage is None and quoted[0].startswith("refused"):
            stage = "banner"
        if stage is None and "SASL authentication failed" in inner[: quoted.start()]:
            stage = "auth"
        return *names, stage, in_lines(text.strip())
    during = _WHILE.search(inner)
    if during is not None:
        return *names, stage_of_words(during[1]), inner
    if "Name service error" in inner or "domain name not found" in inner:
        return None, None, "route", inner
    if "connect to " in inner:
        where = re.search(r"connect to ([^\s\[]{1,255})\[([0-9A-Fa-f.:]{2,45})\]", inner)
        return (where[1], where[2], "connect", inner) if where else (None, None, "connect", inner)
    return *names, None, inner


def _refusal(rest: str, match: re.Match[str], given: str, line: int, time: str | None) -> Item:
    text = rest[match.end() :]
    to = None
    envelope = _ENVELOPE.search(text)
    cut = _CONTENT.search(text)
    if envelope is not None:
        to = envelope[1]
    if cut is not None:
        text = text[: cut.start()]
    return Item(
        text=text.strip(),
        given=given,
        line=line,
        kind=Kind.POSTFIX,
        stage=stage_of_words(match[3]),
        peer=match[5],
        recipient=to,
        queue_id=None if match[1] == "NOQUEUE" else match[1],
        time=time,
        outcome=Outcome.REJECTED if match[2] == "reject" else None,
    )


def _left(rest: str, given: str, line: int, time: str | None) -> Item | None:
    """A host that was given up for the next: told while the message still waits."""
    _, _, message = rest.partition("]: ")
    queue = _QUEUE.match(message)
    words = message[queue.end() :] if queue else message
    told = ("host ", "connect to ", "lost connection with ", "conversation with ", "warning: SASL ", "SASL ")
    if not words.startswith(told):
        return None
    host, address, stage, text = said(words)
    return Item(
        text=text,
        given=given,
        line=line,
        kind=Kind.POSTFIX,
        stage=stage,
        host=host,
        peer=address,
        queue_id=queue[1] if queue else None,
        time=time,
    )
