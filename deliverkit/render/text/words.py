"""The words and symbols of the text output: a symbol and a word, never colour alone."""

from __future__ import annotations

from typing import Final

SEVERITY: Final = {
    "error": ("✗ error", "bold red"),
    "warning": ("! warning", "bold yellow"),
    "notice": ("· notice", "bold cyan"),
}
VERDICT: Final = {
    "pass": ("✓ pass", "bold green"),
    "fail": ("✗ fail", "bold red"),
    "inconclusive": ("? inconclusive", "bold magenta"),
}
UNCLEAR: Final = ("? not determined", "bold magenta")
WHO: Final = {
    "dns-admin": "DNS administrator",
    "mail-admin": "mail administrator",
    "hoster": "hosting provider",
    "sender": "sender",
    "recipient": "recipient",
    "recipient-admin": "recipient's administrator",
    "provider": "mail provider",
    "nobody": "nobody has to act",
}
ROLE: Final = {
    "parked": "parked: sends and takes no mail",
    "no-mail": "takes no mail",
    "nonexistent": "does not exist",
}


def count(number: int, word: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def seconds(milliseconds: float) -> str:
    """A duration for people."""
    if milliseconds < 100:  # noqa: PLR2004 - under a tenth of a second milliseconds say more
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.1f} s"
