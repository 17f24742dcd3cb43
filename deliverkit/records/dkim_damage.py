"""What happened to a damaged DKIM key record, and the record as it was meant.

Long keys pass through zone editors, panels and templates that cut, quote, escape, fold or encode
them. Each step below undoes one kind of damage and says where it stood; the steps run in the reverse
of the order in which damage is done. What comes out is offered as a correction only where it parses
as a key record whose key can be loaded.
"""

from __future__ import annotations

import enum
import html
import itertools
import re
import urllib.parse
from typing import Final

import msgspec

from deliverkit.records.dkim import KeyRecord, parse_key_record, written
from deliverkit.records.dkim_key import Key

MAX_PARTS: Final = 4
"""TXT records at one name that are tried as pieces of one key, in every order."""

MAX_DIAGNOSED: Final = 4096
"""Characters that are searched for damage: more than the record of a 16,384-bit key takes."""

STRING: Final = 255
"""The longest character-string of a TXT record (RFC 1035 §3.3)."""


class Kind(enum.StrEnum):
    """A kind of damage."""

    CUT = "cut"
    SPLIT = "split"
    QUOTED = "quoted"
    ESCAPED = "escaped"
    SPACES = "spaces"
    ENCODED = "encoded"
    ARMOUR = "armour"
    PRIVATE = "private"
    ZONE_LINE = "zone-line"
    SEPARATOR = "separator"
    VERSION = "version"
    BARE_KEY = "bare-key"
    KEY_FORM = "key-form"
    INVISIBLE = "invisible"


