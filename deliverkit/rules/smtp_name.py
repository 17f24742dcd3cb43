"""The name a server gives itself, in its banner and in its answer to EHLO."""

from __future__ import annotations

import re
from typing import Final

from deliverkit.records.names import is_address
from deliverkit.smtp.reply import Reply

_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?", re.ASCII | re.IGNORECASE)
_LITERAL: Final = re.compile(r"\[(?:IPv6:[0-9A-Fa-f:.]{2,45}|[0-9.]{7,15})\]", re.ASCII)
_LONGEST: Final = 254


def first_word(reply: Reply) -> str:
    """Where the name stands (RFC 5321 §4.2, §4.1.1.1); "" where there is no text."""
    return (reply.first.split() or [""])[0]


def stands_as_name(word: str) -> bool:
    """Whether a word is a fully qualified domain name, or an address literal (RFC 5321 §4.1.3)."""
    if len(word) > _LONGEST:
        return False
    if _LITERAL.fullmatch(word):
        return True
    labels = word.removesuffix(".").split(".")
    return len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels) and not is_address(word)


def internal(name: str) -> bool:
    """Whether a name means nothing outside its own network (RFC 6762, RFC 6761, ICANN's `.internal`)."""
    return name.lower().removesuffix(".").endswith((".localdomain", ".local", ".lan", ".internal", ".localhost"))
