"""From a session to the facts of its endpoint.

What was never asked is `Absent`; what lies behind a 421, a timeout or a lost connection is `Unknown`. A port that
refuses the connection has nothing to judge, so that all of it is `Absent`.
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from deliverkit.facts.smtp import Breakage, Endpoint, LoginFacts, OddReply, RelayFacts
from deliverkit.facts.tls import TlsFacts
from deliverkit.model import Absent, Answer, Found, Mode, Session, Sessions, State, Step, Trouble, Unknown
from deliverkit.probes.smtp_calls import Dialled, closing, role_of
from deliverkit.records.certificate import bears, read_certificate
from deliverkit.smtp.capabilities import Capabilities, read_capabilities
from deliverkit.smtp.reply import Defect, Reply, decoded, parse

T = TypeVar("T")
_READY: Final = 220
_HARMLESS: Final = frozenset({Defect.NO_SEPARATOR})
_TIMED: Final = {
    "banner": "banner", "ehlo": "ehlo", "helo": "ehlo", "starttls": "starttls", "tls": "tls", "ehlo-tls": "ehlo_tls",
    "helo-tls": "ehlo_tls", "auth": "auth",
}  # fmt: skip
_NOTHING: Final = "nothing was asked: "


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an endpoint beside its sessions."""

    sessions: Sessions
    tls: Answer[TlsFacts]
    """What `smtp_tls` made of the handshake; Absent where there was none."""
    ptr: Answer[tuple[str, ...]]
    required_by: str | None
    idle: bool
    """The port's silence says nothing: another port of the host answers, and nobody named this one."""
    by_us: str | None


def read(dialled: Dialled, setting: Setting) -> Endpoint:
    """The facts of one endpoint."""
    session, place, sessions = dialled.session, dialled.place, setting.sessions
    told = _Told(session)
    base = {
        "host": place.host,
        "address": place.address,
        "port": place.port,
        "role": role_of(sessions, place.port),
        "helo": _helo(session),
        "state": session.state.value,
        "why": session.why,
        "by_us": setting.by_us,
        "asked_starttls": sessions.tls == "starttls" or setting.required_by is not None,
        "ptr": setting.ptr,
        "required_by": setting.required_by,
        "ours": session.ours,
        "steps": session.steps,
        "wrong_mode": dialled.wrong_mode,
        "timings": _timings(session),
    }
    if session.state is not State.OPEN:
        nothing: Absent | Unknown = Unknown(session.why)
        if setting.idle or (session.state is State.REFUSED and setting.by_us is None):
            nothing = Absent(session.why)
        return Endpoint(**base, **_unasked(nothing))
    before, after = told.before(), told.after()
    return Endpoint(
        **base,
        banner=told.reply("banner"),
        banner_ms=base["timings"].get("banner") if told.last("banner") is not None else None,  # type: ignore[attr-defined]
        early=told.early(),
        extended=told.extended(),
        greeting=told.greeting(),
        before=before,
        after=after,
        after_refused=told.after_refused(),
        banner_again=told.banner_again(),
        starttls=_starttls(session, told, before),
        starttls_reply=told.starttls_refusal(),
        stripped=isinstance(before, Found) and before.value.stripped,
        injected=session.injected,
        mail_before_tls=told.asked("mail-clear"),
        tls=_tls(setting.tls, told),
        tls_error=_tls_error(dialled),
        login=_login(dialled, sessions, told, before, after),
        relay=_relay(session, sessions, told),
        breakage=told.breakage(role_of(sessions, place.port) == "mx"),
        odd=tuple(
            OddReply(host=place.host, port=place.port, stage=step.stage, reply=reply)
            for step, reply in told.replies
            if not _HARMLESS.issuperset(reply.defects)
        ),
    )


def _unasked(nothing: Absent | Unknown) -> dict[str, Absent | Unknown | None]:
    """Every answer of an endpoint that was not reached."""
    answers = ("banner", "extended", "greeting", "before", "after", "mail_before_tls", "tls")
    return {**dict.fromkeys(answers, nothing), "starttls": None}


