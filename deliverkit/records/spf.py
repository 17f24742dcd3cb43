"""SPF records with positions (RFC 7208 §4.6.1, §12).

    record = "v=spf1" *( 1*SP ( directive / modifier ) ) *SP

A directive is a mechanism with a qualifier before it, a modifier is `name=value`. Nothing here raises:
a term that breaks the grammar is kept with its errors, each of which points at the characters. One
error anywhere makes the whole record a permerror at every receiver (§4.6).
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import msgspec

from deliverkit.records.spf_domain import DomainSpec, parse_domain_spec, parse_macro_string
from deliverkit.records.spf_hint import mechanism_hint

MAX_TERMS: Final = 2000
"""Terms read of one record; the longest that fits a message has fewer."""

LOOKUP_MECHANISMS: Final = frozenset({"include", "a", "mx", "ptr", "exists"})
"""Mechanisms that cost one DNS lookup (RFC 7208 §4.6.4); the modifier `redirect` does too."""

# ASCII throughout: a DIGIT is 0-9 alone (RFC 5234 §B.1), and without it the long s of Unicode is an s.
_VERSION: Final = re.compile(r"v=spf1(?= |$)", re.IGNORECASE | re.ASCII)
_TERM: Final = re.compile(r"[^ ]+")
# §4.6.1: which of "=", ":" and "/" comes first tells a modifier from a mechanism.
_NAME: Final = re.compile(r"([+\-?~]?)([A-Za-z][A-Za-z0-9\-_.]*)(?=([=:/]|$))")
_DUAL_CIDR: Final = re.compile(r"(?:/(?P<v4>\d+))?(?://(?P<v6>\d+))?$", re.ASCII)
_LENGTH: Final = re.compile(r"0|[1-9]\d{0,2}", re.ASCII)
_IP4: Final = re.compile(
    r"(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])(?:\.(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])){3}", re.ASCII
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SpfError(msgspec.Struct, frozen=True):
    """What breaks the grammar: characters `start` to `end` (exclusive) of the record."""

    message: str
    start: int
    end: int
    suggestion: str | None = None
    """What these characters may have been meant to be."""


class SpfTerm(msgspec.Struct, frozen=True, kw_only=True):
    """One directive or modifier, characters `start` to `end` of the record.

    `name` is in lower case; `qualifier` is `+` where none is written and "" for a modifier; `domain` None:
    none is written (for a, mx, ptr the current domain is meant). A term with errors keeps what could be read.
    """

    text: str
    start: int
    end: int
    name: str
    modifier: bool = False
    qualifier: str = ""
    domain: DomainSpec | None = None
    network: str | None = None
    """Of ip4 and ip6: the network in CIDR form, host bits cleared."""
    cidr4: int = 32
    cidr6: int = 128
    valid: bool = True

    @property
    def lookup(self) -> bool:
        """Whether the term counts against the limit of ten (RFC 7208 §4.6.4)."""
        return self.name == "redirect" if self.modifier else self.name in LOOKUP_MECHANISMS


class SpfRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record taken apart; `errors` empty: the syntax is sound."""

    text: str
    terms: tuple[SpfTerm, ...]
    errors: tuple[SpfError, ...]

    @property
    def all(self) -> SpfTerm | None:
        """The first `all`: no mechanism after it is ever tested (RFC 7208 §5.1)."""
        return next((term for term in self.terms if term.name == "all" and not term.modifier), None)

    def modifier(self, name: str) -> SpfTerm | None:
        """The first modifier of that name."""
        return next((term for term in self.terms if term.modifier and term.name == name), None)

    @property
    def evaluated(self) -> tuple[SpfTerm, ...]:
        """The terms a receiver may come to: mechanisms up to the first `all`, `redirect` only without one (§6.1)."""
        final = self.all
        return tuple(
            term
            for term in self.terms
            if (
                (not term.modifier and (final is None or term.start <= final.start))
                or (term.modifier and term.name == "redirect" and final is None)
            )
        )


def is_spf(text: str) -> bool:
    """Whether a TXT record is an SPF record at all: it begins with exactly `v=spf1` (RFC 7208 §4.5)."""
    return _VERSION.match(text) is not None


def parse_spf(text: str) -> SpfRecord:
    """The record taken apart; linear in its length."""
    errors: list[SpfError] = []
    terms: list[SpfTerm] = []
    version = _VERSION.match(text)
    if version is None:
        errors.append(SpfError("an SPF record begins with v=spf1 and a space", 0, min(6, len(text))))
    for match in _TERM.finditer(text, version.end() if version else 0):
        if len(terms) == MAX_TERMS:
            errors.append(SpfError(f"more than {MAX_TERMS} terms", match.start(), len(text)))
            break
        found: list[SpfError] = []
        term = _parse_term(match[0], match.start(), found)
        errors += found
        terms.append(msgspec.structs.replace(term, valid=not found) if found else term)
    errors += _repeated(terms)
    return SpfRecord(text=text, terms=tuple(terms), errors=tuple(errors))


def _repeated(terms: list[SpfTerm]) -> list[SpfError]:
    """RFC 7208 §6: redirect and exp stand at most once each."""
    errors: list[SpfError] = []
    for name in ("redirect", "exp"):
        again = [term for term in terms if term.modifier and term.name == name][1:]
        errors += [SpfError(f"{name}= stands twice; it may stand once", term.start, term.end) for term in again]
    return errors


