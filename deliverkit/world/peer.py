"""An SMTP server as a world describes it: octets in, octets out, no socket and no clock (RFC 5321).

Both the line in memory and the lab's sockets put questions to it. What it gives out is octets, and words for what
octets cannot say: go over to TLS, close, reset, say nothing more.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Final, TypeAlias

from deliverkit.world import auth
from deliverkit.world.incoming import Incoming, largest, objection
from deliverkit.world.mailbox import AT_DATA, Mailroom, Message
from deliverkit.world.section import SmtpSection, is_under

GARBAGE: Final = b"\x00\xff\x13garbage\xfe\r\n"
"""What a fault of that name sends."""
NOT_TLS: Final = b"500 5.5.1 no TLS here\r\n"
"""What is sent in place of a handshake that a fault `garbage` spoils."""
_LINE: Final = 4096
_NO_COMMANDS: Final = ("BODY", "EOD")
"""Words of a world's text for the octets of a message and for the dot at its end: no client says them."""
_AUTH_LINE: Final = 12_288
_RECIPIENTS: Final = 100
_ERRORS: Final = 20
_PATH: Final = re.compile(r"(?:FROM|TO):\s*<(?P<path>[^<>]*)>(?P<rest>(?:\s+\S+)*)\s*", re.IGNORECASE)
_CHUNK: Final = re.compile(r"(?P<size>[0-9]{1,12})(?P<last>\s+LAST)?", re.ASCII | re.IGNORECASE)


class Then(enum.Enum):
    """What follows that is no octets."""

    TLS = "tls"  # the handshake begins
    CLOSE = "close"
    RESET = "reset"
    SILENT = "silent"  # nothing more comes, and the connection stays
    WAIT = "wait"  # what follows comes later


Output: TypeAlias = list["bytes | Then"]


