"""What a bounce says to a person: which recipient, which server said what, what that means, what to do."""

from __future__ import annotations

import datetime as dt
import re
import textwrap
from collections.abc import Sequence
from email.utils import format_datetime
from typing import Final

from deliverkit.delivery.header import fields, readable
from deliverkit.model.delivery import Delivered, Result, Stage
from deliverkit.model.display import escaped, shown
from deliverkit.replies import decode

Told = tuple[Result, str, float | None]
"""A result, the host that it came of ("" where none was reached), and when it was last tried."""

MAX_REPLY: Final = 2048
"""Octets of a reply that a notice repeats."""
_WIDTH: Final = 72
_MAX_HOST: Final = 255
_GIVEN_UP: Final = "Send it again, or ask the recipient in another way; what the server said helps its postmaster."

_AT: Final = {
    Stage.BANNER: "in its greeting",
    Stage.EHLO: "in answer to this host's name (EHLO)",
    Stage.STARTTLS: "when TLS was to begin (STARTTLS)",
    Stage.AUTH: "in answer to the login (AUTH)",
    Stage.MAIL: "in answer to the sender's address (MAIL)",
    Stage.RCPT: "in answer to the recipient's address (RCPT)",
    Stage.DATA: "when the message was to be sent (DATA)",
    Stage.EOD: "after the whole message had been sent",
}


def notice(host: str, head: bytes, results: Sequence[Told], arrived_at: float, will_retry_until: float | None) -> str:
    """The text of the notice; `head` is the header of the message. Lines end in LF."""
    lines = textwrap.wrap(
        f"This is deliverkit on {host}. As a mail server does, it tells you what became of your message:", _WIDTH
    )
    lines += [*_about(head), f"  Taken over: {date(arrived_at)}"]
    for result, server, _ in results:
        lines += ["", f"<{shown(result.address)}>", *_fate(result, word(server), will_retry_until)]
    return "\n".join(lines) + "\n"


def _about(head: bytes) -> list[str]:
    found = {field.name.lower(): field for field in reversed(fields(head)[0])}
    values = [(found[name].name, found[name].value) for name in ("subject", "message-id") if name in found]
    return [f"  {name}: {shown(readable(value), _WIDTH)}" for name, value in values]


def _fate(result: Result, server: str, will_retry_until: float | None) -> list[str]:
    """One recipient: what became of it, what the server said, what that means."""
    who = server or "The server"
    at = f", {_AT[result.stage]}" if result.reply and result.stage in _AT else ""
    match result.outcome:
        case Delivered.ACCEPTED:
            said = f"Handed over: {who} took the message, and answers for it from here on."
        case Delivered.REFUSED:
            said = f"Not delivered: {who} refused it for good{at}. It is not tried again."
        case Delivered.FAILED:
            said = f"Not delivered: it could not be handed over to {server or 'any server'}{at}. It is not tried again."
        case Delivered.UNKNOWN:
            said = (
                f"Perhaps delivered: the whole message was sent to {server or 'the server'}, which did not say whether "
                "it took it. It is not sent again, for it could arrive twice. Ask the recipient."
            )
        case Delivered.DEFERRED if will_retry_until is not None:
            said = (
                f"Delayed: {_not_yet(result, server, 'yet')}. It is tried again until {date(will_retry_until)}. "
                "You need not send it again."
            )
        case Delivered.DEFERRED:
            said = f"Not delivered: {_not_yet(result, server, 'for now')}. The time for trying is over."
    lines = _wrapped(said)
    if result.why:
        lines += _wrapped(f"Why: {shown(result.why)}")
    if result.reply:
        lines += ["  The server said:", *(f"    {line}" for line in reply_lines(result.reply))]
        if result.outcome is not Delivered.ACCEPTED:
            decoded = decode("\n".join(reply_lines(result.reply)), stage=str(result.stage), host=server or None)
            lines += _wrapped(f"That means: {escaped(decoded.meaning)}")
            over = result.outcome is Delivered.DEFERRED and will_retry_until is None
            # What helps a message that waits helps no more one that was given up.
            lines += _wrapped(f"What to do: {_GIVEN_UP if over else escaped(decoded.action)}")
    return lines


def _not_yet(result: Result, server: str, when: str) -> str:
    if result.reply:
        at = f", {_AT[result.stage]}" if result.stage in _AT else ""
        return f"{server or 'the server'} would not take it {when}{at}"
    return f"{server} did not take it" if server else "no server could be reached"


def reply_lines(reply: bytes) -> list[str]:
    """A reply line by line, safe to read."""
    text = reply[:MAX_REPLY].decode("utf-8", "backslashreplace")
    lines = [escaped(line) for line in re.split(r"\r\n|\r|\n", text) if line.strip()]
    return [*lines, f"… ({len(reply)} octets in all)"] if len(reply) > MAX_REPLY else lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def date(at: float) -> str:
    """Seconds since the epoch as a mail date, in UTC."""
    return format_datetime(dt.datetime.fromtimestamp(int(at), dt.UTC))


def word(name: str) -> str:
    """A host's name as one word of ASCII."""
    return re.sub(r"[^!-~]", "", name)[:_MAX_HOST]
