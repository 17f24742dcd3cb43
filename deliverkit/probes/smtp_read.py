"""From a session to the facts of its endpoint.

What was never asked is `Absent`; what lies behind a 421, a timeout or a lost connection is `Unknown`. A port that
refuses the connection has nothing to judge, so that all of it is `Absent`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from deliverkit.facts.smtp import Endpoint, LoginFacts, OddReply, RelayFacts
from deliverkit.facts.tls import TlsFacts
from deliverkit.model import Absent, Answer, Found, Mode, Session, Sessions, State, Trouble, Unknown
from deliverkit.probes.smtp_calls import Dialled, closing, in_clear, named, role_of
from deliverkit.probes.smtp_told import Told
from deliverkit.records.certificate import bears, read_certificate
from deliverkit.smtp.capabilities import Capabilities
from deliverkit.smtp.reply import Defect, Reply, decoded

_READY: Final = 220
_HARMLESS: Final = frozenset({Defect.NO_SEPARATOR})
_TIMED: Final = {
    "banner": "banner", "ehlo": "ehlo", "helo": "ehlo", "starttls": "starttls", "tls": "tls", "ehlo-tls": "ehlo_tls",
    "helo-tls": "ehlo_tls", "auth": "auth",
}  # fmt: skip


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
    told = Told(session)
    nothing = _nothing(session, setting)
    endpoint = Endpoint(
        host=place.host,
        address=place.address,
        port=place.port,
        role=role_of(sessions, place.port),
        helo=_helo(session),
        state=session.state.value,
        why=session.why,
        by_us=setting.by_us,
        named=named(sessions),
        asked_starttls=sessions.tls == "starttls" or setting.required_by is not None,
        ptr=setting.ptr,
        required_by=setting.required_by,
        ours=session.ours,
        steps=session.steps,
        wrong_mode=dialled.wrong_mode,
        timings=_timings(session),
        starttls=None,
        banner=nothing,
        extended=nothing,
        greeting=nothing,
        before=nothing,
        after=nothing,
        mail_before_tls=nothing,
        tls=nothing,
    )
    if session.state is not State.OPEN:
        return endpoint
    before, after = told.before(), told.after()
    return msgspec.structs.replace(
        endpoint,
        banner=told.reply("banner"),
        banner_ms=endpoint.timings.get("banner") if told.last("banner") is not None else None,
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
        in_clear=in_clear(dialled.mistaken or session).rstrip(),
        injected=session.injected if told.reached("starttls") else b"",
        mail_before_tls=told.asked("mail-clear"),
        tls=setting.tls if isinstance(setting.tls, Found) else _no_tls(setting.tls, told),
        tls_error=_tls_error(dialled),
        demands_client=_demands_client(session),
        login=_login(dialled, sessions, told, before, after),
        relay=_relay(session, sessions, told),
        breakage=told.breakage(mx=endpoint.role == "mx"),
        odd=tuple(
            OddReply(host=place.host, port=place.port, stage=step.stage, reply=reply)
            for step, reply in told.replies
            if not _HARMLESS.issuperset(reply.defects)
        ),
    )


def _no_tls(tls: Absent | Unknown, told: Told) -> Absent | Unknown:
    """Why there is no TLS: a refusal for now says nothing of it (RFC 3207 §4: 454)."""
    refused = told.starttls_refusal()
    if refused is not None and refused.temporary:
        return Unknown(f"{told.where}: STARTTLS is put off: {refused.shown}")
    return told.behind(tls.why)


def _nothing(session: Session, setting: Setting) -> Absent | Unknown:
    """The answer to everything about a place that was not reached."""
    if setting.idle or (session.state is State.REFUSED and setting.by_us is None):
        return Absent(session.why)
    return Unknown(session.why)


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
    if session.handshake is not None and session.handshake.ok:
        found["tls"] = session.handshake.elapsed_ms  # without what judging the certificate took here
    return found


def _starttls(session: Session, told: Told, before: Answer[Capabilities]) -> str | None:
    handshake = session.handshake
    timed_out = _timed_out(session)
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


def _timed_out(session: Session) -> bool:
    return any(step.stage == "tls" and step.trouble is Trouble.TIMEOUT for step in session.steps)


def _tls_error(dialled: Dialled) -> str | None:
    """Why the handshake failed, where it did; of one that was not done in time nobody can tell."""
    handshake = dialled.session.handshake
    if handshake is not None:
        return None if _timed_out(dialled.session) else handshake.error
    mistaken = dialled.mistaken.handshake if dialled.mistaken is not None else None
    return mistaken.error if mistaken is not None and dialled.wrong_mode == "clear" else None


def _demands_client(session: Session) -> bool:
    """Whether the server ended it since no client certificate came: in TLS 1.3 only after the handshake."""
    handshake = session.handshake
    if handshake is None or not handshake.asks_client:
        return False
    last = session.steps[-1] if session.steps else None
    ended = last is not None and last.trouble in (Trouble.TLS, Trouble.CLOSED, Trouble.RESET)
    return not handshake.ok or (ended and last is not None and last.stage in ("banner", "ehlo-tls"))


def _protocol_fault(session: Session, reply: Reply | None) -> bool:
    """Whether a login that failed did so since the server broke the mechanism's protocol."""
    trouble = next((step.trouble for step in session.steps if step.stage == "auth" and step.trouble is not None), None)
    put_off = closing(session) or (reply is not None and reply.temporary)
    return not put_off and trouble in (None, Trouble.TOO_LONG, Trouble.NOT_SMTP, Trouble.OUT_OF_STEP)


def _login(
    dialled: Dialled, sessions: Sessions, told: Told, before: Answer[Capabilities], after: Answer[Capabilities]
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
            heard=isinstance(caps, Found)
            and isinstance(behind, Absent)
            and (encrypted or not caps.value.has("STARTTLS")),
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
            protocol_fault=outcome == "failed" and _protocol_fault(session, reply),
        )
    )


def _no_login(session: Session, told: Told) -> str:
    handshake = session.handshake
    if handshake is not None and not handshake.ok:
        return f"TLS could not be established: {handshake.error}"
    banner = told.last("banner")
    if banner is not None and not banner.ok:
        return f"the server refuses service: {banner.shown}"
    return "the session did not come to it"


def _relay(session: Session, sessions: Sessions, told: Told) -> Answer[RelayFacts]:
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
