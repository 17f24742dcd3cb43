"""Zone text to records, by dnspython's master-file reader (RFC 1035 §5).

The reader is fed into a collector of ours, since a zone object refuses what a diagnostic tool has to
see (a CNAME beside other data) and scans all names for each record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, cast

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer
import dns.zonefile

if TYPE_CHECKING:
    from dns.transaction import Transaction


MAX_GENERATED: Final = 65_536
_GENERATE: Final = re.compile(r"\s*\$GENERATE\s+(?P<start>\d+)-(?P<stop>\d+)(?:/(?P<step>\d{1,9}))?", re.IGNORECASE)


class ZoneError(ValueError):
    """Text that is not a master file; the message names the line."""


class _Tokenizer(dns.tokenizer.Tokenizer):
    """Knows on which line its last token began; dnspython's count is a line ahead at the end of one."""

    began = 1

    def get(self, want_leading: bool = False, want_comment: bool = False) -> dns.tokenizer.Token:
        if self.ungotten_token is None:
            self.began = self.line_number - (self.ungotten_char == "\n")
        return super().get(want_leading, want_comment)


class _Collector:
    """The part of a transaction that the reader uses."""

    def __init__(self, origin: dns.name.Name) -> None:
        self.manager = self
        self.origin = origin
        self.records: list[tuple[dns.name.Name, int, dns.rdata.Rdata]] = []

    def origin_information(self) -> tuple[dns.name.Name, bool, dns.name.Name]:
        return (self.origin, False, self.origin)

    def add(self, name: dns.name.Name, ttl: int, rdata: dns.rdata.Rdata) -> None:
        self.records.append((name, ttl, rdata))

    def check_put_rdataset(self, check: Any) -> None:
        """Nothing is checked: what is wrong in a zone is for the rules to say."""

    def _set_origin(self, origin: dns.name.Name) -> None:
        """A new $ORIGIN; the reader keeps it itself."""


def _bound_generate(text: str, filename: str) -> None:
    """Refuses a `$GENERATE` that would make more records than any zone written by hand."""
    for number, line in enumerate(text.splitlines(), 1):
        match = _GENERATE.match(line)
        if (
            match
            and (int(match["stop"][:18]) - int(match["start"][:18])) // (int(match["step"] or 1) or 1) > MAX_GENERATED
        ):
            raise ZoneError(f"{filename}:{number}: a $GENERATE of more than {MAX_GENERATED} records")


def read_zone(
    text: str, *, origin: str = ".", filename: str = "zone", default_ttl: int = 3600, include: bool = False
) -> Iterator[tuple[str, int, dns.rdata.Rdata]]:
    """Each record as (owner, TTL in seconds, rdata), in the order written; duplicates kept.

    `origin` is what relative names stand under until a `$ORIGIN`; `include` allows `$INCLUDE`. Raises `ZoneError`.
    """
    _bound_generate(text, filename)
    directives: Any = True if include else {"$ORIGIN", "$TTL", "$GENERATE"}
    collector = _Collector(dns.name.root)
    tokenizer = _Tokenizer(text, filename)
    try:
        reader = dns.zonefile.Reader(
            tokenizer,
            dns.rdataclass.IN,
            cast("Transaction", collector),
            allow_directives=directives,
            default_ttl=default_ttl,
        )
        # Not by the transaction: the reader drops what lies outside the origin that it names.
        reader.current_origin = dns.name.from_text(origin)
        reader.last_name = reader.current_origin
        reader.read()
    except (dns.exception.DNSException, ValueError, OSError, RecursionError) as error:
        words = str(error).removeprefix(f"{filename}:{tokenizer.line_number}: ")
        raise ZoneError(f"{filename}:{tokenizer.began}: {words}") from error
    for name, ttl, rdata in collector.records:
        yield name.to_text(omit_final_dot=True).lower().removeprefix(".") if len(name) > 1 else "", ttl, rdata
