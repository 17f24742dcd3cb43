"""What zone text means: names, wildcards, aliases, faults (RFC 1034 §4.3.2, RFC 4592).

Beside ordinary master-file lines a text may hold a fault in the place of data:

    broken.example.   SERVFAIL          ; every type at and below this name
    _dmarc.example.   TXT TIMEOUT       ; this type at this name
    AD                                  ; every answer comes as validated
    unsigned.example. INSECURE          ; but none at and below this name, whose zone is not signed

An RRSIG record over the records asked for comes along with them: its dates and its key. A BOGUS answer shows the
records it hides as `unchecked`.

Words for oddities leave the data as it is and mark the answer: NOEDNS (EDNS refused), TCPONLY (silent over UDP).
A TTL with the top bit set is taken for 0 and marked (RFC 2181 §8).
"""

from __future__ import annotations

import re
from typing import Final

import dns.rdata
import dns.rdatatype
import dns.rdtypes.rrsigbase
import msgspec

from deliverkit.dns.port import name_error, normal_name
from deliverkit.dns.wire import rdata_of
from deliverkit.dns.zonetext import read_zone
from deliverkit.model import Host, Lookup, LookupOutcome, Note, Rdata, Signature

FAULTS: Final = ("SERVFAIL", "REFUSED", "TIMEOUT", "BOGUS", "MALFORMED", "TRUNCATED")
_FAULT_LINE: Final = re.compile(
    rf"^(?P<name>\S+)(?:\s+\d+)?(?:\s+IN)?(?:\s+(?P<rdtype>[A-Z][A-Z0-9]*))?\s+(?P<fault>{'|'.join(FAULTS)})\s*(?:;.*)?$"
)
ODDITIES: Final = {"NOEDNS": Note.EDNS_REFUSED, "TCPONLY": Note.TCP_ONLY}
_ODD_LINE: Final = re.compile(
    rf"^(?P<name>\S+)(?:\s+(?P<rdtype>[A-Z][A-Z0-9]*))?\s+(?P<oddity>{'|'.join(ODDITIES)})\s*(?:;.*)?$"
)
_INSECURE_LINE: Final = re.compile(r"^(?P<name>\S+)\s+INSECURE\s*(?:;.*)?$")
_TTL_MAX: Final = 2**31 - 1
_ORIGIN_LINE: Final = re.compile(r"^\$ORIGIN\s+(?P<origin>\S+)", re.IGNORECASE)
CHAIN: Final = 16
"""CNAMEs followed."""
_GLUE: Final = frozenset({"A", "AAAA"})
_AT_CUT: Final = frozenset({"NS", "DS", "RRSIG", "NSEC"})


class Beyond(msgspec.Struct, frozen=True):
    """The answer lies outside: CNAMEs led through `aliases` to `owner`, which is another's to answer."""

    owner: str
    aliases: tuple[str, ...]