def _parse_term(text: str, start: int, errors: list[SpfError]) -> SpfTerm:  # noqa: PLR0911 - one for each form
    end = start + len(text)
    match = _NAME.match(text)
    if match is None:
        odd = re.search(r"[^!-~]", text)
        at = start + odd.start() if odd else start
        what = "a character that no SPF record may hold" if odd else f"{text} is neither a mechanism nor a modifier"
        errors.append(SpfError(what, at, at + 1 if odd else end))
        return SpfTerm(text=text, start=start, end=end, name="", qualifier="+")
    qualifier, name, follows = match[1], match[2].lower(), match[3]
    rest, at = text[match.end() :], start + match.end()
    if follows == "=":
        if qualifier:
            errors.append(SpfError("a modifier takes no qualifier", start, start + 1))
        return _parse_modifier(text, start, name, rest[1:], at + 1, errors)
    term = SpfTerm(text=text, start=start, end=end, name=name, qualifier=qualifier or "+")
    match name:
        case "all":
            if rest:
                errors.append(SpfError("all takes nothing after it", at, end))
            return term
        case "include" | "exists":
            return _with_domain(term, rest, at, errors, required=True)
        case "ptr":
            return _with_domain(term, rest, at, errors, required=False)
        case "a" | "mx":
            return _with_cidr(term, rest, at, errors)
        case "ip4" | "ip6":
            return _with_network(term, rest, at, errors)
    hint = mechanism_hint(text[len(qualifier) :], name)
    errors.append(
        SpfError(f"{name} is not a mechanism", start + len(qualifier), end if hint else at, hint),
    )
    return term


def _parse_modifier(text: str, start: int, name: str, value: str, at: int, errors: list[SpfError]) -> SpfTerm:
    term = SpfTerm(text=text, start=start, end=start + len(text), name=name, modifier=True)
    if name in ("redirect", "exp"):
        if not value:
            errors.append(SpfError(f"{name}= needs a domain", at - 1, at))
            return term
        spec, problems = parse_domain_spec(value)
    else:
        spec, problems = parse_macro_string(value)  # §6: of an unknown modifier only the macro syntax counts
    errors += [SpfError(problem, at + lo, at + hi) for problem, lo, hi in problems]
    return msgspec.structs.replace(term, domain=spec)


def _with_domain(term: SpfTerm, rest: str, at: int, errors: list[SpfError], *, required: bool) -> SpfTerm:
    if not rest.startswith(":"):
        if rest:
            errors.append(SpfError(f"{term.name} takes a domain after a colon, and no prefix length", at, term.end))
        elif required:
            errors.append(SpfError(f"{term.name} needs a domain: {term.name}:example.com", term.start, term.end))
        return term
    return _domain(term, rest[1:], at + 1, errors)


def _domain(term: SpfTerm, value: str, at: int, errors: list[SpfError]) -> SpfTerm:
    if not value:
        errors.append(SpfError(f"{term.name} has a colon and no domain after it", at - 1, at))
        return term
    spec, problems = parse_domain_spec(value)
    if not spec.macro and _IP4.fullmatch(value) and term.name in ("a", "mx", "include"):
        errors.append(SpfError("an address stands where a name belongs", term.start, term.end, f"ip4:{value}"))
        return term
    errors += [SpfError(problem, at + lo, at + hi) for problem, lo, hi in problems]
    return msgspec.structs.replace(term, domain=spec)


def _with_cidr(term: SpfTerm, rest: str, at: int, errors: list[SpfError]) -> SpfTerm:
    cidr = _DUAL_CIDR.search(rest)
    tail = cidr.start() if cidr else len(rest)
    lengths = {"cidr4": 32, "cidr6": 128}
    if cidr:
        for group, field, top in (("v4", "cidr4", 32), ("v6", "cidr6", 128)):
            if cidr[group] is None:
                continue
            lo, hi = at + cidr.start(group), at + cidr.end(group)
            lengths[field] = _length(cidr[group], top, lo, hi, errors)
    term = msgspec.structs.replace(term, **lengths)
    body = rest[:tail]
    if body.startswith(":"):
        return _domain(term, body[1:], at + 1, errors)
    if body:
        errors.append(SpfError("a prefix length is / and a number, for IPv6 // and a number", at, term.end))
    return term


def _length(text: str, top: int, lo: int, hi: int, errors: list[SpfError]) -> int:
    if not _LENGTH.fullmatch(text) or int(text) > top:
        errors.append(SpfError(f"a prefix length here is a number from 0 to {top}", lo, max(hi, lo + 1)))
        return top
    return int(text)


def _with_network(term: SpfTerm, rest: str, at: int, errors: list[SpfError]) -> SpfTerm:
    top = 32 if term.name == "ip4" else 128
    if not rest.startswith(":") or rest == ":":
        errors.append(SpfError(f"{term.name} needs an address after a colon", term.start, term.end))
        return term
    address, slash, length = rest[1:].partition("/")
    at += 1
    value = _length(length, top, at + len(address) + 1, term.end, errors) if slash else top
    if not (_IP4.fullmatch(address) if term.name == "ip4" else _is_ip6(address)):
        other = "ip6" if term.name == "ip4" and _is_ip6(address) else "ip4" if _IP4.fullmatch(address) else None
        suggestion = f"{other}:{rest[1:]}" if other else None
        place = (term.start, term.end) if suggestion else (at, at + len(address))
        errors.append(SpfError(f"{address} is not an {'IPv4' if top == 32 else 'IPv6'} address", *place, suggestion))  # noqa: PLR2004 - bits
        return term
    network = ipaddress.ip_network(f"{address}/{value}", strict=False)
    return msgspec.structs.replace(term, network=str(network))


def _is_ip6(address: str) -> bool:
    if "%" in address:  # a scope
        return False
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return False
    return True
