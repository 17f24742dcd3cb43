"""What a session came to, recipient by recipient: pure, from the steps and remarks of its record.

Before the final dot nothing has been handed over, and whatever breaks leaves a recipient deferred; after it only a
reply tells, and silence is unknown (RFC 1047). A reply decides by its class alone; what is no answer to the command
at hand, or came before it, is a fault of the protocol, and the message cannot go that way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import msgspec

from deliverkit.model.delivery import WORST, Attempt, Delivered, Envelope, Hop, Result, Stage
from deliverkit.model.transport import Session, State, Step, Trouble
from deliverkit.smtp.acts import CLOSING, READY
from deliverkit.smtp.capabilities import read_capabilities
from deliverkit.smtp.reply import Defect, Reply, parse
from deliverkit.smtp.transaction import GO_ON

# Postfix and whoever says it so; Exim; sendmail; Exchange; Gmail; qmail; Amazon SES; Courier.
_QUEUE_IDS: Final = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        rb"\bqueued (?:mail for delivery )?(?:as|with id) <?([A-Z0-9._-]{4,64})(?![A-Z0-9._-])",
        rb"\bid[= ]<?(?=[A-Z._-]*[0-9])([A-Z0-9._-]{4,64})(?![A-Z0-9._-])",
        rb"^(?:2\.[0-9]\.[0-9]+ )?([A-Z0-9._-]{4,64}) message accepted for delivery",
        rb"^2\.6\.0 <[^<>\s]{1,200}> \[internalid=([0-9]{4,64})[,\]]",
        rb"^2\.0\.0 ok:? +(?:[0-9]{6,12} )?([A-Z0-9._-]{4,64})(?: - (?:gsmtp|nsmtp))?\s*$",
        rb"^ok [0-9]{6,12} qp ([0-9]{4,20})\b",
        rb"^ok:? ([0-9a-f]{16}-[0-9a-f-]{20,47})\s*$",
        rb"^ok\. ([0-9A-F]{8,32}\.[0-9A-F.]{4,31})(?![A-Z0-9._-])",
    )
)
_STAGES: Final = {
    "banner": Stage.BANNER, "ehlo": Stage.EHLO, "helo": Stage.EHLO, "ehlo-tls": Stage.EHLO, "helo-tls": Stage.EHLO,
    "starttls": Stage.STARTTLS, "tls": Stage.STARTTLS, "auth": Stage.AUTH, "mail": Stage.MAIL, "rcpt": Stage.RCPT,
    "data": Stage.DATA, "body": Stage.DATA, "eod": Stage.EOD, "rset": Stage.RCPT, "quit": Stage.QUIT,
}  # fmt: skip
_Fits: TypeAlias = Callable[[Reply], bool]
_BYE: Final = 221


class _Verdict(msgspec.Struct, frozen=True):
    """What decides about one recipient, or about all of them."""

    outcome: Delivered
    stage: Stage
    reply: bytes = b""
    why: str = ""
    broke: bool = False
    """Nobody judged the message: another hop may take it."""

    def of(self, address: str) -> Result:
        """The same, of one recipient."""
        return Result(address=address, outcome=self.outcome, stage=self.stage, reply=self.reply, why=self.why)


def attempt_of(number: int, at: float, hop: Hop, envelope: Envelope, session: Session) -> Attempt:
    """What one session with one hop came to. `at` is when it began, in seconds since the epoch."""
    verdict = _before_mail(session)
    verdicts = [verdict] * len(envelope.recipients) if verdict else _by_recipient(session, len(envelope.recipients))
    results = tuple(each.of(address) for each, address in zip(verdicts, envelope.recipients, strict=True))
    outcome = min((result.outcome for result in results), key=WORST.index)
    accepted = any(result.outcome is Delivered.ACCEPTED for result in results)
    return Attempt(
        number=number,
        at=at,
        hop=hop,
        envelope=envelope,
        session=session,
        results=results,
        outcome=outcome,
        stage=_reached(outcome, results, session),
        queue_id=queue_id(next(step.reply for step in session.steps if step.stage == "eod")) if accepted else None,
        notes=tuple(_notes(session)),
        stopped="stopped" in session.remarks,
        try_next=not accepted and any(each.broke for each in verdicts),
    )


def queue_id(reply: bytes) -> str | None:
    """What a server calls the message that it has just accepted; None where its reply does not tell, or oddly."""
    said = parse(reply)
    for line in said.lines if said is not None else ():
        for form in _QUEUE_IDS:
            match = form.search(line)
            if match:
                return match[1].decode("ascii")
    return None


def _reached(outcome: Delivered, results: Sequence[Result], session: Session) -> Stage:
    """Where the worst result was decided; `quit` where all is well."""
    if outcome is Delivered.ACCEPTED:
        return Stage.QUIT if session.steps[-1].stage == "quit" else Stage.EOD
    return next(result.stage for result in results if result.outcome is outcome)


def _before_mail(session: Session) -> _Verdict | None:
    """What ended the session for everybody, before or with MAIL; None: each recipient has a fate of its own."""
    remarks = session.remarks
    if session.state is not State.OPEN:
        return _Verdict(Delivered.DEFERRED, Stage.CONNECT, why=session.why, broke=True)
    if "failed" in remarks:
        stage = Stage(remarks.get("failed-stage", "mail"))
        return _Verdict(Delivered.FAILED, stage, why=remarks["failed"], broke=stage is Stage.STARTTLS)
    if "size" in remarks:
        return _Verdict(Delivered.REFUSED, Stage.MAIL, why=remarks["size"])
    mail = next((step for step in session.steps if step.stage == "mail"), None)
    if mail is not None:
        return _unless(mail, _ok)
    if "stopped" in remarks:
        return _not_tried(session)
    return _unready(session)


def _unready(session: Session) -> _Verdict:
    """Why MAIL was never said."""
    steps = [step for step in session.steps if step.stage != "quit"]
    if not steps:
        return _Verdict(Delivered.DEFERRED, Stage.CONNECT, why="nothing was said", broke=True)
    last = steps[-1]
    if session.remarks.get("login", "accepted") != "accepted" and not _ends(last):
        return _not_in(session, last)
    return _unless(last, _ready if last.stage == "banner" else _ok) or _gone(session, last)


def _not_in(session: Session, last: Step) -> _Verdict:
    """The login that was wanted did not come about."""
    why = session.remarks.get("login-why", "")
    reply = parse(last.reply) if last.stage == "auth" else None
    if reply is not None and reply.temporary:
        return _Verdict(Delivered.DEFERRED, Stage.AUTH, last.reply, broke=True)
    if reply is not None and reply.permanent:
        return _Verdict(Delivered.FAILED, Stage.AUTH, last.reply, f"the login was refused{f': {why}' if why else ''}")
    tried = "failed" if last.stage == "auth" else "was not tried"
    return _Verdict(Delivered.FAILED, Stage.AUTH, why=f"the login {tried}: {why}" if why else f"the login {tried}")


def _by_recipient(session: Session, count: int) -> list[_Verdict]:
    """The sender was accepted: what became of each recipient."""
    rcpts = [step for step in session.steps if step.stage == "rcpt"]
    found: list[_Verdict | None] = [_unless(step, _ok) for step in rcpts[:count]]
    last = session.steps[-1]
    if len(found) < count or any(
        verdict is not None and _ends(step) for verdict, step in zip(found, rcpts, strict=False)
    ):
        broken = next((each for each in found if each is not None and each.broke), None)
        rest = broken or (_not_tried(session) if session.remarks.get("stopped") == "mail" else _gone(session, last))
        return [each or rest for each in [*found, *[None] * (count - len(found))]]
    if all(each is not None for each in found):
        return [each for each in found if each is not None]
    rest = _message(session)
    return [each or rest for each in found]


def _message(session: Session) -> _Verdict:
    """What became of the message, for those whom the server had accepted."""
    steps = {step.stage: step for step in session.steps}
    data, body, dot = steps.get("data"), steps.get("body"), steps.get("eod")
    refused = _unless(data, _go_on) if data is not None else None
    if refused is not None:
        return refused
    if body is None:
        return _not_tried(session) if "stopped" in session.remarks else _gone(session, session.steps[-1])
    if body.trouble is not None or body.reply:
        return _in_the_middle(body)
    if dot is None or not dot.said:
        return _in_the_middle(dot or body)
    return _at_the_dot(dot)


def _at_the_dot(dot: Step) -> _Verdict:
    """The final dot was said."""
    may = "the message may have been delivered"
    if dot.trouble is not None:
        return _Verdict(Delivered.UNKNOWN, Stage.EOD, dot.reply, f"{dot.why}: {may}")
    reply = parse(dot.reply)
    if reply is None or reply.intermediate:
        said = reply.code if reply is not None else "what came"
        return _Verdict(Delivered.UNKNOWN, Stage.EOD, dot.reply, f"{said} is no answer to the final dot: {may}")
    outcome = Delivered.ACCEPTED if reply.ok else Delivered.DEFERRED if reply.temporary else Delivered.REFUSED
    return _Verdict(outcome, Stage.EOD, dot.reply, broke=reply.code == CLOSING)


def _in_the_middle(step: Step) -> _Verdict:
    """The final dot was not said: what kept it from being said decides, and it was not accepted whatever came."""
    stage = Stage.DATA
    early = parse(step.reply)
    if early is not None and (early.temporary or early.permanent):
        outcome = Delivered.DEFERRED if early.temporary else Delivered.REFUSED
        return _Verdict(outcome, stage, step.reply, broke=early.code == CLOSING)
    if early is not None:
        why = f"the server said {early.code} before the message had been sent: a fault of its protocol, not accepted"
        return _Verdict(Delivered.FAILED, stage, step.reply, why)
    return _Verdict(Delivered.DEFERRED, stage, step.reply, f"{step.why}: not accepted", broke=True)


def _unless(step: Step, fits: _Fits) -> _Verdict | None:
    """What a step's end decides; None where its reply is the one that lets the dialog go on."""
    reply = parse(step.reply) if step.trouble is None else None
    if reply is None:
        return _broken(step)
    if fits(reply):
        return None
    stage = _STAGES[step.stage]
    if reply.temporary:
        early = stage in (Stage.BANNER, Stage.EHLO, Stage.STARTTLS, Stage.AUTH)
        return _Verdict(Delivered.DEFERRED, stage, step.reply, broke=early or reply.code == CLOSING)
    if reply.permanent:
        return _Verdict(Delivered.REFUSED, stage, step.reply)
    why = f"{reply.code} is no answer to {'a connection' if step.stage == 'banner' else step.stage.upper()}"
    return _Verdict(Delivered.FAILED, stage, step.reply, f"{why}: a fault of the server's protocol")


