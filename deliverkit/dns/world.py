"""A `.world`: zone text with words for faults, held in memory and asked as a port.

Beside ordinary master-file lines (RFC 1035 §5) a line may hold a fault in the place of data:

    broken.example.   SERVFAIL          ; every type at and below this name
    _dmarc.example.   TXT TIMEOUT       ; this type at this name
    AD                                  ; every answer comes as validated

Faults: SERVFAIL REFUSED TIMEOUT BOGUS MALFORMED TRUNCATED. What is not in the world is NXDOMAIN.
`$ORIGIN` defaults to the root, the TTL to 3600.
"""

from __future__ import annotations

import re
from typing import Final

import dns.rdata
import dns.rdatatype

from deliverkit.dns.port import name_error, normal_name
from deliverkit.dns.wire import rdata_of
from deliverkit.dns.zonetext import ZoneError, read_zone
from deliverkit.model import Lookup, LookupOutcome, Note, Rdata

FAULTS: Final = ("SERVFAIL", "REFUSED", "TIMEOUT", "BOGUS", "MALFORMED", "TRUNCATED")
_FAULT_LINE: Final = re.compile(
    rf"^(?P<name>\S+)(?:\s+\d+)?(?:\s+IN)?(?:\s+(?P<rdtype>[A-Z][A-Z0-9]*))?\s+(?P<fault>{'|'.join(FAULTS)})\s*(?:;.*)?$"
)
_ORIGIN_LINE: Final = re.compile(r"^\$ORIGIN\s+(?P<origin>\S+)")
_CHAIN = 16
SERVER: Final = "192.0.2.53"
"""The address a world's answers are said to come from (RFC 5737)."""


class WorldError(ValueError):
    """The text is not a world."""


class World:
    """Zone text and faults in memory. A `Port`."""

    def __init__(self, text: str) -> None:
        self._data: dict[tuple[str, str], tuple[int, tuple[Rdata, ...]]] = {}
        self._names: set[str] = set()
        self._faults: dict[tuple[str, str], str] = {}
        self._authenticated = False
        self.asked: list[tuple[str, str]] = []
        """Each question asked, in order: tests count them."""
        self._read(text)

    def _read(self, text: str) -> None:
        origin = "."
        lines: list[str] = []
        for line in text.splitlines():
            if line.strip() == "AD":
                self._authenticated = True
                continue
            if match := _ORIGIN_LINE.match(line):
                origin = match["origin"]
            if match := _FAULT_LINE.match(line):
                name = _absolute(match["name"], origin)
                self._faults[name, match["rdtype"] or "ANY"] = match["fault"]
                continue
            lines.append(line)
        try:
            for owner, ttl, rdata in read_zone("\n".join(lines) + "\n", filename="world"):
                self._add(normal_name(owner), ttl, rdata)
        except ZoneError as error:
            raise WorldError(str(error)) from error

    def _add(self, name: str, ttl: int, rdata: dns.rdata.Rdata) -> None:
        rdtype = dns.rdatatype.to_text(rdata.rdtype)
        _, before = self._data.get((name, rdtype), (ttl, ()))
        self._data[name, rdtype] = (ttl, (*before, rdata_of(rdata)))
        while name and name not in self._names:
            self._names.add(name)
            name = name.partition(".")[2]

    async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
        """The world's answer; `server` is only named in it."""
        name = normal_name(name)
        server = server or SERVER
        self.asked.append((name, rdtype))
        asked = f"for {name or '.'} {rdtype}"
        if problem := name_error(name):
            return Lookup(
                name=name, rdtype=rdtype, outcome=LookupOutcome.INVALID, why=f"{name} {problem}", server=server
            )
        owner = name
        aliases: list[str] = []
        while True:
            if fault := self._fault(owner, rdtype):
                return _faulty(name, rdtype, fault, server)
            held = self._at(owner, rdtype)
            if held is not None:
                ttl, records = held
                return Lookup(
                    name=name,
                    rdtype=rdtype,
                    outcome=LookupOutcome.FOUND,
                    records=records,
                    aliases=tuple(aliases),
                    ttl=ttl,
                    authenticated=self._authenticated,
                    server=server,
                    rcode="NOERROR",
                )
            alias = self._at(owner, "CNAME")
            if alias is None or rdtype == "CNAME":
                break
            owner = alias[1][0].name  # type: ignore[union-attr]
            if owner in aliases or owner == name or len(aliases) >= _CHAIN:
                return Lookup(
                    name=name,
                    rdtype=rdtype,
                    outcome=LookupOutcome.UNKNOWN,
                    aliases=tuple(aliases),
                    server=server,
                    why=f"a CNAME loop, or a chain of more than {_CHAIN}, from {server} {asked}",
                    notes=(Note.CNAME_LOOP,),
                )
            aliases.append(owner)
        exists = owner in self._names or self._wildcard(owner) is not None
        return Lookup(
            name=name,
            rdtype=rdtype,
            outcome=LookupOutcome.NODATA if exists else LookupOutcome.NXDOMAIN,
            aliases=tuple(aliases),
            authenticated=self._authenticated,
            server=server,
            rcode="NOERROR" if exists else "NXDOMAIN",
            why=f"{'no such record (NODATA)' if exists else 'no such name (NXDOMAIN)'} from {server} {asked}",
        )

    def _at(self, name: str, rdtype: str) -> tuple[int, tuple[Rdata, ...]] | None:
        if name in self._names:
            return self._data.get((name, rdtype))
        wildcard = self._wildcard(name)
        return self._data.get((wildcard, rdtype)) if wildcard else None

    def _wildcard(self, name: str) -> str | None:
        """The wildcard that covers a name which does not exist (RFC 4592: at the closest encloser)."""
        while name:
            name = name.partition(".")[2]
            if name in self._names or not name:
                wildcard = f"*.{name}" if name else "*"
                return wildcard if wildcard in self._names else None
        return None

    def _fault(self, name: str, rdtype: str) -> str | None:
        if fault := self._faults.get((name, rdtype)):
            return fault
        while name:
            if fault := self._faults.get((name, "ANY")):
                return fault
            name = name.partition(".")[2]
        return None


def _absolute(name: str, origin: str) -> str:
    if name.endswith("."):
        return normal_name(name)
    return normal_name(origin if name == "@" else f"{name}.{origin}")


def _faulty(name: str, rdtype: str, fault: str, server: str) -> Lookup:
    asked = f"from {server} for {name or '.'} {rdtype}"
    words = {
        "TIMEOUT": f"no answer {asked} (asked 3 times)",
        "MALFORMED": f"a malformed answer {asked}",
        "TRUNCATED": f"a truncated answer {asked}, and TCP failed: connection refused",
        "BOGUS": f"SERVFAIL {asked}: DNSSEC validation failed there (6 DNSSEC Bogus)",
    }
    return Lookup(
        name=name,
        rdtype=rdtype,
        outcome=LookupOutcome.UNKNOWN,
        server=server,
        rcode=fault if fault in {"SERVFAIL", "REFUSED"} else "SERVFAIL" if fault == "BOGUS" else "",
        why=words.get(fault, f"{fault} {asked}"),
        extended=("6 DNSSEC Bogus",) if fault == "BOGUS" else (),
        notes={"MALFORMED": (Note.MALFORMED,), "BOGUS": (Note.BOGUS,)}.get(fault, ()),
    )