class Damage(msgspec.Struct, frozen=True):
    """One kind of damage and the first place where it stands in the published text."""

    kind: Kind
    start: int
    end: int
    note: str


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with the records of one selector.

    `text` is the published record that is meant as the key, `corrected` the record as it should stand (None: it
    cannot be told from what is published), `missing` the octets of the key that a cut lost.
    """

    text: str
    damages: tuple[Damage, ...]
    corrected: str | None
    missing: int = 0
    merged: tuple[str, ...] = ()
    """The records that, put together in this order, are the key."""

    def has(self, kind: Kind) -> bool:
        """Whether this kind of damage was found."""
        return any(damage.kind is kind for damage in self.damages)


_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});?")
_PERCENT: Final = re.compile(r"%(?:2[0-9A-Fa-f]|3[A-Da-d])")
_QUOTED_PRINTABLE: Final = re.compile(r"\bv=3DDKIM1|\b[vkp]=3D")
_INVISIBLE: Final = re.compile("[\u00a0\u00ad\u200b-\u200f\u2028-\u202f\u2060\ufeff]")
_SMART: Final = re.compile("[\u2018-\u201f\u00ab\u00bb\u2033]|\\\\x9[1-4]")
_ESCAPE: Final = re.compile(
    r"\\+(?:(\d{3})|u00([0-9a-fA-F]{2})|([nrt])(?![A-Za-z]*=)|([^\w\s])|$)|\\+(?=[A-Za-z0-9\s])"
)
_QUOTE_SEAM: Final = re.compile(r"[\"'`](?:\s*\(?\s*)[\"'`]")
_QUOTE: Final = re.compile(r"[\"'`]")
_OWNER: Final = re.compile(
    r"^\s*(?:\S*_domainkey\S*\s+)?(?:\d+\s+)?(?:IN\s+)?TXT\s*[=:]?\s*\(?\s*(?=[\"']?\s*v\s*=)", re.IGNORECASE
)
_ZONE_TAIL: Final = re.compile(r"\)?\s*;\s*-{3,}.*$|\s*\)\s*$", re.DOTALL)
_ARMOUR: Final = re.compile(r"(?<!-)-{3,}\s*(?:BEGIN|END)\s+(?:RSA\s+)?PUBLIC\s+KEY\s*-{3,}", re.IGNORECASE)
_PRIVATE: Final = re.compile(r"(?<!-)-{3,}\s*BEGIN\s+(?:[A-Z]+\s+)?PRIVATE\s+KEY", re.IGNORECASE)
_SEPARATOR: Final = re.compile(
    r"(?P<value>v\s*=\s*DKIM1|k\s*=\s*(?:rsa|ed25519)|h\s*=\s*sha(?:1|256)|s\s*=\s*(?:email|\*)|t\s*=\s*[ys](?::[ys])?)"
    r"\s*(?P<wrong>[,:|]?)\s*(?=[vkhstpn]\s*=)"
)
_AFTER_KEY: Final = re.compile(r"(?<=[A-Za-z0-9+/=])\s+(?=[vkhstn]\s*=\s*[A-Za-z*])")
_BARE_KEY: Final = re.compile(r"(?:^|;)\s*(?=MI[GHI][A-Za-z0-9+/\s]{60})")
_VERSION: Final = re.compile(r"(?i)\bv\s*=\s*D\s*K\s*I\s*M\s*-?\s*1(?:\.0)?(?=\s*(?:;|$))")


def diagnose(texts: tuple[str, ...], given: Key | None = None) -> Diagnosis | None:
    """What happened to the records at one selector; None where nothing is damaged. Never raises.

    `given` is the key that should be there: with it every damage can be corrected.
    """
    if not texts or sum(map(len, texts)) > MAX_DIAGNOSED:
        return None
    if len(texts) > 1 and (merged := _merge(texts)) is not None:
        return merged
    # Of several records the one that holds p= is judged; another piece of a key holds none.
    text = max(texts, key=lambda one: ("p=" in one, "DKIM1" in one))
    return _one(text, given)


def _one(text: str, given: Key | None) -> Diagnosis | None:
    if match := _PRIVATE.search(text):
        private = Damage(Kind.PRIVATE, match.start(), match.end(), "a private key")
        return Diagnosis(text=text, damages=(private,), corrected=None)
    mended, damages = _mend(text)
    record = parse_key_record(mended)
    key = record.key
    if key is not None and key.form == "private":
        return Diagnosis(
            text=text, damages=(Damage(Kind.PRIVATE, *_place_of_key(text), "a private key"),), corrected=None
        )
    if (lost := _cut(record)) is not None:
        damages.insert(0, Damage(Kind.CUT, len(text), len(text), "the key ends here"))
        return Diagnosis(text=text, damages=tuple(damages), corrected=_with_given(record, given), missing=lost)
    if record.p and record.key_type in {"rsa", "ed25519"} and key is not None:
        record, changed = _mend_key(record, key)
        if changed:
            damages.append(Damage(Kind.KEY_FORM, *_place_of_key(text), changed))
    if not record.version_first and not damages:
        damages.append(Damage(Kind.VERSION, *_place_of(text, "v"), "v=DKIM1 must be the first tag"))
    if not damages:
        return None
    corrected = _final(record)
    if corrected is None:
        corrected = _with_given(record, given)
    return Diagnosis(text=text, damages=tuple(damages), corrected=corrected)


def _mend(text: str) -> tuple[str, list[Damage]]:  # noqa: C901, PLR0912, PLR0915 - one straight row of steps
    """Undo everything that can be undone to the text itself."""
    damages: list[Damage] = []
    original = text

    def note(kind: Kind, match: re.Match[str] | None, words: str) -> None:
        if any(damage.kind is kind for damage in damages):
            return
        # Places are of the published text; in a text already changed the first place of the pattern is sought there.
        found = match.re.search(original) if match is not None else None
        start, end = found.span() if found else (0, 0)
        damages.append(Damage(kind, start, end, words))

    for _ in range(3):  # double encoding happens: &amp;quot;
        match = _entity(text)
        if match is None:
            break
        note(Kind.ENCODED, match, "encoded as in HTML")
        text = html.unescape(text)
    if match := _PERCENT.search(text):
        note(Kind.ENCODED, match, "encoded as in a URL")
        if "%3B+" in text or "%3b+" in text:
            text = re.sub(r"(?i)(%3B)\+", r"\1 ", text)
        text = urllib.parse.unquote(text)
    if match := _QUOTED_PRINTABLE.search(text):
        note(Kind.ENCODED, match, "encoded as quoted-printable")
        text = re.sub(r"=\r?\n", "", text).replace("=3D", "=")
    if match := _INVISIBLE.search(text):
        note(Kind.INVISIBLE, match, "an invisible character")
        text = _INVISIBLE.sub(lambda m: " " if m[0] == "\u00a0" else "", text)
    if match := _SMART.search(text):
        note(Kind.QUOTED, match, "a typographic quotation mark")
        text = _SMART.sub('"', text)
    if "\\" in text and (match := _ESCAPE.search(text)):
        note(Kind.ESCAPED, match, "a backslash that was meant for a zone file")
        text = _ESCAPE.sub(_unescaped, text)
    if match := _OWNER.search(text):
        note(Kind.ZONE_LINE, match, "the line of a zone file, not the record's text")
        text = text[match.end() :]
    if '"' in text or "'" in text or "`" in text:
        note(Kind.QUOTED, _QUOTE.search(text), "quotation marks that became part of the record")
        text = _QUOTE_SEAM.sub("", text)
        text = _QUOTE.sub("", text)
    if match := _ZONE_TAIL.search(text):
        note(Kind.ZONE_LINE, match, "what stood behind the record in a zone file")
        text = text[: match.start()]
    text = text.strip().removeprefix("(").lstrip()
    if match := _ARMOUR.search(text):
        note(Kind.ARMOUR, match, "the armour of a PEM file")
        text = _ARMOUR.sub("", text)
    if match := _VERSION.search(text):
        text = f"{text[: match.start()]}v=DKIM1{text[match.end() :]}"
        if match[0].replace(" ", "") != "v=DKIM1":
            note(Kind.VERSION, match, "v= must be DKIM1, in capitals")
        elif re.search(r"D.*\s.*1", match[0]):
            note(Kind.SPACES, match, "white space inside the version")
    if match := _SEPARATOR.search(text):
        note(Kind.SEPARATOR, match, "no semicolon between two tags")
        text = _SEPARATOR.sub(r"\g<value>; ", text)
    if (match := _BARE_KEY.search(text)) and "p=" not in text[: match.end()]:
        note(Kind.BARE_KEY, match, "a key without p= before it")
        text = f"{text[: match.end()]}p={text[match.end() :]}"
    if match := _AFTER_KEY.search(text, max(text.find("p="), 0)):
        note(Kind.SEPARATOR, match, "no semicolon between two tags")
        text = f"{text[: match.start()]}; {text[match.end() :]}"
    if text.rstrip().endswith(";;") or re.search(r";\s*;", text):
        match = re.search(r";\s*;", text)
        note(Kind.SEPARATOR, match, "an empty tag between two semicolons")
        text = re.sub(r"(?:;\s*)+;", ";", text)
    if not any(d.kind in {Kind.SPACES, Kind.ARMOUR} for d in damages) and (place := _spaces(text)) is not None:
        seen = _spaces(original)
        damages.append(Damage(Kind.SPACES, *(seen or place), "white space inside a value"))
    return text, damages


def _entity(text: str) -> re.Match[str] | None:
    """The first character reference that stands for something."""
    return next((match for match in _ENTITY.finditer(text) if html.unescape(match[0]) != match[0]), None)


def _unescaped(match: re.Match[str]) -> str:
    decimal, code, blank, char = match.groups()
    if decimal and int(decimal) < 256:  # noqa: PLR2004 - an octet, RFC 1035 §5.1
        return chr(int(decimal))
    if code:
        return chr(int(code, 16))
    if blank:
        return " "
    return char or ""


def _spaces(text: str) -> tuple[int, int] | None:
    """White space inside a value other than a note's."""
    record = parse_key_record(text)
    for tag in record.tags.tags:
        low, high = tag.value_span
        if tag.name != "n" and (match := re.compile(r"\s+").search(text, low, high)):
            return match.span()
        if any(c in "\r\n" for c in text[tag.name_span[0] : tag.value_span[1]]):
            return low, high
    return None


