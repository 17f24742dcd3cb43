"""Zone files in front of the live DNS: what they hold is answered from them, absence included.

A name belongs to the deepest zone loaded that encloses it. Names outside, and names delegated away
inside, are asked of the port behind. With `partial` a file is known to hold only some of its zone's
records: what is absent from it is asked behind as well.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from deliverkit.dns.port import Port, normal_name
from deliverkit.dns.zone import CHAIN, Zones
from deliverkit.dns.zonetext import ZoneError
from deliverkit.model import Lookup, LookupOutcome, Note

MAX_ZONE_FILE: Final = 16 * 1024 * 1024
"""Octets of one file: some 200,000 records, which take ten seconds to read."""
_RELATIVE: Final = re.compile(r"(@|[\w-]+)\s+(?:\d+\s+)?(?:IN\s+)?(?:SOA|NS|MX|A|AAAA|TXT|CNAME)\s", re.IGNORECASE)
_EMPTY: Final = re.compile(r"\s*(?:;.*|\$(?:ORIGIN|TTL)\b.*)?", re.IGNORECASE)
_SUFFIX: Final = re.compile(r"\.(zone|db|txt|world|hosts|dns)$", re.IGNORECASE)


def read_zones(paths: tuple[Path, ...]) -> Zones:
    """All files of `--zone` as one. Raises `ZoneError`, which names the file and, where it can, the line."""
    zones = Zones()
    for path in paths:
        try:
            with path.open("rb") as file:
                octets = file.read(MAX_ZONE_FILE + 1)
        except OSError as error:
            raise ZoneError(f"{path}: {(error.strerror or str(error)).lower()}") from error
        if len(octets) > MAX_ZONE_FILE:
            raise ZoneError(f"{path}: larger than {MAX_ZONE_FILE // 1024 // 1024} MiB")
        text = octets.decode("utf-8-sig", "surrogateescape")
        if all(_EMPTY.fullmatch(line) for line in text.splitlines()):
            # The live DNS would answer for all of it, and the file seem to be sound.
            raise ZoneError(f"{path}: holds no record")
        name = _SUFFIX.sub("", path.name).removeprefix("db.")
        origin = name if re.fullmatch(r"[\w.-]+\.[\w-]+", name, re.ASCII) else "."
        if origin == ".":
            _refuse_relative(text, path)
        zones.read(text, origin=origin, source=f"zone {path}")
    return zones


def _refuse_relative(text: str, path: Path) -> None:
    """Names without a dot at the end would stand below the root: every domain of the file would not exist."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().upper().startswith("$ORIGIN"):
            return
        if match := _RELATIVE.match(line):
            raise ZoneError(f"{path}:{number}: {match[1]} is a relative name, and no $ORIGIN says below what")


class Overlay:
    """Zones, and a port for all else. A `Port`."""

    def __init__(self, zones: Zones, behind: Port, *, partial: bool = False) -> None:
        self._zones = zones
        self._behind = behind
        self._partial = partial

    async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
        """The zone's outcome where it has one, else that of the port behind."""
        name = normal_name(name)
        followed: list[str] = []
        owner = name
        while True:
            answer = self._zones.resolve(owner, rdtype)
            if isinstance(answer, Lookup):
                followed += answer.aliases
                if not (self._partial and answer.outcome in (LookupOutcome.NODATA, LookupOutcome.NXDOMAIN)):
                    return replace(answer, name=name, aliases=tuple(followed))
                owner = answer.aliases[-1] if answer.aliases else owner
            else:
                followed += answer.aliases
                owner = answer.owner
            alias = await self._behind.lookup(owner, rdtype, server=server)
            followed += alias.aliases
            if len(followed) > CHAIN or len(set(followed)) < len(followed):
                why = f"a CNAME loop, or a chain of more than {CHAIN}, from {alias.server} for {name or '.'} {rdtype}"
                return replace(
                    alias,
                    name=name,
                    outcome=LookupOutcome.UNKNOWN,
                    records=(),
                    aliases=tuple(followed[:CHAIN]),
                    why=why,
                    notes=(Note.CNAME_LOOP,),
                )
            target = followed[-1] if alias.aliases else owner
            if alias.aliases and self._zones.apex_of(target) is not None and not self._partial:
                # A live alias leads back into a zone of ours: the zone answers.
                owner = target
                continue
            return replace(alias, name=name, aliases=tuple(followed))


class Offline:
    """Behind the zones with `--offline`: nothing. A `Port`."""

    async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
        """UNKNOWN, and why."""
        name = normal_name(name)
        return Lookup(
            name=name,
            rdtype=rdtype,
            outcome=LookupOutcome.UNKNOWN,
            server=server or "",
            attempts=0,
            why=f"not asked: --offline, and no zone loaded holds {name or '.'} {rdtype}",
        )
