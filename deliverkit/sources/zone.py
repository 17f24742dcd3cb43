"""Reads master files (RFC 1035 §5), with `$INCLUDE`, `$TTL` (RFC 2308 §4) and BIND's `$GENERATE`.

Every record keeps its place and its words; duplicates stay, and after a line that cannot be read the next is read.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from deliverkit.model import Soa
from deliverkit.model.source import InlineIgnore, Place, ProblemKind, Source, SourceProblem, SourceRecord, Word
from deliverkit.sources.entries import Entry, entries, lines_of
from deliverkit.sources.file import SourceError, decoded, octets_of, shown_path
from deliverkit.sources.generate import MAX_GENERATED, GenerateError, filled, turns
from deliverkit.sources.inline import ignores_in
from deliverkit.sources.rdata import RdataError, absolute, is_rdtype, rdata_from, written

MAX_DEPTH: Final = 10
MAX_INCLUDES: Final = 1000
MAX_TOTAL: Final = 64 * 1024 * 1024
"""Characters of a file and all that it includes."""
MAX_PROBLEMS: Final = 1000
MAX_RECORDS: Final = 1_000_000
_CLASSES: Final = frozenset({"IN", "CH", "HS", "CS"})
_TTL: Final = re.compile(r"(?:\d{1,10}[SMHDW]?)(?:\d{1,10}[SMHDW])*", re.IGNORECASE | re.ASCII)
_PART: Final = re.compile(r"(\d+)([SMHDW]?)", re.IGNORECASE | re.ASCII)
_UNITS: Final = {"": 1, "S": 1, "M": 60, "H": 3600, "D": 86_400, "W": 604_800}
_TTL_MAX: Final = 2**31 - 1
_TEMPLATE: Final = 2000
"""Characters of a `$GENERATE`."""
_RAW: Final = 4000
"""Characters kept of a record's lines."""


T = TypeVar("T")


class _EnoughError(Exception):
    """Enough was read."""


class _State(msgspec.Struct):
    """Where the reader stands in one file."""

    origin: str
    ttl: int | None = None
    """What `$TTL` says."""
    before: int | None = None
    """The TTL of the record before."""
    owner: str | None = None
    written: str = ""


def read(text: str, path: Path, *, origin: str | None = None) -> Source:
    """What the text at `path` would publish; names in it stand under `origin`, or under what its `$ORIGIN` says."""
    reader = _Reader(path)
    state = _State(origin=origin.rstrip(".").lower() if origin else "")
    reader.based = origin is not None
    with contextlib.suppress(_EnoughError):
        if not text.strip():
            # Cut off while it was written, or never filled. An included file may well be empty.
            reader.problem(Place(shown_path(path), 1, 1), "the file is empty", "syntax", "")
        reader.file(text, path, state, ())
    starts = [record.name for record in reader.records if record.rdtype == "SOA"]
    return Source(
        path=shown_path(path),
        kind="zone",
        zones=tuple(dict.fromkeys(starts)),
        records=tuple(reader.records),
        problems=tuple(reader.problems),
        ignores=tuple(reader.ignores),
        includes=tuple(dict.fromkeys(reader.includes)),
    )


def seconds_of(text: str) -> int | None:
    """A TTL as written, `1h30m` included; None where it is none."""
    if not _TTL.fullmatch(text):
        return None
    return sum(int(number) * _UNITS[unit.upper()] for number, unit in _PART.findall(text))


def _roots(path: Path) -> tuple[Path, ...]:
    """Where included files may lie: beside the file, in its repository, in the working directory that holds it."""
    folder = _real(path).parent
    found = [folder]
    found += [above for above in (folder, *folder.parents) if (above / ".git").exists()][:1]
    here = _real(Path())
    return tuple(found) if not folder.is_relative_to(here) else (*found, here)