def _broken(step: Step) -> _Verdict:
    """A step without a reply: deferred, unless the peer cannot be talked to at all."""
    stage, outcome, why = _STAGES[step.stage], Delivered.DEFERRED, step.why or "no reply that can be read"
    if step.trouble is Trouble.OUT_OF_STEP:
        outcome, why = Delivered.FAILED, f"{why}: what it answers cannot be told"
    elif step.trouble is Trouble.NOT_SMTP and step.stage == "banner":
        hint = "; where it speaks TLS at once: --tls implicit" if "a TLS " in why else ""
        outcome, why = Delivered.FAILED, why + hint
    elif step.stage == "tls":
        why = f"TLS failed: {why}"
    return _Verdict(outcome, stage, step.reply, why, broke=True)


def _ready(reply: Reply) -> bool:
    return reply.code == READY


def _ok(reply: Reply) -> bool:
    return reply.ok


def _go_on(reply: Reply) -> bool:
    return reply.code == GO_ON


def _ends(step: Step) -> bool:
    """Whether nothing was said after this step."""
    reply = parse(step.reply)
    return step.trouble is not None or (reply is not None and reply.code == CLOSING)


def _gone(session: Session, last: Step) -> _Verdict:
    """The session ended with nobody having judged the message."""
    broken = last if last.trouble is not None or last.reply else session.steps[-1]
    stage = _STAGES.get(broken.stage, Stage.EHLO)
    why = broken.why or ("" if broken.reply else "the session ended")
    return _Verdict(Delivered.DEFERRED, stage, broken.reply, why, broke=True)


