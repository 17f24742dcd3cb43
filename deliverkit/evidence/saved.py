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
from deliverkit.dns.vantage import Vantage
from deliverkit.evidence.recorder import Recorder
from deliverkit.model import (
    Address,
    Call,
    Fetch,
    FetchOutcome,
    Inputs,
    Lookup,
    LookupOutcome,
    Mx,
    Request,
    Session,
    State,
    Txt,
)

SCHEMA: Final = "deliverkit/evidence/1"
MAX_FILE: Final = 256 * 1024 * 1024
_MAX_STRING: Final = 255
_MAX_WORD: Final = 0xFFFF
_MAX_SESSION: Final = 4 * 1024 * 1024
_YEAR_10000: Final = 253_402_300_800
Setting = str | bool | int | float | tuple[str, ...] | None


class EvidenceError(ValueError):
    """A file that is no saved run; the message is one clear line."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question and its outcome; `server` where an address was asked directly."""

    lookup: Lookup
    server: str | None = None


class TargetEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of one target, `now` in seconds since the epoch (UTC), and how many seconds that took."""

    inputs: Inputs
    now: float
    lookups: tuple[Asked, ...]
    fetches: tuple[Fetch, ...] = ()
    sessions: tuple[Session, ...] = ()
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


def fetched_of(recorder: Recorder) -> tuple[Fetch, ...]:
    """The HTTPS requests that went through a recorder, in an order that does not depend on the network."""
    return tuple(sorted(recorder.fetches.values(), key=lambda fetch: msgspec.json.encode(fetch.request)))


def sessions_of(recorder: Recorder) -> tuple[Session, ...]:
    """The SMTP sessions that went through a recorder, likewise."""
    return tuple(sorted(recorder.sessions.values(), key=lambda session: msgspec.json.encode(session.call)))


def encode(evidence: Evidence) -> bytes:
    """The file's octets."""
    return msgspec.json.format(msgspec.json.encode(evidence), indent=1) + b"\n"


def save(path: Path, evidence: Evidence) -> None:
    """Writes the file, readable by its owner only, whole or not at all. Raises `EvidenceError`."""
    try:
        write_private(path, encode(evidence))
    except OSError as error:
        raise EvidenceError(f"{path}: {(error.strerror or str(error)).lower()}") from error


def write_private(path: Path, octets: bytes) -> None:
    """Writes a file, readable by its owner only, whole or not at all. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(octets)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


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
            for session in target.sessions:
                _check_session(session)
            for fetch in target.fetches:
                _check_fetch(fetch)
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
    if any(not (0 <= moment < 1 << 32) for s in lookup.signatures for moment in (s.inception, s.expiration)):
        raise ValueError("a signature at no time")
    _check_records(lookup)


def _check_records(lookup: Lookup) -> None:
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


def _check_fetch(fetch: Fetch) -> None:
    ipaddress.ip_address(fetch.request.address)
    if len(fetch.body) > fetch.request.limit:
        raise ValueError("a body over its limit")


def _check_session(session: Session) -> None:
    """What a session's types do not say. Raises ValueError."""
    ipaddress.ip_address(session.call.address)
    if not (0 < session.call.port <= _MAX_WORD and 0 < session.call.dial_port <= _MAX_WORD):
        raise ValueError("a session on no port")
    if sum(len(step.reply) + len(step.said) for step in session.steps) > _MAX_SESSION:
        raise ValueError("a session of more than a session holds")


class Recorded:
    """Answers from saved lookups, fetches and sessions. A `Port`, a `Fetcher` and a `Dialler`."""

    def __init__(
        self, lookups: Iterable[Asked], fetches: Iterable[Fetch] = (), sessions: Iterable[Session] = ()
    ) -> None:
        self._lookups = {(asked.lookup.name, asked.lookup.rdtype, asked.server): asked.lookup for asked in lookups}
        self._fetches = {fetch.request: fetch for fetch in fetches}
        self._sessions = {session.call: session for session in sessions}

    async def fetch(self, request: Request) -> Fetch:
        """The outcome as it was saved."""
        return self._fetches.get(request) or Fetch(
            request=request, outcome=FetchOutcome.UNKNOWN, why=f"not in the saved evidence: {request.url}"
        )

    async def session(self, call: Call) -> Session:
        """The session as it was saved."""
        return self._sessions.get(call) or Session(
            call=call, state=State.ERROR, why=f"not in the saved evidence: {call.host} port {call.port}"
        )

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
