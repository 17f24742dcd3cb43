"""Sendmail's log lines: `stat=` of a delivery, `reject=` of what it refused itself."""

from __future__ import annotations

import re
from typing import Final

from deliverkit.replies.inputs.item import Item, Kind, Outcome
from deliverkit.replies.inputs.reply import with_status

_QUEUE: Final = re.compile(r"(?:^|[ :])([0-9A-Za-z]{8,20}): (?=to=|ruleset=|Milter|from=|<)", re.ASCII)
_TO: Final = re.compile(r"(?<![a-z_])to=<?([^>,\s]{1,320})")
_RELAY: Final = re.compile(r"\brelay=([^\s,\[]{1,255})?(?: ?\[([0-9A-Fa-f.:]{2,45}|IPv6:[0-9A-Fa-f.:]{2,45})\])?")
_DSN: Final = re.compile(r"\bdsn=([245]\.\d{1,3}\.\d{1,3})", re.ASCII)
_REPLY: Final = re.compile(r", reply=([2-5]\d\d[ -].*?)(?=, [a-z]+=|\Z)", re.ASCII)
_STAT: Final = re.compile(r"(?:\A|, )stat=(.*)\Z")
_REJECT: Final = re.compile(r"\breject=([2-5]\d\d[ -].*)\Z", re.ASCII)
_RULESET: Final = re.compile(r"\bruleset=check_([a-z]{2,10})")
_RCPT: Final = re.compile(r"\b(?:arg1|to)=<?([^>,\s]{1,320})")
_SENT: Final = re.compile(r"Sent \((.*)\)\Z")
_STAGES: Final = {"rcpt": "rcpt", "mail": "mail", "relay": "banner", "eoh": "eod", "data": "data", "vrfy": None}


def read(rest: str, given: str, line: int, time: str | None) -> Item | None:
    """A line of Sendmail's, without its time; None for any other and for one without a reply."""
    if "stat=" in rest:
        stat = _STAT.search(rest)
        if stat is not None:
            return _delivery(rest, stat, given, line, time)
    if "reject=" in rest:
        reject = _REJECT.search(rest)
        if reject is not None:
            return _refusal(rest, reject, given, line, time)
    return None


def _delivery(rest: str, stat: re.Match[str], given: str, line: int, time: str | None) -> Item:
    before = rest[: stat.start()]
    text = stat[1].strip()
    status = _DSN.search(before)
    relay = _RELAY.search(before)
    to = _TO.search(before)
    queue = _QUEUE.search(before)
    reply = _REPLY.search(rest)
    outcome = _outcome(text, status[1] if status else "")
    sent = _SENT.match(text)
    stage = None
    if sent is not None:
        text, stage = sent[1], "eod"
    text = text.removeprefix("Deferred: ")
    if reply is not None:
        text = reply[1]
    if "onnection timed out" in text or "onnection refused" in text:
        stage = "connect"
    elif "Name server" in text or "Host unknown" in text:
        stage = "route"
    return Item(
        text=with_status(text, status[1] if status else None),
        given=given,
        line=line,
        kind=Kind.SENDMAIL,
        stage=stage,
        host=relay[1].rstrip(".") if relay and relay[1] else None,
        peer=relay[2].removeprefix("IPv6:") if relay and relay[2] else None,
        recipient=to[1] if to else None,
        queue_id=queue[1] if queue else None,
        time=time,
        outcome=outcome,
    )


def _outcome(stat: str, status: str) -> Outcome | None:
    if stat.startswith("Sent"):
        return Outcome.DELIVERED
    if stat.startswith(("Deferred", "queued")) or status.startswith("4"):
        return Outcome.DEFERRED
    return Outcome.BOUNCED if status.startswith("5") else None


def _refusal(rest: str, reject: re.Match[str], given: str, line: int, time: str | None) -> Item:
    before = rest[: reject.start()]
    ruleset = _RULESET.search(before)
    relay = _RELAY.search(before)
    to = _RCPT.search(before)
    queue = _QUEUE.search(before)
    stage = _STAGES.get(ruleset[1]) if ruleset else ("rcpt" if "to=" in before else None)
    return Item(
        text=reject[1].strip(),
        given=given,
        line=line,
        kind=Kind.SENDMAIL,
        stage=stage,
        peer=relay[2].removeprefix("IPv6:") if relay and relay[2] else None,
        recipient=to[1] if to and stage == "rcpt" else None,
        queue_id=queue[1] if queue else None,
        time=time,
        outcome=Outcome.REJECTED,
    )
