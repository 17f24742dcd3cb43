"""Rules of area `zone`: TXT records that are not published as they were meant."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final

from deliverkit.facts.zone import ZoneSet
from deliverkit.model import Finding, Fix, NotApplicable, Severity, SourceRecord, Txt, Word
from deliverkit.rules.declare import rule
from deliverkit.rules.zone_exhibit import as_written, is_mail, place_of, quoted, version_of

_MOST: Final = 255
_LITERAL: Final = re.compile(rb'\\[;"]')
_VERSIONS: Final = re.compile(rb"(?i)v=(?:spf1|dmarc1|dkim1|stsv1|tlsrptv1|bimi1)(?![\w.-])")
_TOKENS: Final = re.compile(
    rb"(?i)(?:v=(?:spf1|dmarc1|dkim1|stsv1|tlsrptv1|bimi1)(?![\w.-])|google-site-verification=|ms=ms\d"
    rb"|facebook-domain-verification=|apple-domain=|adobe-idp-site-verification=|atlassian-domain-verification=)"
)
_TERM: Final = re.compile(rb"(?i)(?:include:|ip4:|ip6:|redirect=|exists:|[+?~-]all(?:\s|$))")
_TAG: Final = re.compile(r"\s*[a-z]{1,4}\s*=", re.IGNORECASE)
_CURLY: Final = "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u00ab\u00bb\u2033"


def _texts(held: ZoneSet) -> Iterator[tuple[SourceRecord, Txt]]:
    if held.rdtype not in ("TXT", "SPF"):
        raise NotApplicable("no TXT")
    for record in held.records:
        if isinstance(record.rdata, Txt):
            yield record, record.rdata


@rule(Severity.ERROR, "RFC 1035 §5.1", "RFC 6376 §3.6.2.2")
def zone_escape_literal(held: ZoneSet) -> Iterator[Finding]:
    r"""A backslash or a quote that was meant for the file is published as part of the record.

    In a zone file `;` begins a comment unless it is quoted or escaped. Where both are done, or escaped text goes
    through a tool that escapes it again, `v=DMARC1\; p=none` is what the world sees, and no receiver reads it.

    ## Fix
    Within quotes write `;` as it is, and a quote that is not part of the record not at all.

    ## Bad
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        _dmarc   TXT   "v=DMARC1\\; p=reject"

    ## Good
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        _dmarc   TXT   "v=DMARC1; p=reject"
    """
    for record, text in _texts(held):
        raw = text.raw
        wrapped = raw.startswith(b'"') and is_mail(record)
        match = _LITERAL.search(raw)
        if match is None and not wrapped:
            continue
        what = "a backslash" if match is not None else "a quote"
        mended = raw.replace(b"\\;", b";").replace(b'\\"', b"").strip(b'"')
        yield Finding(
            message=f"the TXT record of {held.name} is published with {what} in it that was meant for the file",
            subject=held.name,
            evidence=(as_written(record, "published as it stands", _first(record, "\\" if match else '"')),),
            fix=Fix(
                text="Write the text without it.",
                name=held.name,
                rdtype=held.rdtype,
                before=record.text,
                after=_split(mended),
            ),
            severity=None if is_mail(record) else Severity.WARNING,
            place=place_of(record, _first(record, "\\")),
        )


@rule(Severity.ERROR, "RFC 1035 §3.3", "RFC 7208 §3.3")
def zone_txt_too_long(held: ZoneSet) -> Iterator[Finding]:
    """A TXT record holds a string of more than 255 octets.

    A string of a TXT record has a length of one octet. Name servers refuse to load a zone with a longer one: not this
    record alone, the whole zone stays as it was.

    ## Fix
    Split the text into several strings, which readers join without a blank.

    ## Bad
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        @        TXT   "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 ip4:192.0.2.3 ip4:192.0.2.4 ip4:192.0.2.5 ip4:192.0.2.6 ip4:192.0.2.7 ip4:192.0.2.8 ip4:192.0.2.9 ip4:192.0.2.10 ip4:192.0.2.11 ip4:192.0.2.12 ip4:192.0.2.13 ip4:192.0.2.14 ip4:192.0.2.15 ip4:192.0.2.16 ip4:192.0.2.17 -all"

    ## Good
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        @        TXT   ( "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 ip4:192.0.2.3 ip4:192.0.2.4 ip4:192.0.2.5 "
                         "ip4:192.0.2.6 ip4:192.0.2.7 ip4:192.0.2.8 -all" )
    """  # noqa: E501 - as long as it takes
    for record, text in _texts(held):
        if held.kind != "zone":
            raise NotApplicable("whoever publishes it splits it")
        for place, string in enumerate(text.strings):
            if len(string) <= _MOST:
                continue
            word = record.words[place] if place < len(record.words) else None
            yield Finding(
                message=f"a string of the TXT record of {held.name} is longer than {_MOST} octets",
                subject=held.name,
                evidence=(as_written(record, f"{len(string)} octets", word),),
                fix=Fix(
                    text="Split it; readers join the strings without a blank.",
                    name=held.name,
                    rdtype=held.rdtype,
                    before=record.text,
                    after=" ".join(_split(each) for each in text.strings),
                ),
                place=place_of(record, word),
            )


@rule(Severity.ERROR, "RFC 7208 §3.3", "RFC 9989 §4.7")
def zone_records_merged(held: ZoneSet) -> Iterator[Finding]:
    """One TXT record holds what should be two.

    The strings of a TXT record are one text. An SPF record and a verification token as two strings of one record are
    neither: receivers read `v=spf1 -allgoogle-site-verification=…`.

    ## Fix
    Give each its own TXT record.

    ## Bad
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        @        TXT   "v=spf1 mx -all" "google-site-verification=4dJZ0"

    ## Good
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        @        TXT   "v=spf1 mx -all"
        @        TXT   "google-site-verification=4dJZ0"
    """
    for record, text in _texts(held):
        parts = _parts(text)
        if len(parts) < 2:  # noqa: PLR2004 - one is no merger
            continue
        joint = next((word for word in record.words[1:] if _TOKENS.match(word.text.encode("utf-8", "replace"))), None)
        yield Finding(
            message=f"a TXT record of {held.name} holds {len(parts)} records in one",
            subject=held.name,
            evidence=(as_written(record, "a record of its own", joint),),
            fix=Fix(
                text="Give each its own TXT record.",
                name=held.name,
                rdtype=held.rdtype,
                before=record.text,
                after="\n".join(_split(part) for part in parts),
            ),
            place=place_of(record, joint),
        )


def _parts(text: Txt) -> list[bytes]:
    """The records that a text consists of: cut where a string begins like one, or a second version stands."""
    raw = text.raw
    ends: list[int] = []
    at = 0
    for string in text.strings[:-1]:
        at += len(string)
        ends.append(at)
    cuts = {end for end in ends if _TOKENS.match(raw, end)}
    if _VERSIONS.match(raw):
        cuts |= {match.start() for match in _VERSIONS.finditer(raw, 1)}
    if not cuts or not (_VERSIONS.search(raw) is not None):
        return [raw]
    edges = [0, *sorted(cuts), len(raw)]
    return [raw[start:end].strip() for start, end in itertools.pairwise(edges) if raw[start:end].strip()]


@rule(Severity.ERROR, "RFC 1035 §5.1", "RFC 7208 §3.3")
def zone_space_lost(held: ZoneSet) -> Iterator[Finding]:
    """Strings of a TXT record are joined without the blank meant between them.

    Words without quotes are strings of their own, and so is each pair of quotes; readers join them without a blank.
    `TXT v=spf1 mx -all` publishes `v=spf1mx-all`, which is no SPF record.

    ## Fix
    Put the whole text into one pair of quotes, or end each string but the last with a blank.

    ## Bad
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        @        TXT   v=spf1 mx -all

    ## Bad
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        @        TXT   "v=spf1 include:spf.example.net" "include:mail.example.org -all"

    ## Good
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        @        TXT   "v=spf1 mx -all"
    """
    for record, text in _texts(held):
        word = _joint(record, text)
        if word is None:
            continue
        joined = b" ".join(string.strip() for string in text.strings)
        yield Finding(
            message=f"the words of the TXT record of {held.name} are published without the blanks between them",
            subject=held.name,
            evidence=(as_written(record, "no blank before it", word),),
            fix=Fix(
                text="Put the whole text into quotes.",
                name=held.name,
                rdtype=held.rdtype,
                before=record.text,
                after=_split(joined),
            ),
            place=place_of(record, word),
        )


def _joint(record: SourceRecord, text: Txt) -> Word | None:
    """The first word that should stand apart from the one before it."""
    if len(text.strings) < 2 or len(record.words) != len(text.strings) or not is_mail(record):  # noqa: PLR2004 - two join
        return None
    bare = not any(word.quoted for word in record.words)
    if bare and text.strings[0].lower().rstrip(b";") in (b"v=spf1", b"v=dmarc1", b"v=dkim1", b"v=stsv1", b"v=tlsrptv1"):
        return record.words[1] if text.strings[0].lower() == b"v=spf1" else None
    if not text.strings[0].lower().startswith(b"v=spf1"):
        return None
    for place in range(1, len(text.strings)):
        before, after = text.strings[place - 1], text.strings[place]
        if _TERM.match(after) and not before.endswith((b" ", b"+", b"-", b"~", b"?")):
            return record.words[place]
    return None


@rule(Severity.ERROR, "RFC 1035 §5.1")
def zone_comment_cuts_record(held: ZoneSet) -> Iterator[Finding]:
    """A record ends at its first `;`, because it stands without quotes.

    A semicolon outside quotes begins a comment. `TXT v=DMARC1; p=reject` publishes `v=DMARC1`, and the policy is a
    remark that only readers of the file see.

    ## Fix
    Put the text into quotes.

    ## Bad
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        _dmarc   TXT   v=DMARC1; p=reject

    ## Good
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        _dmarc   TXT   "v=DMARC1; p=reject"
    """
    for record, text in _texts(held):
        last = record.words[-1] if record.words else None
        if last is None or last.quoted or version_of(record) in (None, b"v=spf1") or not _TAG.match(record.comment):
            continue
        whole = b" ".join(text.strings) + b"; " + record.comment.encode("utf-8", "surrogateescape")
        yield Finding(
            message=f"the TXT record of {held.name} ends at its first semicolon; the rest is a comment of the file",
            subject=held.name,
            evidence=(as_written(record, "all that is published", last),),
            fix=Fix(
                text="Put the text into quotes.",
                name=held.name,
                rdtype=held.rdtype,
                before=record.text,
                after=_split(whole),
            ),
            place=place_of(record, last),
        )


@rule(Severity.ERROR, "RFC 1035 §5.1", "RFC 7208 §4.5")
def zone_smart_quotes(held: ZoneSet) -> Iterator[Finding]:
    """A TXT record holds typographic quotes.

    They come along when a record is copied from a document or a chat. They quote nothing in a zone file: they are
    published, and a record that begins with one is not recognised.

    ## Fix
    Replace them by the plain `"`.

    ## Bad
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        @        TXT   “v=spf1 mx -all”

    ## Good
        @        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @        NS    ns1.example.net.
        @        TXT   "v=spf1 mx -all"
    """
    for record, text in _texts(held):
        shown = b" ".join(text.strings).decode("utf-8", "replace")
        bare = shown.strip(_CURLY + " ")
        mail = bare.lower().encode("utf-8", "replace").startswith((b"v=spf1", b"v=d", b"v=sts", b"v=tlsrpt", b"v=bimi"))
        if not any(sign in shown for sign in _CURLY) or not (mail or shown[0] in _CURLY):
            continue
        word = next((each for each in record.words if any(sign in each.text for sign in _CURLY)), None)
        yield Finding(
            message=f"the TXT record of {held.name} holds typographic quotes, which are published as part of it",
            subject=held.name,
            evidence=(as_written(record, "not a quote of zone files", word),),
            fix=Fix(
                text="Replace them by the plain quote.",
                name=held.name,
                rdtype=held.rdtype,
                before=record.text,
                after=quoted("".join(char for char in shown if char not in _CURLY).encode("utf-8", "replace")),
            ),
            severity=None if mail else Severity.WARNING,
            place=place_of(record, word),
        )


def _first(record: SourceRecord, sign: str) -> Word | None:
    return next((word for word in record.words if sign in word.text), None)


def _split(octets: bytes) -> str:
    """A text as strings of at most 255 octets."""
    pieces = [octets[at : at + _MOST] for at in range(0, len(octets), _MOST)] or [b""]
    return " ".join(quoted(piece) for piece in pieces)
