"""A delivery as a document (`deliverkit/delivery/1`): what became of each recipient, attempt by attempt.

The worst recipient counts: failed, refused, unknown, deferred, accepted. The exit code is that outcome, whatever was
found beside it: 1 permanently refused or impossible from here, 3 temporarily refused, cut off or unknown, 0 accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from deliverkit.model import WORST, Attempt, Delivered, Envelope, Hop, Result, Stage, clipped
from deliverkit.model.display import RECORDED
from deliverkit.replies import Decoded
from deliverkit.report.delivery_attempt import AttemptReport, attempt_report, explained
from deliverkit.report.document import FindingReport, InconclusiveReport, Tool
from deliverkit.report.fold import rfc3339

SCHEMA: Final = "deliverkit/delivery/1"

ACCEPTED: Final = 0
REFUSED: Final = 1
UNDECIDED: Final = 3
_EXIT: Final = {
    Delivered.ACCEPTED: ACCEPTED,
    Delivered.DEFERRED: UNDECIDED,
    Delivered.UNKNOWN: UNDECIDED,
    Delivered.REFUSED: REFUSED,
    Delivered.FAILED: REFUSED,
}
_STAGES: Final = tuple(Stage)
_HEADER: Final = 16_384
_BOUNCE: Final = 262_144


class SignatureReport(msgspec.Struct, frozen=True, kw_only=True):
    """A DKIM signature that the message bears."""

    domain: str
    selector: str


class MessageReport(msgspec.Struct, frozen=True, kw_only=True):
    """The message that is handed over."""

    id: str
    """Its Message-ID."""
    size: int
    """Octets, before dot-stuffing."""
    from_address: str | None = None
    """The address that the From: field shows."""
    from_domain: str | None = None
    signed_by: tuple[SignatureReport, ...] = ()
    eight_bit: bool = False
    utf8: bool = False
    notes: tuple[str, ...] = ()
    """What was mended or is odd: bare line ends, lines that are too long."""
    header: str | None = None
    """The header, in a dry run."""
    body: str | None = None
    """The beginning of the body, in a dry run."""


class HopReport(msgspec.Struct, frozen=True, kw_only=True):
    """A server that the message may be handed to. `demand`: what TLS with it has to be, and whose word that is."""

    host: str
    address: str
    port: int
    preference: int | None
    demand: str | None


class RouteReport(msgspec.Struct, frozen=True, kw_only=True):
    """Where the recipients of one domain are taken to, in the order tried.

    `via`: `mx`, `implicit-mx` (the domain's own address, RFC 5321 §5.1), `literal` or `server` (as typed).
    """

    domain: str
    recipients: tuple[str, ...]
    via: str
    hops: tuple[HopReport, ...]
    mta_sts: str | None = None
    """`none`, `testing`, `enforce`, or why it could not be told; null where it does not apply."""
    dane: str | None = None
    """`none`, `usable`, `unsigned`, or why it could not be told; null where it does not apply."""
    why: str | None = None
    """Why there is no way there; null where there is one."""
    notes: tuple[str, ...] = ()


class RecipientReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one recipient in the end.

    `reply` is the one that decided it; null where none did, then `why` tells. `queue_id` is what the server that took
    it calls the message.
    """

    address: str
    outcome: str
    stage: str
    reply: Decoded | None
    why: str | None
    attempt: int | None
    """The number of the attempt that decided it; null where no session did."""
    host: str | None
    queue_id: str | None
    delayed_ms: float | None = None
    """From the first deferral to the acceptance; null where there was no delay."""
    delayed_by: str | None = None
    """The category of that deferral: `greylisting`."""


class RetryReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a delivery that is not at its end waits for. Times are RFC 3339."""

    id: str | None
    """Of the queued message, as `--resume` takes it; null where nothing is queued."""
    next_at: str | None
    """When it is tried again; null where it is not, then `why` tells."""
    give_up_at: str | None
    wait_s: int | None = None
    """Seconds that a mail server would wait before it tries again."""
    why: str | None = None


class ScheduleEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a mail server would do by itself. `kind`: `try`, `warn` or `give-up`."""

    at_s: int
    """Seconds after its first try."""
    kind: str
    number: int | None
    """Of a try, from 1."""
    words: str


class ScheduleRow(msgspec.Struct, frozen=True, kw_only=True):
    """Events as a table shows them: tries at equal intervals are one row."""

    first_s: int
    last_s: int
    kind: str
    words: str


class ScheduleReport(msgspec.Struct, frozen=True, kw_only=True):
    """When a mail server would try again, warn and give up, by its documented defaults."""

    server: str
    """`postfix`, `exim` or `exchange`."""
    name: str
    events: tuple[ScheduleEvent, ...]
    rows: tuple[ScheduleRow, ...]
    settings: dict[str, str]
    """What decides it: each setting with its default."""
    notes: tuple[str, ...]
    references: tuple[str, ...]


class DeliveryReport(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery."""

    schema: Literal["deliverkit/delivery/1"]
    tool: Tool
    started_at: str
    duration_ms: float
    outcome: str | None
    """`accepted`, `deferred`, `refused`, `unknown` or `failed`: of several recipients the worst; null where nothing
    was tried: a dry run whose route is sound, a session that ended at the stage that was asked for."""
    stage: str
    """Where the outcome was decided; without one how far the delivery came."""
    exit_code: int
    sender: str
    """The envelope's; "" is the null one."""
    recipients: tuple[RecipientReport, ...]
    queue_id: str | None
    message: MessageReport
    route: tuple[RouteReport, ...]
    attempts: tuple[AttemptReport, ...]
    dry_run: bool
    stopped_after: str | None
    """The stage that `--stop-after` named, where the session came to it."""
    retry: RetryReport | None
    bounce: str | None
    """The notice that a mail server would now send to the sender (RFC 3464)."""
    findings: tuple[FindingReport, ...]
    inconclusive: tuple[InconclusiveReport, ...]
    schedule: ScheduleReport | None = None


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How a delivery went, before it is folded. Times in seconds since the epoch."""

    version: str
    started_at: float
    duration_ms: float
    envelope: Envelope
    message: MessageReport
    route: tuple[RouteReport, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    """Every session in the order they were held; the last one that a recipient was in decides."""
    decided: tuple[Result, ...] = ()
    """What no session decided (no route, given up, in doubt after a crash); outranks the attempts."""
    deferred_at: float | None = None
    """The first deferral, where it lies before the attempts at hand (`--resume`)."""
    retry: RetryReport | None = None
    bounce: bytes | None = None
    findings: tuple[FindingReport, ...] = ()
    inconclusive: tuple[InconclusiveReport, ...] = ()
    dry_run: bool = False
    exit_zero: bool = False


def document(course: Course) -> DeliveryReport:
    """The document of a delivery."""
    attempts = course.attempts
    recipients = tuple(
        told for address in course.envelope.recipients if (told := _recipient(address, course)) is not None
    )
    stopped = next((attempt for attempt in reversed(attempts) if attempt.stopped), None)
    outcome = None if stopped is not None and not _judged(stopped) else worst(recipients)
    return DeliveryReport(
        schema=SCHEMA,
        tool=Tool(name="deliverkit", version=course.version),
        started_at=rfc3339(course.started_at),
        duration_ms=round(course.duration_ms, 1),
        outcome=outcome,
        stage=_stage(outcome, recipients, attempts),
        exit_code=0 if outcome is None or course.exit_zero else _EXIT[Delivered(outcome)],
        sender=course.envelope.sender,
        recipients=recipients,
        queue_id=next((entry.queue_id for entry in recipients if entry.queue_id is not None), None),
        message=course.message,
        route=course.route,
        attempts=tuple(attempt_report(attempt) for attempt in attempts),
        dry_run=course.dry_run,
        stopped_after=stopped.stage.value if stopped is not None else None,
        retry=course.retry,
        bounce=clipped(course.bounce.decode("utf-8", "backslashreplace"), _BOUNCE) if course.bounce else None,
        findings=course.findings,
        inconclusive=course.inconclusive,
    )


def worst(recipients: Iterable[RecipientReport]) -> str | None:
    """The outcome that counts of several; None where there is none."""
    outcomes = {entry.outcome for entry in recipients}
    return next((outcome.value for outcome in WORST if outcome.value in outcomes), None)


def exit_code(reports: Iterable[DeliveryReport]) -> int:
    """Of several deliveries the worst: 1 over 3 over 0."""
    codes = {report.exit_code for report in reports}
    return next((code for code in (REFUSED, UNDECIDED) if code in codes), ACCEPTED)


def route_report(
    *,
    domain: str,
    recipients: Sequence[str],
    via: str,
    hops: Sequence[Hop],
    mta_sts: str | None = None,
    dane: str | None = None,
    why: str | None = None,
    notes: Sequence[str] = (),
) -> RouteReport:
    """The route of one domain's recipients, as the document holds it."""
    return RouteReport(
        domain=clipped(domain, RECORDED),
        recipients=tuple(recipients),
        via=via,
        hops=tuple(
            HopReport(
                host=clipped(hop.host, RECORDED),
                address=hop.address,
                port=hop.port,
                preference=hop.preference,
                demand=clipped(hop.demand.words, RECORDED) or None,
            )
            for hop in hops
        ),
        mta_sts=mta_sts,
        dane=dane,
        why=clipped(why, RECORDED) if why is not None else None,
        notes=tuple(clipped(note, RECORDED) for note in notes),
    )


def message_text(octets: bytes) -> tuple[str, str]:
    r"""Header and body of a message as the document holds them: cut, undecodable octets as `\xNN`."""
    header, _, body = octets.partition(b"\r\n\r\n")
    return _text(header), _text(body)


def _text(octets: bytes) -> str:
    return clipped(octets.decode("utf-8", "backslashreplace").replace("\r\n", "\n"), _HEADER)


def _judged(attempt: Attempt) -> bool:
    """Whether a session that was to stop early met a refusal before."""
    return any(result.outcome is not Delivered.ACCEPTED and result.reply for result in attempt.results)


def _stage(outcome: str | None, told: Sequence[RecipientReport], attempts: Sequence[Attempt]) -> str:
    """Where the worst outcome was decided, the furthest place of several; without one how far it came."""
    stages = [Stage(entry.stage) for entry in told if entry.outcome == outcome]
    if not stages:
        stages = [attempt.stage for attempt in attempts[-1:]] or [Stage.ROUTE]
    return max(stages, key=_STAGES.index).value


def _recipient(address: str, course: Course) -> RecipientReport | None:
    """The last word on one recipient; None where it was never tried."""
    mine = [(attempt, result) for attempt in course.attempts for result in attempt.results if result.address == address]
    for outside in course.decided:
        if outside.address == address:
            return _told(outside, None)
    if not mine:
        return None
    attempt, result = mine[-1]
    told = _told(result, attempt)
    return _delayed(told, attempt.at, mine, course.deferred_at) if result.outcome is Delivered.ACCEPTED else told


def _told(result: Result, attempt: Attempt | None) -> RecipientReport:
    host = attempt.hop.host if attempt is not None else None
    taken = attempt is not None and result.outcome is Delivered.ACCEPTED
    return RecipientReport(
        address=result.address,
        outcome=result.outcome.value,
        stage=result.stage.value,
        reply=explained(result.reply, result.stage.value, host),
        why=clipped(result.why, RECORDED) or None,
        attempt=attempt.number if attempt is not None else None,
        host=clipped(host, RECORDED) if host is not None else None,
        queue_id=attempt.queue_id if attempt is not None and taken else None,
    )


def _delayed(
    told: RecipientReport, at: float, mine: Sequence[tuple[Attempt, Result]], deferred_at: float | None
) -> RecipientReport:
    """With the delay that the first deferral cost, and whose doing it was."""
    put_off = [(attempt, result) for attempt, result in mine if result.outcome is Delivered.DEFERRED]
    if not put_off:
        return told  # others were, and this one waited for no server
    since = min(put_off[0][0].at, put_off[0][0].at if deferred_at is None else deferred_at)
    if at <= since:
        return told
    reply = next(
        (explained(result.reply, result.stage.value, attempt.hop.host) for attempt, result in put_off if result.reply),
        None,
    )
    return msgspec.structs.replace(
        told, delayed_ms=round((at - since) * 1000, 1), delayed_by=reply.category if reply is not None else None
    )
