"""Values of DNS as code, as records: what a provider would publish of them.

Each reader gathers what its file says of a record into a `Values`; where a value is none, the reason is kept as a
problem at its place, and the reading goes on.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from deliverkit.model import Address, Host, Mx, Other, Rdata, Txt
from deliverkit.model.source import Place, ProblemKind, Source, SourceKind, SourceProblem, SourceRecord
from deliverkit.records.names import parse_domain
from deliverkit.sources.file import shown_path
from deliverkit.sources.tree import Document, Node, UnreadableError

STRING: Final = 255
"""Octets that one character-string holds (RFC 1035 §3.3)."""
_ESCAPED: Final = re.compile(rb"\\(?:([0-9]{3})|(.))", re.DOTALL)
_TOKEN: Final = re.compile(rb'\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^\s"\\]|\\.)+))', re.DOTALL)
_PLAIN: Final = re.compile(r"[a-z0-9_*/.-]+")
_MAX_OCTET: Final = 255
_MAX_WORD: Final = 65_535
_MAX_TTL: Final = 2**31 - 1
_MAX_LINE: Final = 2_000
"""Characters of a line that are kept: a plan is one line of megabytes."""


class ValueProblemError(ValueError):
    """A value that its type cannot hold; the message is one clear line."""


class Values:
    """The records of one file as they are read."""

    def __init__(self, path: Path, text: str, kind: SourceKind) -> None:
        self._path = shown_path(path)
        self._lines = text.splitlines()
        self._kind = kind
        self._zones: dict[str, None] = {}
        self.records: list[SourceRecord] = []
        self.problems: list[SourceProblem] = []
        self.deleted: list[tuple[str, str]] = []
        """Name and type of the record sets that are taken away."""

    def zone(self, name: str) -> None:
        """A zone that the file holds records of."""
        self._zones[name] = None

    def place(self, node: Node) -> Place:
        """Where a value stands."""
        return Place(self._path, node.line, node.column)

    def problem(self, message: str, node: Node, kind: ProblemKind = "syntax") -> None:
        """Something that is wrong at a value."""
        self.problems.append(
            SourceProblem(place=self.place(node), message=message, kind=kind, text=self._line(node.line))
        )

    def add(
        self,
        node: Node,
        name: str,
        rdtype: str,
        ttl: int | None,
        rdata: Rdata | None,
        written: str,
        unknown: str | None = None,
    ) -> None:
        """One record, at the place of its value; `written` is its presentation form."""
        self.records.append(
            SourceRecord(
                name=name,
                rdtype=rdtype,
                ttl=ttl,
                rdata=rdata,
                text=written,
                place=self.place(node),
                raw=self._line(node.line),
                unknown=unknown,
            )
        )

    def _line(self, number: int) -> str:
        return self._lines[number - 1][:_MAX_LINE] if 0 < number <= len(self._lines) else ""

    def source(self, document: Document, *, partial: bool = False) -> Source:
        """The whole file."""
        remarked = {(remark.line, remark.column) for remark in document.remarks}
        # What a remark tells of a value explains why it is none.
        self.problems = [each for each in self.problems if (each.place.line, each.place.column) not in remarked]
        for remark in document.remarks:
            place = Place(self._path, remark.line, remark.column)
            self.problems.append(SourceProblem(place=place, message=remark.message, text=self._line(remark.line)))
        self.problems.sort(key=lambda problem: (problem.place.line, problem.place.column))
        return Source(
            path=self._path,
            kind=self._kind,
            zones=tuple(self._zones),
            records=tuple(self.records),
            problems=tuple(self.problems),
            partial=partial,
            deleted=tuple(self.deleted),
        )


def document_of(text: str, path: Path, kind: SourceKind, read: Callable[[str], Document]) -> Document | Source:
    """The document, or a source that says why there is none."""
    try:
        return read(text)
    except UnreadableError as error:
        place = Place(shown_path(path), error.line, error.column)
        lines = text.splitlines()
        line = lines[error.line - 1][:_MAX_LINE] if 0 < error.line <= len(lines) else ""
        problem = SourceProblem(place=place, message=error.message, kind="unreadable", text=line)
        return Source(path=place.path, kind=kind, problems=(problem,))


def name_of(text: str, zone: str = "") -> str:
    """An owner as lookups are keyed; below `zone` where one is given. Raises `ValueProblemError`."""
    relative = text.strip()
    if relative in ("", "@"):
        return zone
    return ".".join(filter(None, (target(relative), zone)))


def target(text: str) -> str:
    """A name in A-labels, lower case, without its dot at the end; "" for the root. Raises `ValueProblemError`."""
    name = text.removesuffix(".").lower()
    if not name:
        return ""
    if not _PLAIN.fullmatch(name):
        wildcard = "*." if name.startswith("*.") else ""
        try:
            name = wildcard + parse_domain(name.removeprefix("*.")).ascii
        except ValueError as error:
            raise ValueProblemError(str(error)) from error
    if any(not label or len(label) > 63 for label in name.split(".")) or len(name) > 253:  # noqa: PLR2004 - RFC 1035 §2.3.4
        raise ValueProblemError(f"{text[:80]!r} is no domain name (RFC 1035 §2.3.4)")
    return name


def number(value: object, most: int = _MAX_WORD) -> int:
    """A whole number from 0 on. Raises `ValueProblemError`."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:  # noqa: PLR2004 - digits
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueProblemError(f"{str(value)[:40]!r} is no number from 0 to {most}")
    return value


