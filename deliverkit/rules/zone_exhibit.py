"""What the rules about files show: the lines as written, and the places in them."""

from __future__ import annotations

from deliverkit.model import Exhibit, Mark, Place, SourceRecord, Txt, Word

MAIL: tuple[bytes, ...] = (b"v=spf1", b"v=dmarc1", b"v=dkim1", b"v=stsv1", b"v=tlsrptv1", b"v=bimi1")
"""What the records begin with that mail lives by."""


def as_written(record: SourceRecord, note: str = "", word: Word | None = None) -> Exhibit:
    """The record's lines; a word of theirs marked where it stands on the first."""
    title = f"{record.place.path}:{record.place.line}"
    text = record.raw or f"{record.name}. {record.rdtype} {record.text}"
    if word is None or word.place.line != record.place.line or not note:
        return Exhibit(text=text, title=title)
    start = word.place.column - 1 + word.quoted
    return Exhibit(text=text, title=title, marks=(Mark(start, start + max(1, len(word.text)), note),))


def place_of(record: SourceRecord, word: Word | None = None) -> Place:
    """Where a word stands, else where its record begins."""
    return word.place if word is not None and not record.generated else record.place


def is_mail(record: SourceRecord) -> bool:
    """Whether the text is meant as one of the records that mail lives by."""
    if not isinstance(record.rdata, Txt):
        return False
    return record.rdata.raw.lower().lstrip(b' "\\').startswith(MAIL)


def version_of(record: SourceRecord) -> bytes | None:
    """Which of those records it is; None: none."""
    if not isinstance(record.rdata, Txt):
        return None
    text = record.rdata.raw.lower()
    return next((version for version in MAIL if text.startswith(version)), None)


def quoted(octets: bytes) -> str:
    """Octets as a character-string of a zone file."""
    text = octets.decode("utf-8", "backslashreplace").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
