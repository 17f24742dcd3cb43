"""Drives a dialog over a line and keeps what happened: each step, its reply, its time.

A `Line` is a connection, however it is made: a socket, or a script in memory. Every wait has an absolute
end, of the step and of the session; what the peer sends before it was asked ends the session. While a message is
written the peer is listened to: it may refuse in the middle, and the connection that it resets still holds its words.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from deliverkit.model import Call, Handshake, Session, State, Step, Trouble
from deliverkit.smtp.acts import CLOSING, STEP, Act, BrokenError, Burst, Dialog, Listen, Remark, Say, StartTls, Write
from deliverkit.smtp.line import Limit, Line, Until, sent, until
from deliverkit.smtp.reply import MAX_AUTH_LINE, MAX_LINE, Bad, BadReplyError, Reader, Reply, decoded, parse
from deliverkit.smtp.secret import Secret

__all__ = ["Event", "Limit", "Line", "Tell", "Watch", "converse"]

HANDSHAKE: Final = 15.0
"""Seconds for a TLS handshake."""
BANNER: Final = 30.0
BLOCK: Final = 180.0
"""Seconds for a block of a message to be taken (RFC 5321 §4.5.3.2.5)."""
HUSH: Final = 0.02
"""Seconds behind a message in which its final dot waits: who answers or hangs up too early is told by it. What comes at
once behind 354, or before the message can have been read, would else be taken for the answer to the dot."""
_BLOCK: Final = 65_536
_KEPT: Final = 65_536
_SEEN: Final = 512
_BANNER: Final = re.compile(rb"2(?:2(?:0|$)|$)")

_TOLD: Final = ("failed", "size", "login-why", "dsn", "stopped")
"""Remarks that are told as they are made."""

Watch = Callable[[str], None]
"""Called with the name of each stage as a conversation comes to it."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a conversation, told as it is said or heard. Nothing in it is secret, everything as it came.

    A `client` event is one command, or the octets of a message (stage `body`); a `server` event one whole reply with
    its line ends, or what there was of one; a `note` is words: what broke, what TLS came to, why nothing is sent.
    """

    at_ms: float
    """Since the connection was asked for."""
    direction: Literal["client", "server", "note"]
    tls: bool
    stage: str
    text: bytes


Tell = Callable[[Event], None]


async def converse(
    call: Call,
    dialog: Dialog,
    line: Line,
    limit: Limit,
    *,
    secret: Secret | None = None,
    began: float | None = None,
    watch: Watch | None = None,
    tell: Tell | None = None,
) -> Session:
    """The session as it went. Never raises for what a peer does; the line is left open."""
    held = _Conversation(line, limit, secret, time.monotonic() if began is None else began, watch, tell)
    await held.run(dialog)
    return Session(
        call=call,
        state=State.OPEN,
        steps=tuple(held.steps),
        handshake=held.handshake,
        injected=held.injected,
        remarks=held.remarks,
        ours=line.ours,
    )


class _Conversation:
    def __init__(
        self, line: Line, limit: Limit, secret: Secret | None, began: float, watch: Watch | None, tell: Tell | None
    ) -> None:
        self.steps: list[Step] = []
        self.handshake: Handshake | None = None
        self.injected = b""
        self.remarks: dict[str, str] = {}
        self._line = line
        self._limit = limit
        self._secret = secret
        self._began = began
        self._watch = watch
        self._tell = tell
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
                last = answer[-1] if isinstance(answer, tuple) else answer
                if isinstance(last, Reply) and last.code == CLOSING:
                    self.remarks["ended"] = self.steps[-1].stage
                    return
                act = dialog.send(answer)
        except (StopIteration, BrokenError):
            pass
        finally:
            dialog.close()

    async def _do(self, act: Act) -> Reply | tuple[Reply, ...] | Handshake | None:
        if self._watch is not None and not isinstance(act, Remark):
            self._watch(_stage(act))
        match act:
            case Remark(key, text):
                self._remark(key, text)
                return None
            case StartTls(name, version):
                return await self._upgrade(name, version)
            case Burst(says):
                return await self._burst(says)
            case Write():
                return await self._write(act)
            case Listen() | Say():
                return await self._step(act)

    def _event(self, direction: Literal["client", "server", "note"], stage: str, text: bytes) -> None:
        if self._tell is None or not text:
            return
        try:
            self._tell(Event(at_ms=self._now(), direction=direction, tls=self._tls, stage=stage, text=text))
        except OSError:  # a terminal that is gone: a message under way is worth more than the telling of it
            self._tell = None

    def _remark(self, key: str, text: str) -> None:
        if text:
            cleaned = self._clean(text.encode("utf-8", "backslashreplace"))
            self.remarks[key] = decoded(cleaned)
            if key in _TOLD:
                self._event("note", key, cleaned)
        else:
            self.remarks.pop(key, None)

    async def _step(self, act: Listen | Say) -> Reply:
        at = self._now()
        said = _shown(act)
        tls = self._tls
        try:
            if isinstance(act, Listen):
                reply = await self._listen(act)
            else:
                early = self._out_of_step(ahead=act.ahead)
                if early is not None:
                    said, reply = b"", early
                else:
                    if act.commits and self._line.ended:
                        said = b""
                        await self._more()  # says how it ended
                    reply, said = await self._exchange(act, said)
        except BrokenError as broken:
            said = b"" if broken.trouble is Trouble.OUT_OF_STEP or isinstance(broken, _UnsaidError) else said
            self._keep(act.stage, said, at, tls, self._clean(broken.seen, cut=True)[:_SEEN], broken)
            raise
        self._keep(act.stage, said, at, tls, self._clean(reply.raw), None)
        return reply

    async def _listen(self, act: Listen) -> Reply:
        seconds = whole = BANNER if act.seconds is None else act.seconds
        if act.silence is not None and self._reader.idle:
            began = time.monotonic()
            async with self._until(act.silence, f"no {act.stage}"):
                await self._more()
            seconds -= time.monotonic() - began
        async with self._until(seconds, f"no {act.stage}", whole):
            return await self._reply()

    async def _exchange(self, act: Say, said: bytes) -> tuple[Reply, bytes]:
        """The reply, and what was said: nothing, where the connection no longer took it."""
        _one_line(act)
        self._reader.limit = MAX_AUTH_LINE if act.stage == "auth" else MAX_LINE
        taken = True
        self._event("client", act.stage, said)
        try:
            async with self._until(act.seconds, f"no answer to {act.name or decoded(said) or act.stage}"):
                # Whoever hangs up may have said why before: that is read even where nothing can be sent any more.
                try:
                    await self._line.send(act.line + b"\r\n")
                except OSError:
                    taken = not act.commits
                return await self._reply(), said if taken else b""
        except BrokenError as broken:
            if taken:
                raise
            raise _UnsaidError(broken.trouble, broken.why, broken.seen) from broken

    async def _burst(self, says: tuple[Say, ...]) -> tuple[Reply, ...]:
        """Each line's reply is a step of its own. What is said to a server that has closed is read all the same."""
        at, tls = self._now(), self._tls
        for say in says:
            _one_line(say)
        try:
            early = self._out_of_step(ahead=False)
        except BrokenError as broken:
            self._keep(says[0].stage, b"", at, tls, self._clean(broken.seen, cut=True)[:_SEEN], broken)
            raise
        if early is not None:
            self._keep(says[0].stage, b"", at, tls, self._clean(early.raw), None)
            return (early,)
        self._reader.limit = MAX_LINE
        for say in says:
            self._event("client", say.stage, _shown(say))
        replies: list[Reply] = []
        for place, say in enumerate(says):
            said = _shown(say)
            try:
                async with self._until(say.seconds, f"no answer to {say.name or decoded(said)}"):
                    if not place:
                        with contextlib.suppress(OSError):
                            await self._line.send(b"".join(each.line + b"\r\n" for each in says))
                    reply = await self._reply()
            except BrokenError as broken:
                self._keep(
                    say.stage, said, at, tls, self._clean(broken.seen, cut=True)[:_SEEN], broken, together=place > 0
                )
                raise
            self._keep(say.stage, said, at, tls, self._clean(reply.raw), None, together=place > 0)
            replies.append(reply)
            if reply.code == CLOSING:
                break
        return tuple(replies)

    async def _write(self, act: Write) -> Reply | None:
        at, tls = self._now(), self._tls
        shown = self._clean(act.octets if act.shown is None else act.shown)
        self._event("client", act.stage, shown)
        try:
            early = await self._pour(act.octets)
        except BrokenError as broken:
            self._keep(act.stage, shown, at, tls, self._clean(broken.seen, cut=True)[:_SEEN], broken)
            raise
        self._keep(act.stage, shown, at, tls, self._clean(early.raw) if early is not None else b"", None)
        return early

    async def _pour(self, octets: bytes) -> Reply | None:
        """Sends block by block, and listens meanwhile. What was said before a reset is still there to be read."""
        whole = True
        for place in range(0, len(octets), _BLOCK):
            async with self._until(BLOCK, "no more of the message was taken"):
                whole = await sent(self._line, self._reader, octets[place : place + _BLOCK])
            if not whole:
                break
        if whole:
            async with self._until(STEP, "the message was not taken"):
                await asyncio.sleep(HUSH)
            self._reader.feed(self._line.waiting())
        if not whole or self._line.ended or not self._reader.idle:
            async with self._until(STEP, "no whole reply in the middle of the message"):
                return await self._reply()
        return None

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
        if handshake.ok:
            self._event("note", "tls", self._clean(f"{handshake.version} {handshake.cipher}".encode()))
        failure = None if handshake.ok else BrokenError(Trouble.TLS, handshake.error or "")
        self._keep("tls", b"", at, self._tls, b"", failure)
        return handshake

    def _clean(self, octets: bytes, *, cut: bool = False) -> bytes:
        return octets if self._secret is None else self._secret.redact(octets, cut=cut)

    def _now(self) -> float:
        return round((time.monotonic() - self._began) * 1000, 2)

    def _keep(
        self,
        stage: str,
        said: bytes,
        at: float,
        tls: bool,
        reply: bytes,
        broken: BrokenError | None,
        *,
        together: bool = False,
    ) -> None:
        why = self._clean(broken.why.encode("utf-8", "backslashreplace")) if broken else b""
        self.steps.append(
            Step(
                stage=stage,
                said=said,
                at_ms=at,
                tls=tls,
                reply=reply[:_KEPT],
                replied_ms=self._now(),
                trouble=broken.trouble if broken else None,
                why=decoded(why),
                together=together,
            )
        )
        self._event("server", stage, reply[:_KEPT])
        self._event("note", stage, why)

    def _until(self, seconds: float, what: str, named: float = 0.0) -> Until:
        return until(seconds, what, self._limit, self._reader, named)


class _UnsaidError(BrokenError):
    """What was to be said never left: the connection took nothing more."""


def _stage(act: Act) -> str:
    match act:
        case StartTls():
            return "tls"
        case Burst(says):
            return says[0].stage
        case Remark(key):
            return key
    return act.stage


def _shown(act: Listen | Say) -> bytes:
    return b"" if isinstance(act, Listen) else act.line if act.shown is None else act.shown


def _one_line(act: Say) -> None:
    if any(octet in act.line for octet in (b"\n", b"\r", b"\0")):
        raise ValueError("a command is one line")


def _words(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