def ttl_of(value: object) -> int:
    """Seconds. Raises `ValueProblemError`."""
    return number(value, _MAX_TTL)


def txt_of(octets: bytes) -> Txt:
    """A text, split into strings of 255 octets as providers split it."""
    return Txt(tuple(octets[start : start + STRING] for start in range(0, max(len(octets), 1), STRING)))


def quoted(txt: Txt) -> str:
    r"""The strings as a master file shows them (RFC 1035 §5.1)."""
    return " ".join(f'"{"".join(map(_shown, string))}"' for string in txt.strings)


def unquoted(written: str) -> Txt:
    r"""The strings of a presentation form: words, or texts in quotes, `\DDD` and `\x` read as the octet they mean.

    Strings stay as long as they were written. Raises `ValueProblemError`.
    """
    octets = written.encode("utf-8", "surrogatepass")
    strings: list[bytes] = []
    end = 0
    while match := _TOKEN.match(octets, end):
        inner = match[1] if match[1] is not None else match[2]
        strings.append(unescaped(inner))
        end = match.end()
    if octets[end:].strip():
        raise ValueProblemError("a quote that is not closed")
    if not strings:
        raise ValueProblemError("an empty text")
    return Txt(tuple(strings))


def unescaped(octets: bytes) -> bytes:
    """Octets without the escapes of a master file."""

    def one(match: re.Match[bytes]) -> bytes:
        if match[1] is None:
            return match[2]
        code = int(match[1])
        return bytes((code,)) if code <= _MAX_OCTET else match[1]

    return _ESCAPED.sub(one, octets)


def mx_of(preference: object, host: str) -> tuple[Mx, str]:
    """An MX record. Raises `ValueProblemError`."""
    record = Mx(number(preference), target(host))
    return record, f"{record.preference} {host or '.'}"


def rdata_of(rdtype: str, written: str) -> Rdata:
    """One record from its presentation form. Raises `ValueProblemError`."""
    match rdtype:
        case "A" | "AAAA":
            return _address(rdtype, written.strip())
        case "CNAME" | "NS" | "PTR":
            return Host(target(written.strip()))
        case "TXT" | "SPF":
            return unquoted(written)
        case "MX":
            words = written.split()
            if len(words) != len(("preference", "exchange")):
                raise ValueProblemError(f"{written[:80]!r} is not a preference and a host")
            return mx_of(*words)[0]
        case _:
            return _other(rdtype, written)


def _address(rdtype: str, written: str) -> Address:
    try:
        address = ipaddress.ip_address(written)
    except ValueError as error:
        raise ValueProblemError(f"{written[:80]!r} is no IP address") from error
    if (address.version == 4) != (rdtype == "A"):  # noqa: PLR2004 - IPv4
        raise ValueProblemError(f"{written[:80]!r} is an IPv{address.version} address in an {rdtype} record")
    return Address(str(address))


def _other(rdtype: str, written: str) -> Other:
    import dns.exception  # noqa: PLC0415 - most records are of the types above
    import dns.rdata  # noqa: PLC0415
    import dns.rdatatype  # noqa: PLC0415

    try:
        return Other(dns.rdata.from_text("IN", rdtype, written, relativize=False).to_text())
    except dns.rdatatype.UnknownRdatatype as error:
        raise ValueProblemError(f"{rdtype[:20]!r} is no record type that DNS knows") from error
    except (dns.exception.DNSException, ValueError, UnicodeError) as error:
        raise ValueProblemError(" ".join(str(error).split())[:160] or f"no {rdtype} record") from error


def _shown(octet: int) -> str:
    if octet in b'"\\':
        return f"\\{chr(octet)}"
    return chr(octet) if 0x20 <= octet < 0x7F else f"\\{octet:03d}"  # noqa: PLR2004 - printable ASCII


def joined(values: Sequence[object]) -> str:
    """Fields as a presentation form."""
    return " ".join(str(value) for value in values)
