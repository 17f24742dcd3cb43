"""`--trace`: one line for each query that really went out."""

from __future__ import annotations

from collections.abc import Callable

from deliverkit.model import shown

Sink = Callable[[str], None]


def trace_line(name: str, rdtype: str, server: str, over: str, milliseconds: float, outcome: str) -> str:
    """`example.com TXT @127.0.0.1 udp 12.3 ms NOERROR 2 answers`, safe to print."""
    words = (shown(name) or ".", rdtype, f"@{server}", over, f"{milliseconds:.1f} ms", shown(outcome))
    return " ".join(word for word in words if word)