class _Told:
    """A session's steps, looked up by stage."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.replies: list[tuple[Step, Reply]] = []
        for step in session.steps:
            reply = parse(step.reply) if step.trouble is None and step.reply else None
            if reply is not None:
                self.replies.append((step, reply))
        self._broken = next((step for step in session.steps if step.trouble is not None), None)

    @property
    def where(self) -> str:
        call = self.session.call
        return f"{call.host} port {call.port}"

    def all(self, stage: str) -> list[Reply]:
        return [reply for step, reply in self.replies if step.stage == stage]

    def last(self, stage: str) -> Reply | None:
        found = self.all(stage)
        return found[-1] if found else None

    def reached(self, stage: str) -> bool:
        return any(step.stage == stage for step in self.session.steps)

    def behind(self, otherwise: str = "not reached") -> Absent | Unknown:
        """The answer to what the session did not come to."""
        broken = self._broken
        if closing(self.session):
            said = self.replies[-1][1].shown if self.replies else "421"
            if broken is not None:
                said = decoded(broken.reply.splitlines()[0]) if broken.reply else "421"
            stage = self.session.remarks.get("ended") or (broken.stage if broken is not None else "")
            return Unknown(f"{self.where} ended the session at {_stage(stage)}: {said}")
        if broken is not None and broken.stage != "quit" and not self._failed_tls():
            return Unknown(f"{self.where} at {_stage(broken.stage)}: {broken.why}")
        return Absent(otherwise)

    def _failed_tls(self) -> bool:
        broken = self._broken
        return broken is not None and broken.stage == "tls" and broken.trouble is Trouble.TLS

    def reply(self, stage: str) -> Answer[Reply]:
        reply = self.last(stage)
        return Found(reply) if reply is not None else self.behind()

    def asked(self, stage: str) -> Answer[Reply]:
        """The reply to something that is not always asked."""
        reply = self.last(stage)
        if reply is not None and reply.code != 421:  # noqa: PLR2004 - it closes, and says nothing of what was asked
            return Found(reply)
        return self.behind("not asked")

    def greeting(self) -> Answer[Reply]:
        for stage in (("ehlo-tls", "helo-tls") if self._at_once() else ("ehlo", "helo"))[::-1]:
            reply = self.last(stage)
            if reply is not None:
                return Found(reply)
        return self._silent()

    def _at_once(self) -> bool:
        return bool(self.session.steps) and self.session.steps[0].stage == "tls"

    def _silent(self) -> Absent | Unknown:
        banner = self.last("banner")
        if banner is not None and banner.temporary and not closing(self.session):
            return Unknown(f"{self.where} puts it off: {banner.shown}")
        said = f"the server refuses service: {banner.shown}" if banner is not None and not banner.ok else "not reached"
        return self.behind(said)

    def extended(self) -> Answer[bool]:
        ehlo, helo = ("ehlo-tls", "helo-tls") if self._at_once() else ("ehlo", "helo")
        reply = self.last(ehlo)
        if reply is None or closing(self.session) and self.session.remarks.get("ended") == ehlo:
            return self._silent()
        if reply.ok:
            return Found(value=True)
        if self.last(helo) is not None and reply.permanent:
            return Found(value=False)
        return Unknown(f"{self.where} answers EHLO with {reply.shown}") if reply.temporary else self._silent()

    def before(self) -> Answer[Capabilities]:
        if self._at_once():
            return Absent("TLS comes at once on this port")
        return self._offered("ehlo", "helo", self._silent())

    def after(self) -> Answer[Capabilities]:
        if not (self.session.handshake and self.session.handshake.ok):
            return self.behind("there is no TLS")
        return self._offered("ehlo-tls", "helo-tls", self._silent())

    def _offered(self, ehlo: str, helo: str, otherwise: Absent | Unknown) -> Answer[Capabilities]:
        reply = self.last(ehlo)
        if reply is not None and reply.ok and reply.code != _READY:
            return Found(read_capabilities(reply))
        fallback = self.last(helo)
        if fallback is not None and fallback.ok:
            return Found(read_capabilities(msgspec.structs.replace(fallback, lines=fallback.lines[:1])))
        refusal = fallback or reply
        if refusal is None or closing(self.session):
            return otherwise
        if refusal.temporary:
            return Unknown(f"{self.where} answers EHLO with {refusal.shown}")
        return self.behind(f"EHLO was refused: {refusal.shown}")

    def after_refused(self) -> Reply | None:
        reply = self.last("ehlo-tls")
        return reply if reply is not None and not reply.ok and not closing(self.session) else None

    def banner_again(self) -> Reply | None:
        if not self.session.handshake or self._at_once():
            return None
        found = self.all("ehlo-tls")
        return found[0] if found and found[0].code == _READY else None

    def starttls_refusal(self) -> Reply | None:
        reply = self.last("starttls")
        return reply if reply is not None and reply.code != _READY else None

    def early(self) -> bytes:
        broken = self._broken
        if broken is None or broken.trouble is not Trouble.OUT_OF_STEP or closing(self.session):
            return b""
        return broken.reply

    def breakage(self, mx: bool) -> Answer[Breakage]:
        broken = self._broken
        call = self.session.call
        if closing(self.session):
            stage = self.session.remarks.get("ended") or (broken.stage if broken is not None else "")
            seen = broken.reply if broken is not None else self.replies[-1][1].raw if self.replies else b""
            trouble, why = Trouble.CLOSED, decoded(seen.rstrip())
        elif broken is None or broken.stage == "quit" or self._failed_tls() or broken.trouble is None:
            return Absent("the session ended in order")
        else:
            stage, trouble, why, seen = broken.stage, broken.trouble, broken.why, broken.reply
        return Found(
            Breakage(
                host=call.host,
                address=call.address,
                port=call.port,
                stage=stage,
                trouble=trouble,
                why=why,
                seen=seen,
                mx=mx,
            )  # fmt: skip
        )


_NAMES: Final = {
    "banner": "the banner", "ehlo": "EHLO", "helo": "HELO", "mail-clear": "MAIL", "rset-clear": "RSET",
    "starttls": "STARTTLS", "tls": "the TLS handshake", "ehlo-tls": "EHLO inside TLS", "helo-tls": "HELO inside TLS",
    "auth": "AUTH", "mail": "MAIL", "rcpt": "RCPT", "rset": "RSET", "quit": "QUIT",
}  # fmt: skip


def _stage(stage: str) -> str:
    return _NAMES.get(stage, stage)


def _helo(session: Session) -> str:
    for step in session.steps:
        if step.stage in ("ehlo", "ehlo-tls", "helo", "helo-tls"):
            return decoded(step.said).partition(" ")[2]
    return session.call.helo


def _timings(session: Session) -> dict[str, float]:
    found: dict[str, float] = {}
    if session.connect_ms is not None:
        found["connect"] = session.connect_ms
    for step in session.steps:
        key = _TIMED.get(step.stage)
        if key is not None and step.replied_ms is not None:
            found[key] = round(found.get(key, 0.0) + step.replied_ms - step.at_ms, 2)
    return found


def _starttls(session: Session, told: _Told, before: Answer[Capabilities]) -> str | None:
    handshake = session.handshake
    timed_out = any(step.stage == "tls" and step.trouble is Trouble.TIMEOUT for step in session.steps)
    if session.steps and session.steps[0].stage == "tls":
        return "implicit" if handshake is not None and handshake.ok else None if timed_out else "failed"
    if handshake is not None:
        return "offered" if handshake.ok else None if timed_out else "failed"
    reply = told.last("starttls")
    if reply is not None:
        return None if closing(session) else "failed"
    if not isinstance(before, Found) or told.reached("starttls"):
        return None
    if before.value.has("STARTTLS"):
        return "offered" if session.call.mode is Mode.NONE else None
    return "missing"


def _tls(made: Answer[TlsFacts], told: _Told) -> Answer[TlsFacts]:
    if isinstance(made, Found):
        return made
    return told.behind(made.why)


def _tls_error(dialled: Dialled) -> str | None:
    handshake = dialled.session.handshake
    if handshake is not None:
        return handshake.error
    mistaken = dialled.mistaken.handshake if dialled.mistaken is not None else None
    return mistaken.error if mistaken is not None and dialled.wrong_mode == "clear" else None


def _login(
    dialled: Dialled, sessions: Sessions, told: _Told, before: Answer[Capabilities], after: Answer[Capabilities]
) -> Answer[LoginFacts]:
    session = dialled.session
    call, remarks, handshake = session.call, session.remarks, session.handshake
    if call.user is None:
        return Absent(dialled.no_login or "not asked for")
    outcome = remarks.get("login")
    why = remarks.get("login-why", "")
    behind = told.behind()
    if outcome is None:
        if isinstance(behind, Unknown):
            return behind
        outcome, why = "not-tried", _no_login(session, told)
    elif outcome == "failed" and isinstance(behind, Unknown):
        why = why or behind.why
    encrypted = handshake is not None and handshake.ok
    caps = after if encrypted else before
    reply = told.last("auth")
    leaf = handshake.chain[0] if handshake is not None and handshake.chain else None
    return Found(
        LoginFacts(
            host=call.host,
            port=call.port,
            outcome=outcome,
            user=call.user,
            mechanism=remarks.get("mechanism"),
            asked_for=sessions.mechanism,
            offered=caps.value.auth if isinstance(caps, Found) else (),
            why=why,
            reply=reply,
            detail=remarks.get("oauth"),
            encrypted=encrypted,
            trusted=bool(
                encrypted
                and handshake is not None
                and handshake.trusted
                and leaf is not None
                and bears(read_certificate(leaf), call.host)
            ),
            insecure=call.insecure_auth,
        )
    )


def _no_login(session: Session, told: _Told) -> str:
    handshake = session.handshake
    if handshake is not None and not handshake.ok:
        return f"TLS could not be established: {handshake.error}"
    banner = told.last("banner")
    if banner is not None and not banner.ok:
        return f"the server refuses service: {banner.shown}"
    return "the session did not come to it"


def _relay(session: Session, sessions: Sessions, told: _Told) -> Answer[RelayFacts]:
    if sessions.relay_to is None:
        return Absent("not asked for")
    outcome = session.remarks.get("relay")
    if outcome is None:
        behind = told.behind()
        if isinstance(behind, Unknown):
            return behind
        outcome = "not-tried"
    tried = tuple(
        (decoded(step.said).removeprefix("RCPT TO:<").removesuffix(">"), reply)
        for step, reply in told.replies
        if step.stage == "rcpt"
    )
    return Found(
        RelayFacts(
            host=session.call.host,
            port=session.call.port,
            recipient=sessions.relay_to,
            outcome=outcome,
            tried=tried,
            why=session.remarks.get("relay-why", "" if tried else "the session did not come to it"),
        )
    )
