"""DMARC policy records (RFC 9989 §4.7, §4.8): text to record, with positions.

    v=DMARC1; p=reject; sp=quarantine; rua=mailto:reports@example.com

`v` must stand first and its value is exact; tag names and the other values know no case. A tag with a
bad value counts as its default, except `p`, `sp` and `np`: where one of those is bad, or `p` is missing,
a receiver takes `p=none` if `rua` names an address, else does no DMARC at all (RFC 9989 §4.10.1). A tag
that stands twice makes the whole list invalid (RFC 6376 §3.2). Unknown tags are passed over. `pct`, `rf`
and `ri` were removed by RFC 9989; what they hold is checked all the same, since older receivers read them.

Nothing here raises, and every span lies inside the text.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from deliverkit.records.dmarc_uri import ReportUri, parse_uris
from deliverkit.records.taglist import Tag, parse_tags

POLICIES: Final = ("none", "quarantine", "reject")
"""From the weakest to the strongest."""

REMOVED: Final = ("pct", "rf", "ri")
"""Tags of RFC 7489 that RFC 9989 removed (Appendix C)."""

KNOWN: Final = frozenset(
    {"v", "p", "sp", "np", "psd", "t", "adkim", "aspf", "fo", "rua", "ruf", *REMOVED},
)

_START: Final = re.compile(r"[ \t]*[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_OLD_VALUE: Final = {
    "pct": re.compile(r"100|[0-9]{1,2}"),
    "ri": re.compile(r"[0-9]{1,10}"),
    "rf": re.compile(r"[A-Za-z][A-Za-z0-9-]{0,30}(?:[ \t]*:[ \t]*[A-Za-z][A-Za-z0-9-]{0,30})*"),
}
_CHOICES: Final = {"psd": "ynu", "t": "yn", "adkim": "rs", "aspf": "rs"}
_SEVERAL_POLICIES: Final = ("p", "sp", "np")


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a record, and where: characters start to end, exclusive."""

    message: str
    start: int
    end: int
    mild: bool = False
    """Receivers on RFC 9989 read the record as it was meant all the same."""


class DmarcRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One DMARC policy record, read as far as it can be.

    `p`, `sp`, `np` hold a policy in lower case, or None where the tag is missing or its value is none.
    """

    text: str
    tags: tuple[Tag, ...]
    p: str | None
    sp: str | None
    np: str | None
    psd: str = "u"
    testing: bool = False
    adkim: str = "relaxed"
    aspf: str = "relaxed"
    fo: tuple[str, ...] = ()
    rua: tuple[ReportUri, ...] = ()
    ruf: tuple[ReportUri, ...] = ()
    problems: tuple[Problem, ...] = ()
    usable: bool = True
    """Whether a receiver does DMARC with it at all."""
    recovered: bool = False
    """`p`, `sp` or `np` is missing or bad, and receivers take `p=none` since `rua` names an address."""

    def tag(self, name: str) -> Tag | None:
        """The first tag of this name, whatever its case."""
        return next((tag for tag in self.tags if tag.name.lower() == name), None)

    @property
    def policy(self) -> str | None:
        """What the record asks for its own domain, before `t`; None where it is not usable."""
        if not self.usable:
            return None
        return "none" if self.recovered else self.p

    @property
    def subdomain_policy(self) -> str | None:
        """What it asks for existing names below: `sp`, else `p` (RFC 9989 §4.7)."""
        return self.policy if self.recovered or not self.usable else self.sp or self.p

    @property
    def nonexistent_policy(self) -> str | None:
        """What it asks for names below that do not exist: `np`, else `sp`, else `p` (RFC 9989 §4.7)."""
        return self.policy if self.recovered or not self.usable else self.np or self.sp or self.p

    def applied(self, policy: str | None) -> str | None:
        """A policy as a receiver applies it: `t=y` takes it one step down (RFC 9989 §4.7)."""
        if policy is None or not self.testing:
            return policy
        return POLICIES[max(POLICIES.index(policy) - 1, 0)]


def is_dmarc(text: str) -> bool:
    """Whether a TXT record begins with a version tag that receivers recognise; they discard others (RFC 9989 §4.10)."""
    return _START.match(text) is not None


def weaker(policy: str, than: str) -> bool:
    """Whether one policy asks for less than another."""
    return POLICIES.index(policy) < POLICIES.index(than)


def parse_dmarc(text: str) -> DmarcRecord:
    """A record taken apart; of a text that `is_dmarc` does not recognise the result is not usable. Never raises."""
    found = parse_tags(text)
    problems = [Problem(error.message, error.start, error.end) for error in found.errors]
    recognised = is_dmarc(text)
    if not recognised:
        first = found.tags[0] if found.tags else None
        end = first.value_span[1] if first else len(text)
        problems.append(Problem("the record must begin with exactly v=DMARC1 and a semicolon", 0, end))
    elif text[0] in " \t":
        problems.append(Problem("white space before v=DMARC1", 0, len(text) - len(text.lstrip(" \t"))))
    by_name, repeated = _by_name(found.tags, problems)
    policies = {name: _policy(by_name.get(name), problems) for name in _SEVERAL_POLICIES}
    choices = {name: _choice(by_name.get(name), allowed, problems) for name, allowed in _CHOICES.items()}
    reports = {name: _uris(by_name.get(name), problems) for name in ("rua", "ruf")}
    _removed(by_name, problems)
    bad = "p" not in by_name or any(name in by_name and value is None for name, value in policies.items())
    heard = any(uri.address for uri in reports["rua"])
    if recognised and "p" not in by_name:
        version = by_name["v"].value_span[1] if "v" in by_name else len(text)
        # RFC 9989 §4.7 only recommends p=: with an address for reports, its absence means none.
        problems.append(Problem("the tag p= is missing", version, version, mild=heard))
    return DmarcRecord(
        text=text,
        tags=found.tags,
        p=policies["p"],
        sp=policies["sp"],
        np=policies["np"],
        psd=choices["psd"] or "u",
        testing=choices["t"] == "y",
        adkim="strict" if choices["adkim"] == "s" else "relaxed",
        aspf="strict" if choices["aspf"] == "s" else "relaxed",
        fo=_fo(by_name.get("fo"), problems),
        rua=reports["rua"],
        ruf=reports["ruf"],
        problems=tuple(sorted(set(problems), key=lambda problem: (problem.start, problem.end, problem.message))),
        # RFC 6376 §3.2: a name that stands twice makes the list invalid; RFC 9989 §4.10.1 for the rest.
        usable=recognised and not repeated and (not bad or heard),
        recovered=recognised and not repeated and bad and heard,
    )


def _by_name(tags: tuple[Tag, ...], problems: list[Problem]) -> tuple[dict[str, Tag], bool]:
    """The first tag of each name in lower case (RFC 5234 §2.3: names in the ABNF know no case)."""
    by_name: dict[str, Tag] = {}
    repeated = False
    for tag in tags:
        name = tag.name.lower()
        if name not in by_name:
            by_name[name] = tag
            continue
        repeated = True
        if by_name[name].name != tag.name:
            # The list itself knows case, and has told of names that are equal to the letter.
            problems.append(Problem(f"the tag {name[:32]}= stands twice", *tag.name_span))
    return by_name, repeated


def _policy(tag: Tag | None, problems: list[Problem]) -> str | None:
    if tag is None:
        return None
    value = tag.value.lower()
    if value in POLICIES:
        return value
    problems.append(Problem(f"{tag.name}= must be none, quarantine or reject", *_place(tag)))
    return None


def _choice(tag: Tag | None, allowed: str, problems: list[Problem]) -> str | None:
    if tag is None:
        return None
    value = tag.value.lower()
    if len(value) == 1 and value in allowed:
        return value
    problems.append(Problem(f"{tag.name}= must be {' or '.join(allowed)}: receivers take its default", *_place(tag)))
    return None


def _fo(tag: Tag | None, problems: list[Problem]) -> tuple[str, ...]:
    if tag is None:
        return ()
    options = tuple(part.strip().lower() for part in tag.value.split(":"))
    if all(option in {"0", "1", "d", "s"} for option in options):
        return options
    problems.append(Problem("fo= must be 0, 1, d or s, several joined by colons", *_place(tag)))
    return ()


def _uris(tag: Tag | None, problems: list[Problem]) -> tuple[ReportUri, ...]:
    if tag is None:
        return ()
    if not tag.value:
        problems.append(Problem(f"{tag.name}= names no address", *_place(tag)))
    return parse_uris(tag.value, tag.value_span[0])


def _removed(by_name: dict[str, Tag], problems: list[Problem]) -> None:
    for name, pattern in _OLD_VALUE.items():
        tag = by_name.get(name)
        if tag is not None and not pattern.fullmatch(tag.value):
            problems.append(
                Problem(
                    f"the value of {name}= is not valid: receivers on RFC 7489 may discard the whole record",
                    *_place(tag),
                    mild=True,
                )
            )


def _place(tag: Tag) -> tuple[int, int]:
    """Where the value stands; the whole tag where it is empty."""
    start, end = tag.value_span
    return (start, end) if start < end else (tag.name_span[0], end)
