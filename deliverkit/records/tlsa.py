"""TLSA records (RFC 6698), as SMTP uses them (RFC 7672), and what they match."""

from __future__ import annotations

import msgspec


class Tlsa(msgspec.Struct, frozen=True, kw_only=True):
    """One TLSA record: certificate usage, selector, matching type, association data."""

    usage: int
    selector: int
    matching: int
    data: bytes

    @property
    def usable(self) -> bool:
        """Whether SMTP clients use it: DANE-TA or DANE-EE, known selector and matching type (RFC 7672 §3.1)."""
        return self.usage in (2, 3) and self.selector in (0, 1) and self.matching in (0, 1, 2)


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """What a chain came to against a set of records."""

    outcome: str
    """`match`, `mismatch`, or `unusable` where no record can be used."""
    record: Tlsa | None = None
    """The record that matched."""
    why: str = ""


def match(records: tuple[Tlsa, ...], chain: tuple[bytes, ...], names: tuple[str, ...], now: float) -> Match:
    """What a chain (DER, leaf first) comes to; `names` are what DANE-TA looks for in the leaf (RFC 7672 §3.2.2)."""
    raise NotImplementedError
