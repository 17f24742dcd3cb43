"""A session's steps, looked up by stage, and what a session that broke off leaves unknown."""

from __future__ import annotations

from typing import Final

import msgspec

from deliverkit.facts.smtp import Breakage
from deliverkit.model import Absent, Answer, Found, Session, Step, Trouble, Unknown
from deliverkit.probes.smtp_calls import closing
from deliverkit.smtp.capabilities import Capabilities, read_capabilities
from deliverkit.smtp.reply import Reply, decoded, parse

_READY: Final = 220
_CLOSING: Final = 421

_NAMES: Final = {
    "banner": "the banner", "ehlo": "EHLO", "helo": "HELO", "mail-clear": "MAIL", "rset-clear": "RSET",
    "starttls": "STARTTLS", "tls": "the TLS handshake", "ehlo-tls": "EHLO inside TLS", "helo-tls": "HELO inside TLS",
    "connect": "connecting", "auth": "AUTH", "mail": "MAIL", "rcpt": "RCPT", "rset": "RSET", "quit": "QUIT",
}  # fmt: skip


def stage_name(stage: str) -> str:
    """A stage in words: `EHLO inside TLS`."""
    return _NAMES.get(stage, stage)


class Told:
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
        """`mail.example.com port 587`."""
        call = self.session.call
        return f"{call.host} port {call.port}"

    def all(self, stage: str) -> list[Reply]:
        """Every reply of this stage."""
        return [reply for step, reply in self.replies if step.stage == stage]

    def last(self, stage: str) -> Reply | None:
        """The last reply of this stage, None where there is none."""
        found = self.all(stage)
        return found[-1] if found else None

    def reached(self, stage: str) -> bool:
        """Whether the session came to this stage."""
        return any(step.stage == stage for step in self.session.steps)

    def behind(self, otherwise: str = "not reached") -> Absent | Unknown:
        """The answer to what the session did not come to."""
        broken = self._broken
        if closing(self.session):
            said = self.replies[-1][1].shown if self.replies else "421"
            if broken is not None:
                said = decoded(broken.reply.splitlines()[0]) if broken.reply else "421"
            stage = self.session.remarks.get("ended") or (broken.stage if broken is not None else "")
            return Unknown(f"{self.where} ended the session at {stage_name(stage)}: {said}")
        if broken is not None and broken.stage != "quit" and not self._failed_tls():
            return Unknown(f"{self.where} at {stage_name(broken.stage)}: {broken.why}")
        return Absent(otherwise)

    def _failed_tls(self) -> bool:
        broken = self._broken
        return broken is not None and broken.stage == "tls" and broken.trouble is Trouble.TLS

    def reply(self, stage: str) -> Answer[Reply]:
        """The last reply of a stage that every session comes to."""
        reply = self.last(stage)
        return Found(reply) if reply is not None else self.behind()

    def asked(self, stage: str) -> Answer[Reply]:
        """The reply to something that is not always asked."""
        reply = self.last(stage)
        if reply is not None and reply.code != _CLOSING:  # it closes, and says nothing of what was asked
            return Found(reply)
        return self.behind("not asked")

    def greeting(self) -> Answer[Reply]:
        """The reply to EHLO, or to HELO where EHLO was refused."""
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
        """Whether EHLO was accepted."""
        ehlo, helo = ("ehlo-tls", "helo-tls") if self._at_once() else ("ehlo", "helo")
        reply = self.last(ehlo)
        if reply is None or (closing(self.session) and self.session.remarks.get("ended") == ehlo):
            return self._silent()
        if reply.ok:
            return Found(value=True)
        if self.last(helo) is not None and reply.permanent:
            return Found(value=False)
        return Unknown(f"{self.where} answers EHLO with {reply.shown}") if reply.temporary else self._silent()

    def before(self) -> Answer[Capabilities]:
        """What is offered in clear."""
        if self._at_once():
            return Absent("TLS comes at once on this port")
        return self._offered("ehlo", "helo", self._silent())

    def after(self) -> Answer[Capabilities]:
        """What is offered inside TLS."""
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
        """The refusal of EHLO inside TLS."""
        reply = self.last("ehlo-tls")
        return reply if reply is not None and not reply.ok and not closing(self.session) else None

    def banner_again(self) -> Reply | None:
        """A banner that came once more inside TLS."""
        if not self.session.handshake or self._at_once():
            return None
        found = self.all("ehlo-tls")
        return found[0] if found and found[0].code == _READY else None

    def starttls_refusal(self) -> Reply | None:
        """The reply to STARTTLS where it is not 220."""
        reply = self.last("starttls")
        return reply if reply is not None and reply.code != _READY else None

    def early(self) -> bytes:
        """What came before it was asked for; a 421 there is an end like any other."""
        broken = self._broken
        if broken is None or broken.trouble is not Trouble.OUT_OF_STEP or closing(self.session):
            return b""
        return broken.reply

    def breakage(self, *, mx: bool) -> Answer[Breakage]:
        """Where and how the session broke off."""
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
            )
        )