class _Reader:
    """What was read so far, of a file and all that it includes."""

    def __init__(self, path: Path) -> None:
        self.records: list[SourceRecord] = []
        self.problems: list[SourceProblem] = []
        self.ignores: list[InlineIgnore] = []
        self.includes: list[str] = []
        self.based = False
        """Whether anything said what relative names stand under."""
        self.folder = path.parent
        self._roots = _roots(path)
        self._characters = 0
        self._generated = 0
        self._told_base = False
        self._minimum: int | None = None

    def file(self, text: str, path: Path, state: _State, above: tuple[Path, ...]) -> None:
        """Reads one file into the lists."""
        self._characters += len(text)
        where = shown_path(path)
        if "\0" in text[:4096]:
            self.problem(Place(where, 1, 1), "not a text", "unreadable", "")
            return
        lines = lines_of(text)
        waiting: list[tuple[Place, str]] = []
        for entry in entries(lines, where):
            raw = "\n".join(line.rstrip("\r") for line in lines[entry.first - 1 : entry.last])[:_RAW]
            if entry.problem is not None:
                place, message = entry.problem
                self.problem(place, message, "syntax", lines[place.line - 1] if place.line <= len(lines) else "")
            elif not entry.words:
                waiting += entry.comments
                continue
            else:
                self._entry(entry, raw, state, path, above)
            for place, comment in (*waiting, *entry.comments):
                self.ignores += ignores_in(comment, place, entry.first, entry.last)
            waiting = []

    def _entry(self, entry: Entry, raw: str, state: _State, path: Path, above: tuple[Path, ...]) -> None:
        first = entry.words[0]
        try:
            if not entry.indented and first.text.startswith("$") and not first.quoted:
                self._directive(entry, raw, state, path, above)
            else:
                self._record(entry, raw, state)
        except RdataError as error:
            at = error.word.place if error.word is not None else first.place
            self.problem(at, str(error), "syntax", raw)
        except GenerateError as error:
            self.problem(first.place, f"$GENERATE: {error}", "generate", raw)

    def problem(self, place: Place, message: str, kind: ProblemKind, text: str) -> None:
        """Notes what cannot be read. Raises `_EnoughError` where too much cannot."""
        self.problems.append(SourceProblem(place=place, message=message, kind=kind, text=text.rstrip("\r")[:_RAW]))
        if len(self.problems) >= MAX_PROBLEMS:
            self.problems.append(SourceProblem(place=place, message="too many problems: the rest was not read"))
            raise _EnoughError

    def _directive(self, entry: Entry, raw: str, state: _State, path: Path, above: tuple[Path, ...]) -> None:
        name, *rest = entry.words
        match name.text.upper():
            case "$ORIGIN":
                self._count(name, rest, 1, 1, "a name")
                state.origin = self._absolute(rest[0], state)
                self.based = True
            case "$TTL":
                self._count(name, rest, 1, 1, "a time")
                state.ttl = self._seconds(rest[0])
            case "$INCLUDE":
                self._count(name, rest, 1, 2, "a file, and a name where its names stand under another")
                self._include(rest, state, path, above)
            case "$GENERATE":
                self._generate(entry, rest, raw, state)
            case _:
                raise RdataError(f"{name.text} is no directive that zone files have", name)

    def _count(self, name: Word, rest: list[Word], least: int, most: int, wanted: str) -> None:
        if not least <= len(rest) <= most:
            raise RdataError(f"{name.text} takes {wanted}", rest[most] if len(rest) > most else name)

    def _include(self, rest: list[Word], state: _State, path: Path, above: tuple[Path, ...]) -> None:
        wanted = rest[0].text
        origin = self._absolute(rest[1], state) if len(rest) > 1 else state.origin
        # Beside the file that includes it, else where BIND looks: below the directory it runs in.
        found = next((each for each in (path.parent / wanted, Path(wanted)) if _there(each)), path.parent / wanted)
        real = _real(found)
        chain = (*above, _real(path))
        if real in chain:
            self.problem(rest[0].place, f"$INCLUDE {wanted}: a file that includes itself", "include", wanted)
            return
        if not any(real.is_relative_to(root) for root in self._roots):
            # A change from a stranger must not have the gate print what else is on the machine that judges it.
            why = "a file outside the repository, and outside the directory that is worked in, is not read"
            self.problem(rest[0].place, f"$INCLUDE {wanted}: {why}", "include", wanted)
            return
        if len(chain) > MAX_DEPTH or len(self.includes) >= MAX_INCLUDES:
            self.problem(rest[0].place, f"$INCLUDE {wanted}: too many files, one in another", "include", wanted)
            return
        try:
            text = decoded(octets_of(found))
        except SourceError as error:
            why = str(error).rpartition(": ")[2]
            self.problem(rest[0].place, f"$INCLUDE {wanted}: {why}", "include", wanted)
            return
        if self._characters + len(text) > MAX_TOTAL:
            self.problem(rest[0].place, f"$INCLUDE {wanted}: too much text in all", "include", wanted)
            return
        self.includes.append(shown_path(found))
        # The origin and the owner of the file that includes come back after it (RFC 1035 §5.1).
        inner = _State(origin=origin, ttl=state.ttl, before=state.before, owner=state.owner, written=state.written)
        self.file(text, found, inner, chain)
        state.ttl = inner.ttl

    def _generate(self, entry: Entry, rest: list[Word], raw: str, state: _State) -> None:
        if len(rest) < 4:  # noqa: PLR2004 - the words just named
            raise GenerateError("takes a range, a name, a type and data")
        numbers = turns(rest[0].text)
        if sum(len(word.text) for word in rest) > _TEMPLATE:
            raise GenerateError("a line that long would make too much")
        self._generated += len(numbers)
        if self._generated > MAX_GENERATED:
            raise GenerateError(f"more than {MAX_GENERATED} records in all")
        place = entry.words[0].place
        for number in numbers:
            words = [msgspec.structs.replace(word, text=filled(word.text, number)) for word in rest[1:]]
            turn = Entry(
                first=entry.first, last=entry.last, words=words, joined=entry.joined[2:], comments=entry.comments
            )
            self._record(turn, raw, state, place=place)

    def _record(self, entry: Entry, raw: str, state: _State, *, place: Place | None = None) -> None:
        words, joined = list(entry.words), list(entry.joined)
        owner = state.owner
        owner_word = ""
        if not entry.indented:
            owner_word = words[0].text
            owner = self._absolute(words.pop(0), state)
            joined.pop(0)
            if place is None:
                state.owner = owner
        ttl, rdtype = self._head(words, joined, owner_word)
        if owner is None:
            raise RdataError("no name: the line begins with a blank, and no record stands before it", entry.words[0])
        data, close = words, joined
        rdata = rdata_from(rdtype, data, close, state.origin)
        self._need_base(rdtype, data, owner_word, state)
        if isinstance(rdata, Soa) and self._minimum is None:
            self._minimum = rdata.minimum
        if ttl is not None:
            state.before = ttl
        self._keep(
            SourceRecord(
                name=owner,
                rdtype=rdtype,
                ttl=next((each for each in (ttl, state.ttl, state.before, self._minimum) if each is not None), None),
                rdata=rdata,
                text=written(data, close),
                place=place or entry.words[0].place,
                raw=raw,
                owner=owner_word,
                words=tuple(data),
                comment=next((text for at, text in entry.comments if at.line == data[-1].place.line), "").strip(),
                origin=state.origin,
                generated=place is not None,
                last=entry.last,
            )
        )

    def _head(self, words: list[Word], joined: list[bool], owner: str) -> tuple[int | None, str]:
        """Takes TTL and class, in either order, and the type off the words; the TTL and the type."""
        ttl: int | None = None
        cls: str | None = None
        while words and not words[0].quoted:
            word = words[0].text
            if cls is None and word.upper() in _CLASSES:
                cls = word.upper()
            elif ttl is None and _TTL.fullmatch(word):
                ttl = self._seconds(words[0])
            else:
                break
            words.pop(0)
            joined.pop(0)
        if not words:
            raise RdataError("a name without a record")
        joined.pop(0)
        first = words.pop(0)
        rdtype = first.text.upper()
        if not is_rdtype(rdtype) or first.quoted:
            hint = f" ({owner} at the start of the line is taken for a name)" if is_rdtype(owner) else ""
            raise RdataError(f"{first.text} is no record type{_blank(first.text)}{hint}", first)
        if cls not in (None, "IN"):
            raise RdataError(f"class {cls}: mail knows IN alone")
        return ttl, rdtype

    def _keep(self, record: SourceRecord) -> None:
        self.records.append(record)
        if len(self.records) >= MAX_RECORDS:
            self.problem(record.place, "too many records: the rest was not read", "unreadable", "")
            raise _EnoughError

    def _need_base(self, rdtype: str, data: list[Word], owner: str, state: _State) -> None:
        """Tells once that relative names stand below the root, since nothing says below what."""
        if self.based or state.origin or self._told_base:
            return
        names = {"MX": data[1:2], "CNAME": data[:1], "NS": data[:1]}.get(rdtype, [])
        relative = next((word.text for word in names if not word.text.endswith(".")), None)
        if relative is None and owner and not owner.endswith(".") and owner != "@":
            relative = owner
        if relative is None and owner != "@":
            return
        self._told_base = True
        word = relative or "@"
        place = data[0].place
        self.problem(place, f"{word} is a relative name, and no $ORIGIN (or --origin) says below what", "syntax", "")

    def _absolute(self, word: Word, state: _State) -> str:
        try:
            return absolute(word.text, state.origin)
        except RdataError as error:
            raise RdataError(str(error), word) from error

    def _seconds(self, word: Word) -> int:
        value = seconds_of(word.text)
        if value is None or value > _TTL_MAX:
            raise RdataError(f"{word.text} is no TTL", word)
        return value


def _blank(text: str) -> str:
    """Words about a blank that is none of ASCII's: it came along from a document."""
    return (
        "; there is a blank in it that is not ASCII's" if re.search(r"[\u00a0\u2000-\u200b\u202f\u3000]", text) else ""
    )


def _there(path: Path) -> bool:
    return _quietly(path.exists, otherwise=False)


def _real(path: Path) -> Path:
    return _quietly(path.resolve, otherwise=path)


def _quietly(ask: Callable[[], T], *, otherwise: T) -> T:
    try:
        return ask()
    except (OSError, ValueError, RuntimeError):
        return otherwise
