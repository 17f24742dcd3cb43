"""A saved run: every question and its outcome, from which facts and findings follow again.

The file is JSON, `deliverkit/evidence/1`. It may come from a stranger (a bug report), so it is read
strictly: its size is bounded, each field typed, each address an address.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

import msgspec

from deliverkit.dns.port import normal_name
from deliverkit.dns.recorder import Recorder
from deliverkit.dns.vantage import Vantage
from deliverkit.model import Address, Inputs, Lookup, LookupOutcome, Mx, Txt

SCHEMA: Final = "deliverkit/evidence/1"
MAX_FILE: Final = 256 * 1024 * 1024
_MAX_STRING: Final = 255
_MAX_WORD: Final = 0xFFFF
_YEAR_10000: Final = 253_402_300_800
Setting = str | bool | int | float | tuple[str, ...] | None


class EvidenceError(ValueError):
    """A file that is no saved run; the message is one clear line."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question and its outcome; `server` where an address was asked directly."""

    lookup: Lookup
    server: str | None = None


class TargetEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of one domain, `now` in seconds since the epoch (UTC), and how many seconds that took."""

    inputs: Inputs
    now: float
    lookups: tuple[Asked, ...]
    duration: float = 0.0


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A saved run. `options` is what the judgement depends on beside the answers."""

    schema: Literal["deliverkit/evidence/1"] = "deliverkit/evidence/1"
    tool: str = "deliverkit"
    version: str
    started_at: float
    options: dict[str, Setting] = {}
    vantage: Vantage = Vantage()
    targets: tuple[TargetEvidence, ...]


def asked_of(recorder: Recorder) -> tuple[Asked, ...]:
    """What went through a recorder, in an order that does not depend on the network."""
    held = sorted(recorder.lookups.items(), key=lambda item: (item[0][0], item[0][1], item[0][2] or ""))
    return tuple(Asked(lookup=lookup, server=server) for (_, _, server), lookup in held)


def encode(evidence: Evidence) -> bytes:
    """The file's octets."""
    return msgspec.json.format(msgspec.json.encode(evidence), indent=1) + b"\n"


def save(path: Path, evidence: Evidence) -> None:
    """Writes the file, readable by its owner only, whole or not at all. Raises `EvidenceError`."""
    octets = encode(evidence)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(octets)
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise EvidenceError(f"{path}: {(error.strerror or str(error)).lower()}") from error


def decode(octets: bytes, name: str = "evidence") -> Evidence:
    """The saved run in `octets`. Raises `EvidenceError`."""
    try:
        evidence = msgspec.json.decode(octets, type=Evidence, strict=True)
        _check_time(evidence.started_at)
        for target in evidence.targets:
            _check_time(target.now)
            _check_time(target.duration)
            for asked in target.lookups:
                _check(asked.lookup)
    except (msgspec.MsgspecError, ValueError, RecursionError, OverflowError) as error:
        raise EvidenceError(f"{name}: not a saved run ({SCHEMA}): {error}") from error
    return evidence


def load(path: Path) -> Evidence:
    """The saved run in a file. Raises `EvidenceError`."""
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_FILE + 1)
    except OSError as error:
        raise EvidenceError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    if len(octets) > MAX_FILE:
        raise EvidenceError(f"{path}: larger than {MAX_FILE // 1024 // 1024} MiB")
    return decode(octets, str(path))


def _check_time(seconds: float) -> None:
    if not 0 <= seconds < _YEAR_10000:
        raise ValueError(f"{seconds} is no time")


def _check(lookup: Lookup) -> None:
    """What the types do not say and the live DNS guarantees. Raises ValueError."""
    if lookup.ttl is not None and not 0 <= lookup.ttl < 1 << 31:
        raise ValueError(f"{lookup.ttl} is no TTL")
    if lookup.outcome is LookupOutcome.FOUND and not lookup.records:
        raise ValueError("a lookup that found nothing")
    if lookup.outcome is not LookupOutcome.FOUND and not lookup.why:
        raise ValueError("a lookup without its why")
    for record in lookup.records:
        match record:
            case Address(address):
                ipaddress.ip_address(address)
            case Txt(strings):
                if any(len(string) > _MAX_STRING for string in strings):
                    raise ValueError("a TXT string of more than 255 octets")
            case Mx(preference):
                if not 0 <= preference <= _MAX_WORD:
                    raise ValueError(f"{preference} is no MX preference")


class Recorded:
    """Answers from saved lookups. A `Port`."""

    def __init__(self, lookups: Iterable[Asked]) -> None:
        self._lookups = {(asked.lookup.name, asked.lookup.rdtype, asked.server): asked.lookup for asked in lookups}

    async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
        """The outcome as it was saved."""
        name = normal_name(name)
        held = self._lookups.get((name, rdtype, server))
        if held is not None:
            return held
        of = f" asked of {server}" if server else ""
        return Lookup(
            name=name,
            rdtype=rdtype,
            outcome=LookupOutcome.UNKNOWN,
            server=server or "",
            attempts=0,
            why=f"not in the saved evidence: {name or '.'} {rdtype}{of}",
        )
