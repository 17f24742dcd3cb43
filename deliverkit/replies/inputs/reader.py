"""Lines to replies, as they come: one pass, and never more in memory than one reply or one message.

A line is tried as a log line, a field of a notice, a line of a transcript, a bare reply, and last as a sentence with a
reply in it. What is none of these is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from deliverkit.replies.inputs import fields, postfix, transcript
from deliverkit.replies.inputs.item import MAX_LINES, MAX_TEXT, Item, Kind
from deliverkit.replies.inputs.reply import LINE, Place, begins, find, quoted
from deliverkit.replies.inputs.stamp import split_time

_EXIM: Final = re.compile(r"(?:\A| )(?:\*\*|==|=>|->|\*>) ")
_LOG: Final = re.compile(r"\S{1,255} [\w/.-]{1,80}(?:\[\d{1,10}\])?: ")
_CANDIDATE: Final = re.compile(r"[2-5]\d\d[ \-:#,)]|#[45]\.", re.ASCII)
_QUOTING: Final = " \t>|*\"'`"
_DIAGNOSTIC: Final = re.compile(r"(?:smtp|x-[a-z0-9-]{1,30})\s{0,3};\s{0,3}\S", re.IGNORECASE)
"""The value of a Diagnostic-Code, without the field's name."""
_ANNOUNCES: Final = re.compile(
    r"\b(?:response|reply|error|reason|said|was|returned|message|diagnostic|details?|Antwort|r[ée]ponse|respuesta|"
    r"risposta)\b.{0,80}:\s*\Z",
    re.IGNORECASE,
)
_TROUBLE: Final = re.compile(
    r"\b(?:connection (?:timed out|refused|reset)|no route to host|network is unreachable|name service error|"
    r"host or domain name not found|host not found|lost connection with|connect to \S+: |domain name not found|"
    r"operation timed out|unrouteable address|mail loop|too many hops)",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"\W{0,4}[^\s@]{1,64}@[^\s@]{1,255}")
_RECIPIENT: Final = re.compile(r"\s*<([^<>@\s]{1,64}@[^<>\s]{1,255})>[:,]? ")


class Counts(msgspec.Struct):
    """How much was read: `skipped` of the `lines` held no reply, `cut` were longer than is read."""

    lines: int = 0
    skipped: int = 0
    cut: int = 0
    plain: str = ""
    """The one line that was not empty, where there was only one."""


class _Open(msgspec.Struct):
    """A reply whose last line may be still to come."""

    line: int
    kind: Kind
    lines: list[str]
    given: list[str]
    code: str
    more: bool
    """Whether its last line says that another follows."""
    place: Place = Place(0)
    """In a sentence: how it is closed."""
    wraps: bool = False
    """Whether a line without a code goes on with it: a paragraph of a notice."""
    size: int = 0
    stage: str | None = None
    host: str | None = None
    peer: str | None = None
    recipient: str | None = None
    time: str | None = None