def _not_tried(session: Session) -> _Verdict:
    stage = Stage(session.remarks["stopped"])
    return _Verdict(Delivered.DEFERRED, stage, why=f"stopped after {stage.value.upper()}: nothing more was tried")


def _notes(session: Session) -> list[str]:
    """What was odd and decides nothing."""
    return [*_tls_notes(session), *_reply_notes(session)]


def _tls_notes(session: Session) -> list[str]:
    found: list[str] = []
    steps = {step.stage: step for step in session.steps}
    if "tls" in steps and steps["tls"].trouble is not None:
        found.append(f"TLS failed: {steps['tls'].why}")
    starttls = parse(steps["starttls"].reply) if "starttls" in steps else None
    if starttls is not None and starttls.code != READY and "mail" in steps:
        found.append(f"STARTTLS was refused ({starttls.shown}), and the session went on in clear")
    hellos = [step for step in session.steps if step.stage == "ehlo"]
    if "starttls" not in steps and hellos and _stripped(hellos[-1]):
        found.append("STARTTLS was taken out of what the server offers, on the way from it (XXXXXXXA)")
    if session.injected:
        found.append("octets in clear stood behind the reply to STARTTLS, and were dropped (RFC 3207 §6)")
    return found


def _stripped(hello: Step) -> bool:
    reply = parse(hello.reply)
    return reply is not None and reply.ok and read_capabilities(reply).stripped


def _reply_notes(session: Session) -> list[str]:
    found: list[str] = []
    remarks = session.remarks
    if "dsn" in remarks:
        found.append(remarks["dsn"])
    if remarks.get("login") == "accepted" and "login-why" in remarks:
        found.append(f"the login was {remarks['login-why']}")
    for step in session.steps:
        reply = parse(step.reply)
        if step.stage in ("mail", "rcpt", "data", "eod") and reply is not None:
            if Defect.MIXED_CODES in reply.defects:
                found.append(f"the lines of the reply to {step.stage.upper()} disagree: the last decides")
            if Defect.ENHANCED_MISMATCH in reply.defects:
                found.append(f"both codes of the reply to {step.stage.upper()} disagree: the first decides")
    if any(step.trouble is Trouble.TIMEOUT and step.together for step in session.steps):
        found.append("the server offers PIPELINING, and left commands that came together unanswered")
    if session.steps and session.steps[-1].stage == "quit":
        found += _quit_notes(session.steps[-1])
    return list(dict.fromkeys(found))


def _quit_notes(step: Step) -> list[str]:
    reply = parse(step.reply)
    if step.trouble is Trouble.OUT_OF_STEP:
        said = f" ({reply.shown})" if reply is not None else ""
        return [f"the server gave more replies than there were commands{said}: QUIT was not said"]
    if step.trouble is not None:
        return [f"QUIT: {step.why}"]
    if reply is None or reply.code == _BYE:
        return []
    return [f"{'QUIT was answered by' if step.said else 'before QUIT the server said'} {reply.shown}"]
