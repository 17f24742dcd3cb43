"""Drives a dialog over a line and keeps what happened: each step, its reply, its time.

A `Line` is a connection, however it is made: a socket, or a script in memory. Every wait has an absolute
end, of the step and of the session; what the peer sends before it was asked ends the session.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from deliverkit.model import Call, Handshake, Session, State, Step, Trouble
from deliverkit.smtp.acts import CLOSING, Act, BrokenError, Dialog, Listen, Remark, Say, StartTls
from deliverkit.smtp.reply import MAX_AUTH_LINE, MAX_LINE, Bad, BadReplyError, Reader, Reply, decoded, parse
from deliverkit.smtp.secret import Secret

HANDSHAKE: Final = 15.0
"""Seconds for a TLS handshake."""
BANNER: Final = 30.0
_KEPT: Final = 65_536
_SEEN: Final = 512
_BANNER: Final = re.compile(rb"2(?:2(?:0|$)|$)")

Watch = Callable[[str], None]
"""Called with the name of each stage as a conversation comes to it."""


class Line(Protocol):
    """A connection."""

    ours: str
    """The address of our end."""

    async def send(self, octets: bytes) -> None:
        """Sends all of it. Raises OSError."""
        ...

    async def receive(self) -> bytes:
        """What comes next, b"" at the end. Raises OSError."""
        ...

    def waiting(self) -> bytes:
        """What has come already, without waiting."""
        ...

    async def start_tls(self, name: str, version: str) -> Handshake:
        """Goes over to TLS. A handshake that fails is a record like any other."""
        ...

    async def close(self) -> None:
        """Ends it."""
        ...


class Limit(msgspec.Struct, frozen=True):
    """The end of a whole session: `at` on the clock of `time.monotonic`, and the words for who set it."""

    at: float
    words: str


async def converse(
    call: Call,
    dialog: Dialog,
    line: Line,
    limit: Limit,
    *,
    secret: Secret | None = None,
    began: float | None = None,
    connect_ms: float | None = None,
    watch: Watch | None = None,
) -> Session:
    """The session as it went. Never raises for what a peer does; the line is left open."""
    held = _Conversation(line, limit, secret, time.monotonic() if began is None else began, watch)
    await held.run(dialog)
    return Session(
        call=call,
        state=State.OPEN,
        connect_ms=connect_ms,
        steps=tuple(held.steps),
        handshake=held.handshake,
        injected=held.injected,
        remarks=held.remarks,
        ours=line.ours,
    )


class _Conversation:
    def __init__(self, line: Line, limit: Limit, secret: Secret | None, began: float, watch: Watch | None) -> None:
        self.steps: list[Step] = []
        self.handshake: Handshake | None = None
        self.injected = b""
        self.remarks: dict[str, str] = {}
        self._line = line
        self._limit = limit
        self._secret = secret
        self._began = began
        self._watch = watch
        self._reader = Reader()
        self._tls = False

    async def run(self, dialog: Dialog) -> None:
        """Until the dialog has no more to say, a step breaks, or the server says that it closes."""
        try:
            act = next(dialog)
            while True:
                try:
                    answer = await self._do(act)
                except BrokenError as broken:
                    act = dialog.throw(broken)
                    continue
                if isinstance(answer, Reply) and answer.code == CLOSING:
                    self.remarks["ended"] = self.steps[-1].stage
                    return
                act = dialog.send(answer)
        except (StopIteration, BrokenError):
            pass
        finally:
            dialog.close()

    async def _do(self, act: Act) -> Reply | Handshake | None:
        match act:
            case Remark(key, text):
                self._remark(key, text)
                return None
            case StartTls(name, version):
                self._tell("tls")
                return await self._upgrade(name, version)
            case Listen() | Say():
                self._tell(act.stage)
                return await self._step(act)

    def _tell(self, stage: str) -> None:
        if self._watch is not None:
            self._watch(stage)

    def _remark(self, key: str, text: str) -> None:
        if text:
            self.remarks[key] = decoded(self._clean(text.encode("utf-8", "backslashreplace")))
        else:
            self.remarks.pop(key, None)

    async def _step(self, act: Listen | Say) -> Reply:
        at = self._now()
        said = b"" if isinstance(act, Listen) else act.line if act.shown is None else act.shown
        tls = self._tls
        try:
            if isinstance(act, Listen):
                reply = await self._listen(act)
            else:
                early = self._out_of_step(ahead=act.ahead)
                if early is not None:
                    said, reply = b"", early
                else:
                    reply = await self._exchange(act, decoded(said) or act.stage)
        except BrokenError as broken:
            if broken.trouble is Trouble.OUT_OF_STEP:
                said = b""
            self._keep(act.stage, said, at, tls, self._clean(broken.seen, cut=True)[:_SEEN], broken)
            raise
        self._keep(act.stage, said, at, tls, self._clean(reply.raw), None)
        return reply

    async def _listen(self, act: Listen) -> Reply:
        seconds = BANNER
        if act.silence is not None and self._reader.idle:
            began = time.monotonic()
            async with self._until(act.silence, f"no {act.stage}"):
                await self._more()
            seconds -= time.monotonic() - began
        async with self._until(seconds, f"no {act.stage}", BANNER):
            return await self._reply()

    async def _exchange(self, act: Say, what: str) -> Reply:
        if b"\n" in act.line or b"\r" in act.line:
            raise ValueError("a command is one line")
        self._reader.limit = MAX_AUTH_LINE if act.stage == "auth" else MAX_LINE
        async with self._until(act.seconds, f"no answer to {what}"):
            # Whoever hangs up may have said why before: that is read even where nothing can be sent any more.
            with contextlib.suppress(OSError):
                await self._line.send(act.line + b"\r\n")
            return await self._reply()

    def _out_of_step(self, *, ahead: bool) -> Reply | None:
        """Nothing may have come before it was asked for: a reply too many would answer the next command.

        But a server may say 421 at any time (RFC 5321 §3.8): then this is returned, and the command not said.
        """
        self._reader.feed(self._line.waiting())
        if self._reader.idle:
            return None
        pending = self._reader.pending
        if ahead and _BANNER.match(pending):
            return None
        reply = parse(pending)
        if reply is not None and reply.code == CLOSING:
            self._reader.drop()
            return reply
        raise BrokenError(Trouble.OUT_OF_STEP, "the server spoke before it was asked", pending)

    async def _reply(self) -> Reply:
        while True:
            try:
                reply = self._reader.next()
            except BadReplyError as bad:
                trouble = Trouble.NOT_SMTP if bad.bad is Bad.NOT_A_REPLY else Trouble.TOO_LONG
                raise BrokenError(trouble, bad.why, bad.seen) from bad
            if reply is not None:
                return reply
            await self._more()

    async def _more(self) -> None:
        try:
            octets = await self._line.receive()
        except ConnectionError as error:
            raise BrokenError(Trouble.RESET, "the server reset the connection", self._reader.pending) from error
        except TimeoutError as error:  # the network's own: ours is a cancellation
            raise BrokenError(Trouble.TIMEOUT, "the connection is dead: nothing arrives any more") from error
        except OSError as error:
            trouble = Trouble.TLS if self._tls else Trouble.RESET
            raise BrokenError(trouble, _words(error), self._reader.pending) from error
        if not octets:
            raise BrokenError(Trouble.CLOSED, "the server closed the connection", self._reader.pending)
        self._reader.feed(octets)
        # A peer that never stops would leave no deadline a chance: what has come already is read without waiting.
        await asyncio.sleep(0)

    async def _upgrade(self, name: str, version: str) -> Handshake:
        if self.steps:  # what stands behind the reply to STARTTLS was said by anybody on the way: dropped (RFC 3207 §6)
            self._reader.feed(self._line.waiting())
            self.injected = self._clean(self._reader.drop())[:_SEEN]
        at = self._now()
        try:
            async with self._until(HANDSHAKE, "no TLS handshake"):
                handshake = await self._line.start_tls(name, version)
        except BrokenError as broken:
            self.handshake = Handshake(name=name, error=broken.why, elapsed_ms=round(self._now() - at, 2))
            self._keep("tls", b"", at, False, b"", broken)
            raise
        self.handshake = handshake
        self._tls = handshake.ok
        failure = None if handshake.ok else BrokenError(Trouble.TLS, handshake.error or "")
        self._keep("tls", b"", at, self._tls, b"", failure)
        return handshake

    def _clean(self, octets: bytes, *, cut: bool = False) -> bytes:
        return octets if self._secret is None else self._secret.redact(octets, cut=cut)

    def _now(self) -> float:
        return round((time.monotonic() - self._began) * 1000, 2)

    def _keep(self, stage: str, said: bytes, at: float, tls: bool, reply: bytes, broken: BrokenError | None) -> None:
        self.steps.append(
            Step(
                stage=stage,
                said=said,
                at_ms=at,
                tls=tls,
                reply=reply[:_KEPT],
                replied_ms=self._now(),
                trouble=broken.trouble if broken else None,
                why=decoded(self._clean(broken.why.encode("utf-8", "backslashreplace"))) if broken else "",
            )
        )

    def _until(self, seconds: float, what: str, named: float = 0.0) -> _Until:
        """`named`: the seconds to tell, where a part of them has gone by already."""
        left = self._limit.at - time.monotonic()
        words = f"{what} within {named or seconds:g} s" if seconds <= left else f"{what} {self._limit.words}"
        return _Until(max(min(seconds, left), 0.0), words, self._reader)


class _Until:
    """A wait with an end; at the end `BrokenError`, with what had come by then."""

    def __init__(self, seconds: float, words: str, reader: Reader) -> None:
        self._words = words
        self._reader = reader
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)  # type: ignore[arg-type]
        except TimeoutError as over:
            seen = self._reader.pending
            words = self._words.replace("no ", "no whole ", 1) if seen else self._words
            raise BrokenError(Trouble.TIMEOUT, words, seen) from over


def _words(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
