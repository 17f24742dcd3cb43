"""One session of a delivery as the document holds it: its TLS, its replies explained, its transcript."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from deliverkit.model import Attempt, Session, State, Step, clipped
from deliverkit.model.display import RECORDED, SHOWN
from deliverkit.records.certificate import bears, read_certificate
from deliverkit.replies import Decoded, decode
from deliverkit.report.fold import rfc3339
from deliverkit.report.smtp import CertificateReport, TranscriptReport, certificate_report, peer, split

_MOST_LINES: Final = 64
_EXPLAINED: Final = 8192
_TOLD: Final = ("failed", "size", "login-why", "dsn", "stopped")
"""Remarks that stand in a transcript: why nothing was said from there on."""
STAGE_OF: Final = {
    "helo": "ehlo",
    "ehlo-tls": "ehlo",
    "helo-tls": "ehlo",
    "tls": "starttls",
    "body": "data",
    "dot": "eod",
}
"""The steps of a session whose replies are read as those of another stage."""
_STAGES: Final = frozenset(["banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "eod", "quit"])


class DeliveryTls(msgspec.Struct, frozen=True, kw_only=True):
    """The TLS of one session. `demand` is whose word held it: `dane`, `mta-sts`, `typed`, `requiretls` or `none`."""

    version: str
    cipher: str
    trusted: bool | None
    trust_error: str | None
    name_matches: bool
    certificate: CertificateReport | None
    demand: str
    error: str | None = None
    """Why the handshake failed; null where it did not."""


class ResultReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one recipient in one attempt."""

    address: str
    outcome: str
    stage: str
    reply: Decoded | None
    why: str | None


class SaidReport(TranscriptReport, frozen=True, kw_only=True):
    """A line of the transcript, and the step it belongs to."""

    stage: str


class AttemptReport(msgspec.Struct, frozen=True, kw_only=True):
    """One session with one server."""

    number: int
    at: str
    host: str
    address: str
    port: int
    preference: int | None
    from_address: str | None
    """The address of our end."""
    helo: str | None
    state: str
    """`open`, `refused`, `timeout`, `unreachable` or `error`: what became of the connection."""
    why: str | None
    tls: DeliveryTls | None
    outcome: str
    stage: str
    results: tuple[ResultReport, ...]
    queue_id: str | None
    duration_ms: float
    notes: tuple[str, ...]
    replies: tuple[Decoded, ...]
    transcript: tuple[SaidReport, ...]


def attempt_report(attempt: Attempt) -> AttemptReport:
    """One attempt, flattened for readers."""
    session, hop = attempt.session, attempt.hop
    return AttemptReport(
        number=attempt.number,
        at=rfc3339(attempt.at),
        host=clipped(hop.host, RECORDED),
        address=hop.address,
        port=hop.port,
        preference=hop.preference,
        from_address=session.ours or None,
        helo=_helo(session),
        state=session.state.value,
        why=_why(session),
        tls=_tls(attempt),
        outcome=attempt.outcome.value,
        stage=attempt.stage.value,
        results=tuple(
            ResultReport(
                address=result.address,
                outcome=result.outcome.value,
                stage=result.stage.value,
                reply=explained(result.reply, result.stage.value, hop.host),
                why=clipped(result.why, RECORDED) or None,
            )
            for result in attempt.results
        ),
        queue_id=attempt.queue_id,
        duration_ms=_duration(session),
        notes=tuple(clipped(note, RECORDED) for note in attempt.notes),
        replies=tuple(_replies(session, hop.host)),
        transcript=tuple(sorted(_transcript(session), key=lambda line: line.at_ms)),
    )


def explained(reply: bytes, stage: str, host: str | None) -> Decoded | None:
    """A reply decoded, None where there is none. `host`: whose words they are, which tells the provider."""
    text = reply[:_EXPLAINED].decode("utf-8", "backslashreplace").replace("\r\n", "\n").strip("\r\n")
    if not text:
        return None
    stage = STAGE_OF.get(stage, stage)
    return decode(text, stage=stage if stage in _STAGES else None, host=host)


def _replies(session: Session, host: str) -> Iterator[Decoded]:
    for step in session.steps:
        reply = explained(step.reply, step.stage, host)
        if reply is not None:
            yield reply


def _helo(session: Session) -> str | None:
    """What EHLO said, as it was said last."""
    for step in reversed(session.steps):
        verb, _, name = step.said.partition(b" ")
        if verb in (b"EHLO", b"HELO"):
            return peer(name)
    return None


def _why(session: Session) -> str | None:
    broken = next((step.why for step in session.steps if step.trouble is not None), "")
    return clipped(session.why if session.state is not State.OPEN else broken, RECORDED) or None


def _duration(session: Session) -> float:
    times = [step.replied_ms if step.replied_ms is not None else step.at_ms for step in session.steps]
    return max([*times, session.connect_ms or 0.0])


def _tls(attempt: Attempt) -> DeliveryTls | None:
    handshake = attempt.session.handshake
    if handshake is None:
        return None
    leaf = read_certificate(handshake.chain[0]) if handshake.chain else None
    names = (attempt.hop.host, *attempt.hop.demand.names)
    return DeliveryTls(
        version=handshake.version,
        cipher=handshake.cipher,
        trusted=handshake.trusted if handshake.chain else None,
        trust_error=handshake.trust_error,
        name_matches=leaf is not None and any(bears(leaf, name) for name in names),
        certificate=certificate_report(leaf, attempt.at) if leaf is not None else None,
        demand=attempt.hop.demand.source,
        error=clipped(handshake.error, RECORDED) if handshake.error is not None else None,
    )


def _transcript(session: Session) -> Iterator[SaidReport]:
    """The steps as they were said; secrets were left out of them from the start."""
    if session.state is not State.OPEN:
        yield _note("connect", session.connect_ms or 0.0, f"{session.state.value}: {session.why}")
    elif session.connect_ms is not None:
        yield _note("connect", session.connect_ms, f"Connected{f' from {session.ours}' if session.ours else ''}")
    at = session.connect_ms or 0.0
    for step in session.steps:
        yield from _step(step, session)
        at = max(at, step.replied_ms or step.at_ms)
    for key in _TOLD:
        if session.remarks.get(key):
            yield _note(key, at, session.remarks[key])


def _step(step: Step, session: Session) -> Iterator[SaidReport]:
    for line in split(step.said)[:_MOST_LINES] if step.said else ():
        yield SaidReport(at_ms=step.at_ms, direction="client", tls=step.tls, text=peer(line), stage=step.stage)
    at = step.replied_ms if step.replied_ms is not None else step.at_ms
    lines = split(step.reply) if step.reply else []
    for line in lines[:_MOST_LINES]:
        yield SaidReport(at_ms=at, direction="server", tls=step.tls, text=peer(line), stage=step.stage)
    if len(lines) > _MOST_LINES:
        yield _note(step.stage, at, f"… (+{len(lines) - _MOST_LINES} lines)", tls=step.tls)
    if step.stage == "tls" and step.trouble is None and session.handshake is not None:
        yield _note(step.stage, at, f"{session.handshake.version} {session.handshake.cipher}", tls=True)
    if step.stage == "starttls" and session.injected:
        yield _note(step.stage, at, f"in clear behind it, dropped: {peer(session.injected)}")
    if step.trouble is not None:
        yield _note(step.stage, at, f"{step.trouble.value}: {step.why}", tls=step.tls)


def _note(stage: str, at: float, text: str, *, tls: bool = False) -> SaidReport:
    return SaidReport(at_ms=at, direction="note", tls=tls, text=clipped(text, SHOWN), stage=stage)
