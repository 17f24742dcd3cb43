"""The words of a record's data to the data: the types that mail reads here, all others by dnspython."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from deliverkit.dns.port import name_error, normal_name
from deliverkit.dns.wire import rdata_of
from deliverkit.model import Address, Host, Mx, Other, Rdata, Txt
from deliverkit.model.source import Word

_ESCAPE: Final = re.compile(r"\\(\d{3})|\\(.)", re.DOTALL)
_PSEUDO: Final = frozenset({"ALIAS", "ANAME", "FLATTEN", "PTR6"})
"""Not types of the DNS: words of servers that make addresses of them."""
_MAX_RDATA: Final = 65_535
_UNSAFE: Final = re.compile(r"[\x00-\x08\x0a-\x1f]")


class RdataError(ValueError):
    """The words are no data of that type; the message says why, `word` which of them."""

    def __init__(self, message: str, word: Word | None = None) -> None:
        super().__init__(message)
        self.word = word


def is_rdtype(text: str) -> bool:
    """Whether a word names a type of records."""
    if text.upper() in _PSEUDO:
        return True
    try:
        dns.rdatatype.from_text(text)
    except (dns.exception.DNSException, ValueError):
        return False
    return text.upper() not in {"ANY", "AXFR", "IXFR", "MAILA", "MAILB", "OPT", "TSIG", "TKEY", "NONE", "TYPE0"}


def absolute(word: str, origin: str) -> str:
    """A name as written, under `origin` where it does not end in a dot. Raises `RdataError`."""
    if word == "@":
        return origin
    complete = re.search(r"(?<!\\)(?:\\\\)*\.$", word) is not None
    name = normal_name(word if complete or not origin else f"{word}.{origin}")
    if (problem := name_error(name)) is not None:
        raise RdataError(f"{word} {problem}")
    return name


def octets(text: str) -> bytes:
    r"""What a character-string holds: `\DDD` and `\X` undone (RFC 1035 §5.1). Raises `RdataError`."""
    if "\\" not in text:
        return text.encode("utf-8", "surrogateescape")
    pieces: list[bytes] = []
    at = 0
    for match in _ESCAPE.finditer(text):
        pieces.append(text[at : match.start()].encode("utf-8", "surrogateescape"))
        if match[1] is not None:
            if int(match[1]) > 255:  # noqa: PLR2004 - an octet
                raise RdataError(f"{match[0]} is no octet")
            pieces.append(bytes([int(match[1])]))
        else:
            pieces.append(match[2].encode("utf-8", "surrogateescape"))
        at = match.end()
    pieces.append(text[at:].encode("utf-8", "surrogateescape"))
    return b"".join(pieces)


def rdata_from(rdtype: str, words: list[Word], joined: list[bool], origin: str) -> Rdata:
    """The data of one record. Raises `RdataError`."""
    if not words:
        raise RdataError(f"{rdtype} without data")
    generic = words[0].text == "\\#" and not words[0].quoted
    match rdtype:
        case "TXT" | "SPF" if not generic:
            strings = tuple(octets(word.text) for word in words)
            if sum(len(string) + 1 for string in strings) > _MAX_RDATA:
                raise RdataError(f"{rdtype} of more than {_MAX_RDATA} octets")
            return Txt(strings)
        case "MX" if not generic:
            return _mx(words, origin)
        case "CNAME" | "NS" | "PTR" if not generic:
            (word,) = _exactly(rdtype, words, 1, "a name")
            return Host(_name(word, origin))
        case "A" | "AAAA" if not generic:
            (word,) = _exactly(rdtype, words, 1, "an address")
            return _address(rdtype, word)
    if rdtype in _PSEUDO:
        return Other(written(words, joined))
    return _other(rdtype, written(words, joined), origin)


def written(words: list[Word], joined: list[bool]) -> str:
    """The words on one line, as a zone file would have them."""
    parts: list[str] = []
    for word, close in zip(words, joined, strict=True):
        parts.append("" if close or not parts else " ")
        parts.append(f'"{word.text}"' if word.quoted else word.text)
    return "".join(parts)


def _exactly(rdtype: str, words: list[Word], count: int, wanted: str) -> list[Word]:
    if len(words) != count:
        extra = words[count] if len(words) > count else None
        raise RdataError(f"{rdtype} takes {wanted}, and {len(words)} words are there", extra)
    return words


def _mx(words: list[Word], origin: str) -> Mx:
    preference, host = _exactly("MX", words, 2, "a preference and a host")
    if not re.fullmatch(r"\d{1,5}", preference.text, re.ASCII) or int(preference.text) > _MAX_RDATA:
        raise RdataError(f"{preference.text} is no MX preference (0 to 65535)", preference)
    return Mx(int(preference.text), _name(host, origin))


def _name(word: Word, origin: str) -> str:
    try:
        return absolute(word.text, origin)
    except RdataError as error:
        raise RdataError(str(error), word) from error


def _address(rdtype: str, word: Word) -> Address:
    try:
        if rdtype == "A":
            return Address(str(ipaddress.IPv4Address(word.text)))
        address = ipaddress.IPv6Address(word.text)
    except ValueError:
        kind = "IPv4" if rdtype == "A" else "IPv6"
        raise RdataError(f"{word.text} is no {kind} address", word) from None
    if address.scope_id is not None:
        raise RdataError(f"{word.text}: an address with a zone stands in no record", word)
    return Address(str(address))


def _other(rdtype: str, text: str, origin: str) -> Rdata:
    if _UNSAFE.search(text):
        raise RdataError(f"{rdtype} with a control character")
    try:
        below = dns.name.from_text(f"{origin}." if origin else ".")
        rdata = dns.rdata.from_text(
            dns.rdataclass.IN, dns.rdatatype.from_text(rdtype), text, origin=below, relativize=False
        )
        return rdata_of(rdata)
    except (dns.exception.DNSException, ValueError, UnicodeError, RecursionError, OverflowError, IndexError) as error:
        said = str(error) or type(error).__name__
        raise RdataError(f"{rdtype} that cannot be read: {said}") from error