class Peer:
    """One connection's server. `tls` says whether it stands inside TLS already; `leaf` gives its certificate (DER)."""

    def __init__(
        self,
        section: SmtpSection,
        *,
        tls: bool,
        leaf: Callable[[], bytes],
        clock: Callable[[], float],
        room: Mailroom | None = None,
    ) -> None:
        self._section = section
        self._leaf = leaf
        self._clock = clock
        self._room = Mailroom() if room is None else room
        self._tls = tls
        self._buffer = bytearray()
        self._over = False
        self._login = auth.Login(section.users)
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._data: Incoming | None = None
        self._chunk: tuple[int, bool] | None = None
        """Of BDAT: the octets to come, and whether they are the last."""
        self._chunks: Incoming | None = None
        self._errors = 0

    @property
    def over(self) -> bool:
        """Whether it has ended, or fallen silent: what comes now is not read."""
        return self._over

    def greet(self) -> Output:
        """What is said first."""
        fault = self._section.faults.get("BANNER")
        return self._fault(fault) if fault else self._reply(self._section.banner)

    def secured(self) -> None:
        """TLS is established: what was said before is forgotten (RFC 3207 §4.2)."""
        self._tls = True
        self._buffer.clear()
        self._sender, self._recipients = None, []

    def feed(self, octets: bytes) -> Output:
        """What the server does when these octets come."""
        out: Output = []
        self._buffer += octets
        while not self._over:
            if self._chunk is not None or self._data is not None:
                if not (self._take_chunk(out) if self._chunk is not None else self._take_data(out)):
                    break
                continue
            line, found, _ = self._buffer.partition(b"\n")
            limit = _AUTH_LINE if self._login.under_way else _LINE
            if len(line) > limit:
                out += [*self._reply(b"500 5.5.2 line too long"), *self._end(Then.CLOSE)]
                break
            if not found:
                break
            del self._buffer[: len(line) + 1]
            answer = self._line(bytes(line.rstrip(b"\r")))
            out += answer
            if Then.TLS in answer:
                self._buffer.clear()  # commands in clear behind STARTTLS are dropped
                break
        return out

    def _line(self, line: bytes) -> Output:
        if self._login.under_way:
            return self._reply(self._login.go_on(line))
        word, _, rest = line.decode("utf-8", "replace").partition(" ")
        verb = word.upper()
        if verb in _NO_COMMANDS:
            return self._usual("", rest)
        if self._chunks is not None and verb in ("MAIL", "RCPT", "DATA"):
            return self._reply(b"503 5.5.1 in the middle of BDAT")
        fault = self._section.faults.get(verb)
        if fault:
            return self._fault(fault)
        scripted = self._section.scripted(verb, tls=self._tls)
        return self._usual(verb, rest.strip()) if scripted is None else self._scripted(verb, scripted, rest)

    def _usual(self, verb: str, rest: str) -> Output:
        known: dict[str, Callable[[str], Output]] = {
            "EHLO": self._ehlo, "HELO": self._helo, "STARTTLS": self._starttls, "AUTH": self._auth, "MAIL": self._mail,
            "RCPT": self._rcpt, "DATA": self._begin_data, "BDAT": self._begin_chunk, "RSET": self._rset,
            "QUIT": self._quit,
        }  # fmt: skip
        if verb in known:
            return known[verb](rest)
        plain = {"NOOP": b"250 2.0.0 ok", "VRFY": b"252 2.5.2 send some mail, I'll try my best"}
        if verb in plain:
            return self._reply(plain[verb])
        self._errors += 1
        if self._errors > _ERRORS:
            return [*self._reply(b"421 4.7.0 too many errors"), *self._end(Then.CLOSE)]
        return self._reply(b"500 5.5.2 command unrecognized")

    def _scripted(self, verb: str, reply: bytes, rest: str) -> Output:
        """A reply of the text's; what it accepts is done all the same."""
        if not reply:
            return self._end(Then.SILENT)
        if reply.startswith(b"421"):
            return [*self._reply(reply), *self._end(Then.CLOSE)]
        if verb == "QUIT":
            return [*self._reply(reply), *self._end(Then.CLOSE)]
        if verb == "STARTTLS" and reply.startswith(b"220"):
            return self._upgrade(reply)
        path = _PATH.fullmatch(rest.strip())
        if verb == "MAIL" and reply.startswith(b"250") and path is not None:
            self._sender, self._recipients = path["path"], []
        if verb == "RCPT" and reply.startswith(b"250") and path is not None and len(self._recipients) < _RECIPIENTS:
            self._recipients.append(path["path"])
        if verb == "DATA" and reply.startswith(b"354"):
            self._data = Incoming()
        return self._reply(reply)

    def _ehlo(self, rest: str) -> Output:
        if not rest:
            return self._reply(b"501 5.5.4 a name is wanted")
        section = self._section
        lines = [section.name, *(section.offer_tls if self._tls else section.offer)]
        self._sender, self._recipients = None, []
        last = len(lines) - 1
        text = "\r\n".join(f"250{' ' if place == last else '-'}{line}" for place, line in enumerate(lines))
        return self._reply(text.encode())

    def _helo(self, rest: str) -> Output:
        return self._reply(f"250 {self._section.name}".encode() if rest else b"501 5.5.4 a name is wanted")

    def _starttls(self, rest: str) -> Output:
        if self._section.mode != "starttls":
            return self._reply(b"502 5.5.1 command not implemented")
        if self._tls:
            return self._reply(b"503 5.5.1 TLS is there already")
        if rest:
            return self._reply(b"501 5.5.4 no parameters allowed")
        return self._upgrade(b"220 2.0.0 ready to start TLS")

    def _upgrade(self, reply: bytes) -> Output:
        inject = self._section.inject
        behind = inject + (b"" if inject.endswith(b"\n") else b"\r\n") if inject else b""
        return [reply + b"\r\n" + behind, Then.TLS]

    def _auth(self, rest: str) -> Output:
        offered = self._offered()
        if not offered and self._login.user is None:
            wants = self._section.submission and self._section.mode == "starttls" and not self._tls
            return self._reply(
                b"530 5.7.0 Must issue a STARTTLS command first" if wants else b"502 5.5.1 command not implemented"
            )
        return self._reply(self._login.begin(rest, offered, self._leaf if self._tls else None))

    def _lines(self) -> tuple[str, ...]:
        return self._section.offer_tls if self._tls else self._section.offer

    def _offered(self) -> tuple[str, ...]:
        found: list[str] = []
        for line in self._lines():
            words = line.upper().replace("AUTH=", "AUTH ").split()
            found += words[1:] if words[:1] == ["AUTH"] else []
        return tuple(found)

    def _mail(self, rest: str) -> Output:
        section = self._section
        if section.submission and section.mode == "starttls" and not self._tls:
            return self._reply(b"530 5.7.0 Must issue a STARTTLS command first")
        match = _PATH.fullmatch(rest)
        if match is None or not rest.upper().startswith("FROM"):
            return self._reply(b"501 5.5.4 syntax: MAIL FROM:<address>")
        wrong = objection("MAIL", match["path"], match["rest"].split(), self._lines())
        if wrong is not None:
            return self._reply(wrong)
        self._sender, self._recipients = match["path"], []
        return self._reply(b"250 2.1.0 ok")

    def _rcpt(self, rest: str) -> Output:
        if self._sender is None:
            return self._reply(b"503 5.5.1 MAIL first")
        match = _PATH.fullmatch(rest)
        if match is None or not rest.upper().startswith("TO") or not match["path"]:
            return self._reply(b"501 5.5.4 syntax: RCPT TO:<address>")
        path = match["path"]
        wrong = objection("RCPT", path, match["rest"].split(), self._lines())
        if wrong is None and self._login.user is None and not self._local(path):
            wrong = b"550 5.7.1 relaying denied"
        if wrong is not None:
            return self._reply(wrong)
        if len(self._recipients) >= _RECIPIENTS:
            return self._reply(b"452 4.5.3 too many recipients")
        mood = self._room.recipient(self._sender, path, self._clock())
        if mood is not None:
            return self._scripted("RCPT", mood, rest)
        self._recipients.append(path)
        return [*([Then.WAIT] if self._room.slow(path) else []), *self._reply(b"250 2.1.5 ok")]

    def _local(self, path: str) -> bool:
        """Whether mail for this path is taken from anybody: no source route, no percent hack (RFC 5321 §F.2)."""
        local, at, domain = path.rpartition("@")
        if not at:
            return path.lower() == "postmaster"
        plain = not any(sign in local for sign in "%@!:")
        return plain and any(is_under(domain.lower(), own) for own in self._section.domains)

    def _begin_data(self, rest: str) -> Output:
        del rest
        if not self._recipients:
            return self._reply(b"503 5.5.1 RCPT first")
        self._data = Incoming()
        return self._reply(b"354 end data with <CR><LF>.<CR><LF>")

    def _take_data(self, out: Output) -> bool:
        """Reads message lines; whether the message is at its end. Only its first octets are kept."""
        held = self._data
        if held is None or not self._buffer:
            return False
        if not held.begun:
            held.begun = True
            out += self._amid()
            if self._over:
                return False
        if not held.lines(self._buffer):
            return False
        self._data = None
        out += self._at_end(held)
        return True

    def _amid(self) -> Output:
        """What the world's text lets happen when the message has begun: the connection ends, or a reply comes early."""
        fault = self._section.faults.get("BODY")
        if fault:
            return self._fault(fault)
        early = self._section.scripted("BODY", tls=self._tls)
        return [] if early is None else self._scripted("BODY", early, "")

    def _begin_chunk(self, rest: str) -> Output:
        """BDAT (RFC 3030 §2): the octets follow at once, and are read whatever the reply will be."""
        if "CHUNKING" not in (line.upper() for line in self._lines()):
            return self._reply(b"500 5.5.2 command unrecognized")
        match = _CHUNK.fullmatch(rest.strip())
        if match is None:
            return [*self._reply(b"501 5.5.4 syntax: BDAT size [LAST]"), *self._end(Then.CLOSE)]
        self._chunk = int(match["size"]), match["last"] is not None
        return []

    def _take_chunk(self, out: Output) -> bool:
        """Reads of a chunk what is there; whether it is whole."""
        left, last = self._chunk or (0, False)
        held = self._chunks = self._chunks or Incoming()
        left = held.chunk(self._buffer, left)
        if left:
            self._chunk = left, last
            return False
        self._chunk = None
        if not self._recipients:
            self._chunks = None
            out += self._reply(b"503 5.5.1 RCPT first")
        elif last:
            self._chunks = None
            out += self._at_end(held)
        else:
            out += self._reply(b"250 2.0.0 chunk received")
        return True

    def _at_end(self, held: Incoming) -> Output:
        """The reply to the final dot, or what takes its place."""
        fault = self._section.faults.get("EOD")
        said = self._section.scripted("EOD", tls=self._tls)
        if fault or said is not None:
            if said is not None and said.startswith(b"250"):
                self._kept(held)
            self._sender, self._recipients = None, []
            return self._fault(fault) if fault else self._scripted("EOD", said or b"", "")
        locals_ = [recipient.partition("@")[0].partition("+")[0].lower() for recipient in self._recipients]
        refused = next((AT_DATA[local] for local in locals_ if local in AT_DATA), None)
        if held.size > largest(self._lines()):
            refused = AT_DATA["too-large"]
        if refused is None:
            reply = b"250 2.0.0 ok: queued as " + self._kept(held).encode()
        self._sender, self._recipients = None, []
        return self._reply(reply if refused is None else refused)

    def _kept(self, held: Incoming) -> str:
        return self._room.take(
            Message(
                sender=self._sender or "",
                recipients=tuple(self._recipients),
                octets=bytes(held.octets),
                size=held.size,
                user=self._login.user,
            )
        )

    def _rset(self, rest: str) -> Output:
        del rest
        self._sender, self._recipients, self._chunks = None, [], None
        return self._reply(b"250 2.0.0 ok")

    def _quit(self, rest: str) -> Output:
        del rest
        return [*self._reply(b"221 2.0.0 bye"), *self._end(Then.CLOSE)]

    def _reply(self, text: bytes) -> Output:
        return [text + b"\r\n"]

    def _fault(self, fault: str) -> Output:
        if fault == "garbage":
            return [GARBAGE]
        return self._end({"timeout": Then.SILENT, "close": Then.CLOSE, "reset": Then.RESET}[fault])

    def _end(self, how: Then) -> Output:
        self._over = True
        return [how]
