"""From where the DNS was seen."""

from __future__ import annotations

import msgspec


class Vantage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The resolvers of a run, and what is known of them."""

    resolvers: tuple[str, ...] = ()
    """`127.0.0.1#5353`, a URL, or `authoritative`, in the order of preference; empty with --offline."""
    public: bool = False
    """Whether the first resolver is a well-known public one."""
    validating: bool | None = None
    """True once an answer came as validated; None: not known."""
    ipv4: bool = True
    ipv6: bool = True