def _cut(record: KeyRecord) -> int | None:
    """The octets that a cut key lacks; None where it is not cut."""
    if record.key is None or not record.p or not record.key.missing:
        return None
    return record.key.missing


def _mend_key(record: KeyRecord, key: Key) -> tuple[KeyRecord, str]:
    """The key in its proper form: padded, of its alphabet, wrapped as verifiers expect, under the right k=."""
    p = record.p or ""
    if key.problem is None:
        if key.form == "pkcs1" and key.proper:
            return parse_key_record(written(record, key.proper)), ""
        return record, ""
    words = f"the key {key.problem}"
    if key.proper is not None:
        return parse_key_record(written(record, key.proper)), words
    swapped = p.replace("-", "+").replace("_", "/")
    if swapped != p:
        mended = parse_key_record(written(record, swapped))
        if mended.key is not None and mended.key.proper:
            return parse_key_record(written(mended, mended.key.proper)), "the URL alphabet of base64 (- and _)"
    for kind in ("ed25519", "rsa"):
        other = parse_key_record(f"v=DKIM1; k={kind}; p={p}").key
        if other is not None and other.proper and other.problem != key.problem:
            tags = "; ".join(f"{tag.name}={tag.value}" for tag in record.tags.tags if tag.name not in {"v", "k", "p"})
            again = parse_key_record(f"v=DKIM1; k={kind}; {tags + '; ' if tags else ''}p={other.proper}")
            return again, words
    return record, words