class Reader:
    """Takes lines one by one and gives the replies that are whole."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._open: _Open | None = None
        self._fields: dict[str, str] = {}
        self._fields_given: list[str] = []
        self._fields_line = 0
        self._field = ""
        self._reporter: str | None = None
        self._session = transcript.Session()
        self._announced = False
        self._filled = 0

    def feed(self, line: str, number: int) -> Iterator[Item]:
        """The replies that this line completes."""
        if not line.strip():
            yield from self.end()
            return
        self._filled += 1
        self._counts.plain = line if self._filled == 1 else ""
        if self._open is not None and self._continues(line):
            return
        if self._field and self._folds(line):
            return
        time, rest = split_time(line)
        found = self._logged(rest, line, number, time)
        if found is not None:
            yield from self.end()
            yield found
            return
        field = fields.FIELD.match(rest) if ":" in rest[:42] else None
        if field is not None and field[1].lower() in fields.FIELDS:
            if self._open is not None:
                yield self._closed(self._open)
            yield from self._takes(field[1].lower(), field[2], line, number)
            return
        yield from self._loose(rest, line, number, time)

    def end(self) -> Iterator[Item]:
        """What is still open: at the end, and at an empty line."""
        if self._open is not None:
            yield self._closed(self._open)
        yield from self._reported()

    # -- a reply of several lines

    def _continues(self, line: str) -> bool:
        """Takes a further line of the open reply; whether it is one."""
        reply = self._open
        if reply is not None and reply.kind is Kind.TEXT and (begins(line.strip()) or find(line) is not None):
            # The paragraph comes to the reply itself: its words before that were none.
            self._open, self._announced = None, reply.wraps
            self._counts.skipped += len(reply.given)
            return False
        if reply is None or len(reply.lines) >= MAX_LINES or reply.size > MAX_TEXT:
            return False
        rest = split_time(line)[1]
        said = transcript.server(rest)
        text = said if said is not None else rest.lstrip(_QUOTING)
        match = LINE.match(text)
        if (
            reply.more
            and match is not None
            and match[1] == reply.code
            and (said is not None) == (reply.kind is Kind.TRANSCRIPT)
        ):
            reply.lines.append(text)
            reply.more = match[2] == "-"
        elif (
            match is None
            and said is None
            and reply.kind is not Kind.TRANSCRIPT
            and (reply.wraps or line[0] in " \t")
            and not begins(text)
        ):
            reply.lines[-1] = f"{reply.lines[-1]} {text.strip()}"
        else:
            return False
        reply.given.append(line)
        reply.size += len(line)
        return True

    def _closed(self, reply: _Open) -> Item:
        self._open = None
        text = "\n".join(reply.lines)[:MAX_TEXT]
        if reply.kind is Kind.PROSE:
            # A paragraph is whole only now: what follows the reply is cut off, what it answered is read.
            reply.stage = reply.stage or fields.stage_of_said(text)
            text = quoted(text, reply.place)
        stage = reply.stage
        if reply.kind is Kind.TRANSCRIPT or self._session.live:
            stage = self._session.replied(reply.code) or stage
        return Item(
            text=text,
            given="\n".join(reply.given)[:MAX_TEXT],
            line=reply.line,
            kind=reply.kind,
            stage=stage,
            host=reply.host,
            peer=reply.peer,
            recipient=reply.recipient,
            time=reply.time,
        )

    # -- the shapes

    def _logged(self, rest: str, line: str, number: int, time: str | None) -> Item | None:
        # Each make is loaded when a line looks like its own: a single reply needs none of them.
        given = line[:MAX_TEXT]
        found = None
        if "status=" in rest or "reject" in rest or "postfix" in rest[:80]:
            found = postfix.read(rest, given, number, time)
        if found is None and ("reject=" in rest or ("stat=" in rest and "result=" not in rest)):
            from deliverkit.replies.inputs import sendmail  # noqa: PLC0415 - as said

            found = sendmail.read(rest, given, number, time)
        if found is None and (_EXIM.search(rest[:80]) is not None or "rejected " in rest):
            from deliverkit.replies.inputs import exim  # noqa: PLC0415 - as said

            found = exim.read(rest, given, number, time)
        if found is None and ("result=" in rest or "delivery " in rest):
            from deliverkit.replies.inputs import others  # noqa: PLC0415 - as said

            found = others.read(rest, given, number, time)
        return found

    def _takes(self, name: str, value: str, line: str, number: int) -> Iterator[Item]:
        """Takes a field of a notice; a field that is there already begins the next group."""
        if name in self._fields:
            yield from self._reported()
        if not self._fields:
            self._fields_line = number
        self._fields[name] = value[:MAX_TEXT]
        self._fields_given.append(line[:MAX_TEXT])
        self._field = name

    def _folds(self, line: str) -> bool:
        if line[0] not in " \t" or len(self._fields.get(self._field, "")) > MAX_TEXT:
            self._field = "" if line[0] not in " \t" else self._field
            return False
        self._fields[self._field] += f"\n{line}"
        self._fields_given.append(line)
        return True

    def _reported(self) -> Iterator[Item]:
        """The reply of the fields so far."""
        if not self._fields:
            return
        self._reporter = self._fields.get("reporting-mta", self._reporter)
        given = "\n".join(self._fields_given)[:MAX_TEXT]
        item = fields.recipient(self._fields, reporter=self._reporter, given=given, line=self._fields_line)
        if item is None:
            self._counts.skipped += len(self._fields_given)
        self._fields, self._fields_given, self._field = {}, [], ""
        if item is not None:
            yield item

    def _loose(self, rest: str, line: str, number: int, time: str | None) -> Iterator[Item]:
        """A line of a transcript, a bare reply, or a sentence."""
        if self._open is not None and self._open.code == "220" and not self._session.live and transcript.typed(rest):
            self._session.opened()  # a greeting, for a command follows it
        yield from self.end()
        said = transcript.server(rest)
        text = said if said is not None else rest.lstrip(_QUOTING)
        if begins(text) or LINE.match(text) is not None:
            self._begin(text, line, number, Kind.TRANSCRIPT if said is not None else Kind.REPLY, time)
            self._announced = False
        elif _DIAGNOSTIC.match(rest) is not None:
            found = fields.recipient({"diagnostic-code": rest}, given=line[:MAX_TEXT], line=number)
            if found is not None:
                yield found
        elif said is None and not self._spoken(rest):
            place = find(rest) if _CANDIDATE.search(rest) is not None else None
            if place is not None:
                self._begin_prose(place, rest, line, number, time)
            else:
                yield from self._worded(rest, line, number, time)

    def _spoken(self, rest: str) -> bool:
        """Takes what the client of a transcript says; whether the line is such."""
        spoken = transcript.client(rest)
        if spoken is not None:
            self._session.command(spoken)
        elif self._session.body or transcript.typed(rest):
            self._session.command(rest.strip())
        elif transcript.opens(rest):
            self._session.opened()
        else:
            return False
        return True

    def _begin(self, text: str, line: str, number: int, kind: Kind, time: str | None) -> None:
        match = LINE.match(text)
        self._open = _Open(
            line=number,
            kind=kind,
            lines=[text],
            given=[line],
            code=match[1] if match is not None else "",
            more=match is not None and match[2] == "-",
            wraps=self._announced,
            time=time,
        )

    def _begin_prose(self, place: Place, rest: str, line: str, number: int, time: str | None) -> None:
        host, peer, stage, _ = postfix.said(rest)
        to = _RECIPIENT.match(rest)
        self._open = _Open(
            line=number,
            kind=Kind.PROSE,
            lines=[rest[place.start :]],
            given=[line],
            code="",
            more=False,
            place=place,
            wraps=self._announced,
            stage=stage or fields.stage_of_said(rest),
            host=host,
            peer=peer,
            recipient=to[1] if to else None,
            time=time,
        )
        self._announced = False

    def _worded(self, rest: str, line: str, number: int, time: str | None) -> Iterator[Item]:
        """Words without a code: what a program tells of a connection, or what a notice announced."""
        told = transcript.note(rest)
        logged = time is not None or _LOG.match(rest) is not None
        heading = self._announced and rest.rstrip().endswith(":")
        if not logged and (heading or _ANNOUNCES.search(rest[-200:]) is not None):
            self._announced = True
            self._counts.skipped += 1
            return
        if told is None and (logged or not (self._announced or _TROUBLE.search(rest[:2048]))):
            self._counts.skipped += 1
            return
        text = told if told is not None else rest.strip()
        if told is None and _ADDRESS.fullmatch(text):
            self._counts.skipped += 1
            return
        self._open = _Open(
            line=number,
            kind=Kind.TRANSCRIPT if told is not None else Kind.TEXT,
            lines=[text[:MAX_TEXT]],
            given=[line[:MAX_TEXT]],
            code="",
            more=False,
            wraps=self._announced,
            stage="connect" if told is not None and "connect" in told.lower() else None,
            time=time,
        )
        self._announced = False
        if told is not None:
            yield from self.end()
