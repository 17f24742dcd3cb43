"""Which stage of a session a command, or a mail server's words for it, belongs to (RFC 5321 §3)."""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = (
    ("eod", ("end of data", "end-of-message", "message body", "end-of-data", "bdat", "eom")),
    ("banner", ("greeting", "initial connection", "banner", "refused to talk to me")),
    ("rcpt", ("rcpt",)),
    ("mail", ("mail from", "mail")),
    ("starttls", ("starttls", "tls")),
    ("ehlo", ("ehlo", "helo", "lhlo")),
    ("auth", ("auth",)),
    ("data", ("data",)),
    ("quit", ("quit",)),
    ("connect", ("connect",)),
)
_COMMAND: Final = re.compile(
    r"(EHLO|HELO|LHLO|STARTTLS|AUTH|MAIL(?= FROM)|RCPT(?= TO)|DATA|BDAT|QUIT|RSET|NOOP|VRFY|EXPN|HELP|\.)(?=[ \t]|$)",
    re.IGNORECASE,
)
_STAGE: Final = {
    "EHLO": "ehlo", "HELO": "ehlo", "LHLO": "ehlo", "STARTTLS": "starttls", "AUTH": "auth", "MAIL": "mail",
    "RCPT": "rcpt", "DATA": "data", "BDAT": "eod", ".": "eod", "QUIT": "quit",
}  # fmt: skip
OTHER: Final = ""
"""A command that belongs to no stage: RSET, NOOP, VRFY."""


def stage_of_words(words: str) -> str | None:
    """The stage that a log names: `end of DATA` is `eod`, `RCPT TO:<…>` is `rcpt`."""
    words = words[:80].lower()
    return next((stage for stage, known in _WORDS if any(word in words for word in known)), None)


def stage_of_command(line: str) -> str | None:
    """The stage of a command a client sends; `OTHER` for one without a stage, None for what is no command."""
    match = _COMMAND.match(line)
    return _STAGE.get(match[1].upper(), OTHER) if match else None