def _final(record: KeyRecord) -> str | None:
    """The record written anew, if verifiers take it."""
    if record.p is None:
        return None
    text = written(record, record.p)
    again = parse_key_record(text)
    if again.errors or not again.version_first or (again.key is None and not again.revoked):
        return None
    return text


def _with_given(record: KeyRecord, given: Key | None) -> str | None:
    """The record with the key that was given."""
    if given is None or given.proper is None:
        return None
    kind = f"k={given.kind}; "
    tags = "".join(
        f"{tag.name}={tag.value}; " for tag in record.tags.tags if tag.name in {"h", "s", "t", "n"} and tag.value
    )
    text = f"v=DKIM1; {kind}{tags}p={given.proper}"
    return None if parse_key_record(text).errors else text


def _merge(texts: tuple[str, ...]) -> Diagnosis | None:
    """The records as the pieces of one key, in the order in which they make one."""
    if len(texts) > MAX_PARTS:
        return None
    usable = [text for text in texts if _whole(text)]
    if usable:
        return None
    for size in range(len(texts), 1, -1):
        for order in itertools.permutations(texts, size):
            if not re.match(r"\W*(?:v|k|p|t|h|s|n|&quot;)", order[0]):
                continue
            joined = _joined(order)
            mended, damages = _mend(joined)
            record = parse_key_record(mended)
            if record.key is not None and record.key.problem is None and not record.errors and record.p:
                text = order[0]
                cut = Damage(Kind.SPLIT, len(text), len(text), "the rest stands in another record")
                return Diagnosis(
                    text=text,
                    damages=(cut, *(d for d in damages if d.end <= len(text))),
                    corrected=_final(record),
                    merged=order,
                )
    return None


def _whole(text: str) -> bool:
    record = parse_key_record(text)
    return record.key is not None and record.key.problem is None


def _joined(parts: tuple[str, ...]) -> str:
    """Pieces put together; quotation marks and white space at the seams go."""
    stripped = [part.strip().strip("\"'").strip() for part in parts]
    text = stripped[0]
    for part in stripped[1:]:
        text += part
    return text


def _place_of(text: str, name: str) -> tuple[int, int]:
    tag = parse_key_record(text).tags.first(name)
    return (0, 0) if tag is None else (tag.name_span[0], tag.value_span[1])


def _place_of_key(text: str) -> tuple[int, int]:
    tag = parse_key_record(text).tags.first("p")
    return (0, len(text)) if tag is None else tag.value_span
