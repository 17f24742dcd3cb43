"""Exim's main log and reject log.

`**` gave up, `==` waits, `=>` `->` `*>` delivered; `rejected` is what Exim refused itself, mostly without the code,
which is then Exim's default.
"""

from __future__ import annotations

import re
from typing import Final

from deliverkit.replies.inputs.item import Item, Kind, Outcome
from deliverkit.replies.inputs.phase import stage_of_words
from deliverkit.replies.inputs.reply import LINE, begins, in_lines

_FLAG: Final = re.compile(
    r"(?:\[\d{1,10}\] )?(?:exim\S{0,20}: )?(?:([0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}) )"
    r"(\*\*|==|=>|->|\*>) (\S{1,320})(?: <([^>]{0,320})>)?",
    re.ASCII,
)
_BARE: Final = re.compile(r"()(\*\*|==) ([^\s@]{1,64}@\S{1,255})(?: <([^>]{0,320})>)?")
"""The same cut out of its line: the id is missing."""
_HOST: Final = re.compile(r"\b(?:H=|host )([^\s(\[]{1,255})?(?: ?\([^)]{0,255}\))? ?\[([0-9A-Fa-f.:]{2,45})\]")
_AFTER: Final = re.compile(
    r"(?:SMTP|LMTP) (?:error from remote (?:mail server|mailer)|timeout) after "
    r"([^:]{1,40}(?:: ?<[^>]{0,320}>)?[^:]{0,40}): ?"
    r"(?:host [^\s]{1,255} \[[0-9A-Fa-f.:]{2,45}\]: ?)?",
    re.IGNORECASE,
)
_CONFIRMED: Final = re.compile(r' C="((?:[^"\\]|\\.){1,2000})')
_DEFER: Final = re.compile(r" defer \((-?\d{1,5})\)(?: H=\S+ \[[0-9A-Fa-f.:]+\])?:? ?")
_SETTINGS: Final = re.compile(
    r"(?: [A-Za-z]{1,8}=(?:\"[^\"]{0,2000}\"|\S{1,400})(?: \([^)]{0,255}\))?(?: \[[^\]]{0,60}\])?)*:? ?"
)
_REJECTED: Final = re.compile(
    r"\b(temporarily )?rejected (RCPT|MAIL|EHLO or HELO|EHLO|HELO|DATA|AUTH|STARTTLS|VRFY|after DATA|connection|"
    r"during \S{1,20}|by \S{1,40})(?: from)?(?: <([^>]{0,320})>)?[^:]{0,320}?: "
)
_CLIENT: Final = re.compile(r"\[([0-9A-Fa-f.:]{2,45})\]")
_OUTCOMES: Final = {"**": Outcome.BOUNCED, "==": Outcome.DEFERRED}


def read(rest: str, given: str, line: int, time: str | None) -> Item | None:
    """A line of Exim's, without its time; None for any other and for one without a reply."""
    flag = _FLAG.match(rest) or _BARE.match(rest)
    if flag is not None:
        return _delivery(rest, flag, given, line, time)
    if "rejected " in rest and ("H=" in rest or "[" in rest):
        return _refusal(rest, given, line, time)
    return None


def _delivery(rest: str, flag: re.Match[str], given: str, line: int, time: str | None) -> Item:
    told = rest[flag.end() :]
    host = _HOST.search(told)
    stage: str | None
    if flag[2] in _OUTCOMES:
        outcome = _OUTCOMES[flag[2]]
        stage, text = _failure(told)
        if not begins(text):
            # No server spoke: Exim's own words, with the class that its flag has.
            text = f"{'5' if outcome is Outcome.BOUNCED else '4'}.0.0 {text}"
    else:
        outcome = Outcome.DELIVERED
        confirmed = _CONFIRMED.search(told)
        stage, text = ("eod", _unquoted(confirmed[1])) if confirmed else (None, "2.0.0 delivered")
    return Item(
        text=text,
        given=given,
        line=line,
        kind=Kind.EXIM,
        stage=stage,
        host=host[1] if host else None,
        peer=host[2] if host else None,
        recipient=flag[4] or flag[3].rstrip(":"),
        queue_id=flag[1] or None,
        time=time,
        outcome=outcome,
    )


def _failure(told: str) -> tuple[str | None, str]:
    after = _AFTER.search(told)
    if after is not None:
        text = told[after.end() :].strip()
        return stage_of_words(after[1]), in_lines(text) or told[after.start() :].strip()
    defer = _DEFER.search(told)
    text = told[defer.end() :] if defer is not None else told[_end(told) :]
    text = text.strip() or told.strip()
    lower = text.lower()
    if "connection timed out" in lower or "connection refused" in lower or "no route" in lower:
        return "connect", text
    if "unrouteable" in lower or "lookup" in lower or "all relevant mx" in lower or "host lookup" in lower:
        return "route", text
    return None, text


def _end(told: str) -> int:
    settings = _SETTINGS.match(told)
    return settings.end() if settings is not None else 0


def _unquoted(text: str) -> str:
    return text.replace('\\"', '"').replace("\\\\", "\\")


def _refusal(rest: str, given: str, line: int, time: str | None) -> Item | None:
    match = _REJECTED.search(rest)
    if match is None:
        return None
    text = rest[match.end() :].strip()
    if LINE.match(text) is None:
        text = f"{'451' if match[1] else '550'} {text}"
    client = _CLIENT.search(rest[: match.start()])
    words = match[2]
    return Item(
        text=text,
        given=given,
        line=line,
        kind=Kind.EXIM,
        stage="eod" if words == "after DATA" else stage_of_words(words),
        peer=client[1] if client else None,
        recipient=match[3] if words == "RCPT" else None,
        time=time,
        outcome=Outcome.REJECTED,
    )