class Zones:
    """Records and faults by name, of one zone or many."""

    def __init__(self) -> None:
        self.apexes: dict[str, str] = {}
        """Where each zone begins, and the source it came from."""
        self._data: dict[str, dict[str, tuple[int, tuple[Rdata, ...]]]] = {}
        self._names: set[str] = set()
        self._faults: dict[tuple[str, str], str] = {}
        self._oddities: dict[tuple[str, str], Note] = {}
        self._authenticated: set[str] = set()
        self._insecure: set[str] = set()
        self._signatures: dict[tuple[str, str], list[Signature]] = {}
        self._cuts: dict[str, bool] = {}

    def read(self, text: str, *, origin: str = ".", source: str = "zone", apex: str | None = None) -> None:
        """Adds a text. Its zones begin at `apex`, else at its SOA records, else where the names say.

        `origin` is what relative names stand under. Raises `ZoneError`.
        """
        lines: list[str] = []
        origins: list[str] = []
        current = origin
        owners: dict[str, None] = {}
        for line in text.splitlines():
            if self._security(line, current, source):
                lines.append("")
            elif match := _FAULT_LINE.match(line):
                name = _absolute(match["name"], current)
                self._faults[name, match["rdtype"] or "ANY"] = match["fault"]
                owners[name] = None
                self._exists(name.partition(".")[2])  # whatever it holds, the names above it are there
                lines.append("")
            elif match := _ODD_LINE.match(line):
                self._oddities[_absolute(match["name"], current), match["rdtype"] or "ANY"] = ODDITIES[match["oddity"]]
                lines.append("")
            else:
                if match := _ORIGIN_LINE.match(line):
                    current = _absolute(match["origin"], current) + "."
                    origins.append(normal_name(current))
                lines.append(line)
        starts: list[str] = []
        for owner, ttl, rdata in read_zone("\n".join(lines) + "\n", origin=origin, filename=source):
            self._add(owner, ttl, rdata)
            owners[owner] = None
            if rdata.rdtype == dns.rdatatype.SOA:
                starts.append(owner)
        if apex is None:
            starts = _starts(starts, origins, list(owners), normal_name(origin))
        for start in [apex] if apex is not None else starts:
            self.apexes[start] = source
            self._exists(start)

    def _security(self, line: str, origin: str, source: str) -> bool:
        """Takes a line that says what comes as validated; False where it is another."""
        if line.strip() == "AD":
            self._authenticated.add(source)
            return True
        if match := _INSECURE_LINE.match(line):
            self._insecure.add(_absolute(match["name"], origin))
            return True
        return False

    def _add(self, name: str, ttl: int, rdata: dns.rdata.Rdata) -> None:
        rdtype = dns.rdatatype.to_text(rdata.rdtype)
        if isinstance(rdata, dns.rdtypes.rrsigbase.RRSIGBase):
            covered = dns.rdatatype.to_text(rdata.type_covered)
            self._signatures.setdefault((name, covered), []).append(_signature(rdata))
        held = self._data.setdefault(name, {})
        before = held.get(rdtype)
        value = rdata_of(rdata)
        if before is None:
            held[rdtype] = (ttl, (value,))
        elif value not in before[1]:
            # RFC 2181 §5: a set holds no record twice.
            held[rdtype] = (before[0], (*before[1], value))
        self._exists(name)

    def _exists(self, name: str) -> None:
        """The name and the empty ones above it (RFC 4592 §2.2.2)."""
        while name not in self._names:
            self._names.add(name)
            if not name:
                break
            name = name.partition(".")[2]

    def apex_of(self, name: str) -> str | None:
        """The zone a name belongs to; None: to no zone here, or to one delegated away."""
        at: str | None = name
        while at is not None:
            if at in self.apexes:
                return at
            # In a text that begins at the root NS records are data: it is an internet in a file.
            if "" not in self.apexes and self._cut(at):
                return None
            at = at.partition(".")[2] if at else None
        return None

    def _cut(self, name: str) -> bool:
        """Whether this is a delegation: NS records, and nothing at or below it but what leads on."""
        held = self._data.get(name)
        if held is None or "NS" not in held:
            return False
        known = self._cuts.get(name)
        if known is None:
            servers = {record.name for record in held["NS"][1] if isinstance(record, Host)}
            known = all(
                not (types := set(below) - _AT_CUT) or (types <= _GLUE and owner in servers)
                for owner, below in self._data.items()
                if owner == name or owner.endswith(f".{name}")
            )
            self._cuts[name] = known
        return known

    def resolve(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup | Beyond:
        """The outcome of a question; `server` is named in it in place of the zone's source."""
        problem = name_error(name)
        if problem:
            return Lookup(name=name, rdtype=rdtype, outcome=LookupOutcome.INVALID, why=f"{name} {problem}")
        owner = name
        aliases: list[str] = []
        while True:
            apex = self.apex_of(owner)
            if apex is None and not (rdtype == "DS" and self._at(owner, "DS")):
                return Beyond(owner, tuple(aliases))
            source = self.apexes.get(apex or "", "")
            base = Lookup(
                name=name,
                rdtype=rdtype,
                outcome=LookupOutcome.UNKNOWN,
                server=server or source,
                aliases=tuple(aliases),
            )
            if fault := self._fault(owner, rdtype):
                held = self._at(owner, rdtype)
                return _faulty(base, fault, held[1] if held else (), self._signed(owner, rdtype))
            validated = source in self._authenticated and not self._below_insecure(owner, rdtype)
            if held := self._at(owner, rdtype):
                return msgspec.structs.replace(
                    base,
                    outcome=LookupOutcome.FOUND,
                    ttl=held[0] if held[0] <= _TTL_MAX else 0,
                    records=held[1],
                    authenticated=validated,
                    rcode="NOERROR",
                    signatures=self._signed(owner, rdtype),
                    notes=self._notes(owner, rdtype, held[0]),
                )
            alias = self._at(owner, "CNAME")
            if alias is None or not isinstance(alias[1][0], Host):
                return self._absent(base, owner, validated=validated)
            owner = alias[1][0].name
            if owner in aliases or owner == name or len(aliases) >= CHAIN:
                why = f"a CNAME loop, or a chain of more than {CHAIN}, from {base.server} for {name or '.'} {rdtype}"
                return msgspec.structs.replace(base, why=why, notes=(Note.CNAME_LOOP,))
            aliases.append(owner)

    def _signed(self, owner: str, rdtype: str) -> tuple[Signature, ...]:
        return tuple(self._signatures.get((owner, rdtype), ())) if self._signatures else ()

    def _below_insecure(self, owner: str, rdtype: str) -> bool:
        """Whether the name stands in a zone that is not signed; the parent tells so, securely, when asked for DS."""
        if rdtype == "DS" and owner in self._insecure:
            owner = owner.partition(".")[2]
        return bool(self._insecure) and any(owner == name or owner.endswith(f".{name}") for name in self._insecure)

    def _notes(self, owner: str, rdtype: str, ttl: int) -> tuple[Note, ...]:
        odd = self._oddities.get((owner, rdtype)) or self._oddities.get((owner, "ANY"))
        return (*((odd,) if odd else ()), *((Note.TTL_INVALID,) if ttl > _TTL_MAX else ()))

    def _absent(self, base: Lookup, owner: str, *, validated: bool) -> Lookup:
        exists = owner in self._names or self._wildcard(owner) is not None
        what = "no such record (NODATA)" if exists else "no such name (NXDOMAIN)"
        return msgspec.structs.replace(
            base,
            outcome=LookupOutcome.NODATA if exists else LookupOutcome.NXDOMAIN,
            authenticated=validated,
            rcode="NOERROR" if exists else "NXDOMAIN",
            why=f"{what} from {base.server} for {base.name or '.'} {base.rdtype}",
        )

    def _at(self, name: str, rdtype: str) -> tuple[int, tuple[Rdata, ...]] | None:
        if name not in self._names:
            wildcard = self._wildcard(name)
            if wildcard is None:
                return None
            name = wildcard
        return self._data.get(name, {}).get(rdtype)

    def _wildcard(self, name: str) -> str | None:
        """The wildcard that covers a name which does not exist (RFC 4592 §3.3.1: at the closest encloser)."""
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


def _under(name: str, apexes: list[str]) -> bool:
    return any(name == apex or not apex or name.endswith(f".{apex}") for apex in apexes)


def _starts(starts: list[str], origins: list[str], owners: list[str], origin: str) -> list[str]:
    """Where the zones of a text begin: its SOA records, else its $ORIGINs and its own, else its outermost names."""
    if "" in starts:
        return starts
    for candidate in (*origins, origin):
        outside = [owner for owner in owners if not _under(owner, starts)]
        if candidate and not _under(candidate, starts) and any(_under(owner, [candidate]) for owner in outside):
            starts.append(candidate)
    for owner in sorted(owners, key=lambda owner: owner.count(".")):
        if not _under(owner, starts):
            starts.append(owner)
    return starts


def _signature(rdata: dns.rdtypes.rrsigbase.RRSIGBase) -> Signature:
    return Signature(
        algorithm=int(rdata.algorithm),
        key_tag=rdata.key_tag,
        signer=normal_name(rdata.signer.to_text()),
        inception=rdata.inception,
        expiration=rdata.expiration,
    )


def _faulty(base: Lookup, fault: str, hidden: tuple[Rdata, ...], signatures: tuple[Signature, ...]) -> Lookup:
    asked = f"from {base.server} for {base.name or '.'} {base.rdtype}"
    words = {
        "TIMEOUT": f"no answer {asked} (asked 3 times)",
        "MALFORMED": f"a malformed answer {asked}",
        "TRUNCATED": f"a truncated answer {asked}, and TCP failed: connection refused",
        "BOGUS": f"SERVFAIL {asked}: DNSSEC validation failed there (6 DNSSEC Bogus)",
    }
    return msgspec.structs.replace(
        base,
        rcode=fault if fault in {"SERVFAIL", "REFUSED"} else "SERVFAIL" if fault == "BOGUS" else "",
        why=words.get(fault, f"{fault} {asked}"),
        extended=("6 DNSSEC Bogus",) if fault == "BOGUS" else (),
        unchecked=hidden if fault == "BOGUS" else (),
        signatures=signatures if fault == "BOGUS" else (),
        notes={"MALFORMED": (Note.MALFORMED,), "BOGUS": (Note.BOGUS,)}.get(fault, ()),
    )
