"""A saved session as a server in memory: what was said then is said again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.model import Handshake, Trouble
from deliverkit.smtp.acts import BrokenError
from deliverkit.smtp.script import Script, Turn

_GO_ON: Final = b"354"


class Playback:
    """A connection to a `Script`. A `Line`.

    Commands are counted and not compared, for a name or a secret may be another now; a message may be any.
    """

    def __init__(self, script: Script, *, ours: str = "") -> None:
        self.ours = ours
        self._turns = [turn for turn in script.turns if turn.kind not in ("wait", "note")]
        self._place = 0
        self._rest = b""
        self._message = False

    def _next(self) -> Turn | None:
        return self._turns[self._place] if self._place < len(self._turns) else None

    def _while(self, kind: str) -> Iterator[Turn]:
        while (turn := self._next()) is not None and turn.kind == kind:
            self._place += 1
            yield turn

    @property
    def ended(self) -> bool:
        """Whether the script is at its end, or says that the connection is."""
        turn = self._next()
        return turn is None or turn.kind in ("closed", "reset")

    async def send(self, octets: bytes) -> None:
        """Goes on in the script by as many lines."""
        lines = (self._rest + octets).split(b"\r\n")
        self._rest = lines.pop()
        for line in lines:
            if not self._message:
                turn = self._next()
                self._place += turn is not None and turn.kind == "client"
                continue
            if line == b".":
                self._message = False
                for turn in self._while("client"):
                    if turn.octets == b".\r\n":
                        break
        if self._message and lines:
            self._cut_off()

    def _cut_off(self) -> None:
        """Where the script's message has no final dot, something came in the middle of it."""
        place = self._place
        for turn in self._while("client"):
            if turn.octets == b".\r\n":
                self._place = place
                return

    async def receive(self) -> bytes:
        """What the server said at this place; where it said nothing, how it ended."""
        octets = self.waiting()
        if octets:
            return octets
        turn = self._next()
        if turn is not None and turn.kind == "reset":
            raise ConnectionResetError(104, "Connection reset by peer")
        if turn is not None and turn.kind != "closed":
            raise BrokenError(Trouble.TIMEOUT, turn.words or "the script waits for something else")
        return b""

    def waiting(self) -> bytes:
        """What the server said at this place."""
        octets = b"".join(turn.octets for turn in self._while("server"))
        self._message = self._message or octets.startswith(_GO_ON)
        return octets

    async def start_tls(self, name: str, version: str) -> Handshake:
        """TLS as it was agreed on, without the certificates: a script does not hold them."""
        del version
        turn = self._next()
        if turn is None or turn.kind != "tls":
            return Handshake(name=name, error="the script has no TLS here")
        self._place += 1
        agreed, _, cipher = turn.words.partition(" ")
        return Handshake(name=name, version=agreed, cipher=cipher, error=turn.octets.decode() or None)

    async def close(self) -> None:
        """Ends it."""
