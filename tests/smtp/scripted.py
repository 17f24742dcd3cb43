"""A connection without a socket: a script says what the server answers, and what it was told is kept."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from deliverkit.model import Call, Handshake, Session
from deliverkit.smtp.dialog import dialog_of
from deliverkit.smtp.driver import Limit, converse
from deliverkit.smtp.secret import Secret

CLOSE, RESET, HANG = object(), object(), object()
EHLO = b"250-mail.example.com\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n"
EHLO_TLS = b"250-mail.example.com\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n"
GOOD = {
    "banner": b"220 mail.example.com ESMTP\r\n",
    "EHLO": EHLO,
    "EHLO/tls": EHLO_TLS,
    "HELO": b"250 mail.example.com\r\n",
    "STARTTLS": b"220 go\r\n",
    "MAIL": b"250 ok\r\n",
    "RCPT": b"550 5.7.1 relaying denied\r\n",
    "RSET": b"250 ok\r\n",
    "AUTH": b"235 2.7.0 welcome\r\n",
    "QUIT": b"221 bye\r\n",
}
ESTABLISHED = Handshake(name="mail.example.com", version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384")


class Scripted:
    """A `Line`. An answer is octets, CLOSE, RESET, HANG, or a list of these; `AUTH+` answers what follows AUTH."""

    ours = "192.0.2.99"

    def __init__(self, handshake: Handshake = ESTABLISHED, **answers: Any) -> None:
        self.answers = {
            **GOOD,
            **{key.replace("_tls", "/tls").replace("_more", "+"): value for key, value in answers.items()},
        }
        self.handshake = handshake
        self.said: list[bytes] = []
        self.names: list[str] = []
        self.closed = False
        self._tls = False
        self._auth = False
        self._inbox: list[Any] = []
        self._put(self.answers["banner"])

    def _put(self, answer: Any) -> None:
        self._inbox += answer if isinstance(answer, list) else [answer]

    async def send(self, octets: bytes) -> None:
        if self._inbox and self._inbox[0] is RESET:
            raise BrokenPipeError
        self.said.append(octets)
        assert octets.endswith(b"\r\n")
        verb = octets.split()[0].decode().upper() if octets.strip() else ""
        if self._auth and verb not in ("QUIT", "AUTH"):
            queue = self.answers["AUTH+"]
            self._put(queue.pop(0) if isinstance(queue, list) else queue)
            return
        self._auth = verb == "AUTH"
        inside = f"{verb}/tls"
        self._put(self.answers[inside if self._tls and inside in self.answers else verb])

    async def receive(self) -> bytes:
        item = self._inbox.pop(0) if self._inbox else HANG
        if item is HANG:
            await asyncio.sleep(3600)
        if item is RESET:
            raise ConnectionResetError(104, "Connection reset by peer")
        return b"" if item is CLOSE else bytes(item)

    def waiting(self) -> bytes:
        found = b""
        while self._inbox and isinstance(self._inbox[0], bytes):
            found += self._inbox.pop(0)
        return found

    @property
    def ended(self) -> bool:
        return bool(self._inbox) and (self._inbox[0] is CLOSE or self._inbox[0] is RESET)

    async def start_tls(self, name: str, version: str) -> Handshake:
        self.names.append(name)
        if self.answers.get("TLS") is HANG:
            await asyncio.sleep(3600)
        self._tls = self.handshake.ok
        return self.handshake

    async def close(self) -> None:
        self.closed = True


def call(**changes: Any) -> Call:
    given = {
        "host": "mail.example.com",
        "address": "192.0.2.1",
        "port": 25,
        "dial_port": 25,
        "helo": "client.example.com",
    }
    return Call(**{**given, **changes})


def run(line: Scripted, wanted: Call | None = None, *, secret: Secret | None = None, seconds: float = 5.0) -> Session:
    wanted = wanted or call()

    async def main() -> Session:
        limit = Limit(time.monotonic() + seconds, "before the run's end")
        return await converse(wanted, dialog_of(wanted, wanted.helo, secret), line, limit, secret=secret)

    return asyncio.run(main())


def stages(session: Session) -> list[str]:
    """`ehlo:250`, `tls`, `quit!timeout`."""
    return [
        f"{step.stage}!{step.trouble}"
        if step.trouble
        else f"{step.stage}:{step.reply[:3].decode()}"
        if step.reply
        else step.stage
        for step in session.steps
    ]
