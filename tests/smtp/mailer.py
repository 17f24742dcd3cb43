"""A scripted server that takes messages, and what a delivery to it comes to."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from scripted import CLOSE, RESET, Scripted, call

from deliverkit.delivery.outcome import attempt_of
from deliverkit.model import Call, Session
from deliverkit.model.delivery import Attempt, Envelope, Hop
from deliverkit.smtp.driver import Tell, converse
from deliverkit.smtp.line import Limit
from deliverkit.smtp.secret import Secret
from deliverkit.smtp.transaction import Handover, transaction

CLEAR = b"250-mail.example.com\r\n250-PIPELINING\r\n250-SIZE 100000\r\n250 8BITMIME\r\n"
BODY = b"Subject: hello\r\n\r\n..one dot\r\nthe end\r\n"
TO = ("a@example.net", "b@example.net", "c@example.net")


class Mailer(Scripted):
    """Answers each line of what comes together. A tuple answers one command after the other; `BODY` a message begun."""

    def __init__(self, **answers: Any) -> None:
        usual = {
            "EHLO": CLEAR,
            "RCPT": b"250 2.1.5 ok\r\n",
            "DATA": b"354 go on\r\n",
            "EOD": b"250 2.0.0 Ok: queued as 4F1A2B\r\n",
        }
        handshake = {"handshake": answers.pop("handshake")} if "handshake" in answers else {}
        super().__init__(**handshake, **{**usual, **answers})
        self.body = b""
        self.full = False
        self._message = False

    async def send(self, octets: bytes) -> None:
        if self.full or (self._inbox and self._inbox[0] is RESET):
            raise BrokenPipeError
        self.said.append(octets)
        for line in octets.split(b"\r\n")[:-1]:
            if self._message and line == b".":
                self._message = False
                self._answer("EOD")
            elif self._message:
                if not self.body and "BODY" in self.answers:
                    self._answer("BODY")
                self.body += line + b"\r\n"
            else:
                verb = line.split()[0].decode().upper() if line.strip() else ""
                self._answer(f"{verb}/tls" if self._tls and f"{verb}/tls" in self.answers else verb)

    def _answer(self, verb: str) -> None:
        answer = self.answers[verb]
        if isinstance(answer, tuple):
            answer, self.answers[verb] = answer[0], answer[1:]
        if verb == "DATA" and isinstance(answer, bytes) and answer.startswith(b"354"):
            self._message = True
        if answer is not None:
            self._put(answer)

    @property
    def commands(self) -> list[bytes]:
        """What was said, line by line, without the message."""
        return [line for octets in self.said for line in octets.split(b"\r\n")[:-1] if not self.body or octets != BODY]


def handover(*, body: bytes = BODY, to: tuple[str, ...] = TO, envelope: Any = None, **words: Any) -> Handover:
    said = {"sender": "me@example.com", "recipients": to, "size": len(body), **(envelope or {})}
    return Handover(envelope=Envelope(**said), body=body, **words)


def deliver(
    line: Any,
    delivery: Handover | None = None,
    wanted: Call | None = None,
    *,
    secret: Secret | None = None,
    seconds: float = 5.0,
    tell: Tell | None = None,
) -> Attempt:
    """One session with a line in memory, and what it came to."""
    delivery = delivery or handover()
    wanted = wanted or call()

    async def main() -> Session:
        limit = Limit(time.monotonic() + seconds, "before the run's end")
        dialog = transaction(wanted, wanted.helo, delivery, secret)
        return await converse(wanted, dialog, line, limit, secret=secret, tell=tell)

    return attempt(asyncio.run(main()), delivery)


def attempt(session: Session, delivery: Handover) -> Attempt:
    hop = Hop(host=session.call.host, address=session.call.address)
    return attempt_of(1, 1_800_000_000.0, hop, delivery.envelope, session)


def fates(attempt: Attempt) -> list[str]:
    """`accepted@eod` for each recipient."""
    return [f"{result.outcome}@{result.stage}" for result in attempt.results]


__all__ = ["BODY", "CLEAR", "CLOSE", "RESET", "TO", "Mailer", "attempt", "deliver", "fates", "handover"]
