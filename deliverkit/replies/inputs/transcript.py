"""A transcript's lines: who speaks, and which command a reply answers.

swaks, curl, telnet, smtplib, PHPMailer and our own marks are known. Commands may be sent in a pipeline (RFC 2920):
each waits for its reply in turn.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Final

from deliverkit.replies.inputs.phase import OTHER, stage_of_command

_SERVER: Final = re.compile(
    r"\s{0,8}(?:<[-~][ *]|<\*\*|<~\*|<--|<<<|S:|server:|SERVER -> CLIENT:|<=|<(?= ?[2-5]\d\d[ -])|"
    r"In:(?= ?[2-5]\d\d))\s{0,4}",
    re.IGNORECASE,
)
_CLIENT: Final = re.compile(
    r"\s{0,8}(?:-->|[-~*]>|>>>|C:|client:|CLIENT -> SERVER:|=>|>(?= ?[A-Za-z.]))\s{0,4}", re.IGNORECASE
)
_SEND: Final = re.compile(r"send: (b?['\"])")
_REPLY: Final = re.compile(r"reply: b?(['\"])([2-5]\d\d.{0,4000})\1\Z", re.ASCII)
_OPENED: Final = re.compile(r"(?:=== |\* )?(?:Connected to|Escape character is|Trying )|(?:=== )Connect", re.IGNORECASE)
_NOTE: Final = re.compile(r"\*\*\* (?=\S)|\* (?=connect|Failed|Recv|Send)")
_TYPED: Final = re.compile(
    r"(?:EHLO|HELO|LHLO) \S+|MAIL FROM:.*|RCPT TO:.*|DATA|QUIT|STARTTLS|RSET|NOOP|AUTH [A-Z0-9-]{3,20}(?: \S+)?|"
    r"(?:VRFY|EXPN) \S+|\.",
    re.IGNORECASE,
)
_WAITING: Final = 128
"""Commands without a reply that are remembered."""


class Session:
    """Where in a session a transcript is."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque(maxlen=_WAITING)
        self._opened = False
        self._body = False
        self._heard = False

    def opened(self) -> None:
        """A connection began."""
        self._waiting.clear()
        self._opened, self._body, self._heard = True, False, False

    @property
    def live(self) -> bool:
        """Whether anything was read that tells of a session: else nothing is known of the stage."""
        return self._opened or self._heard

    @property
    def body(self) -> bool:
        """Whether what the client says is the message."""
        return self._body

    def command(self, line: str) -> bool:
        """Takes what the client says; whether it is a command."""
        if self._body and line.strip() != ".":
            return True
        self._body = False
        stage = stage_of_command(line)
        if stage is None:
            return False
        self._heard = True
        if stage != "eod" or line[:1] != ".":
            self._waiting.append(stage)
        return True

    def replied(self, code: str) -> str | None:
        """The stage that this reply answers."""
        if code == "220" and not self._waiting:
            self.opened()
            self._opened = False
            return "banner"
        if self._opened and not self._heard and not self._waiting:
            self._opened = False
            return "banner"
        stage = self._waiting.popleft() if self._waiting else None
        if code == "354":
            self._waiting.appendleft("eod")
            self._body = True
            return stage or "data"
        if code == "334":
            self._waiting.appendleft("auth")
            return "auth"
        self._body = False
        return None if stage == OTHER else stage


def server(line: str) -> str | None:
    """What the server says on this line; None where the line does not mark it as the server's."""
    match = _SERVER.match(line)
    if match is not None:
        return line[match.end() :]
    match = _REPLY.match(line)
    if match is not None:
        return match[2].removesuffix("\\n").removesuffix("\\r")
    return None


def client(line: str) -> str | None:
    """What the client says on this line; None where the line does not mark it as the client's."""
    match = _CLIENT.match(line) or _SEND.match(line)
    return line[match.end() :].removesuffix("\\r\\n'").removesuffix('\\r\\n"') if match is not None else None


def typed(line: str) -> bool:
    """Whether a line without a mark is a command, as one types it into telnet."""
    return _TYPED.fullmatch(line[:600].strip()) is not None


def opens(line: str) -> bool:
    """Whether the line tells that a connection is being made."""
    return _OPENED.match(line) is not None


def note(line: str) -> str | None:
    """What swaks or curl tells of a connection that failed."""
    match = _NOTE.match(line)
    return line[match.end() :] if match is not None else None
